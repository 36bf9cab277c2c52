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
	Study    string             `json:"study"`
	Metric   string             `json:"metric"`
	Trials   reports.Accounting `json:"trials"`
	Seconds  float64            `json:"seconds"`        // while at least one trial ran
	Device   float64            `json:"device_seconds"` // summed over trials
	Answer   []string           `json:"answer"`         // a paragraph per data set
	Warnings []string           `json:"warnings,omitempty"`
	Blocks   []DocumentBlock    `json:"blocks"` // one per data set
	Search   *DocumentSearch    `json:"search,omitempty"`
	Failures []reports.Failure  `json:"failures,omitempty"`
	Audit    *trials.Audit      `json:"audit,omitempty"` // which knobs the trainer reads
}

// DocumentBlock holds the arms of one data set.
type DocumentBlock struct {
	Data     string        `json:"data"`
	Smallest *float64      `json:"smallest_effect"` // that could have been seen
	Margin   float64       `json:"margin"`
	Arms     []DocumentArm `json:"arms"` // in design order
}

// DocumentArm is one variant.
type DocumentArm struct {
	Arm       string            `json:"arm"`
	Label     string            `json:"label"`
	Reference bool              `json:"reference"`
	Best      bool              `json:"best"` // set apart from all others by its interval
	Params    trials.Params     `json:"params"`
	Scores    []reports.Score   `json:"scores"`
	Mean      *float64          `json:"mean"`
	SD        *float64          `json:"sd"`
	Effect    *inference.Effect `json:"effect,omitempty"`
	Course    *inference.Course `json:"course,omitempty"` // how it was settled, look by look
}

// DocumentSearch holds a search's configurations, best first.
type DocumentSearch struct {
	Sampler    string              `json:"sampler"`
	Pruner     string              `json:"pruner,omitempty"`
	Candidates []DocumentCandidate `json:"candidates"`
}

// DocumentCandidate is one configuration with its complete trials.
type DocumentCandidate struct {
	Params trials.Params `json:"params"`
	Trials []int         `json:"trials"`
	Mean   *float64      `json:"mean"`
	SD     *float64      `json:"sd"`
}

// JSON writes the study's results as one indented JSON document.
func JSON(w io.Writer, s *reports.Snapshot) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(NewDocument(s)); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}

// NewDocument collects a snapshot's results.
func NewDocument(s *reports.Snapshot) Document {
	d := Document{Study: s.Study.Name, Metric: s.Metric.Key, Trials: s.Count, Seconds: s.Time.Wall.Seconds(),
		Device: s.Time.Device.Seconds(), Warnings: s.Warnings, Failures: s.Failures, Blocks: []DocumentBlock{}}
	if a, ok := s.Study.Audit(); ok {
		d.Audit = &a
	}
	for i := range s.Blocks {
		b := &s.Blocks[i]
		d.Answer = append(d.Answer, reports.Text(s.Answer(b)))
		db := DocumentBlock{Data: b.Data, Smallest: null(b.Smallest), Margin: b.Margin, Arms: []DocumentArm{}}
		for k, a := range b.Arms {
			da := DocumentArm{Arm: a.Name, Label: a.Label, Reference: a.Reference, Best: b.Best == k, Params: a.Params,
				Scores: append([]reports.Score{}, a.Scores...), Mean: null(a.Mean), SD: null(a.SD)}
			if e, ok := b.Effect(a.Name); ok {
				da.Effect, da.Course = &e.Effect, e.Course
			}
			db.Arms = append(db.Arms, da)
		}
		d.Blocks = append(d.Blocks, db)
	}
	if s.Search != nil {
		d.Search = &DocumentSearch{Sampler: s.Search.Sampler, Pruner: s.Search.Pruner, Candidates: []DocumentCandidate{}}
		for _, c := range s.Search.Candidates {
			d.Search.Candidates = append(d.Search.Candidates, DocumentCandidate{c.Params, c.Trials, null(c.Mean), null(c.SD)})
		}
	}
	return d
}

// null is a number, or nothing where it is none.
func null(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}
