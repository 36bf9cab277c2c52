package sweep_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/goptuna"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/memory"
)

// stored makes a store with the study of spec in it.
func stored(t testing.TB, spec studies.Spec) (trials.Store, trials.Study) {
	t.Helper()
	store := memory.New()
	resolved, err := spec.JSON()
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.CreateStudy(context.Background(), trials.Study{Name: spec.Name, Objective: spec.Objective.Metric, Resolved: resolved,
		Directions: []trials.Direction{spec.Objective.Direction}})
	if err != nil {
		t.Fatal(err)
	}
	return store, st
}

func driver(t testing.TB, store trials.Store, st trials.Study, spec studies.Spec, make sweep.NewSampler) *sweep.Driver {
	t.Helper()
	s, err := make(sweep.SamplerConfig{Seed: spec.Seed, Space: spec.Space(), Trials: spec.Search.Trials})
	if err != nil {
		t.Fatal(err)
	}
	d, err := sweep.NewDriver(context.Background(), store, st, sweep.DriverConfig{Spec: spec, Sampler: s})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// drive asks and tells until the search has all its trials; every third trial fails.
func drive(d *sweep.Driver, worker string) error {
	ctx := context.Background()
	for {
		tr, err := d.Ask(ctx, worker)
		if errors.Is(err, trials.ErrNoneWaiting) {
			return nil
		}
		if err != nil {
			return err
		}
		x, _ := trials.Number(tr.Params["x"])
		if err := d.Record(ctx, tr.ID, trials.Measurement{Epoch: 1, Metrics: map[string]float64{"mAP50-95": x}}); err != nil {
			return err
		}
		o := trials.Outcome{State: trials.Complete, Values: []float64{x}}
		if tr.Number%3 == 2 {
			o = trials.Outcome{State: trials.Fail, Attrs: map[string]json.RawMessage{trials.AttrClass: trials.Attr(trials.ClassDiverged)}}
		}
		if err := d.Tell(ctx, tr.ID, o); err != nil {
			return err
		}
	}
}

func TestDriver(t *testing.T) {
	spec := search(9, "tpe", "none")
	spec.Replicates, spec.Trainer.Data = 2, []string{"digits", "trees"}
	store, st := stored(t, spec)
	d := driver(t, store, st, spec, goptuna.TPE)
	if err := drive(d, "me"); err != nil {
		t.Fatal(err)
	}
	ts, err := store.Trials(t.Context(), st.ID)
	if err != nil || len(ts) != 36 {
		t.Fatalf("%d trials, %v, want 36", len(ts), err)
	}
	for _, tr := range ts {
		var saw trials.Saw
		if err := json.Unmarshal(tr.Attrs[trials.AttrSaw], &saw); err != nil {
			t.Fatal(err)
		}
		first := tr.Number / 4 * 4 // the four trials of a suggestion saw what there was before the first of them
		if saw.Trials != first || saw.Log != int64(first) || string(tr.Attrs[trials.AttrSampler]) != `{"name":"tpe","version":1,"trials":9}` {
			t.Errorf("trial %d saw %+v, proposed by %s", tr.Number, saw, tr.Attrs[trials.AttrSampler])
		}
		if n, _ := tr.Integer(trials.AttrEpochs); n != 4 {
			t.Errorf("trial %d is %d epochs long, want 4", tr.Number, n)
		}
	}
}

// TestDrivers: several processes that drive one search make its suggestions once each, and no trial twice.
func TestDrivers(t *testing.T) {
	spec := search(60, "random", "none")
	spec.Factors = []studies.Factor{{Name: "x", Levels: []any{0.0, 0.5, 1.0}}} // points come again and again
	store, st := stored(t, spec)
	var wg sync.WaitGroup
	for i := range 4 {
		d := driver(t, store, st, spec, goptuna.Random)
		for range 2 {
			wg.Go(func() {
				if err := drive(d, fmt.Sprint("worker ", i)); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	ts, err := store.Trials(t.Context(), st.ID)
	if err != nil || len(ts) != 60 {
		t.Fatalf("%d trials, %v, want 60", len(ts), err)
	}
	seen := map[string]int{}
	for i, tr := range ts {
		id := fmt.Sprint(tr.Params.Key(), " ", tr.Seed())
		if first, twice := seen[id]; twice {
			t.Errorf("trials %d and %d are the same: %s", first, i, id)
		}
		seen[id] = i
		if tr.Key != fmt.Sprintf("suggestion-%04d", i) || len(tr.Attempts) != 1 {
			t.Errorf("trial %d has the key %s and %d attempts", i, tr.Key, len(tr.Attempts))
		}
	}
}

// duplicates is a store that refuses the first seeds of a point, as if another process had just taken them.
type duplicates struct {
	trials.Store
	refuse int
}

func (s *duplicates) Start(ctx context.Context, study int64, worker string, sgs ...trials.Suggestion) (trials.Trial, error) {
	if s.refuse--; s.refuse >= 0 {
		return trials.Trial{}, trials.ErrDuplicate
	}
	return s.Store.Start(ctx, study, worker, sgs...)
}

func (s *duplicates) Enqueue(ctx context.Context, study int64, sg trials.Suggestion) (trials.Trial, error) {
	if s.refuse--; s.refuse >= 0 {
		return trials.Trial{}, trials.ErrDuplicate
	}
	return s.Store.Enqueue(ctx, study, sg)
}

func TestDriverTakesAnotherSeed(t *testing.T) {
	spec := search(1, "random", "none")
	store, st := stored(t, spec)
	d := driver(t, &duplicates{store, 3}, st, spec, goptuna.Random)
	tr, err := d.Ask(t.Context(), "me")
	if err != nil || tr.Replicate() != 3 {
		t.Errorf("replicate %d, %v, want 3", tr.Replicate(), err)
	}
	d = driver(t, &duplicates{store, 1 << 30}, st, search(2, "random", "none"), goptuna.Random)
	if _, err := d.Ask(t.Context(), "me"); !errors.Is(err, trials.ErrDuplicate) {
		t.Errorf("a store that refuses everything: %v", err)
	}
}

// TestReplicatesTakeAnotherSeed: the replicates that a longer study adds give way to another process, too.
func TestReplicatesTakeAnotherSeed(t *testing.T) {
	w := newBench(t, &trainertest.Fake{})
	w.goptuna()
	spec := search(1, "random", "none")
	w.run(t, spec, nil)
	spec.Replicates = 3
	w.Store = &duplicates{w.store, 2}
	w.run(t, spec, nil)
	ts := w.trials(t, "search")
	if len(ts) != 3 || ts[1].Replicate() != 3 || ts[2].Replicate() != 4 {
		t.Errorf("%d trials: %s", len(ts), results(ts))
	}
	w.Store = &duplicates{w.store, 1 << 30}
	spec.Replicates = 4
	w.run(t, spec, trials.ErrDuplicate)
}
