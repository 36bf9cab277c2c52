package goptuna_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	upstream "github.com/c-bata/goptuna"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/goptuna"
	"github.com/mapsweep/mapsweep/sweep/gp"
	"github.com/mapsweep/mapsweep/sweep/sweeptest"
	"github.com/mapsweep/mapsweep/sweep/tpe"
	"github.com/mapsweep/mapsweep/trials"
)

// never is a pruner that lets all trials run.
type never struct{}

func (never) Prune(sweep.History, trials.Trial) (bool, error) { return false, nil }

// value is best at x = 0.7 and choice b.
func value(p trials.Params) float64 {
	x, _ := trials.Number(p["x"])
	k, _ := trials.Number(p["k"])
	v := (x-0.7)*(x-0.7) + k/100
	if p["c"] != "b" {
		v += 0.3
	}
	return v
}

// sixKinds has a parameter of each kind that goptuna can say, in its order, which is by name.
var sixKinds = trials.Space{
	{Name: "c", Kind: trials.Categorical, Choices: []any{"a", "b", "c"}},
	{Name: "grid", Kind: trials.Float, Low: 0.1, High: 0.9, Step: 0.1},
	{Name: "k", Kind: trials.Int, Low: 0, High: 6, Step: 2},
	{Name: "log", Kind: trials.Float, Low: 1e-4, High: 1e-1, Log: true},
	{Name: "n", Kind: trials.Int, Low: -3, High: 9},
	{Name: "x", Kind: trials.Float, High: 1},
}

// worth is worst at 0, and best near x = 0.7, log = 0.01, n = 4, grid = 0.5 and c = b.
func worth(p trials.Params) float64 {
	at := func(name string) float64 { v, _ := trials.Number(p[name]); return v }
	return -value(p) - math.Abs(math.Log10(at("log"))+2)/4 - math.Abs(at("n")-4)/10 - math.Abs(at("grid")-0.5)
}

// directly are n points that a sampler proposes for a study of ours, one trial after another; every fifth is pruned.
func directly(t *testing.T, s sweep.Sampler, h sweep.History, seed int64, n int) (keys []string) {
	t.Helper()
	for i := range n {
		sg, err := s.Suggest(t.Context(), h, sweep.Rand(seed, i, 0))
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, sg.Params.Key())
		tr := sweeptest.Trial(i, sg)
		tr.Values = []float64{worth(sg.Params)}
		if i%5 == 4 {
			tr.State = trials.Pruned
			tr.Measurements = []trials.Measurement{{Epoch: 1, Metrics: map[string]float64{goptuna.Objective: tr.Values[0]}}}
		}
		h = sweeptest.Add(h, tr)
	}
	return keys
}

// optimized are the points that the objective of goptuna's own Optimize is given.
func optimized(t *testing.T, s *upstream.Study, n int) (keys []string) {
	t.Helper()
	err := s.Optimize(func(tr upstream.Trial) (float64, error) {
		x, _ := tr.SuggestFloat("x", 0, 1)
		log, _ := tr.SuggestLogFloat("log", 1e-4, 1e-1)
		grid, _ := tr.SuggestDiscreteFloat("grid", 0.1, 0.9, 0.1)
		n, _ := tr.SuggestInt("n", -3, 9)
		k, _ := tr.SuggestStepInt("k", 0, 6, 2)
		c, err := tr.SuggestCategorical("c", []string{"a", "b", "c"})
		p := trials.Params{"x": x, "log": log, "grid": grid, "n": int64(n), "k": int64(k), "c": c}
		keys = append(keys, p.Key())
		if len(keys)%5 == 0 {
			_ = tr.ShouldPrune(0, worth(p)) // what the study's pruner says, which never stops
			return 0, upstream.ErrTrialPruned
		}
		return worth(p), err
	}, n)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// driven are the points that the Driver gives.
func driven(t *testing.T, s *upstream.Study, n int) (keys []string) {
	t.Helper()
	d := driver(t, s, sixKinds)
	for range n {
		if err := d.Run(func(a goptuna.Asked) (float64, error) {
			if keys = append(keys, a.Params.Key()); len(keys)%5 == 0 {
				_, err := d.Report(a.ID, 0, worth(a.Params))
				return 0, errors.Join(err, upstream.ErrTrialPruned)
			}
			return worth(a.Params), nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	return keys
}

// TestRelativeSampler: in a goptuna.Study, through goptuna's own Optimize or the driver, a sampler of ours proposes what
// it proposes when it is asked directly: with the same seed, the same trials behind it, pruned ones among them, and every kind of
// parameter that goptuna has.
func TestRelativeSampler(t *testing.T) {
	distributions, err := goptuna.Distributions(sixKinds)
	if err != nil {
		t.Fatal(err)
	}
	h := sweep.History{Space: sixKinds, Direction: trials.Maximize, Metric: goptuna.Objective, Fixed: trials.Params{}}
	for name, f := range map[string]sweep.NewSampler{"tpe": tpe.New, "goptuna-tpe": goptuna.TPE, "gp": gp.New} {
		t.Run(name, func(t *testing.T) {
			const n = 60
			other := directly(t, make1(t, f, sixKinds, n), h, 8, n)
			want := directly(t, make1(t, f, sixKinds, n), h, 7, n)
			newStudy := func() *upstream.Study {
				return study(t, upstream.StudyOptionDirection(upstream.StudyDirectionMaximize), upstream.StudyOptionDefineSearchSpace(distributions),
					upstream.StudyOptionPruner(goptuna.Pruner(never{})), upstream.StudyOptionRelativeSampler(goptuna.RelativeSampler(make1(t, f, sixKinds, n), 7)))
			}
			theirs, driven := optimized(t, newStudy(), n), driven(t, newStudy(), n)
			same := 0
			for i, w := range want {
				if theirs[i] != w || driven[i] != w {
					t.Fatalf("trial %d: %s, with Optimize %s, with the driver %s", i, w, theirs[i], driven[i])
				}
				if other[i] == w {
					same++
				}
			}
			if same > n/4 {
				t.Errorf("%d of %d points do not depend on the seed", same, n)
			}
		})
	}
}

// above is a pruner that stops a trial at the second epoch if its objective lies above a bound.
type above float64

func (a above) Prune(h sweep.History, t trials.Trial) (bool, error) {
	n := len(t.Measurements)
	return n >= 2 && t.Measurements[n-1].Metrics[h.Metric] > float64(a), nil
}

// TestPruner: a pruner of ours judges the trials of a goptuna.Study as it judges ours.
func TestPruner(t *testing.T) {
	s := study(t, upstream.StudyOptionPruner(goptuna.Pruner(above(6))))
	d := driver(t, s, threeSpace)
	for n, level := range []float64{1, 2, 3, 4, 5, 9, 0} {
		_ = d.Run(func(a goptuna.Asked) (float64, error) {
			for step := range 8 {
				stop, err := d.Report(a.ID, step, level)
				if err != nil {
					t.Fatal(err)
				}
				if stop {
					return 0, upstream.ErrTrialPruned
				}
			}
			return level, nil
		})
		tr := trialsOf(t, s)[n]
		if pruned := tr.State == upstream.TrialStatePruned; pruned != (level == 9) {
			t.Errorf("trial %d at %v: %v", n, level, tr.State)
		}
	}
}

// TestDistributionsRefused: what goptuna cannot say is refused in words.
func TestDistributionsRefused(t *testing.T) {
	for want, p := range map[string]trials.Param{
		"logarithmic int":  {Name: "p", Kind: trials.Int, Low: 1, High: 8, Log: true},
		"no text":          {Name: "p", Kind: trials.Categorical, Choices: []any{"a", int64(1)}},
		"no conditional":   {Name: "p", Kind: trials.Float, High: 1, Requires: trials.Params{"q": true}},
		"low 2 is above":   {Name: "p", Kind: trials.Float, Low: 2, High: 1},
		"the choice none,": {Name: "p", Kind: trials.Categorical, Choices: []any{nil}},
	} {
		if _, err := goptuna.Distributions(trials.Space{p}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", p, err, want)
		}
		if _, err := goptuna.NewDriver(study(t), trials.Space{p}); err == nil {
			t.Errorf("a driver over %+v", p)
		}
	}
	if _, err := goptuna.NewDriver(study(t), nil); err == nil {
		t.Error("a driver over nothing")
	}
}

// TestDriverTogether: several goroutines share a study (run with -race).
func TestDriverTogether(t *testing.T) {
	s := study(t, upstream.StudyOptionRelativeSampler(goptuna.RelativeSampler(make1(t, goptuna.CMAES, threeSpace, 60), 1)))
	d := driver(t, s, threeSpace)
	done := make(chan error)
	for range 4 {
		go func() {
			var err error
			for range 15 {
				if e := d.Run(func(a goptuna.Asked) (float64, error) {
					_, err := d.Report(a.ID, 0, value(a.Params))
					return value(a.Params), err
				}); e != nil {
					err = e
				}
			}
			done <- err
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	for i, tr := range trialsOf(t, s) {
		if tr.Number != i || tr.State != upstream.TrialStateComplete || len(tr.Params) != 3 {
			t.Errorf("trial %d: %v with %d parameters", tr.Number, tr.State, len(tr.Params))
		}
	}
}
