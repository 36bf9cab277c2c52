package sweep_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
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

// results is what a study came to, without times and attempts.
func results(ts []trials.Trial) string {
	var b strings.Builder
	for _, t := range ts {
		fmt.Fprintln(&b, t.Number, t.Key, t.State, t.Params.Key(), t.Seed(), t.Values, len(t.Measurements))
	}
	return b.String()
}

// undisturbed is what spec comes to when nothing happens.
func undisturbed(t *testing.T, spec studies.Spec) string {
	t.Helper()
	w := newBench(t, trainertest.NewResumable())
	w.run(t, spec, nil)
	return results(w.trials(t, spec.Name))
}

// TestVanishedWorker: a worker died in the middle of trial 0, after a checkpoint at epoch 2.
func TestVanishedWorker(t *testing.T) {
	all := strings.Split(strings.TrimSpace(undisturbed(t, fixed())), "\n")
	for _, c := range []struct {
		name   string
		worker string
		life   local.Life
		silent time.Duration
		lost   bool
	}{
		{"process is gone", "here/1/x", local.Dead, 0, true},
		{"other host, silent for long", "there/1/x", local.Unknown, time.Hour, true},
		{"other host, just heard of", "there/1/x", local.Unknown, 0, false},
		{"alive here, silent", "here/2/x", local.Alive, time.Hour, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			fake := trainertest.NewResumable()
			w := newBench(t, fake)
			spec := fixed()
			w.Worker, w.Limits.Lost = "here/3/x", time.Minute
			w.Probe = func(string) local.Life { return c.life }
			claimed := w.abandoned(t, spec, c.worker)
			w.Now = func() time.Time { return trials.Now().Add(c.silent) }
			if !c.lost {
				w.waits(t, spec, len(all)-1)
				if tr := w.trials(t, "fixed")[0]; tr.State != trials.Running || len(tr.Attempts) != 1 {
					t.Errorf("trial 0 of a living worker is %s after %d attempts", tr.State, len(tr.Attempts))
				}
				return
			}
			w.run(t, spec, nil)
			tr := w.trials(t, "fixed")[0]
			if len(tr.Attempts) != 2 || tr.Attempts[0].Outcome != "lost" || tr.Attempts[1].Outcome != "complete" {
				t.Errorf("attempts %+v", tr.Attempts)
			}
			if results(w.trials(t, "fixed")) != undisturbed(t, spec) {
				t.Errorf("results differ from an undisturbed run:\n%s", results(w.trials(t, "fixed")))
			}
			for _, j := range fake.Jobs() {
				if want := j.Number == claimed.Number; want != (j.Resume != "") {
					t.Errorf("trial %d resumes from %q", j.Number, j.Resume)
				}
			}
			if ev := w.events[0].(sweep.StudyStarted); len(ev.Lost) != 1 || ev.Lost[0] != 0 {
				t.Errorf("started with %+v", ev)
			}
		})
	}
}

// enqueued sets up spec with every trial waiting.
func (w *bench) enqueued(t *testing.T, spec studies.Spec) trials.Study {
	t.Helper()
	stop := make(chan struct{})
	close(stop)
	e := *w.Engine
	e.Stop, e.Events = stop, nil
	if _, err := e.Run(t.Context(), spec, nil); !errors.Is(err, sweep.ErrStopped) {
		t.Fatalf("Run that was stopped before it began: %v", err)
	}
	st, err := w.store.Study(t.Context(), spec.Name)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// abandoned sets up spec as a worker of that name left it that died in trial 0 after two epochs and a checkpoint.
func (w *bench) abandoned(t *testing.T, spec studies.Spec, worker string) trials.Trial {
	t.Helper()
	st := w.enqueued(t, spec)
	tr, err := w.store.Claim(t.Context(), st.ID, worker)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(w.Dir, "trial-0000")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	job := trainer.Job{Params: tr.Params, Seed: tr.Seed(), Data: tr.Text(trials.AttrData), Dir: dir, Epochs: 4}
	_, err = trainertest.NewResumable().Train(ctx, job, func(m trials.Measurement) {
		if err := w.store.Record(t.Context(), tr.ID, m); err != nil {
			t.Error(err)
		}
		if m.Epoch == 2 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	return tr
}

// TestTooManyVanish: a trial that takes its process with it every time is given up.
func TestTooManyVanish(t *testing.T) {
	w := newBench(t, trainertest.NewResumable())
	w.Probe = func(string) local.Life { return local.Dead }
	w.Limits.Attempts = 3
	spec := fixed()
	st := w.enqueued(t, spec)
	for i := range 3 {
		if i > 0 {
			w.enqueued(t, spec) // finds the dead worker
		}
		if _, err := w.store.Claim(t.Context(), st.ID, "here/1/x"); err != nil {
			t.Fatal(err)
		}
	}
	w.enqueued(t, spec)
	tr := w.trials(t, "fixed")[0]
	if tr.State != trials.Fail || tr.Text(trials.AttrClass) != trials.ClassLost || len(tr.Attempts) != 3 {
		t.Errorf("after three dead workers trial 0 is %s (%s) with %d attempts", tr.State, tr.Text(trials.AttrClass), len(tr.Attempts))
	}
}

// TestTwoEngines: two processes on one study share its trials, and both see it through.
func TestTwoEngines(t *testing.T) {
	fake := &trainertest.Fake{Pause: 2 * time.Millisecond}
	a := newBench(t, fake)
	spec := fixed()
	spec.Replicates = 5
	a.Probe = func(string) local.Life { return local.Alive }
	e := *a.Engine
	e.Events = nil
	b := &bench{Engine: &e, store: a.store}
	a.Worker, b.Worker = "here/1/x", "here/2/x"
	sums := make([]sweep.Summary, 2)
	var wg sync.WaitGroup
	for i, w := range []*bench{a, b} {
		wg.Go(func() { sums[i] = w.run(t, spec, nil) })
	}
	wg.Wait()
	for _, s := range sums {
		wantSummary(t, s, sweep.Summary{Planned: 15, Complete: 15})
	}
	by := map[string]int{}
	for _, tr := range a.trials(t, "fixed") {
		if len(tr.Attempts) != 1 {
			t.Errorf("trial %d was started %d times", tr.Number, len(tr.Attempts))
		}
		by[tr.Attempts[0].Worker]++
	}
	if len(fake.Jobs()) != 15 || len(by) != 2 {
		t.Errorf("%d jobs, by worker %v: want 15 shared by two", len(fake.Jobs()), by)
	}
}

// stopAt closes the returned channel when a trial reports that epoch.
func (w *bench) stopAt(epoch int) {
	stop := make(chan struct{})
	w.Stop = stop
	var once sync.Once
	w.Events = func(ev sweep.Event) {
		if m, ok := ev.(sweep.TrialMeasured); ok && m.Measurement.Epoch >= epoch {
			once.Do(func() { close(stop) })
		}
	}
}

func TestStopWithCheckpoints(t *testing.T) {
	fake := trainertest.NewResumable()
	fake.Pause = 20 * time.Millisecond
	w := newBench(t, fake)
	w.stopAt(2)
	sum := w.run(t, fixed(), sweep.ErrStopped)
	if sum.Waiting == 0 || sum.Running != 0 || sum.Finished()+sum.Waiting != 6 {
		t.Fatalf("stopped with %+v", sum)
	}
	interrupted := 0
	for _, tr := range w.trials(t, "fixed") {
		if n := len(tr.Attempts); n > 0 && tr.Attempts[n-1].Outcome == "interrupted" {
			interrupted++
		}
	}
	if interrupted == 0 {
		t.Error("no trial was interrupted")
	}
	w.Stop, w.Events = nil, nil
	wantSummary(t, w.run(t, fixed(), nil), sweep.Summary{Planned: 6, Complete: 6})
	if got := results(w.trials(t, "fixed")); got != undisturbed(t, fixed()) {
		t.Errorf("results differ from an undisturbed run:\n%s", got)
	}
	resumed := 0
	for _, j := range fake.Jobs() {
		if j.Resume != "" {
			resumed++
		}
	}
	if resumed != interrupted {
		t.Errorf("%d trials resumed, %d were interrupted", resumed, interrupted)
	}
}

func TestStopWithoutCheckpoints(t *testing.T) {
	w := newBench(t, &trainertest.Fake{Pause: 25 * time.Millisecond})
	w.stopAt(1)
	sum := w.run(t, fixed(), sweep.ErrStopped)
	if sum.Complete == 0 || sum.Complete > 4 || sum.Complete+sum.Waiting != 6 {
		t.Errorf("stopped with %+v: running trials should have been finished and no others begun", sum)
	}
	for _, tr := range w.trials(t, "fixed") {
		if len(tr.Attempts) > 0 && tr.State != trials.Complete {
			t.Errorf("trial %d was begun and is %s", tr.Number, tr.State)
		}
	}
}

// TestRequestStop: a request in the database ends a run, and a later run takes no notice of it.
func TestRequestStop(t *testing.T) {
	w := newBench(t, &trainertest.Fake{Pause: 30 * time.Millisecond})
	var once sync.Once
	w.Events = func(ev sweep.Event) {
		if _, ok := ev.(sweep.TrialMeasured); ok {
			once.Do(func() {
				if err := sweep.RequestStop(context.Background(), w.store, "fixed"); err != nil {
					t.Error(err)
				}
			})
		}
	}
	if sum := w.run(t, fixed(), sweep.ErrStopped); sum.Waiting == 0 {
		t.Errorf("stopped with %+v", sum)
	}
	wantSummary(t, w.run(t, fixed(), nil), sweep.Summary{Planned: 6, Complete: 6})
	if err := sweep.RequestStop(t.Context(), w.store, "other"); !errors.Is(err, trials.ErrNoStudy) {
		t.Errorf("stop of a study that is not there: %v", err)
	}
}

// TestStopAtOnce: the context ends, one backend obeys and one hangs; nothing stays claimed.
func TestStopAtOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var begun atomic.Int32
	fake := &trainertest.Fake{Before: func(ctx context.Context, job trainer.Job, epoch int) error {
		if begun.Add(1) == 2 {
			cancel()
		}
		if job.Number == 0 {
			select {} // ignores its context
		}
		<-ctx.Done()
		return context.Cause(ctx)
	}}
	w := newBench(t, fake)
	from := time.Now()
	sum, err := w.Run(ctx, fixed(), nil)
	if !errors.Is(err, sweep.ErrStopped) || sum.Waiting != 6 || sum.Running != 0 {
		t.Errorf("Run: %v with %+v", err, sum)
	}
	if d := time.Since(from); d > 2*time.Second {
		t.Errorf("took %v to stop", d)
	}
}

// failing is a store of which one call fails.
type failing struct {
	trials.Store
	record func() error
}

func (s failing) Record(ctx context.Context, id int64, m trials.Measurement) error {
	if err := s.record(); err != nil {
		return err
	}
	return s.Store.Record(ctx, id, m)
}

// TestEndsTheStudy: what no other trial would survive ends the study, and leaves nothing claimed.
func TestEndsTheStudy(t *testing.T) {
	full := fmt.Errorf("write database: %w", trials.ErrDiskFull)
	var reports atomic.Int32
	for _, c := range []struct {
		name    string
		fake    *trainertest.Fake
		record  func() error
		want    error
		planned int
	}{
		{"no data", &trainertest.Fake{PrepareErr: fmt.Errorf("read data.yaml: %w", trainer.ErrNoData)}, nil, trainer.ErrNoData, 0},
		{"database full", &trainertest.Fake{}, func() error {
			if reports.Add(1) >= 10 {
				return full
			}
			return nil
		}, trials.ErrDiskFull, 6},
		{"device lost", &trainertest.Fake{Before: func(_ context.Context, job trainer.Job, _ int) error {
			if job.Number == 2 {
				return fmt.Errorf("launch kernel: %w", trainer.ErrNoDevice)
			}
			return nil
		}}, nil, trainer.ErrNoDevice, 6},
		{"disk full", &trainertest.Fake{Before: func(_ context.Context, job trainer.Job, _ int) error {
			if job.Number == 2 {
				return &trainer.Failure{Class: trials.ClassError, Reason: "write checkpoint", Err: &os.PathError{Op: "write", Path: "last.ckpt", Err: syscall.ENOSPC}}
			}
			return nil
		}}, nil, syscall.ENOSPC, 6},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newBench(t, c.fake)
			if c.record != nil {
				w.Store = failing{w.store, c.record}
			}
			sum := w.run(t, fixed(), c.want)
			if sum.Planned != c.planned || sum.Running != 0 || sum.Failed != 0 || c.planned > 0 && sum.Waiting == 0 {
				t.Errorf("ended with %+v", sum)
			}
		})
	}
}

// TestForeignDirectory: files of another database's study of the same name are set aside and never resumed from.
func TestForeignDirectory(t *testing.T) {
	fake := trainertest.NewResumable()
	w := newBench(t, fake)
	w.run(t, fixed(), nil)
	w.store = memory.New()
	w.Store = w.store
	w.run(t, fixed(), nil)
	for _, j := range fake.Jobs() {
		if j.Resume != "" {
			t.Errorf("trial %d resumed from a foreign checkpoint", j.Number)
		}
	}
	if old, _ := filepath.Glob(filepath.Join(w.Dir, "trial-0000.before-*", "trial.json")); len(old) != 1 {
		t.Errorf("the earlier directory of trial 0 was not kept: %v", old)
	}
}

func TestUnwritableDirectory(t *testing.T) {
	w := newBench(t, &trainertest.Fake{})
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	w.Dir = filepath.Join(file, "study")
	sum, err := w.Run(t.Context(), fixed(), nil)
	if err == nil || !strings.Contains(err.Error(), "make directory of trial") || sum.Running != 0 || sum.Waiting != 6 {
		t.Errorf("Run: %+v, %v", sum, err)
	}
}

// TestEnqueueInDesign: points by hand run beside those of a design and are counted with them.
func TestEnqueueInDesign(t *testing.T) {
	w := newBench(t, &trainertest.Fake{})
	st := w.enqueued(t, fixed())
	a, err := sweep.EnqueuePoint(t.Context(), w.store, "fixed", trials.Params{"x": 0.0, "y": 1.0})
	if err != nil {
		t.Fatal(err)
	}
	if b, err := sweep.EnqueuePoint(t.Context(), w.store, "fixed", trials.Params{"x": 0.0, "y": 1.0}); err != nil || b.ID != a.ID {
		t.Errorf("the same point again is trial %d, %v; first %d", b.Number, err, a.Number)
	}
	if _, err := sweep.EnqueuePoint(t.Context(), w.store, "fixed", trials.Params{"x": 0.75}); !errors.Is(err, sweep.ErrInvalid) {
		t.Errorf("a level that the study does not have: %v", err)
	}
	wantSummary(t, w.run(t, fixed(), nil), sweep.Summary{Planned: 7, Complete: 7})
	ts, _ := w.store.Trials(t.Context(), st.ID)
	var arm string
	_ = json.Unmarshal(ts[6].Attrs[trials.AttrArm], &arm)
	if ts[6].Params["x"] != 0.0 || ts[6].Params["y"] != 1.0 || ts[6].Seed() == 0 || arm != "x=0 y=1" {
		t.Errorf("point by hand: %+v", ts[6])
	}
}

// TestCheckpointAheadOfMeasurements: a checkpoint of epoch 3 is of no use where epoch 3 was never stored.
func TestCheckpointAheadOfMeasurements(t *testing.T) {
	fake := trainertest.NewResumable()
	w := newBench(t, fake)
	w.Probe = func(string) local.Life { return local.Dead }
	w.abandoned(t, fixed(), "here/1/x")
	if err := os.WriteFile(filepath.Join(w.Dir, "trial-0000", "last.ckpt"), []byte(`{"epoch":3}`), 0o644); err != nil {
		t.Fatal(err)
	}
	w.run(t, fixed(), nil)
	for _, j := range fake.Jobs() {
		if j.Resume != "" {
			t.Errorf("trial %d resumed from %s", j.Number, j.Resume)
		}
	}
	if got := results(w.trials(t, "fixed")); got != undisturbed(t, fixed()) {
		t.Errorf("results differ from an undisturbed run:\n%s", got)
	}
}

// deaf ignores its context in its first run of trial 0 and reports long after it was given up.
type deaf struct {
	*trainertest.Fake
	stop     func()
	begun    atomic.Bool
	reported chan struct{}
}

func (d *deaf) Train(ctx context.Context, job trainer.Job, report func(trials.Measurement)) (trainer.Result, error) {
	if job.Number == 0 && d.begun.CompareAndSwap(false, true) {
		d.stop()
		time.Sleep(500 * time.Millisecond) // the engine gives up after 50
		report(trials.Measurement{Epoch: 1, Metrics: map[string]float64{"mAP50-95": 99}})
		close(d.reported)
		return trainer.Result{}, errors.New("too late")
	}
	if job.Number == 0 {
		<-d.reported // so that the late report falls into this attempt
	}
	return d.Fake.Train(ctx, job, report)
}

// TestLateReport: what a backend reports after it was given up does not count for the next attempt.
func TestLateReport(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w := newBench(t, &deaf{Fake: &trainertest.Fake{}, stop: cancel, reported: make(chan struct{})})
	if _, err := w.Run(ctx, fixed(), nil); !errors.Is(err, sweep.ErrStopped) {
		t.Fatal(err)
	}
	w.run(t, fixed(), nil)
	for _, ev := range w.events {
		if m, ok := ev.(sweep.TrialMeasured); ok && m.Measurement.Metrics["mAP50-95"] == 99 {
			t.Error("a report of the attempt that was given up was taken for one of the next")
		}
	}
	if got := results(w.trials(t, "fixed")); got != undisturbed(t, fixed()) {
		t.Errorf("results differ from an undisturbed run:\n%s", got)
	}
}
