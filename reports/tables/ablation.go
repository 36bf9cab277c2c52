package tables

import (
	"fmt"
	"strconv"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies/inference"
)

// Ablation is the table of one block: the baseline, then every arm from the best effect to the worst.
func Ablation(s *reports.Snapshot, block int) Table { return View{}.ablation(s, block) }

// sheet is a table with a row per arm in the making.
type sheet struct {
	s       *reports.Snapshot
	b       *reports.Block
	lead    []lead // columns that say what an arm is
	further []reports.Further
	order   []int // indices of arms: the reference, then from the best effect to the worst
}

// lead is a column that says what an arm is: a text for each arm of the block.
type lead struct {
	Column
	texts []string
}

func (v View) sheet(s *reports.Snapshot, block int) sheet {
	b := &s.Blocks[block]
	t := sheet{s: s, b: b, further: s.Further(b, v.Metrics, v.measure()), order: shownOrder(s, b)}
	if v.configured() {
		t.lead = settings(s, b.Arms, v.OnlyChanged)
	}
	if len(t.lead) == 0 {
		t.lead = []lead{{Column: Column{Title: "change"}}}
		for _, a := range b.Arms {
			t.lead[0].texts = append(t.lead[0].texts, a.Label)
		}
	}
	return t
}

// shownOrder is the order of a block's arms in tables: the reference, then by effect.
func shownOrder(s *reports.Snapshot, b *reports.Block) []int {
	at := map[string]int{}
	var order []int
	for i, a := range b.Arms {
		at[a.Name] = i
		if a.Reference {
			order = append(order, i)
		}
	}
	for _, e := range s.Sorted(b) {
		order = append(order, at[e.Arm])
	}
	return order
}

func (t sheet) columns() []Column {
	var cs []Column
	for _, l := range t.lead {
		cs = append(cs, l.Column)
	}
	cs = append(cs, Column{Title: heading(t.s.Metric), Right: true})
	for _, f := range t.further {
		cs = append(cs, Column{Title: heading(f.Metric), Right: true})
	}
	return append(cs, Column{Title: "effect", Right: true}, Column{Title: intervalTitle(t.b), Right: true}, Column{Title: "seeds", Right: true},
		Column{Title: "p (" + t.s.Correction(t.b) + ")", Right: true}, Column{Title: "verdict"})
}

// row is the row of the arm at index i of the block.
func (t sheet) row(i int) []Cell {
	m, a := t.s.Metric, t.b.Arms[i]
	var r []Cell
	for _, l := range t.lead {
		r = append(r, label(l.texts[i]))
	}
	r = append(r, score(m, a, t.b.IsTop(i)))
	for _, f := range t.further {
		x := f.Arms[i]
		r = append(r, cell(f.Metric.MeanSpread(x.Mean, x.SD)))
	}
	e, ok := t.b.Effect(a.Name)
	if !ok {
		return append(r, Cell{}, Cell{}, cell(strconv.Itoa(len(a.Scores))), Cell{}, Cell{Text: "reference"})
	}
	tone := ToneOf(e.Verdict)
	return append(r, Cell{Text: m.Effect(e), Mark: mark(e), Tone: tone}, cell(m.Interval(e)), cell(strconv.Itoa(e.N)),
		cell(reports.PValue(e.PHolm)), Cell{Text: verdictWords(e.Verdict), Tone: tone})
}

func (v View) ablation(s *reports.Snapshot, block int) Table {
	t := v.sheet(s, block)
	out := Table{Name: "ablation", Title: title(s, t.b), Columns: t.columns()}
	if len(t.b.Arms) == 0 {
		out.Notes = append(out.Notes, "No trial of this study has an arm yet.")
		return out
	}
	if v.By == ByFactor {
		t.order, out.Groups = byFactor(s, t.b, t.order)
	}
	for _, i := range t.order {
		out.Rows = append(out.Rows, t.row(i))
	}
	out.Notes = append(notes(s, t.b), append(switchNote(t.lead), v.furtherNotes(s, t.b)...)...)
	return out
}

func title(s *reports.Snapshot, b *reports.Block) string {
	if len(s.Blocks) > 1 && b.Data != "" {
		return s.Study.Name + " on " + b.Data
	}
	return s.Study.Name
}

// score is the mean and spread of an arm.
func score(m reports.Metric, a reports.Arm, top bool) Cell {
	if len(a.Scores) == 0 {
		return Cell{Text: "no score", Tone: Open}
	}
	return Cell{Text: m.MeanSpread(a.Mean, a.SD), Strong: top}
}

// intervalTitle names the level of the block's intervals.
func intervalTitle(b *reports.Block) string {
	return fmt.Sprintf("%s %% interval", levelName(b))
}

// levelName is the level of the block's intervals in percent: "95".
func levelName(b *reports.Block) string {
	alpha := inference.DefaultAlpha
	if len(b.Effects) > 0 && b.Effects[0].Options.Alpha > 0 {
		alpha = b.Effects[0].Options.Alpha
	}
	return strconv.FormatFloat(100*(1-alpha), 'g', 4, 64)
}
