package reports

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// Measure reads a metric of a trial at the epoch that gave its objective; false where the trial has none. At is one
// that reads what was measured.
type Measure func(t trials.Trial, metric string) (float64, bool)

// Further is a metric beside the objective, over the arms of a block.
type Further struct {
	Metric Metric
	Arms   []FurtherArm // as in Block.Arms
}

// FurtherArm is what an arm has of a further metric. Its effect is tested by itself, without any correction: verdicts
// are on the objective alone.
type FurtherArm struct {
	inference.Summary
	Effect *inference.Effect // nil for the reference, and where there is none
}

// Further reads further metrics of a block's scored trials.
func (s *Snapshot) Further(b *Block, keys []string, read Measure) []Further {
	var out []Further
	for _, k := range keys {
		f := Further{Metric: MetricOf(k), Arms: make([]FurtherArm, len(b.Arms))}
		values := make([]map[int64]float64, len(b.Arms))
		ref := -1
		for i, a := range b.Arms {
			values[i] = a.measured(k, read)
			var v []float64
			for _, c := range a.Scores {
				if x, ok := values[i][int64(c.Replicate)]; ok {
					v = append(v, x)
				}
			}
			f.Arms[i].Summary = inference.Summarize(v)
			if a.Reference {
				ref = i
			}
		}
		for i := range b.Arms {
			if ref < 0 || i == ref || len(values[i]) == 0 {
				continue
			}
			e := inference.Compare(values[ref], values[i], inference.Options{Alpha: s.Spec.Rules.Level(), Minimize: f.Metric.Gain(1) < 0})
			if s.Sequential() { // variants stopped by their objective, and other metrics go with it
				e.P = math.NaN()
			}
			f.Arms[i].Effect = &e
		}
		out = append(out, f)
	}
	return out
}

// measured is a metric of the arm's scored trials, by replicate.
func (a Arm) measured(key string, read Measure) map[int64]float64 {
	m := map[int64]float64{}
	for _, c := range a.Scores {
		i := slices.IndexFunc(a.Trials, func(t trials.Trial) bool { return t.Number == c.Trial })
		if i < 0 {
			continue
		}
		if x, ok := read(a.Trials[i], key); ok && finite(x) {
			m[int64(c.Replicate)] = x
		}
	}
	return m
}

// Rescored is the study with another metric in place of its objective: the same trials, scored by what they measured
// at the epoch that gave the objective. A margin that was declared is the objective's and does not carry over.
func (s *Snapshot) Rescored(metric string) (*Snapshot, error) {
	if metric == s.Metric.Key {
		return s, nil
	}
	st, spec := s.Study, s.Spec
	m := MetricOf(metric)
	spec.Objective.Metric, spec.Objective.Direction, spec.Rules.Margin = metric, m.Direction, nil
	raw, err := json.Marshal(spec)
	if err != nil {
		return nil, fmt.Errorf("score study %q by %s: %w", st.Name, metric, err)
	}
	if len(st.Resolved) > 0 {
		st.Resolved = raw
	}
	st.Objective, st.Directions = metric, []trials.Direction{m.Direction}
	ts := slices.Clone(s.Trials)
	found := false
	for i := range ts {
		x, ok := At(ts[i], metric)
		ts[i].Values = nil
		if ok && len(s.Trials[i].Values) > 0 {
			ts[i].Values, found = []float64{x}, true
		}
	}
	if !found {
		return nil, fmt.Errorf("score study %q by %s: no trial measured it", st.Name, metric)
	}
	return New(st, ts)
}
