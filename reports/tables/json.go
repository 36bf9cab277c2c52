package tables

import (
	"encoding/json"
	"fmt"
	"io"
	"math"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// Document is a study's results for other programs. Numbers are in the metric's stored unit; a missing one is null.
type Document struct {
	Study     string                      `json:"study"`
	Metric    string                      `json:"metric"`
	Trials    reports.Accounting          `json:"trials"`
	Seconds   float64                     `json:"seconds"`        // while at least one trial ran
	Device    float64                     `json:"device_seconds"` // summed over trials
	Answer    []string                    `json:"answer"`         // a paragraph per data set
	Warnings  []string                    `json:"warnings,omitempty"`
	Blocks    []DocumentBlock             `json:"blocks"`             // one per data set
	Across    map[string]inference.Across `json:"across,omitempty"`   // with --by data: over all data sets, by arm
	HoldsOn   []reports.Holding           `json:"holds_on,omitempty"` // with --by data: on how many data sets each effect is shown
	Search    *DocumentSearch             `json:"search,omitempty"`
	Front     *DocumentFront              `json:"front,omitempty"`     // of a search with several objectives
	Confirmed *DocumentConfirmed          `json:"confirmed,omitempty"` // the search's best from fresh seeds: its result
	Failures  []reports.Failure           `json:"failures,omitempty"`
	Audit     *trials.Audit               `json:"audit,omitempty"` // which knobs the trainer reads
	Methods   string                      `json:"methods"`         // a paragraph fit for a paper
	Tables    []DocumentTable             `json:"tables"`          // as people see them
	Tunings   []reports.Tuning            `json:"tunings,omitempty"`
	Budget    *DocumentBudget             `json:"budget,omitempty"` // of a study that tunes its variants
}

// DocumentTable is a table as people see it. A cell is its text with its mark.
type DocumentTable struct {
	Name    string          `json:"name"`
	Title   string          `json:"title"`
	Columns []string        `json:"columns"`
	Rows    [][]string      `json:"rows"`
	Bold    [][2]int        `json:"bold,omitempty"`   // row and column of cells not shown to be worse than the best
	Groups  []DocumentGroup `json:"groups,omitempty"` // headings between rows
	Notes   []string        `json:"notes"`
}

// DocumentGroup is a heading before a row.
type DocumentGroup struct {
	Row   int    `json:"row"`
	Title string `json:"title"`
}

// DocumentBlock holds the arms of one data set.
type DocumentBlock struct {
	Data       string          `json:"data"`
	Smallest   *float64        `json:"smallest_effect"` // that could have been seen
	Margin     float64         `json:"margin"`
	Correction string          `json:"correction,omitempty"`
	How        reports.How     `json:"how"`
	Arms       []DocumentArm   `json:"arms"` // in design order
	Tuned      *reports.Tuned  `json:"tuned,omitempty"`
	Levels     []DocumentLevel `json:"levels,omitempty"` // with --by level, of designs that cross factors
	// Pictures is nil in a search.
	Pictures *DocumentPictures `json:"seeds_and_pictures,omitempty"`
}

// DocumentLevel is the mean of all complete trials at a level.
type DocumentLevel struct {
	Factor  string                       `json:"factor"`
	Level   any                          `json:"level"`
	Score   inference.Summary            `json:"score"`
	Metrics map[string]inference.Summary `json:"metrics,omitempty"`
}

// DocumentMetric is a metric beside the objective: its effect has its own interval, without correction or verdict.
type DocumentMetric struct {
	inference.Summary
	Effect *inference.Effect
}

// MarshalJSON writes the summary's fields and the effect beside them.
func (m DocumentMetric) MarshalJSON() ([]byte, error) {
	type effect struct {
		N      int              `json:"n"`
		Mean   *float64         `json:"mean"`
		Low    *float64         `json:"low"`
		High   *float64         `json:"high"`
		P      *float64         `json:"p"`
		Method inference.Method `json:"method"`
	}
	var e *effect
	if x := m.Effect; x != nil {
		e = &effect{x.N, null(x.Mean), null(x.Low), null(x.High), null(x.P), x.Method}
	}
	return json.Marshal(struct {
		N      int      `json:"n"`
		Mean   *float64 `json:"mean"`
		SD     *float64 `json:"sd"`
		Effect *effect  `json:"effect,omitempty"`
	}{m.N, null(m.Mean), null(m.SD), e})
}

// DocumentArm is one variant.
type DocumentArm struct {
	Arm       string                    `json:"arm"`
	Label     string                    `json:"label"`
	Reference bool                      `json:"reference"`
	Top       bool                      `json:"top"`            // not shown to be worse than the best, while another is
	Mark      string                    `json:"mark,omitempty"` // as in tables
	Params    trials.Params             `json:"params"`
	Scores    []reports.Score           `json:"scores"`
	Mean      *float64                  `json:"mean"`
	SD        *float64                  `json:"sd"`
	Effect    *inference.Effect         `json:"effect,omitempty"`
	Course    *inference.Course         `json:"course,omitempty"`  // how it was settled, look by look
	Sizes     *DocumentSizes            `json:"sizes,omitempty"`   // of a fixed number of replicates
	Metrics   map[string]DocumentMetric `json:"metrics,omitempty"` // those that were asked for
}

// DocumentSizes are an effect in units that do not depend on the metric's.
type DocumentSizes struct {
	Above     *float64 `json:"chance_better"` // of a training of the variant, against one of the reference
	AboveLow  *float64 `json:"chance_low"`
	AboveHigh *float64 `json:"chance_high"`
	D         *float64 `json:"standardised"` // with Hedges' correction, in the metric's direction of growth
	DLow      *float64 `json:"standardised_low"`
	DHigh     *float64 `json:"standardised_high"`
}

func newDocumentSizes(s *reports.Snapshot, b *reports.Block, arm string) *DocumentSizes {
	x, ok := s.Sizes(b, arm)
	if !ok {
		return nil
	}
	return &DocumentSizes{null(x.Above), null(x.AboveLow), null(x.AboveHigh), null(x.D), null(x.DLow), null(x.DHigh)}
}

// DocumentSearch holds a search's configurations, best first.
type DocumentSearch struct {
	Sampler    string              `json:"sampler"`
	Pruner     string              `json:"pruner,omitempty"`
	Optimistic string              `json:"optimistic,omitempty"` // why the best score is too good to be quoted
	Infeasible int                 `json:"infeasible,omitempty"` // complete trials that broke a constraint
	Candidates []DocumentCandidate `json:"candidates"`
}

// DocumentCandidate is one configuration with its complete trials.
type DocumentCandidate struct {
	Params trials.Params `json:"params"`
	Trials []int         `json:"trials"`
	Mean   *float64      `json:"mean"`
	SD     *float64      `json:"sd"`
	Rank   *float64      `json:"rank"` // by which it stands where it does: the score, or once some are repeated the cautious end of its interval
}

// JSON writes the study's results as one indented JSON document.
func JSON(w io.Writer, s *reports.Snapshot) error { return View{}.JSON(w, s) }

// JSON is JSON with what the view asks for.
func (v View) JSON(w io.Writer, s *reports.Snapshot) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(v.Document(s)); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}

// Document collects a snapshot's results.
func (v View) Document(s *reports.Snapshot) Document {
	d := Document{Study: s.Study.Name, Metric: s.Metric.Key, Trials: s.Count, Seconds: s.Time.Wall.Seconds(),
		Device: s.Time.Device.Seconds(), Warnings: s.Warnings, Failures: s.Failures, Blocks: []DocumentBlock{}, Methods: reports.Methods(s)}
	if a, ok := s.Study.Audit(); ok {
		d.Audit = &a
	}
	if v.By == ByClass {
		v.Metrics = classKeys(s)
	}
	for i := range s.Blocks {
		b := &s.Blocks[i]
		d.Answer = append(d.Answer, reports.Text(s.Answer(b)))
		d.Blocks = append(d.Blocks, v.block(s, b))
		if v.By == ByLevel && crossed(s, b) {
			d.Blocks[i].Levels = v.documentLevels(s, i)
		}
		d.Blocks[i].Pictures = newDocumentPictures(s, b)
	}
	if pooled, why := s.Pooled(); v.By == ByData && why == "" {
		d.Blocks = append(d.Blocks, v.block(s, &pooled))
		d.Across = acrossSets(s, armNames(s, s.Blocks))
		d.HoldsOn = s.HoldsOn()
	}
	d.tuned(s)
	if s.Search != nil {
		d.Search = &DocumentSearch{Sampler: s.Search.Sampler, Pruner: s.Search.Pruner, Optimistic: s.Optimistic(), Infeasible: s.Search.Infeasible, Candidates: []DocumentCandidate{}}
		for _, c := range s.Search.Candidates {
			d.Search.Candidates = append(d.Search.Candidates, DocumentCandidate{c.Params, c.Trials, null(c.Mean), null(c.SD), null(c.Rank)})
		}
	}
	d.Front = documentFront(s.Front)
	d.Confirmed = documentConfirmed(s.Confirmed)
	d.Tables = Documents(v.Tables(s))
	return d
}

func (v View) block(s *reports.Snapshot, b *reports.Block) DocumentBlock {
	db := DocumentBlock{Data: b.Data, Tuned: b.Tuned, Smallest: null(b.Smallest), Margin: b.Margin, How: s.How(b), Arms: []DocumentArm{}}
	if len(b.Effects) > 0 {
		db.Correction = s.Correction(b)
	}
	further := s.Further(b, v.Metrics, v.measure())
	for k, a := range b.Arms {
		da := DocumentArm{Arm: a.Name, Label: a.Label, Reference: a.Reference, Top: b.IsTop(k), Params: a.Params,
			Scores: append([]reports.Score{}, a.Scores...), Mean: null(a.Mean), SD: null(a.SD)}
		if e, ok := b.Effect(a.Name); ok {
			da.Effect, da.Course, da.Mark = &e.Effect, e.Course, mark(e)
			da.Sizes = newDocumentSizes(s, b, a.Name)
		}
		for _, f := range further {
			if da.Metrics == nil {
				da.Metrics = map[string]DocumentMetric{}
			}
			da.Metrics[f.Metric.Key] = DocumentMetric{f.Arms[k].Summary, f.Arms[k].Effect}
		}
		db.Arms = append(db.Arms, da)
	}
	return db
}

func (v View) documentLevels(s *reports.Snapshot, block int) []DocumentLevel {
	var out []DocumentLevel
	for _, m := range v.Marginals(s, block) {
		l := DocumentLevel{Factor: m.Factor, Level: m.Level, Score: m.Summary}
		for i, k := range v.Metrics {
			if l.Metrics == nil {
				l.Metrics = map[string]inference.Summary{}
			}
			l.Metrics[k] = m.Further[i]
		}
		out = append(out, l)
	}
	return out
}

// Documents are tables as they are in JSON.
func Documents(ts []Table) []DocumentTable {
	out := []DocumentTable{}
	for _, t := range ts {
		d := DocumentTable{Name: t.Name, Title: t.Title, Columns: []string{}, Rows: [][]string{}, Notes: append([]string{}, t.Notes...)}
		for _, c := range t.Columns {
			d.Columns = append(d.Columns, c.Heading())
		}
		for i, r := range t.Rows {
			row := []string{}
			for k, c := range r {
				row = append(row, c.Full())
				if c.Strong {
					d.Bold = append(d.Bold, [2]int{i, k})
				}
			}
			d.Rows = append(d.Rows, row)
		}
		for _, g := range t.Groups {
			d.Groups = append(d.Groups, DocumentGroup(g))
		}
		out = append(out, d)
	}
	return out
}

// null is a number, or nothing where it is none.
func null(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}
