package tables

import (
	"strconv"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// Marginal is what all complete trials at one level of a factor score, whatever else they change.
type Marginal struct {
	Factor string
	Level  any
	inference.Summary
	Further []inference.Summary // by View.Metrics
}

// Marginals are the levels of every factor that has some, in the file's order; levels without a trial are left out.
func (v View) Marginals(s *reports.Snapshot, block int) []Marginal {
	var out []Marginal
	ts := scored(s, block)
	for _, f := range s.Spec.Factors {
		for _, level := range f.Levels {
			m := Marginal{Factor: f.Name, Level: level}
			var values []float64
			further := make([][]float64, len(v.Metrics))
			for _, t := range ts {
				if x, ok := t.Params[f.Name]; !ok || !trials.SameValue(x, level) {
					continue
				}
				values = append(values, t.Values[0])
				for i, k := range v.Metrics {
					if y, ok := v.measure()(t, k); ok {
						further[i] = append(further[i], y)
					}
				}
			}
			if m.Summary = inference.Summarize(values); m.N == 0 {
				continue
			}
			for _, vs := range further {
				m.Further = append(m.Further, inference.Summarize(vs))
			}
			out = append(out, m)
		}
	}
	return out
}

// scored are the trials of a block that have a score.
func scored(s *reports.Snapshot, block int) []trials.Trial {
	data := s.Blocks[block].Data
	var out []trials.Trial
	for _, t := range s.Trials {
		if t.State != trials.Complete || t.Superseded() || len(t.Values) == 0 {
			continue
		}
		if d := t.Text(trials.AttrData); len(s.Blocks) < 2 || d == data {
			out = append(out, t)
		}
	}
	return out
}

func number(n int) string { return strconv.Itoa(n) }
