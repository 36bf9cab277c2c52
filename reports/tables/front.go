package tables

import (
	"fmt"
	"math"
	"strconv"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/trials"
)

// Front is the table of the Pareto front of a search with several objectives, the best by the first one first; false in
// a study with one.
func Front(s *reports.Snapshot) (Table, bool) { return View{}.front(s) }

func (v View) front(s *reports.Snapshot) (Table, bool) {
	f := s.Front
	if f == nil {
		return Table{}, false
	}
	t := Table{Name: "front", Title: s.Study.Name + ", Pareto front", Columns: []Column{{Title: "trial", Right: true}}}
	for _, m := range f.Metrics {
		t.Columns = append(t.Columns, Column{Title: heading(m), Right: true})
	}
	for _, p := range s.Search.Space {
		t.Columns = append(t.Columns, Column{Title: p.Name, Right: p.Kind != trials.Categorical})
	}
	for _, p := range f.Best() {
		row := []Cell{cell(strconv.Itoa(p.Trial))}
		for i, m := range f.Metrics {
			row = append(row, cell(m.MeanSpread(p.Values[i], math.NaN())))
		}
		params := s.Trial(p.Trial).Params
		for _, q := range s.Search.Space {
			text := ""
			if x, ok := params[q.Name]; ok {
				text = reports.ShortValue(x)
			}
			row = append(row, label(text))
		}
		t.Rows = append(t.Rows, row)
	}
	if len(t.Rows) == 0 {
		t.Notes = append(t.Notes, "No trial is complete and feasible.")
	} else {
		t.Notes = append(t.Notes, fmt.Sprintf("The Pareto front, %d of %s: no other one is at least as good in all objectives and better in one. Each was chosen for its noisy values, which are optimistic.",
			len(t.Rows), reports.Count(len(f.Points), "complete trial")))
	}
	if n := s.Search.Infeasible; n > 0 {
		t.Notes = append(t.Notes, reports.Count(n, "complete trial")+" left out: a constraint is broken.")
	}
	t.Notes = append(t.Notes, Accounting(s))
	return t, true
}

// DocumentFront is the front of a search with several objectives, for other programs.
type DocumentFront struct {
	Objectives  []trials.Goal        `json:"objectives"`
	Front       []DocumentFrontPoint `json:"front"`               // the best by the first objective first
	Points      []DocumentFrontPoint `json:"points"`              // all complete trials, in the order of their end
	Reference   []float64            `json:"reference,omitempty"` // up to which volumes are measured
	Hypervolume []float64            `json:"hypervolume,omitempty"`
}

// DocumentFrontPoint is one trial with its values, one for each objective.
type DocumentFrontPoint struct {
	Trial  int       `json:"trial"`
	Values []float64 `json:"values"`
	Broken bool      `json:"constraint_broken,omitempty"`
}

func documentFront(f *reports.Front) *DocumentFront {
	if f == nil {
		return nil
	}
	d := &DocumentFront{Objectives: f.Goals, Front: []DocumentFrontPoint{}, Points: []DocumentFrontPoint{}, Reference: f.Reference, Hypervolume: f.Volume}
	for _, p := range f.Best() {
		d.Front = append(d.Front, DocumentFrontPoint{p.Trial, p.Values, p.Broken})
	}
	for _, p := range f.Points {
		d.Points = append(d.Points, DocumentFrontPoint{p.Trial, p.Values, p.Broken})
	}
	return d
}
