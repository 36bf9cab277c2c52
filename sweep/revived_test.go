package sweep_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/local"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/sqlite"
)

// TestRevivedWorker: a worker that slept while another one took its trial for lost, and took it over, leaves the trial alone
// when it comes back, whatever it was about to write: a measurement, its end, a failure or a retry.
func TestRevivedWorker(t *testing.T) {
	full := &trainer.Failure{Class: trials.ClassHostMemory, Reason: "full"}
	for _, c := range []struct {
		name  string
		epoch int   // of trial 0 in which the other one takes over; 5: after the last one
		fails error // what the trainer then says
	}{
		{"before a measurement", 2, nil},
		{"before it ends", 5, nil},
		{"before it fails", 2, &trainer.Failure{Class: trials.ClassError, Reason: "broken"}},
		{"before it is tried again", 2, full},
		{"before it ends the study", 2, trainer.ErrNoDevice},
	} {
		for _, kind := range []string{"memory", "file"} {
			t.Run(c.name+", "+kind, func(t *testing.T) {
				fake := &trainertest.Fake{}
				w := newBench(t, fake)
				if kind == "file" {
					db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "x.db"))
					if err != nil {
						t.Fatal(err)
					}
					defer db.Close()
					w.Store, w.store = db, db
				}
				w.Worker, w.Limits.Heartbeat = "here/1/x", time.Hour
				w.Probe = func(string) local.Life { return local.Alive }
				spec := fixed()
				spec.Budget.Parallel = 1
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				var theirs trials.Trial
				takeOver := func() {
					tr := w.trials(t, "fixed")[0]
					if len(tr.Attempts) != 1 {
						return
					}
					if err := w.store.Reclaim(t.Context(), tr, "silent", nil); err != nil {
						t.Error(err)
					}
					if _, err := w.store.Claim(t.Context(), tr.StudyID, "there/2/x"); err != nil {
						t.Error(err)
					}
					theirs = w.trials(t, "fixed")[0]
					time.AfterFunc(200*time.Millisecond, cancel) // it would wait for the other one for ever
				}
				fake.Before = func(_ context.Context, job trainer.Job, epoch int) error {
					if job.Number == 0 && epoch == c.epoch {
						takeOver()
						return c.fails
					}
					return nil
				}
				w.Events = func(ev sweep.Event) {
					if m, ok := ev.(sweep.TrialMeasured); ok && c.epoch == 5 && m.Trial.Number == 0 && m.Measurement.Epoch == 4 {
						takeOver()
					}
				}
				_, err := w.Run(ctx, spec, nil)
				if err == nil {
					t.Error("Run did not wait for the other worker")
				}
				if got := w.trials(t, "fixed")[0]; !reflect.DeepEqual(got, theirs) {
					t.Errorf("the other worker's trial became\n%+v\nfrom\n%+v", got, theirs)
				}
			})
		}
	}
}

// waking is a store in which a worker gives a sign of life just before it is given up.
type waking struct {
	trials.Store
	wake func(trial int64)
}

func (s waking) Reclaim(ctx context.Context, t trials.Trial, why string, attrs map[string]json.RawMessage) error {
	s.wake(t.ID)
	return s.Store.Reclaim(ctx, t, why, attrs)
}

func (s waking) GiveUp(ctx context.Context, t trials.Trial, o trials.Outcome) error {
	s.wake(t.ID)
	return s.Store.GiveUp(ctx, t, o)
}

func (s waking) Finish(ctx context.Context, id int64, o trials.Outcome) error {
	s.wake(id)
	return s.Store.Finish(ctx, id, o)
}

// TestNotGivenUp: a sign of life between the look and the deed saves a trial from being put back or given up, and nothing
// is counted.
func TestNotGivenUp(t *testing.T) {
	for name, attempts := range map[string]int{"put back": 5, "given up": 1} {
		t.Run(name, func(t *testing.T) {
			w := newBench(t, trainertest.NewResumable())
			spec := fixed()
			st := w.enqueued(t, spec)
			if _, err := w.store.Claim(t.Context(), st.ID, "there/1/x"); err != nil {
				t.Fatal(err)
			}
			w.Limits.Attempts = attempts
			w.Probe = func(string) local.Life { return local.Dead }
			woken := 0
			w.Store = waking{w.store, func(id int64) {
				woken++
				time.Sleep(time.Millisecond)
				if err := w.store.Heartbeat(t.Context(), id); err != nil {
					t.Error(err)
				}
			}}
			w.enqueued(t, spec)
			tr := w.trials(t, "fixed")[0]
			if tr.State != trials.Running || len(tr.Attempts) != 1 || tr.Attrs[trials.AttrRetries] != nil || woken != 1 {
				t.Errorf("woken %d times, and the trial became %+v", woken, tr)
			}
		})
	}
}

// TestRevivedAndClaimedAgain: a process that slept finds its trial waiting, and claims it once more before the old attempt notices.
// The old one ends at once, and when it has ended the new one still gives signs of life: else its own process would take it for lost.
func TestRevivedAndClaimedAgain(t *testing.T) {
	fake := &trainertest.Fake{}
	w := newBench(t, fake)
	var starts atomic.Int32
	waits, again, left := make(chan struct{}), make(chan struct{}), make(chan struct{})
	fake.Before = func(ctx context.Context, job trainer.Job, epoch int) error {
		if job.Number != 0 {
			<-waits // so that the other worker looks for a trial after that
			return nil
		}
		switch attempt := starts.Load(); {
		case epoch == 1 && attempt == 0:
			starts.Store(1)
		case epoch == 2 && attempt == 1:
			if err := w.store.Requeue(t.Context(), w.trials(t, "fixed")[0].ID, trials.ClassLost, "silent"); err != nil {
				t.Error(err)
			}
			close(waits)
			<-again
			<-ctx.Done()
			close(left)
			return context.Cause(ctx)
		case epoch == 1:
			starts.Store(2)
			close(again)
			<-left
			time.Sleep(30 * time.Millisecond)
			before := w.trials(t, "fixed")[0].Heartbeat
			for end := time.Now().Add(5 * time.Second); !w.trials(t, "fixed")[0].Heartbeat.After(before); time.Sleep(time.Millisecond) {
				if time.Now().After(end) {
					t.Errorf("no sign of life since %v", before)
					break
				}
			}
		}
		return nil
	}
	wantSummary(t, w.run(t, fixed(), nil), sweep.Summary{Planned: 6, Complete: 6})
	if tr := w.trials(t, "fixed")[0]; len(tr.Attempts) != 2 {
		t.Errorf("attempts %+v", tr.Attempts)
	}
}
