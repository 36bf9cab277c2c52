package sweep_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/goptuna"
	"github.com/mapsweep/mapsweep/sweep/prune"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trials"
)

func search(n int, sampler, pruner string) studies.Spec {
	low, high := 0.0, 1.0
	s := fixed()
	s.Name, s.Design, s.Replicates = "search", studies.DesignSearch, 1
	s.Factors = []studies.Factor{
		{Name: "x", Low: &low, High: &high},
		{Name: "mode", Levels: []any{"plain", "fancy"}},
		{Name: "y", Low: &low, High: &high, Requires: trials.Params{"mode": "fancy"}},
	}
	s.Baseline = trials.Params{"x": 0.5, "y": 0.25, "mode": "plain", "momentum": 0.9}
	s.Search = &studies.Search{Sampler: sampler, Trials: n, Pruner: pruner}
	s.Budget.Parallel = 1
	return s
}

// scripted is a sampler whose suggestions come from a function.
type scripted func(h sweep.History, rng *rand.Rand) (trials.Suggestion, error)

func (f scripted) Suggest(_ context.Context, h sweep.History, rng *rand.Rand) (trials.Suggestion, error) {
	return f(h, rng)
}

func (w *bench) sampler(f scripted) {
	w.Samplers = map[string]sweep.NewSampler{"scripted": func(sweep.SamplerConfig) (sweep.Sampler, error) { return f, nil }}
}

func (w *bench) goptuna() {
	w.Samplers = map[string]sweep.NewSampler{"tpe": goptuna.TPE, "random": goptuna.Random, "cmaes": goptuna.CMAES, "sobol": goptuna.Sobol}
	w.Pruners = map[string]sweep.NewPruner{"median": prune.Median, "successive-halving": goptuna.SuccessiveHalving}
}

func TestSearch(t *testing.T) {
	for _, sampler := range []string{"tpe", "random", "cmaes", "sobol"} {
		t.Run(sampler, func(t *testing.T) {
			w := newBench(t, &trainertest.Fake{})
			w.goptuna()
			spec := search(12, sampler, "median")
			sum := w.run(t, spec, nil)
			if sum.Planned != 12 || sum.Complete+sum.Pruned != 12 {
				t.Fatalf("summary %+v", sum)
			}
			for i, tr := range w.trials(t, "search") {
				if tr.Key != fmt.Sprintf("suggestion-%04d", i) || tr.Seed() == 0 || tr.Params["momentum"] != 0.9 {
					t.Errorf("trial %d: key %s, seed %d, %s", i, tr.Key, tr.Seed(), tr.Params.Key())
				}
				if _, varies := tr.Space.Lookup("y"); varies != (tr.Params["mode"] == "fancy") || !varies && tr.Params["y"] != 0.25 {
					t.Errorf("trial %d: y = %v, varies %v, with mode %v", i, tr.Params["y"], varies, tr.Params["mode"])
				}
			}
		})
	}
}

// TestSearchResumes: a search that was stopped half-way makes the same suggestions as one that was not.
func TestSearchResumes(t *testing.T) {
	spec := search(20, "tpe", "none")
	whole := newBench(t, &trainertest.Fake{})
	whole.goptuna()
	whole.run(t, spec, nil)

	halves := newBench(t, &trainertest.Fake{})
	halves.goptuna()
	stop := make(chan struct{})
	halves.Stop = stop
	n := 0
	halves.AfterTrial = func(context.Context, trials.Study, trials.Trial) {
		if n++; n == 13 {
			close(stop)
			time.Sleep(100 * time.Millisecond) // let the engine notice before it claims another
		}
	}
	if sum := halves.run(t, spec, sweep.ErrStopped); sum.Planned != 20 || sum.Waiting == 0 {
		t.Fatalf("stopped with %+v", sum)
	}
	halves.Stop = nil
	halves.run(t, spec, nil)
	if a, b := results(whole.trials(t, "search")), results(halves.trials(t, "search")); a != b {
		t.Errorf("stopped and resumed:\n%s\nin one go:\n%s", b, a)
	}
	spec.Search.Trials = 23
	if sum := halves.run(t, spec, nil); sum.Complete != 23 {
		t.Errorf("extended by three: %+v", sum)
	}
}

// TestSearchInParallel: workers see each other's running trials, never run more than was asked for, and share suggestions.
func TestSearchInParallel(t *testing.T) {
	var mu sync.Mutex
	most := 0
	w := newBench(t, &trainertest.Fake{Pause: time.Millisecond})
	w.sampler(func(h sweep.History, rng *rand.Rand) (trials.Suggestion, error) {
		running := 0
		for _, tr := range h.All() {
			if tr.State == trials.Running {
				running++
			}
		}
		mu.Lock()
		most = max(most, running)
		mu.Unlock()
		return trials.Suggestion{Space: h.Space[:1], Params: trials.Params{"x": rng.Float64()}}, nil
	})
	spec := search(15, "scripted", "none")
	spec.Budget.Parallel = 4
	spec.Replicates = 2
	wantSummary(t, w.run(t, spec, nil), sweep.Summary{Planned: 30, Complete: 30})
	if most == 0 {
		t.Error("no suggestion ever saw a running trial")
	}
	seeds := map[string]map[int64]bool{}
	for _, tr := range w.trials(t, "search") {
		x := trials.FormatValue(tr.Params["x"])
		if seeds[x] == nil {
			seeds[x] = map[int64]bool{}
		}
		seeds[x][tr.Seed()] = true
	}
	for x, s := range seeds {
		if len(s) != 2 {
			t.Errorf("x = %s ran with %d seeds, want 2 replicates", x, len(s))
		}
	}
	if len(seeds) != 15 {
		t.Errorf("%d points, want 15", len(seeds))
	}
}

func TestBadSampler(t *testing.T) {
	t.Run("an invalid point is replaced", func(t *testing.T) {
		w := newBench(t, &trainertest.Fake{})
		n := 0
		w.sampler(func(h sweep.History, rng *rand.Rand) (trials.Suggestion, error) {
			n++
			if n%2 == 1 {
				return trials.Suggestion{Space: h.Space[:1], Params: trials.Params{"x": 1.5}}, nil
			}
			return trials.Suggestion{Space: h.Space[:1], Params: trials.Params{"x": rng.Float64()}}, nil
		})
		wantSummary(t, w.run(t, search(3, "scripted", ""), nil), sweep.Summary{Planned: 3, Complete: 3})
	})
	for name, c := range map[string]struct {
		f    scripted
		says string
	}{
		"always invalid": {func(h sweep.History, _ *rand.Rand) (trials.Suggestion, error) {
			return trials.Suggestion{Space: h.Space[:1], Params: trials.Params{"x": 1.5}}, nil
		}, "x: 1.5: value out of range"},
		"panics": {func(sweep.History, *rand.Rand) (trials.Suggestion, error) { panic("oops") }, "sampler panicked: oops"},
		"fails": {func(sweep.History, *rand.Rand) (trials.Suggestion, error) {
			return trials.Suggestion{}, errors.New("no idea")
		}, "suggest point 0 with scripted: no idea"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newBench(t, &trainertest.Fake{})
			w.sampler(c.f)
			if _, err := w.Run(t.Context(), search(3, "scripted", ""), nil); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("Run: %v, want %q", err, c.says)
			}
		})
	}
	for name, spec := range map[string]studies.Spec{"no sampler \"magic\"": search(3, "magic", ""), "no pruner \"magic\"": search(3, "random", "magic")} {
		w := newBench(t, &trainertest.Fake{})
		w.goptuna()
		if _, err := w.Run(t.Context(), spec, nil); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("Run: %v, want %q", err, name)
		}
	}
}

// prunes is a pruner that stops trials whose x is below 0.5 at an epoch, or fails.
type prunes struct {
	epoch int
	err   error
}

func (p prunes) Prune(h sweep.History, t trials.Trial) (bool, error) {
	last := t.Measurements[len(t.Measurements)-1]
	x, _ := trials.Number(t.Params["x"])
	if p.err != nil && p.err.Error() == "panic" {
		panic("oops")
	}
	return x < 0.5 && last.Epoch >= p.epoch, p.err
}

func (w *bench) alternate(p sweep.Pruner) {
	w.sampler(func(h sweep.History, _ *rand.Rand) (trials.Suggestion, error) {
		return trials.Suggestion{Space: h.Space[:1], Params: trials.Params{"x": float64(len(h.All()) % 2)}}, nil
	})
	w.Pruners = map[string]sweep.NewPruner{"scripted": func(sweep.PrunerConfig) (sweep.Pruner, error) { return p, nil }}
}

func TestPruning(t *testing.T) {
	for _, c := range []struct{ epoch, pruned int }{{2, 3}, {4, 0}} { // the last epoch is not worth stopping at
		w := newBench(t, &trainertest.Fake{})
		w.alternate(prunes{epoch: c.epoch})
		wantSummary(t, w.run(t, search(6, "scripted", "scripted"), nil), sweep.Summary{Planned: 6, Complete: 6 - c.pruned, Pruned: c.pruned})
		for _, tr := range w.trials(t, "search") {
			if tr.State != trials.Pruned {
				continue
			}
			want := trainertest.Curve(w.Backend.(*trainertest.Fake).Jobs()[tr.Number], c.epoch)["mAP50-95"]
			if len(tr.Measurements) != c.epoch || len(tr.Values) != 1 || tr.Values[0] != want {
				t.Errorf("trial %d was pruned after %d epochs with %v, want %v", tr.Number, len(tr.Measurements), tr.Values, want)
			}
		}
	}
}

func TestBadPruner(t *testing.T) {
	for says, p := range map[string]prunes{"prune trial 0: broken": {epoch: 9, err: errors.New("broken")}, "pruner panicked: oops": {epoch: 9, err: errors.New("panic")}} {
		w := newBench(t, &trainertest.Fake{})
		w.alternate(p)
		sum, err := w.Run(t.Context(), search(6, "scripted", "scripted"), nil)
		if err == nil || !strings.Contains(err.Error(), says) || sum.Running != 0 {
			t.Errorf("Run: %+v, %v, want %q", sum, err, says)
		}
	}
}
