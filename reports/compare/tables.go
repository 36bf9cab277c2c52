package compare

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/tables"
	"github.com/mapsweep/mapsweep/studies/inference"
)

// Tables are the comparison as tables: references and effects of each pair of data sets or the best configurations,
// then what differs between the studies.
func (c *Comparison) Tables() []tables.Table {
	var ts []tables.Table
	if c.Best != nil {
		ts = append(ts, c.bestTable())
	}
	for _, b := range c.Blocks {
		if b.Reference != nil {
			ts = append(ts, c.referenceTable(b))
		}
		if len(b.Rows) > 0 {
			ts = append(ts, c.effectsTable(b))
		}
	}
	t := tables.Table{Name: "differences", Title: "What differs between the studies", Columns: []tables.Column{{Title: "what"}, {Title: "A"}, {Title: "B"}}}
	t.Rows = append(t.Rows, []tables.Cell{{Text: "study"}, {Text: c.A.Study.Name, Label: true}, {Text: c.B.Study.Name, Label: true}})
	for _, d := range c.Differences {
		t.Rows = append(t.Rows, []tables.Cell{{Text: d.What, Label: true}, {Text: d.A, Label: true}, {Text: d.B, Label: true}})
	}
	t.Notes = c.Notes
	return append(ts, t)
}

// Title names the comparison.
func (c *Comparison) Title() string {
	return c.A.Study.Name + " (A) and " + c.B.Study.Name + " (B)"
}

func (c *Comparison) on(b Block) string {
	if b.A.Data == "" && b.B.Data == "" {
		return ""
	}
	return " on " + join(b.A.Data, b.B.Data)
}

func (c *Comparison) heading() string {
	if c.Metric.Points {
		return c.Metric.Key + " (points)"
	}
	return c.Metric.Key
}

func (c *Comparison) intervalTitle() string {
	return strconv.FormatFloat(100*(1-c.Level), 'g', 4, 64) + " % interval"
}

func (c *Comparison) referenceTable(b Block) tables.Table {
	r := b.Reference
	d := r.Difference
	tone := tables.ToneOf(d.Verdict)
	return tables.Table{Name: "references", Title: "The " + r.Label + c.on(b),
		Columns: []tables.Column{{Title: "A: " + c.heading(), Right: true}, {Title: "B: " + c.heading(), Right: true}, {Title: "B − A", Right: true},
			{Title: c.intervalTitle(), Right: true}, {Title: "seeds", Right: true}, {Title: "p", Right: true}, {Title: "B against A"}},
		Rows: [][]tables.Cell{{{Text: c.Metric.MeanSpread(r.A.Mean, r.A.SD)}, {Text: c.Metric.MeanSpread(r.B.Mean, r.B.SD)}, {Text: c.number(d), Tone: tone}, {Text: c.interval(d)},
			{Text: seeds(len(r.A.Scores), len(r.B.Scores))}, {Text: reports.PValue(d.P)}, {Text: c.Verdict(d), Tone: tone}}}}
}

func seeds(a, b int) string {
	if a == b {
		return strconv.Itoa(a)
	}
	return fmt.Sprintf("%d, %d", a, b)
}

func (c *Comparison) effectsTable(b Block) tables.Table {
	t := tables.Table{Name: "comparison", Title: "Effects on " + c.Metric.Key + c.on(b), Columns: []tables.Column{{Title: "change"},
		{Title: "effect", Right: true, Group: "A"}, {Title: c.intervalTitle(), Right: true, Group: "A"},
		{Title: "effect", Right: true, Group: "B"}, {Title: c.intervalTitle(), Right: true, Group: "B"},
		{Title: "difference", Right: true, Group: "B − A"}, {Title: c.intervalTitle(), Right: true, Group: "B − A"}, {Title: "p (Holm)", Right: true, Group: "B − A"},
		{Title: "verdicts"}, {Title: "B against A"}}}
	if c.Metric.Points {
		t.Title += ", points"
	}
	for _, r := range b.Rows {
		d := r.Difference
		tone := tables.ToneOf(d.Verdict)
		t.Rows = append(t.Rows, []tables.Cell{{Text: r.Label, Label: true}, {Text: c.effect(r.EffectA), Tone: tables.ToneOf(r.EffectA.Verdict)}, {Text: c.Metric.Interval(*r.EffectA)},
			{Text: c.effect(r.EffectB), Tone: tables.ToneOf(r.EffectB.Verdict)}, {Text: c.Metric.Interval(*r.EffectB)},
			{Text: c.number(d), Tone: tone}, {Text: c.interval(d)}, {Text: reports.PValue(d.PHolm)}, {Text: r.Agreement()}, {Text: c.Verdict(d), Tone: tone}})
		if r.Mind != "" {
			t.Notes = append(t.Notes, r.Label+": "+r.Mind+".")
		}
		if d.Verdict == inference.NotTested {
			t.Notes = append(t.Notes, r.Label+": the difference was not tested ("+d.Reason+").")
		}
	}
	const p = 7 // column of p values, which differences of studies until settled do not have
	if !slices.ContainsFunc(t.Rows, func(r []tables.Cell) bool { return r[p].Text != "" }) {
		t.Columns = slices.Delete(t.Columns, p, p+1)
		for i := range t.Rows {
			t.Rows[i] = slices.Delete(t.Rows[i], p, p+1)
		}
	}
	if b.Margin > 0 {
		t.Notes = append(t.Notes, "“the same” means within ±"+c.A.MarginText(b.A)+".")
	}
	for _, x := range []struct {
		study string
		names []string
	}{{"A", b.OnlyA}, {"B", b.OnlyB}} {
		if len(x.names) > 0 {
			t.Notes = append(t.Notes, "In "+x.study+" alone: "+strings.Join(x.names, "; ")+".")
		}
	}
	return t
}

func (c *Comparison) bestTable() tables.Table {
	t := tables.Table{Name: "best", Title: "The best configurations", Columns: []tables.Column{{Title: ""}, {Title: "A"}, {Title: "B"}}}
	row := func(what string, cell func(*reports.Candidate) string) {
		r := []tables.Cell{{Text: what, Label: true}}
		for _, x := range []*reports.Candidate{c.Best.A, c.Best.B} {
			if x == nil {
				r = append(r, tables.Cell{})
				continue
			}
			r = append(r, tables.Cell{Text: cell(x), Label: true})
		}
		t.Rows = append(t.Rows, r)
	}
	row(c.heading(), func(x *reports.Candidate) string { return c.Metric.MeanSpread(x.Mean, x.SD) })
	row("trials", func(x *reports.Candidate) string { return strconv.Itoa(x.N) })
	t.Rows = append(t.Rows, []tables.Cell{{Text: "configurations"}, {Text: strconv.Itoa(len(c.A.Search.Candidates))}, {Text: strconv.Itoa(len(c.B.Search.Candidates))}})
	for _, n := range c.Best.Names {
		row(n, func(x *reports.Candidate) string {
			if v, ok := x.Params[n]; ok {
				return reports.ShortValue(v)
			}
			return ""
		})
	}
	return t
}

// CSV writes the comparison's numbers for other programs: a line per arm that both studies have, the references
// included, in stored units. Searches have a line for each study's best configuration.
func (c *Comparison) CSV(w io.Writer) error {
	rows := [][]string{{"data_a", "data_b", "arm", "metric", "reference", "n_a", "mean_a", "sd_a", "effect_a", "low_a", "high_a", "verdict_a",
		"n_b", "mean_b", "sd_b", "effect_b", "low_b", "high_b", "verdict_b", "difference", "low", "high", "p", "p_corrected", "verdict", "method"}}
	for _, b := range c.Blocks {
		if b.Reference != nil {
			rows = append(rows, c.line(b, *b.Reference))
		}
		for _, r := range b.Rows {
			rows = append(rows, c.line(b, r))
		}
	}
	if c.Best != nil {
		rows = [][]string{append([]string{"study", "metric", "n", "mean", "sd"}, c.Best.Names...)}
		for i, x := range []*reports.Candidate{c.Best.A, c.Best.B} {
			if x == nil {
				continue
			}
			r := []string{"ab"[i : i+1], c.Metric.Key, strconv.Itoa(x.N), number(x.Mean), number(x.SD)}
			for _, n := range c.Best.Names {
				r = append(r, tables.Value(x.Params, n))
			}
			rows = append(rows, r)
		}
	}
	out := csv.NewWriter(w)
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("write CSV of the comparison: %w", err)
	}
	return nil
}

func (c *Comparison) line(b Block, r Row) []string {
	arm := func(a reports.Arm, e *reports.Effect) []string {
		f := []string{strconv.Itoa(len(a.Scores)), number(a.Mean), number(a.SD)}
		if e == nil {
			return append(f, "", "", "", "reference")
		}
		return append(f, number(e.Mean), number(e.Low), number(e.High), string(e.Verdict))
	}
	d := r.Difference
	line := []string{tables.Safe(b.A.Data), tables.Safe(b.B.Data), tables.Safe(r.A.Name), tables.Safe(c.Metric.Key), strconv.FormatBool(r.EffectA == nil)}
	line = append(append(line, arm(r.A, r.EffectA)...), arm(r.B, r.EffectB)...)
	return append(line, number(d.Mean), number(d.Low), number(d.High), number(d.P), number(d.PHolm), string(d.Verdict), string(d.Method))
}

func number(x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return ""
	}
	return strconv.FormatFloat(x, 'g', 12, 64)
}
