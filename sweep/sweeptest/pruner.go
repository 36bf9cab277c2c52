package sweeptest

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
)

// PrunerCase is what the suite has to know of a pruner.
type PrunerCase struct {
	New sweep.NewPruner
	// Options that it needs; goodness g of the suite is the value g, or -g in a study that minimises. Nil: none.
	Options func(trials.Direction) trials.Params
	// Absolute says that it judges a trial by itself, without others to compare it with.
	Absolute bool
}

// TestPruner runs the conformance suite on a pruner that needs no options, with trials of 16 epochs.
func TestPruner(t *testing.T, newPruner sweep.NewPruner) {
	TestPrunerCase(t, PrunerCase{New: newPruner})
}

// TestPrunerCase runs the conformance suite on what c.New makes, with trials of 16 epochs. A Promoter is played through whole
// searches, too.
func TestPrunerCase(t *testing.T, c PrunerCase) {
	for _, d := range []trials.Direction{trials.Maximize, trials.Minimize} {
		t.Run(string(d), func(t *testing.T) {
			p, err := c.New(sweep.PrunerConfig{Seed: 3, Epochs: 16, Trials: 40, Options: c.options(d)})
			if err != nil {
				t.Fatal(err)
			}
			s := pruners{p, d, c.Absolute}
			t.Run("winner runs on, loser stops", s.winnerAndLoser)
			t.Run("leaves alone what it cannot judge", s.cannotJudge)
			t.Run("depends on the history alone", s.pure)
			t.Run("copes with any history", s.anyHistory)
			t.Run("asked from several goroutines", s.concurrent)
			if m, ok := p.(sweep.Promoter); ok {
				promoters{s, m}.test(t)
			}
			if _, err := c.New(sweep.PrunerConfig{Options: c.options(d)}); err != nil {
				t.Errorf("epochs not known: %v", err)
			}
		})
	}
	t.Run("refuses options that it does not know", c.refuses)
}

func (c PrunerCase) options(d trials.Direction) trials.Params {
	if c.Options == nil {
		return nil
	}
	return c.Options(d)
}

func (c PrunerCase) refuses(t *testing.T) {
	with := c.options(trials.Maximize).With(trials.Params{"no_such_option": int64(1)})
	if _, err := c.New(sweep.PrunerConfig{Epochs: 16, Options: with}); err == nil || !strings.Contains(err.Error(), "no_such_option") {
		t.Errorf("option no_such_option: %v", err)
	}
}

type pruners struct {
	sweep.Pruner
	d        trials.Direction
	absolute bool
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
		tr := running(h, values[:n])
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
	if e := s.run(t, none, s.curve(0.1, 15)); e != 0 && !s.absolute {
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

func (s pruners) concurrent(t *testing.T) {
	h := s.field()
	want := s.run(t, h, s.curve(0.3, 15))
	var g sync.WaitGroup
	for range 4 {
		g.Go(func() {
			for n := 1; n <= 15; n++ {
				tr := running(h, s.curve(0.3, n))
				if stop, err := s.Prune(Add(h, tr), tr); err != nil || n < want && stop || n == want && !stop {
					t.Errorf("epoch %d: pruned %v, %v; alone at epoch %d", n, stop, err, want)
				}
				if n == want {
					return
				}
			}
		})
	}
	g.Wait()
}

// running is the next trial of a history, with those values so far.
func running(h sweep.History, values []float64) trials.Trial {
	tr := Trial(len(h.All()), trials.Suggestion{Space: h.Space, Params: trials.Params{"x": 0.5}}, values...)
	tr.State, tr.Values = trials.Running, nil
	return tr
}

func (s pruners) anyHistory(t *testing.T) {
	s.run(t, AnyHistory(Everything(), s.d), s.curve(0.3, 15))
}
