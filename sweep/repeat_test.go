package sweep_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trials"
)

// breaks fails every trial with x = 0 in that way.
func breaks(class string) func(context.Context, trainer.Job, int) error {
	return func(_ context.Context, job trainer.Job, epoch int) error {
		if job.Params["x"] == 0.0 && epoch == 2 {
			return &trainer.Failure{Class: class, Reason: "broken"}
		}
		return nil
	}
}

// TestRepeat: what broke is repeated by the next run, what diverged only on request, and either is counted once.
func TestRepeat(t *testing.T) {
	for class, again := range map[string]bool{trials.ClassError: true, trials.ClassTimeout: true, trials.ClassMemory: true,
		trials.ClassHostMemory: true, trials.ClassData: true, trials.ClassUsage: true, trials.ClassScript: true, trials.ClassPackage: true,
		trials.ClassLost: true, trials.ClassDiverged: false, trials.ClassInfeasible: false, trials.ClassSkipped: false} {
		t.Run(class, func(t *testing.T) {
			fake := &trainertest.Fake{Before: breaks(class)}
			w := newBench(t, fake)
			first := w.run(t, fixed(), nil)
			if first.Complete != 4 || first.Planned != 6 {
				t.Fatalf("first run %+v", first)
			}
			second := w.run(t, fixed(), nil) // broken still
			if second.Planned != 6 || second.Complete != 4 || (second.Repeated == 2) != again {
				t.Errorf("second run %+v", second)
			}
			fake.Before = nil
			if !again {
				if _, err := sweep.Retry(t.Context(), w.store, "fixed", []int{1, 4}); err != nil {
					t.Fatal(err)
				}
			}
			third := w.run(t, fixed(), nil)
			if third.Planned != 6 || third.Complete != 6 {
				t.Errorf("third run %+v", third)
			}
			checkRepeats(t, w.trials(t, "fixed"))
		})
	}
}

// checkRepeats wants repetitions to be copies that point at what they repeat and back.
func checkRepeats(t *testing.T, ts []trials.Trial) {
	t.Helper()
	n := 0
	for _, tr := range ts {
		of, ok := tr.Integer(trials.AttrRetryOf)
		if !ok {
			continue
		}
		n++
		old := ts[of]
		by, _ := old.Integer(trials.AttrRetriedBy)
		base, _, _ := strings.Cut(old.Key, "#")
		if by != int64(tr.Number) || !strings.HasPrefix(tr.Key, base+"#") || tr.Seed() != old.Seed() || tr.Arm() != old.Arm() ||
			tr.Params.Key() != old.Params.Key() {
			t.Errorf("trial %d (%s) repeats %d (%s), which is repeated by %d", tr.Number, tr.Key, of, old.Key, by)
		}
		if tr.State == trials.Complete && tr.Text(trials.AttrClass) != "" {
			t.Errorf("trial %d inherited the class %s", tr.Number, tr.Text(trials.AttrClass))
		}
	}
	if n == 0 {
		t.Error("nothing was repeated")
	}
}

// TestHalfMadeRepeat: killed between the two steps of a retry, a failure is counted once after the next run or the next retry,
// and repeated once, whether or not the copy has run meanwhile.
func TestHalfMadeRepeat(t *testing.T) {
	half := func(t *testing.T, fake *trainertest.Fake) *bench {
		t.Helper()
		w := newBench(t, fake)
		w.run(t, fixed(), nil)
		old := w.trials(t, "fixed")[1]
		attrs := trials.CloneAttrs(old.Attrs)
		for _, name := range []string{trials.AttrKey, trials.AttrClass, trials.AttrReason} {
			delete(attrs, name)
		}
		attrs[trials.AttrRetryOf] = trials.Attr(1)
		_, err := w.store.Enqueue(t.Context(), old.StudyID, trials.Suggestion{Key: old.Key + "#2", Space: old.Space, Params: old.Params, Attrs: attrs})
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	once := func(t *testing.T, w *bench, n int) {
		t.Helper()
		ts := w.trials(t, "fixed")
		checkRepeats(t, ts)
		if len(ts) != n {
			t.Errorf("%d trials, want %d:\n%s", len(ts), n, results(ts))
		}
	}
	t.Run("run", func(t *testing.T) {
		fake := &trainertest.Fake{Before: breaks(trials.ClassDiverged)}
		w := half(t, fake)
		fake.Before = nil
		wantSummary(t, w.run(t, fixed(), nil), sweep.Summary{Planned: 6, Complete: 5, Failed: 1, Repeated: 1})
		once(t, w, 7)
	})
	t.Run("retry", func(t *testing.T) {
		fake := &trainertest.Fake{Before: breaks(trials.ClassDiverged)}
		w := half(t, fake)
		again, err := sweep.Retry(t.Context(), w.store, "fixed", nil) // trials 1 and 4
		if err != nil || len(again) != 2 || again[0].Number != 6 {
			t.Errorf("retry: %+v, %v", again, err)
		}
		once(t, w, 8)
		fake.Before = nil
		wantSummary(t, w.run(t, fixed(), nil), sweep.Summary{Planned: 6, Complete: 6, Repeated: 2})
	})
	t.Run("retry after the copy has failed", func(t *testing.T) {
		fake := &trainertest.Fake{Before: breaks(trials.ClassDiverged)}
		w := half(t, fake)
		c, err := w.store.Claim(t.Context(), w.trials(t, "fixed")[0].StudyID, "there/1/x")
		if err == nil {
			err = w.store.Finish(t.Context(), c.ID, trials.Outcome{State: trials.Fail, Attrs: map[string]json.RawMessage{trials.AttrClass: trials.Attr(trials.ClassDiverged)}})
		}
		if err != nil {
			t.Fatal(err)
		}
		again, err := sweep.Retry(t.Context(), w.store, "fixed", []int{1, 4, 6})
		if err != nil || len(again) != 2 || again[1].Key != w.trials(t, "fixed")[1].Key+"#3" {
			t.Errorf("retry: %+v, %v", again, err)
		}
		once(t, w, 9)
		fake.Before = nil
		wantSummary(t, w.run(t, fixed(), nil), sweep.Summary{Planned: 6, Complete: 6, Repeated: 3})
	})
}

func TestRetryRefuses(t *testing.T) {
	w := newBench(t, &trainertest.Fake{Before: breaks(trials.ClassDiverged)})
	w.run(t, fixed(), nil)
	before := results(w.trials(t, "fixed"))
	for _, c := range []struct {
		numbers []int
		want    error
	}{{[]int{1, 0}, sweep.ErrNotRepeatable}, {[]int{1, 99}, trials.ErrNoTrial}} {
		if _, err := sweep.Retry(t.Context(), w.store, "fixed", c.numbers); !errors.Is(err, c.want) {
			t.Errorf("retry %v: %v, want %v", c.numbers, err, c.want)
		}
	}
	if got := results(w.trials(t, "fixed")); got != before {
		t.Errorf("a refused retry changed the study:\n%s", got)
	}
	again, err := sweep.Retry(t.Context(), w.store, "fixed", nil)
	if err != nil || len(again) != 2 {
		t.Fatalf("retry of all: %d copies, %v", len(again), err)
	}
	if _, err := sweep.Retry(t.Context(), w.store, "fixed", []int{1}); !errors.Is(err, sweep.ErrNotRepeatable) {
		t.Errorf("retry of what is repeated already: %v", err)
	}
}

// TestBudget: the budget ends the study, what it left out counts as skipped, and a larger one runs it after all.
func TestBudget(t *testing.T) {
	w := newBench(t, &trainertest.Fake{Pause: 2 * time.Millisecond})
	spec := fixed()
	spec.Budget = studies.Budget{Parallel: 1, DeviceHours: 1e-9}
	sum := w.run(t, spec, sweep.ErrBudget)
	wantSummary(t, sum, sweep.Summary{Planned: 6, Complete: 1, Skipped: 5})
	if sum.DeviceHours <= 1e-9 || sum.DeviceHours > 1e-3 {
		t.Errorf("%g device-hours used", sum.DeviceHours)
	}
	wantSummary(t, w.run(t, spec, sweep.ErrBudget), sweep.Summary{Planned: 6, Complete: 1, Skipped: 5})
	spec.Budget.DeviceHours = 1
	wantSummary(t, w.run(t, spec, nil), sweep.Summary{Planned: 6, Complete: 6})
}

// TestBudgetOfSearch: points that a search over budget never proposed are skipped, and proposed once there is room.
func TestBudgetOfSearch(t *testing.T) {
	w := newBench(t, &trainertest.Fake{Pause: 2 * time.Millisecond})
	w.goptuna()
	spec := search(5, "random", "none")
	spec.Replicates, spec.Budget.DeviceHours = 2, 1e-9
	wantSummary(t, w.run(t, spec, sweep.ErrBudget), sweep.Summary{Planned: 10, Complete: 1, Skipped: 9})
	wantSummary(t, w.run(t, spec, sweep.ErrBudget), sweep.Summary{Planned: 10, Complete: 1, Skipped: 9})
	wantSummary(t, sweep.Count(spec, w.trials(t, "search"), time.Now()), sweep.Summary{Planned: 10, Complete: 1, Skipped: 9})
	spec.Budget.DeviceHours = 1
	wantSummary(t, w.run(t, spec, nil), sweep.Summary{Planned: 10, Complete: 10})
}

func TestEditedStudy(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*studies.Spec)
		want int // trials afterwards; 0: refused
		says string
	}{
		{"replicates", func(s *studies.Spec) { s.Replicates = 3 }, 9, "replicates: 2 -> 3"},
		{"another level", func(s *studies.Spec) { s.Factors[1].Levels = []any{0.5, 1.0, 0.25} }, 8, "factors.y.levels"},
		{"budget", func(s *studies.Spec) { s.Budget.DeviceHours = 5 }, 6, "budget.device_hours"},
		{"nothing", func(*studies.Spec) {}, 6, ""},
		{"epochs", func(s *studies.Spec) { s.Trainer.Epochs = 5 }, 0, "trainer.epochs: 4 -> 5"},
		{"baseline", func(s *studies.Spec) { s.Baseline["x"] = 0.25 }, 0, "baseline.x: 0.5 -> 0.25"},
		{"fewer replicates", func(s *studies.Spec) { s.Replicates = 1 }, 0, "replicates: 2 -> 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fake := &trainertest.Fake{}
			w := newBench(t, fake)
			w.run(t, fixed(), nil)
			spec := fixed()
			c.edit(&spec)
			w.events = nil
			if c.want == 0 {
				_, err := w.Run(t.Context(), spec, []byte("new file"))
				var changed *sweep.ChangedError
				if !errors.As(err, &changed) || !errors.Is(err, sweep.ErrChanged) || !strings.Contains(err.Error(), c.says) {
					t.Fatalf("Run: %v, want it refused with %q", err, c.says)
				}
				if st, _ := w.store.Study(t.Context(), "fixed"); string(st.File) != "name: fixed" || len(w.trials(t, "fixed")) != 6 {
					t.Error("a refused file changed the study")
				}
				return
			}
			sum, err := w.Run(t.Context(), spec, []byte("new file"))
			if err != nil || sum.Planned != c.want || sum.Complete != c.want || len(fake.Jobs()) != c.want {
				t.Fatalf("Run: %+v, %v after %d jobs", sum, err, len(fake.Jobs()))
			}
			ev := w.events[0].(sweep.StudyStarted)
			if got := strings.Join(ev.Extended, "\n"); !strings.Contains(got, c.says) || (c.says == "") != (got == "") {
				t.Errorf("extended by %q, want %q", got, c.says)
			}
		})
	}
}

func TestDataChanged(t *testing.T) {
	fake := &trainertest.Fake{Sources: []trials.DataSource{{Name: "digits", Hash: "aaaa"}}}
	w := newBench(t, fake)
	w.run(t, fixed(), nil)
	fake.Sources = []trials.DataSource{{Name: "digits", Hash: "bbbb"}}
	w.run(t, fixed(), sweep.ErrDataChanged)
}
