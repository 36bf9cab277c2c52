package sweeptest

import (
	"fmt"
	"math"
	"testing"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
)

// TestPruner runs the conformance suite on what newPruner makes, with trials of 16 epochs.
func TestPruner(t *testing.T, newPruner sweep.NewPruner) {
	p, err := newPruner(sweep.PrunerConfig{Epochs: 16})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []trials.Direction{trials.Maximize, trials.Minimize} {
		t.Run(string(d), func(t *testing.T) {
			s := pruners{p, d}
			t.Run("winner runs on, loser stops", s.winnerAndLoser)
			t.Run("leaves alone what it cannot judge", s.cannotJudge)
			t.Run("depends on the history alone", s.pure)
			t.Run("copes with any history", s.anyHistory)
		})
	}
	if _, err := newPruner(sweep.PrunerConfig{}); err != nil {
		t.Errorf("epochs not known: %v", err)
	}
}

type pruners struct {
	sweep.Pruner
	d trials.Direction
}

// value turns a goodness into a value of the objective.
func (s pruners) value(good float64) float64 {
	if s.d == trials.Minimize {
		return -good
	}
	return good
}

// curve is a run of n epochs that grows towards goodness top.
func (s pruners) curve(top float64, n int) []float64 {
	vs := make([]float64, n)
	for i := range vs {
		vs[i] = s.value(top * (1 - math.Exp(-float64(i+1)/4)))
	}
	return vs
}

// field is twenty complete trials of goodness 0.40 to 0.59.
func (s pruners) field() sweep.History {
	space := trials.Space{{Name: "x", Kind: trials.Float, Low: 0, High: 1}}
	h := Empty(space, s.d)
	for i := range 20 {
		h = Add(h, Trial(i, trials.Suggestion{Space: space, Params: trials.Params{"x": 0.5}}, s.curve(0.4+0.01*float64(i), 16)...))
	}
	return h
}

// run plays a running trial epoch by epoch and returns the epoch at which it is pruned, or 0.
func (s pruners) run(t *testing.T, h sweep.History, values []float64) int {
	t.Helper()
	for n := 1; n <= len(values); n++ {
		tr := Trial(len(h.All()), trials.Suggestion{Space: h.Space, Params: trials.Params{"x": 0.5}}, values[:n]...)
		tr.State, tr.Values = trials.Running, nil
		stop, err := s.Prune(Add(h, tr), tr)
		if err != nil {
			t.Fatalf("epoch %d: %v", n, err)
		}
		if stop {
			return n
		}
	}
	return 0
}

func (s pruners) winnerAndLoser(t *testing.T) {
	if e := s.run(t, s.field(), s.curve(0.9, 15)); e != 0 {
		t.Errorf("the best of all trials was pruned at epoch %d", e)
	}
	if e := s.run(t, s.field(), s.curve(0.1, 15)); e == 0 {
		t.Error("the worst of all trials was not pruned in 15 epochs")
	}
}

func (s pruners) cannotJudge(t *testing.T) {
	none := s.field()
	none.Finished = nil
	if e := s.run(t, none, s.curve(0.1, 15)); e != 0 {
		t.Errorf("the first trial of a study was pruned at epoch %d", e)
	}
	nan := make([]float64, 15)
	for i := range nan {
		nan[i] = math.NaN()
	}
	if e := s.run(t, s.field(), nan); e != 0 {
		t.Errorf("a trial that reported only NaN was pruned at epoch %d: it has diverged, which is another thing", e)
	}
	tr := Trial(20, trials.Suggestion{})
	tr.State = trials.Running
	if stop, err := s.Prune(s.field(), tr); stop || err != nil {
		t.Errorf("a trial without measurements: %v, %v", stop, err)
	}
	tr.Measurements = []trials.Measurement{{Epoch: 5, Metrics: map[string]float64{"loss/box": 1}}}
	if stop, err := s.Prune(s.field(), tr); stop || err != nil {
		t.Errorf("a trial without the objective: %v, %v", stop, err)
	}
}

func (s pruners) pure(t *testing.T) {
	h := s.field()
	before := fmt.Sprint(h)
	first := s.run(t, h, s.curve(0.3, 15))
	if second := s.run(t, h, s.curve(0.3, 15)); second != first {
		t.Errorf("pruned at epoch %d, asked again at %d", first, second)
	}
	if fmt.Sprint(h) != before {
		t.Error("Prune changed the history")
	}
}

func (s pruners) anyHistory(t *testing.T) {
	s.run(t, AnyHistory(Everything(), s.d), s.curve(0.3, 15))
}
