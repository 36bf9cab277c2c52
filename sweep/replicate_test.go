package sweep_test

import (
	"context"
	"errors"
	"testing"

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

// TestSuggestionHalfEnqueued: a process that died between two replicates of a suggestion leaves nothing undone.
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
