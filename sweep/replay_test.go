package sweep_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/goptuna"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trials"
)

// everything is a sampler whose points follow from all that it may see: a sum over the trials that count, finished ones with
// their values, and open ones with their parameters.
func everything(h sweep.History, rng *rand.Rand) (trials.Suggestion, error) {
	sum := rng.Float64()
	for _, t := range h.All() {
		x, _ := trials.Number(t.Params["x"])
		weight := 1 + float64(t.Number) + 10*float64(t.State) + 1000*float64(len(t.Measurements)) + 100*float64(len(t.Attempts))
		for _, v := range t.Values {
			weight += v
		}
		sum += x * weight
	}
	gone, place := map[int]bool{}, 0.0
	for _, t := range h.Finished {
		gone[t.Number] = !t.Counts()
	}
	for _, t := range h.Finished { // in the order in which they ended
		if !gone[t.Number] {
			place++
			sum += place * float64(t.Number) / 7
		}
	}
	sum -= float64(int64(sum))
	return trials.Suggestion{Space: h.Space[:1], Params: trials.Params{"x": sum}}, nil
}

func (w *bench) all() map[string]sweep.NewSampler {
	return map[string]sweep.NewSampler{"tpe": goptuna.TPE, "random": goptuna.Random, "cmaes": goptuna.CMAES, "sobol": goptuna.Sobol,
		"scripted": func(sweep.SamplerConfig) (sweep.Sampler, error) { return scripted(everything), nil }}
}

// unsteady makes trials fail, and take longer or shorter, by their number.
func unsteady() *trainertest.Fake {
	return &trainertest.Fake{Before: func(ctx context.Context, job trainer.Job, epoch int) error {
		time.Sleep(time.Duration(job.Number*7%5) * time.Millisecond / 4)
		if job.Number%5 == 3 && epoch == 2 {
			return &trainer.Failure{Class: trials.ClassError, Reason: "broken"}
		}
		return nil
	}}
}

// TestReplay: whatever the number of workers, failures, repetitions and extensions, each suggestion is made again bit by bit.
func TestReplay(t *testing.T) {
	for _, sampler := range []string{"scripted", "tpe", "random", "cmaes", "sobol"} {
		t.Run(sampler, func(t *testing.T) {
			w := newBench(t, unsteady())
			w.goptuna()
			w.Samplers = w.all()
			spec := search(30, sampler, "median")
			spec.Budget.Parallel = 6
			spec.Search.Try = []trials.Params{{"x": 0.125}}
			w.run(t, spec, nil)
			if _, err := sweep.EnqueuePoint(t.Context(), w.store, "search", trials.Params{"x": 0.75}); err != nil {
				t.Fatal(err)
			}
			w.Backend = &trainertest.Fake{}
			spec.Search.Trials, spec.Replicates = 45, 2
			w.run(t, spec, nil) // repeats what failed, with the others under way
			r, err := sweep.ReplaySearch(t.Context(), w.store, "search", w.all())
			if err != nil {
				t.Fatal(err)
			}
			if r.Suggestions != 45 || r.Same != 45 || len(r.Different) != 0 || len(r.Left) != 1 || r.Left[0].Why != "it was enqueued by hand" {
				t.Errorf("%d of %d are the same, different %+v, left %+v", r.Same, r.Suggestions, r.Different, r.Left)
			}
			repeated := 0
			for _, tr := range w.trials(t, "search") {
				if tr.Superseded() {
					repeated++
				}
			}
			if repeated == 0 {
				t.Error("no trial was repeated")
			}
		})
	}
}

// TestReplayRepeated: a process that begins when failed trials have been repeated already tells a sampler that learns trial by trial
// what those told it that saw them fail.
func TestReplayRepeated(t *testing.T) {
	w := newBench(t, unsteady())
	w.goptuna()
	w.Samplers = w.all()
	low, high := 0.0, 1.0
	spec := search(14, "cmaes", "none")
	spec.Factors = append(spec.Factors, studies.Factor{Name: "z", Low: &low, High: &high})
	spec.Baseline["z"] = 0.5
	w.run(t, spec, nil)
	w.Backend = &trainertest.Fake{}
	for _, n := range []int{20, 40} { // the first of them repeats what failed
		spec.Search.Trials = n
		w.run(t, spec, nil)
	}
	r, err := sweep.ReplaySearch(t.Context(), w.store, "search", w.all())
	if err != nil || r.Suggestions != 40 || r.Same != 40 {
		t.Errorf("%d of %d are the same, %v, different %+v", r.Same, r.Suggestions, err, r.Different)
	}
}

// TestReplayDrivers: the same with several processes, each with a driver of its own.
func TestReplayDrivers(t *testing.T) {
	spec := search(80, "scripted", "none")
	store, st := stored(t, spec)
	w := &bench{}
	done := make(chan error)
	for i := range 8 {
		d := driver(t, store, st, spec, w.all()["scripted"])
		go func() { done <- drive(d, fmt.Sprint("worker ", i)) }()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	r, err := sweep.ReplaySearch(t.Context(), store, "search", w.all())
	if err != nil || r.Same != 80 || r.Suggestions != 80 {
		t.Errorf("%d of %d are the same, %v: %+v", r.Same, r.Suggestions, err, r.Different)
	}
}

// TestReplayFinds: a stored point that its sampler did not make is found, and what cannot be made again says why.
func TestReplayFinds(t *testing.T) {
	spec := search(6, "scripted", "none")
	store, st := stored(t, spec)
	w := &bench{}
	s := scripted(func(h sweep.History, rng *rand.Rand) (trials.Suggestion, error) {
		p, err := everything(h, rng)
		if len(h.All()) == 2 {
			p.Params["x"] = 0.5 + 1e-15
		}
		return p, err
	})
	if err := drive(driver(t, store, st, spec, func(sweep.SamplerConfig) (sweep.Sampler, error) { return s, nil }), "me"); err != nil {
		t.Fatal(err)
	}
	for key, attrs := range map[string]map[string]json.RawMessage{
		"suggestion-0100": {},
		"suggestion-0101": {trials.AttrSaw: trials.Attr(trials.Saw{}), trials.AttrSampler: trials.Attr(trials.Proposer{Name: "tpe", Version: 1})},
		"suggestion-0102": {trials.AttrSaw: trials.Attr(trials.Saw{}), trials.AttrSampler: trials.Attr(trials.Proposer{Name: "scripted", Version: 7})},
		"something":       {},
	} {
		if _, err := store.Enqueue(t.Context(), st.ID, trials.Suggestion{Key: key, Params: trials.Params{"x": 1.0}, Attrs: attrs}); err != nil {
			t.Fatal(err)
		}
	}
	r, err := sweep.ReplaySearch(t.Context(), store, "search", w.all())
	if err != nil {
		t.Fatal(err)
	}
	if r.Suggestions != 6 || r.Same != 5 || len(r.Different) != 1 || r.Different[0].Trial != 2 || r.Different[0].Stored["x"] != 0.5+1e-15 || r.Different[0].Again["x"] == nil {
		t.Errorf("%+v", r)
	}
	var why []string
	for _, l := range r.Left {
		why = append(why, l.Why)
	}
	all := strings.Join(why, "\n")
	for _, says := range []string{"older version", "sampler tpe made it, and the study has scripted", "version 7 of sampler scripted", "another program"} {
		if !strings.Contains(all, says) || len(r.Left) != 4 {
			t.Errorf("nothing says %q:\n%s", says, all)
		}
	}
	fix := fixed()
	fixedStore, _ := stored(t, fix)
	if _, err := sweep.ReplaySearch(t.Context(), fixedStore, "fixed", w.all()); !errors.Is(err, sweep.ErrInvalid) {
		t.Errorf("a fixed design: %v", err)
	}
	if _, err := sweep.ReplaySearch(t.Context(), fixedStore, "nothing", w.all()); !errors.Is(err, trials.ErrNoStudy) {
		t.Errorf("no study: %v", err)
	}
}

// TestReplayWarm: what a search starts from is what it was then.
func TestReplayWarm(t *testing.T) {
	w := newBench(t, unsteady())
	w.Samplers = w.all()
	old := search(10, "random", "")
	old.Name = "old"
	w.run(t, old, nil)
	spec := search(10, "scripted", "")
	spec.Search.WarmStart = []string{"old"}
	spec.Budget = studies.Budget{Parallel: 3}
	w.run(t, spec, nil)
	w.Backend = &trainertest.Fake{}
	w.run(t, old, nil) // repeats what failed
	r, err := sweep.ReplaySearch(t.Context(), w.store, "search", w.all())
	if err != nil || r.Same != 10 {
		t.Errorf("%d of %d are the same, %v: %+v", r.Same, r.Suggestions, err, r.Different)
	}
}

// TestReplayAnnotated: attributes that someone sets on trials that have ended do not change when these ended.
func TestReplayAnnotated(t *testing.T) {
	spec := search(12, "scripted", "none")
	store, st := stored(t, spec)
	w := &bench{}
	d := driver(t, store, st, spec, w.all()["scripted"])
	ctx := t.Context()
	for i := range 12 {
		tr, err := d.Ask(ctx, "me")
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Tell(ctx, tr.ID, trials.Outcome{State: trials.Complete, Values: []float64{float64(i % 5)}}); err != nil {
			t.Fatal(err)
		}
		if i%4 == 3 {
			err := store.SetAttrs(ctx, tr.ID-3, map[string]json.RawMessage{"note": trials.Attr("looked at")})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	r, err := sweep.ReplaySearch(ctx, store, "search", w.all())
	if err != nil || r.Same != 12 || len(r.Different) != 0 {
		t.Errorf("%d of 12 are the same, %v: %+v", r.Same, err, r.Different)
	}
}
