package sweep_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trials"
)

// roomy is a search with every kind of factor.
func roomy() studies.Spec {
	zero, one, nine := 0.0, 1.0, 9.0
	s := search(1, "random", "none")
	s.Baseline = trials.Params{"mode": "plain", "momentum": 0.9, "n": int64(1), "c": true}
	s.Factors = []studies.Factor{
		{Name: "x", Low: &zero, High: &one},
		{Name: "n", Low: &one, High: &nine, Step: 2, Int: true},
		{Name: "mode", Levels: []any{"plain", "fancy"}},
		{Name: "c", Levels: []any{true, false}},
		{Name: "y", Low: &zero, High: &one, Requires: trials.Params{"mode": "fancy"}},
		{Name: "z", Low: &zero, High: &one, Requires: trials.Params{"y": 1.0}},
	}
	return s
}

// TestEnqueuePoint: a point of one's own must lie in the space, and is completed from the baseline.
func TestEnqueuePoint(t *testing.T) {
	w := newBench(t, &trainertest.Fake{})
	w.goptuna()
	w.run(t, roomy(), nil)
	for _, c := range []struct {
		params trials.Params
		says   string // refused with
		want   string
		space  int
	}{
		{trials.Params{"x": 7.0}, "x cannot be 7: it must be a number from 0 to 1", "", 0},
		{trials.Params{"x": "0.5"}, `x cannot be "0.5": it must be a number from 0 to 1`, "", 0},
		{trials.Params{"x": 0.5, "n": int64(2)}, "n cannot be 2: it must be a whole number from 1 to 9 in steps of 2", "", 0},
		{trials.Params{"x": 0.5, "n": 3.5}, "n cannot be 3.5", "", 0},
		{trials.Params{"x": 0.5, "mode": "loud"}, `mode cannot be "loud": it must be one of "plain", "fancy"`, "", 0},
		{trials.Params{"x": 0.5, "c": "true"}, `c cannot be "true": it must be one of true, false`, "", 0},
		{trials.Params{"x": 0.5, "y": 0.5}, "y changes nothing here: it requires mode=fancy", "", 0},
		{trials.Params{"x": 0.5, "mode": "fancy", "y": 0.0, "z": 0.5}, "z changes nothing here: it requires y=1", "", 0},
		{trials.Params{"x": 0.5, "mode": "fancy"}, "y has no value here: give it one, a number from 0 to 1", "", 0},
		{trials.Params{"n": int64(3)}, "x has no value here", "", 0},
		{trials.Params{"x": 0.5, "q": 1.0}, `it has no parameter "q", only x, n, mode, c, y, z, momentum`, "", 0},
		{trials.Params{"x": 0.5, "n": 3.0}, "", "c=true mode=plain momentum=0.9 n=3 x=0.5", 4},
		{trials.Params{"x": 1.0, "mode": "fancy", "y": 0.0, "momentum": 0.8}, "", "c=true mode=fancy momentum=0.8 n=1 x=1 y=0", 5},
		{trials.Params{"x": 0.0, "mode": "fancy", "y": 0.5, "z": 1.0}, "", "c=true mode=fancy momentum=0.9 n=1 x=0 y=0.5 z=1", 6},
	} {
		before := len(w.trials(t, "search"))
		tr, err := sweep.EnqueuePoint(t.Context(), w.store, "search", c.params)
		if c.says != "" {
			if !errors.Is(err, sweep.ErrInvalid) || !strings.Contains(err.Error(), c.says) || len(w.trials(t, "search")) != before {
				t.Errorf("%s: %v, want it refused with %q", c.params.Key(), err, c.says)
			}
			continue
		}
		if err != nil || tr.Params.Key() != c.want || len(tr.Space) != c.space {
			t.Errorf("%s: %s, space %v, %v; want %s with %d that vary", c.params.Key(), tr.Params.Key(), tr.Space, err, c.want, c.space)
		}
		again, err := sweep.EnqueuePoint(t.Context(), w.store, "search", c.params)
		if err != nil || again.Number != tr.Number {
			t.Errorf("%s again: trial %d, %v, want %d", c.params.Key(), again.Number, err, tr.Number)
		}
	}
	wantSummary(t, w.run(t, roomy(), nil), sweep.Summary{Planned: 4, Complete: 4})
}

// TestEnqueueTriedPoint: a point that the sampler has tried is a further replicate.
func TestEnqueueTriedPoint(t *testing.T) {
	w := newBench(t, &trainertest.Fake{})
	w.goptuna()
	spec := search(1, "random", "none")
	spec.Factors = spec.Factors[1:2]
	w.run(t, spec, nil)
	first := w.trials(t, "search")[0]
	tr, err := sweep.EnqueuePoint(t.Context(), w.store, "search", trials.Params{"mode": first.Params["mode"]})
	if err != nil || tr.Replicate() != 1 || tr.Seed() == first.Seed() {
		t.Errorf("replicate %d with seed %d (%v), first had %d", tr.Replicate(), tr.Seed(), err, first.Seed())
	}
}
