package sweep_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/local"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/memory"
)

// fixed is a one-factor study of three arms and two replicates: six trials of four epochs.
func fixed() studies.Spec {
	return studies.Spec{
		Name:       "fixed",
		Objective:  studies.Objective{Metric: "mAP50-95", Direction: trials.Maximize, Epoch: "last", Split: "val"},
		Trainer:    studies.Trainer{Backend: "fake", Data: []string{"digits"}, Epochs: 4},
		Baseline:   trials.Params{"x": 0.5, "y": 0.5},
		Factors:    []studies.Factor{{Name: "x", Levels: []any{0.5, 0.0}}, {Name: "y", Levels: []any{0.5, 1.0}}},
		Design:     studies.DesignOneFactor,
		Replicates: 2,
		Seed:       1,
		Budget:     studies.Budget{Parallel: 2},
		Keep:       studies.Keep{Best: 1, Last: 1},
	}
}

// bench is an engine with what it needs, and the events that it sent.
type bench struct {
	*sweep.Engine
	store trials.Store

	mu     sync.Mutex
	events []sweep.Event
}

func newBench(t *testing.T, b trainer.Backend) *bench {
	t.Helper()
	w := &bench{store: memory.New()}
	w.Engine = &sweep.Engine{Store: w.store, Backend: b, Dir: t.TempDir(), Version: "v0.0.0", Commit: "abc",
		Limits: sweep.Limits{Heartbeat: 5 * time.Millisecond, Poll: 2 * time.Millisecond, Grace: 50 * time.Millisecond},
		Events: func(ev sweep.Event) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.events = append(w.events, ev)
		}}
	return w
}

// run runs spec and wants an error that matches want (nil: none).
func (w *bench) run(t *testing.T, spec studies.Spec, want error) sweep.Summary {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	sum, err := w.Run(ctx, spec, []byte("name: "+spec.Name))
	if !errors.Is(err, want) {
		t.Fatalf("Run: %v, want %v", err, want)
	}
	return sum
}

func (w *bench) trials(t *testing.T, name string) []trials.Trial {
	t.Helper()
	st, err := w.store.Study(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	ts, err := w.store.Trials(t.Context(), st.ID)
	if err != nil {
		t.Fatal(err)
	}
	return ts
}

// waits runs a study in which only trials of others are left to go on with after so many have finished, and stops it while it waits for them.
func (w *bench) waits(t *testing.T, spec studies.Spec, finished int) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	go func() {
		for !w.hasFinished(ctx, spec.Name, finished) && ctx.Err() == nil {
			time.Sleep(2 * time.Millisecond)
		}
		time.Sleep(50 * time.Millisecond)
		cancel(errors.New("enough"))
	}()
	if _, err := w.Run(ctx, spec, nil); !errors.Is(err, sweep.ErrStopped) {
		t.Errorf("Run: %v, want to wait for the others until stopped", err)
	}
}

// hasFinished tells whether so many trials of a study are complete.
func (w *bench) hasFinished(ctx context.Context, name string, count int) bool {
	st, err := w.store.Study(ctx, name)
	if err != nil {
		return false
	}
	ts, err := w.store.Trials(ctx, st.ID)
	complete := 0
	for _, tr := range ts {
		if tr.State == trials.Complete {
			complete++
		}
	}
	return err == nil && complete >= count
}

func wantSummary(t *testing.T, got, want sweep.Summary) {
	t.Helper()
	for _, s := range []*sweep.Summary{&got, &want} {
		s.DeviceHours, s.Epochs, s.Ended = 0, 0, ""
	}
	if got != want {
		t.Errorf("summary %+v, want %+v", got, want)
	}
}

func TestFixedDesign(t *testing.T) {
	fake := &trainertest.Fake{Sources: []trials.DataSource{{Name: "digits", Hash: "h1", Train: 10}}}
	w := newBench(t, fake)
	var after []int
	w.AfterTrial = func(_ context.Context, st trials.Study, tr trials.Trial) {
		if st.Name != "fixed" || !tr.State.Finished() {
			t.Errorf("AfterTrial of study %q with a trial that is %s", st.Name, tr.State)
		}
		after = append(after, tr.Number)
	}
	wantSummary(t, w.run(t, fixed(), nil), sweep.Summary{Planned: 6, Complete: 6})
	if len(after) != 6 {
		t.Errorf("AfterTrial was called for %v, want all six", after)
	}
	seeds := map[int]int64{}
	for _, tr := range w.trials(t, "fixed") {
		want := trainertest.Curve(trainer.Job{Params: tr.Params, Seed: tr.Seed(), Data: "digits"}, 4)["mAP50-95"]
		if len(tr.Values) != 1 || tr.Values[0] != want || len(tr.Measurements) != 4 {
			t.Errorf("trial %d: values %v after %d epochs, want %v after 4", tr.Number, tr.Values, len(tr.Measurements), want)
		}
		if s, ok := seeds[tr.Replicate()]; ok && s != tr.Seed() {
			t.Errorf("replicate %d has seeds %d and %d: arms must be paired", tr.Replicate(), s, tr.Seed())
		}
		seeds[tr.Replicate()] = tr.Seed()
		if e, _ := tr.Integer(trials.AttrScoreEpoch); e != 4 || len(tr.Attrs[trials.AttrEffective]) == 0 {
			t.Errorf("trial %d: scored at epoch %d, effective %s", tr.Number, e, tr.Attrs[trials.AttrEffective])
		}
		if a, err := w.store.Artifact(t.Context(), tr.ID, "note"); err != nil || string(a.Data) != fmt.Sprint("trial ", tr.Number) {
			t.Errorf("trial %d: artifact %q, %v", tr.Number, a.Data, err)
		}
		for _, f := range []string{"trial.json", "effective.json"} {
			if _, err := os.Stat(filepath.Join(w.Dir, fmt.Sprintf("trial-%04d", tr.Number), f)); err != nil {
				t.Error(err)
			}
		}
	}
	if len(seeds) != 2 || seeds[0] == seeds[1] {
		t.Errorf("seeds of the replicates: %v, want two", seeds)
	}
	st, _ := w.store.Study(t.Context(), "fixed")
	p := st.Provenance
	if p.Version != "v0.0.0" || p.Commit != "abc" || p.Go == "" || p.OS == "" || p.CPU == "" || p.Cores < 1 || p.Backend != "fake" || len(p.Data) != 1 {
		t.Errorf("provenance %+v", p)
	}
	if string(st.File) != "name: fixed" || len(st.Resolved) == 0 {
		t.Errorf("stored file %q, resolved %q", st.File, st.Resolved)
	}
	if n := len(fake.Jobs()); n != 6 {
		t.Fatalf("%d jobs", n)
	}
	w.run(t, fixed(), nil)
	if n := len(fake.Jobs()); n != 6 {
		t.Errorf("running a finished study again trained %d trials more", n-6)
	}
}

func TestEventsInOrder(t *testing.T) {
	w := newBench(t, &trainertest.Fake{})
	w.run(t, fixed(), nil)
	if _, ok := w.events[0].(sweep.StudyStarted); !ok {
		t.Errorf("first event is %T", w.events[0])
	}
	if d, ok := w.events[len(w.events)-1].(sweep.StudyDone); !ok || d.Err != nil || d.Summary.Complete != 6 {
		t.Errorf("last event is %+v", w.events[len(w.events)-1])
	}
	state := map[int]int{} // epochs measured; -1: finished
	for _, ev := range w.events {
		switch ev := ev.(type) {
		case sweep.TrialStarted:
			if _, seen := state[ev.Trial.Number]; seen || ev.Lease.Threads < 1 || ev.Epochs != 4 {
				t.Errorf("started %+v", ev)
			}
			state[ev.Trial.Number] = 0
		case sweep.TrialMeasured:
			if n := state[ev.Trial.Number]; n != ev.Measurement.Epoch-1 {
				t.Errorf("trial %d: epoch %d after %d", ev.Trial.Number, ev.Measurement.Epoch, n)
			}
			state[ev.Trial.Number]++
		case sweep.TrialFinished:
			if state[ev.Trial.Number] != 4 || ev.Trial.State != trials.Complete {
				t.Errorf("trial %d finished as %s after %d epochs", ev.Trial.Number, ev.Trial.State, state[ev.Trial.Number])
			}
			state[ev.Trial.Number] = -1
		}
	}
}

// TestParallelDoesNotMatter: a fixed design gives the same results whatever the number of workers.
func TestParallelDoesNotMatter(t *testing.T) {
	var first string
	for _, n := range []int{1, 2, 6} {
		w := newBench(t, &trainertest.Fake{Pause: time.Millisecond})
		w.Parallel = n
		w.run(t, fixed(), nil)
		var b strings.Builder
		for _, tr := range w.trials(t, "fixed") {
			fmt.Fprintln(&b, tr.Number, tr.Key, tr.Params.Key(), tr.Seed(), tr.Values)
			if c, _ := tr.Integer(trials.AttrCores); int(c) != local.Share(n) {
				t.Errorf("trial %d had %d cores beside %d workers, want %d", tr.Number, c, n, local.Share(n))
			}
		}
		if first == "" {
			first = b.String()
		} else if b.String() != first {
			t.Errorf("with %d workers:\n%s\nwith 1:\n%s", n, &b, first)
		}
	}
}

// TestBadTrials: whatever one trial does, the others run, and it is accounted for under its own name.
func TestBadTrials(t *testing.T) {
	metric := func(v float64) func(trainer.Job, int) map[string]float64 {
		return func(job trainer.Job, epoch int) map[string]float64 {
			m := trainertest.Curve(job, epoch)
			if job.Params["x"] == 0.0 && epoch >= 3 {
				m["mAP50-95"] = v
			}
			return m
		}
	}
	before := func(do func(context.Context) error) func(context.Context, trainer.Job, int) error {
		return func(ctx context.Context, job trainer.Job, epoch int) error {
			if job.Params["x"] == 0.0 && epoch == 2 {
				return do(ctx)
			}
			return nil
		}
	}
	for _, c := range []struct {
		name          string
		fake          *trainertest.Fake
		class, reason string
		count         func(*sweep.Summary) *int
		change        func(*studies.Spec)
	}{
		{name: "NaN", fake: &trainertest.Fake{Metrics: metric(math.NaN())}, class: trials.ClassDiverged, reason: "mAP50-95 is NaN at epoch 4"},
		{name: "infinite", fake: &trainertest.Fake{Metrics: metric(math.Inf(1))}, class: trials.ClassDiverged, reason: "mAP50-95 is +Inf at epoch 4"},
		{name: "failure", fake: &trainertest.Fake{Before: before(func(context.Context) error {
			return fmt.Errorf("train: %w", &trainer.Failure{Class: trials.ClassMemory, Reason: "out of memory at step 7", LogTail: "alloc failed"})
		})}, class: trials.ClassMemory, reason: "out of memory at step 7"},
		{name: "plain error", fake: &trainertest.Fake{Before: before(func(context.Context) error { return errors.New("exit status 3") })},
			class: trials.ClassError, reason: "exit status 3"},
		{name: "panic", fake: &trainertest.Fake{Before: before(func(context.Context) error { panic("index out of range") })},
			class: trials.ClassError, reason: "trainer panicked: index out of range"},
		{name: "infeasible", fake: &trainertest.Fake{Before: before(func(context.Context) error {
			return &trainer.Failure{Class: trials.ClassInfeasible, Reason: "batch larger than the data set"}
		})}, class: trials.ClassInfeasible, reason: "batch larger than the data set",
			count: func(s *sweep.Summary) *int { return &s.Infeasible }},
		{name: "hangs", fake: &trainertest.Fake{Before: before(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })},
			class: trials.ClassTimeout, reason: "ran over trainer.timeout after 1 epochs",
			change: func(s *studies.Spec) { s.Trainer.Timeout = "300ms" }},
		{name: "hangs and ignores its context", fake: &trainertest.Fake{Before: before(func(context.Context) error { select {} })},
			class: trials.ClassTimeout, reason: "ran over trainer.timeout after 1 epochs",
			change: func(s *studies.Spec) { s.Trainer.Timeout = "300ms" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newBench(t, c.fake)
			w.Limits.Hang = 20 * time.Millisecond
			spec := fixed()
			if c.change != nil {
				c.change(&spec)
			}
			want := sweep.Summary{Planned: 6, Complete: 4}
			if c.count == nil {
				c.count = func(s *sweep.Summary) *int { return &s.Failed }
			}
			*c.count(&want) = 2
			wantSummary(t, w.run(t, spec, nil), want)
			for _, tr := range w.trials(t, "fixed") {
				if tr.State != trials.Fail {
					continue
				}
				if tr.Text(trials.AttrClass) != c.class || tr.Text(trials.AttrReason) != c.reason || len(tr.Values) != 0 {
					t.Errorf("trial %d: class %q, reason %q, values %v; want %q, %q, none",
						tr.Number, tr.Text(trials.AttrClass), tr.Text(trials.AttrReason), tr.Values, c.class, c.reason)
				}
			}
		})
	}
}

func TestObjective(t *testing.T) {
	curve := map[int]float64{1: 0.2, 2: 0.7, 3: math.NaN(), 4: 0.6}
	metrics := func(_ trainer.Job, epoch int) map[string]float64 {
		return map[string]float64{"mAP50-95": curve[epoch], "loss/box": 1, "fitness": float64(10 - epoch), "loss/cls": float64(10 - epoch)}
	}
	for _, c := range []struct {
		name      string
		objective studies.Objective
		value     float64
		epoch     int64
		reason    string
	}{
		{name: "last", objective: studies.Objective{Metric: "mAP50-95", Direction: trials.Maximize, Epoch: "last"}, value: 0.6, epoch: 4},
		{name: "best", objective: studies.Objective{Metric: "mAP50-95", Direction: trials.Maximize, Epoch: "best"}, value: 0.7, epoch: 2},
		{name: "best, smaller is better", objective: studies.Objective{Metric: "mAP50-95", Direction: trials.Minimize, Epoch: "best"}, value: 0.2, epoch: 1},
		{name: "the earlier of equals", objective: studies.Objective{Metric: "loss/box", Direction: trials.Minimize, Epoch: "best"}, value: 1, epoch: 1},
		{name: "best by another", objective: studies.Objective{Metric: "mAP50-95", Direction: trials.Maximize, Epoch: "best", BestBy: "fitness"}, value: 0.2, epoch: 1},
		{name: "best by a loss", objective: studies.Objective{Metric: "mAP50-95", Direction: trials.Maximize, Epoch: "best", BestBy: "loss/cls"}, value: 0.6, epoch: 4},
		{name: "missing", objective: studies.Objective{Metric: "mAP", Direction: trials.Maximize, Epoch: "last"},
			reason: "the trainer never reported the objective mAP; it reported fitness, loss/box, loss/cls, mAP50-95"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newBench(t, &trainertest.Fake{Metrics: metrics})
			spec := fixed()
			spec.Objective, spec.Replicates, spec.Factors = c.objective, 1, spec.Factors[:1]
			w.run(t, spec, nil)
			tr := w.trials(t, "fixed")[0]
			if c.reason != "" {
				if tr.State != trials.Fail || tr.Text(trials.AttrReason) != c.reason {
					t.Errorf("%s: %q, want the reason %q", tr.State, tr.Text(trials.AttrReason), c.reason)
				}
				return
			}
			if e, _ := tr.Integer(trials.AttrScoreEpoch); len(tr.Values) != 1 || tr.Values[0] != c.value || e != c.epoch {
				t.Errorf("values %v at epoch %d, want %v at %d", tr.Values, e, c.value, c.epoch)
			}
		})
	}
}

// A number in a requirement means "on": mixup matters with every mosaic but 0, sampled or fixed.
func TestActive(t *testing.T) {
	space := trials.Space{{Name: "mosaic", Kind: trials.Float, High: 1}, {Name: "mixup", Kind: trials.Float, High: 1}}
	mixup := trials.Param{Name: "mixup", Requires: trials.Params{"mosaic": 1.0}}
	for _, c := range []struct {
		name          string
		space         trials.Space
		params, fixed trials.Params
		want          bool
	}{
		{"sampled on", space, trials.Params{"mosaic": 0.4}, nil, true},
		{"sampled off", space, trials.Params{"mosaic": 0.0}, nil, false},
		{"varies but inactive itself", space, nil, trials.Params{"mosaic": 1.0}, false},
		{"fixed on", space[1:], nil, trials.Params{"mosaic": int64(1)}, true},
		{"fixed off", space[1:], nil, trials.Params{"mosaic": 0.0}, false},
		{"nowhere", space[1:], nil, nil, false},
	} {
		if got := sweep.Active(mixup, c.space, c.params, c.fixed); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// Settings that make no sense are refused before anything is stored.
func TestInvalidSettings(t *testing.T) {
	for says, set := range map[string]func(*sweep.Engine){
		"-5 trials at once: give a number from 1":       func(e *sweep.Engine) { e.Parallel = -5 },
		"1000000000 trials at once":                     func(e *sweep.Engine) { e.Parallel = 1000000000 },
		"-1 cores for each trial: give a number from 1": func(e *sweep.Engine) { e.Threads = -1 },
	} {
		w := newBench(t, &trainertest.Fake{})
		set(w.Engine)
		_, err := w.Run(t.Context(), fixed(), nil)
		if !errors.Is(err, sweep.ErrInvalid) || !strings.Contains(err.Error(), says) {
			t.Errorf("Run: %v, want %q", err, says)
		}
		if _, err := w.store.Study(t.Context(), "fixed"); !errors.Is(err, trials.ErrNoStudy) {
			t.Errorf("the study was stored: %v", err)
		}
	}
}
