package sweep_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trials"
)

// TestSearchExtendedByReplicates: replicates that an edited study file asks for are run for the points suggested before, too,
// whatever became of them.
func TestSearchExtendedByReplicates(t *testing.T) {
	for _, class := range []string{"", trials.ClassError} {
		fake := &trainertest.Fake{}
		w := newBench(t, fake)
		w.goptuna()
		spec := search(3, "random", "none")
		w.run(t, spec, nil)
		if class != "" { // one point more, which fails and is repeated
			spec.Search.Trials = 4
			fake.Before = breaksAll(class)
			w.run(t, spec, nil)
			fake.Before = nil
		}
		n := spec.Search.Trials
		spec.Replicates = 2
		wantSummary(t, w.run(t, spec, nil), sweep.Summary{Planned: 2 * n, Complete: 2 * n, Repeated: n - 3})
		seeds := map[string]map[int64]bool{}
		for _, tr := range w.trials(t, "search") {
			if tr.Superseded() {
				continue
			}
			if seeds[tr.Params.Key()] == nil {
				seeds[tr.Params.Key()] = map[int64]bool{}
			}
			seeds[tr.Params.Key()][tr.Seed()] = true
		}
		if len(seeds) != n {
			t.Errorf("%d points, want %d", len(seeds), n)
		}
		for p, s := range seeds {
			if len(s) != 2 {
				t.Errorf("%s ran with %d seeds, want 2", p, len(s))
			}
		}
		spec.Search.Trials++ // and the search goes on from there
		wantSummary(t, w.run(t, spec, nil), sweep.Summary{Planned: 2*n + 2, Complete: 2*n + 2, Repeated: n - 3})
	}
}

// TestSuggestionHalfEnqueued: what a store has of a suggestion's replicates is completed, and nothing stays undone.
func TestSuggestionHalfEnqueued(t *testing.T) {
	w := newBench(t, &trainertest.Fake{})
	w.goptuna()
	spec := search(3, "random", "none")
	spec.Replicates = 3
	store := &dying{Store: w.store, left: 4}
	w.Store = store
	if _, err := w.Run(t.Context(), spec, nil); !errors.Is(err, errDied) {
		t.Fatal(err)
	}
	w.Store = w.store
	wantSummary(t, w.run(t, spec, nil), sweep.Summary{Planned: 9, Complete: 9})
}

var errDied = errors.New("died")

// dying is a store that enqueues so many trials and no more.
type dying struct {
	trials.Store
	left int
}

func (s *dying) Start(ctx context.Context, study int64, worker string, sgs ...trials.Suggestion) (trials.Trial, error) {
	if s.left -= len(sgs); s.left >= 0 {
		return s.Store.Start(ctx, study, worker, sgs...)
	}
	for _, sg := range sgs[:len(sgs)+s.left] {
		if _, err := s.Store.Enqueue(ctx, study, sg); err != nil {
			return trials.Trial{}, err
		}
	}
	return trials.Trial{}, errDied
}

func (s *dying) Enqueue(ctx context.Context, study int64, sg trials.Suggestion) (trials.Trial, error) {
	if s.left--; s.left < 0 {
		return trials.Trial{}, errDied
	}
	return s.Store.Enqueue(ctx, study, sg)
}

// breaksAll fails every trial in that way.
func breaksAll(class string) func(context.Context, trainer.Job, int) error {
	return func(context.Context, trainer.Job, int) error { return &trainer.Failure{Class: class, Reason: "broken"} }
}

// TestSamePointAgain: in a small space samplers propose points again; each time is a further replicate with a seed of its own,
// also after a stop and after replicates were added.
func TestSamePointAgain(t *testing.T) {
	spec := search(12, "random", "none")
	spec.Factors = []studies.Factor{{Name: "x", Levels: []any{0.25, 0.5}}, {Name: "mode", Levels: []any{"plain", "fancy"}}}
	spec.Trainer.Data = []string{"digits", "trees"}
	whole := newBench(t, &trainertest.Fake{})
	whole.goptuna()
	whole.run(t, spec, nil)
	ownSeeds(t, whole.trials(t, "search"), 24)

	halves := newBench(t, &trainertest.Fake{})
	halves.goptuna()
	first := spec
	first.Search = &studies.Search{Sampler: "random", Trials: 7, Pruner: "none"}
	halves.run(t, first, nil)
	halves.run(t, spec, nil)
	if a, b := results(whole.trials(t, "search")), results(halves.trials(t, "search")); a != b {
		t.Errorf("in two runs:\n%s\nin one go:\n%s", b, a)
	}
	spec.Replicates = 3
	halves.run(t, spec, nil)
	ownSeeds(t, halves.trials(t, "search"), 72)
}

// ownSeeds wants n trials, and no seed twice among those of one configuration and data set.
func ownSeeds(t *testing.T, ts []trials.Trial, n int) {
	t.Helper()
	seen := map[string]int{}
	again := 0
	for _, tr := range ts {
		p := tr.Text(trials.AttrData) + " " + tr.Params.Key()
		if tr.Replicate() > 0 {
			again++
		}
		key := fmt.Sprint(p, " ", tr.Seed())
		if other, dup := seen[key]; dup {
			t.Errorf("trials %d and %d both train %s", other, tr.Number, key)
		}
		seen[key] = tr.Number
		if tr.Seed() != design.Seed(1, tr.Replicate()) {
			t.Errorf("trial %d: replicate %d has the seed %d", tr.Number, tr.Replicate(), tr.Seed())
		}
	}
	if len(ts) != n || again == 0 {
		t.Errorf("%d trials with %d further replicates, want %d and some", len(ts), again, n)
	}
}
