package tables

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies/inference"
)

// Confirmed is the table of a search's best points as they did from fresh seeds, on one data set; false where none was
// trained again.
func Confirmed(s *reports.Snapshot, block int) (Table, bool) {
	c := s.Confirmed
	if !c.Shown() || block >= len(c.Blocks) {
		return Table{}, false
	}
	m, b := s.Metric, c.Blocks[block]
	t := Table{Name: "confirmed", Title: s.Study.Name + ", confirmed from fresh seeds"}
	if len(c.Blocks) > 1 {
		t.Title += " on " + b.Data
	}
	level := strconv.FormatFloat(100*(1-s.Spec.Rules.Level()), 'g', 4, 64)
	t.Columns = []Column{{Title: "configuration"}, {Title: "search, optimistic", Right: true}, {Title: "confirmed " + heading(m), Right: true}, {Title: "seeds", Right: true},
		{Title: "change", Right: true}, {Title: "effect", Right: true}, {Title: level + " % interval", Right: true}, {Title: "verdict"}}
	t.Rows = append(t.Rows, []Cell{label("baseline"), {}, cell(m.MeanSpread(b.Baseline.Mean, b.Baseline.SD)), cell(strconv.Itoa(b.Baseline.N)), {}, {}, {}, {Text: "reference"}})
	for _, p := range b.Points {
		row := []Cell{label(p.Label), cell(m.MeanSpread(p.Search, math.NaN())), cell(m.MeanSpread(p.Confirmed.Mean, p.Confirmed.SD)), cell(strconv.Itoa(p.Confirmed.N)), cell(difference(m, p))}
		if p.Confirmed.N == 0 {
			row[2] = Cell{Text: "no score", Tone: Open}
		}
		tone := ToneOf(p.Effect.Verdict)
		row = append(row, Cell{Text: m.Effect(p.Effect), Mark: mark(p.Effect), Tone: tone}, cell(m.Interval(p.Effect)), Cell{Text: verdictWords(p.Effect.Verdict), Tone: tone})
		t.Rows = append(t.Rows, row)
	}
	t.Notes = confirmedNotes(s, b)
	return t, true
}

// difference is what became of a score from the search to fresh seeds, in the metric's unit.
func difference(m reports.Metric, p reports.ConfirmedPoint) string {
	d := p.Confirmed.Mean - p.Search
	if math.IsNaN(d) {
		return ""
	}
	if math.Abs(d) < 1e-12*max(math.Abs(p.Search), math.Abs(p.Confirmed.Mean)) {
		d = 0 // what rounding leaves of two equal numbers
	}
	return m.Effect(reports.Effect{Effect: inference.Effect{Mean: d, Low: math.NaN(), High: math.NaN()}})
}

func confirmedNotes(s *reports.Snapshot, b reports.ConfirmedBlock) []string {
	c := s.Confirmed
	n := []string{fmt.Sprintf("Study %s: the best of %s by the search's own scores, and the baseline, trained again with seeds that the search never used, paired by seed; scored on split %s, the search on %s.",
		c.Name, reports.Count(c.Of, "configuration"), c.Report, c.Tune)}
	if c.Fresh() {
		n = append(n, "Change: confirmed minus search. It holds the luck for which a point was chosen and the difference between the splits; effects are against the baseline on the same split and hold neither.")
	} else {
		n = append(n, "Change: confirmed minus search, the luck of training for which a point was chosen.")
	}
	if !c.Count.Done() {
		n = append(n, fmt.Sprintf("%d of %d trials have finished.", c.Count.Finished(), c.Count.Planned))
	}
	var broken []string
	for _, p := range b.Points {
		if p.Broken > 0 {
			broken = append(broken, fmt.Sprintf("%s (%d of %d)", p.Label, p.Broken, p.Confirmed.N))
		}
	}
	if len(broken) > 0 {
		n = append(n, "Fresh trainings that broke a constraint: "+strings.Join(broken, ", ")+".")
	}
	return n
}

// DocumentConfirmed is a search's confirmation for other programs.
type DocumentConfirmed struct {
	Study       string                   `json:"study"`
	Of          int                      `json:"of"` // configurations that the points were chosen among
	TuneSplit   string                   `json:"tune_split"`
	ReportSplit string                   `json:"report_split"`
	Trials      reports.Accounting       `json:"trials"`
	Blocks      []DocumentConfirmedBlock `json:"blocks"` // one per data set
}

// DocumentConfirmedBlock are the points on one data set.
type DocumentConfirmedBlock struct {
	Data     string                   `json:"data"`
	Baseline inference.Summary        `json:"baseline"`
	Points   []DocumentConfirmedPoint `json:"points"` // best in the search first
}

// DocumentConfirmedPoint is one configuration before and after.
type DocumentConfirmedPoint struct {
	Arm       string            `json:"arm"`
	Label     string            `json:"label"`
	Trials    []int             `json:"trials"`    // of the search
	Search    *float64          `json:"search"`    // optimistic: it was chosen for this score
	Confirmed inference.Summary `json:"confirmed"` // from fresh seeds
	Shrinkage *float64          `json:"shrinkage"` // of the search's score, positive for the worse
	Broken    int               `json:"constraint_broken,omitempty"`
	Effect    *inference.Effect `json:"effect,omitempty"` // against the baseline
}

func documentConfirmed(c *reports.Confirmation) *DocumentConfirmed {
	if c == nil {
		return nil
	}
	d := &DocumentConfirmed{Study: c.Name, Of: c.Of, TuneSplit: c.Tune, ReportSplit: c.Report, Trials: c.Count, Blocks: []DocumentConfirmedBlock{}}
	for _, b := range c.Blocks {
		db := DocumentConfirmedBlock{Data: b.Data, Baseline: b.Baseline, Points: []DocumentConfirmedPoint{}}
		for _, p := range b.Points {
			x := DocumentConfirmedPoint{Arm: p.Arm, Label: p.Label, Trials: p.Trials, Search: null(p.Search), Confirmed: p.Confirmed, Shrinkage: null(p.Shrinkage), Broken: p.Broken}
			if p.Confirmed.N > 0 {
				x.Effect = &p.Effect.Effect
			}
			db.Points = append(db.Points, x)
		}
		d.Blocks = append(d.Blocks, db)
	}
	return d
}
