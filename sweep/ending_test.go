package sweep_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
)

// secondWind lets trial 1 go on when trial 3 has ended.
type secondWind struct{}

func (secondWind) Prune(sweep.History, trials.Trial) (bool, error) { return false, nil }

func (secondWind) Promote(h sweep.History) (int, bool, error) {
	counts := map[int]bool{}
	for _, t := range h.All() {
		counts[t.Number] = t.State.Finished()
	}
	return 1, counts[1] && counts[3], nil
}

// TestNoImprovementGoesOn: a point whose pruned trial goes on has not ended, whoever looks: the process that saw it
// pruned, and one that comes later.
func TestNoImprovementGoesOn(t *testing.T) {
	spec := search(20, "scripted", "none")
	spec.Search.Stop = &studies.Stop{NoImprovement: 4}
	store, st := stored(t, spec)
	ctx := t.Context()
	s := scripted(func(h sweep.History, rng *rand.Rand) (trials.Suggestion, error) {
		return trials.Suggestion{Space: h.Space[:1], Params: trials.Params{"x": rng.Float64()}}, nil
	})
	process := func() *sweep.Driver {
		d, err := sweep.NewDriver(ctx, store, st, sweep.DriverConfig{Spec: spec, Sampler: s, Pruner: secondWind{}})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	first := process()
	ask := func(d *sweep.Driver) trials.Trial {
		t.Helper()
		tr, err := d.Ask(ctx, "w")
		if err != nil {
			t.Fatal(err)
		}
		return tr
	}
	tell := func(tr trials.Trial, o trials.Outcome) {
		t.Helper()
		if err := store.Finish(context.WithoutCancel(ctx), tr.ID, o); err != nil {
			t.Fatal(err)
		}
	}
	tell(ask(first), trials.Outcome{State: trials.Complete, Values: []float64{0.9}})
	for range 3 {
		tell(ask(first), trials.Outcome{State: trials.Pruned})
	}
	goesOn := ask(first)
	if n, ok := goesOn.Continues(); !ok || n != 1 {
		t.Fatalf("trial %d continues %d, %v", goesOn.Number, n, ok)
	}
	tell(ask(first), trials.Outcome{State: trials.Pruned})
	for name, d := range map[string]*sweep.Driver{"the same process": first, "a later one": process()} {
		tr, err := d.Ask(ctx, "w")
		if err != nil {
			t.Fatalf("%s: %v, want a point: only three have ended since trial 0", name, err)
		}
		defer tell(tr, trials.Outcome{State: trials.Fail})
	}
	tell(goesOn, trials.Outcome{State: trials.Complete, Values: []float64{0.1}})
	for name, d := range map[string]*sweep.Driver{"the same process": first, "a later one": process()} {
		var end *sweep.Ended
		if _, err := d.Ask(ctx, "w"); !errors.As(err, &end) {
			t.Errorf("%s: %v, want the search to be done", name, err)
		}
	}
}
