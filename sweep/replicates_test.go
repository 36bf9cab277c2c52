package sweep_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/courses"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trials"
)

// settled is a one-factor study of three variants that are settled one by one.
func settled() studies.Spec {
	s := fixed()
	s.Name = "settled"
	s.Factors = append(s.Factors, studies.Factor{Name: "z", Levels: []any{0.5, 0.25}})
	s.Baseline = trials.Params{"x": 0.5, "y": 0.5, "z": 0.5}
	s.Trainer.Epochs, s.Trainer.Data = 1, nil
	s.Replicates, s.Settle = 12, &studies.Settle{Rule: studies.RuleLooks, Looks: []int{3, 5, 8, 12}}
	return s
}

// plants are a large effect, one that needs some seeds, and none, under noise that leaves no hope to settle the last one.
var plants = trainertest.Planted{Effects: map[string]float64{"x=0": -0.2, "y=1": 0.018}, SD: 0.01, Shared: 0.05}

// standing reads where a study stands.
func (w *bench) standing(t *testing.T, spec studies.Spec) courses.Standing {
	t.Helper()
	plan, err := design.Points(spec)
	if err != nil {
		t.Fatal(err)
	}
	return courses.Read(spec, plan, w.trials(t, spec.Name), false)
}

// replicates counts the trials of each arm that count.
func replicates(ts []trials.Trial) map[string]int {
	n := map[string]int{}
	for _, t := range ts {
		if !t.Superseded() {
			n[t.Arm()]++
		}
	}
	return n
}

// verdicts prints where every variant ended.
func verdicts(s courses.Standing) string {
	var b strings.Builder
	for _, v := range s.Variants {
		fmt.Fprintf(&b, "%s%s %s n=%d %.6f [%.6f, %.6f]\n", v.Data, v.Arm, v.Verdict, v.N, v.Mean, v.Low, v.High)
	}
	return b.String()
}

func TestUntilSettled(t *testing.T) {
	for _, parallel := range []int{1, 2, 5} {
		fake := &trainertest.Fake{Metrics: plants.Metrics}
		w := newBench(t, fake)
		spec := settled()
		spec.Budget.Parallel = parallel
		sum := w.run(t, spec, nil)
		at := w.standing(t, spec)
		got := replicates(w.trials(t, "settled"))
		want := map[string]int{"baseline": 8}
		total := 8
		for _, v := range at.Variants {
			if !v.Done {
				t.Errorf("%s is not done: %s", v.Arm, v.Reason)
			}
			want[v.Arm] = v.N
			total += v.N
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("replicates %v, want those of the verdicts %v", got, want)
		}
		wantSummary(t, sum, sweep.Summary{Planned: total, Complete: total})
		x, _ := at.Of("", "x=0")
		y, _ := at.Of("", "y=1")
		z, _ := at.Of("", "z=0.25")
		if x.Verdict != inference.Worse || x.N != 3 || y.Verdict != inference.Better || y.N != 8 || z.Verdict != inference.Futile || z.N != 8 {
			t.Errorf("%d at a time:\n%s", parallel, verdicts(at))
		}
		var told []string
		for _, ev := range w.events {
			if ev, ok := ev.(sweep.VariantSettled); ok {
				told = append(told, fmt.Sprint(ev.Arm, " ", ev.N))
			}
		}
		slices.Sort(told)
		if want := "[x=0 3 y=1 8 z=0.25 8]"; fmt.Sprint(told) != want {
			t.Errorf("told of %v, want %v", told, want)
		}
		jobs := len(fake.Jobs())
		wantSummary(t, w.run(t, spec, nil), sum)
		if n := len(fake.Jobs()); n != jobs {
			t.Errorf("run again, it trained %d trials more", n-jobs)
		}
	}
}

// TestSettledOneByOne: the anytime rule looks at every replicate from the third on.
func TestSettledOneByOne(t *testing.T) {
	w := newBench(t, &trainertest.Fake{Metrics: plants.Metrics})
	spec := settled()
	spec.Settle = &studies.Settle{Rule: studies.RuleAnytime}
	spec.Replicates = 20
	w.run(t, spec, nil)
	n := replicates(w.trials(t, "settled"))
	if n["x=0"] < 3 || n["x=0"] > 5 || n["y=1"] <= n["x=0"] || n["y=1"] == 20 || n["z=0.25"] != n["baseline"] {
		t.Errorf("replicates %v\n%s", n, verdicts(w.standing(t, spec)))
	}
}

// TestBlocksSettleApart: every data set is settled on its own.
func TestBlocksSettleApart(t *testing.T) {
	w := newBench(t, &trainertest.Fake{Metrics: func(job trainer.Job, epoch int) map[string]float64 {
		p := plants
		if job.Data == "trees" {
			p.Effects = map[string]float64{"x=0": -0.2, "y=1": 0.2, "z=0.25": 0.2}
		}
		return p.Metrics(job, epoch)
	}})
	spec := settled()
	spec.Trainer.Data = []string{"digits", "trees"}
	sum := w.run(t, spec, nil)
	n := map[string]int{}
	for _, tr := range w.trials(t, "settled") {
		n[tr.Text(trials.AttrData)]++
	}
	if n["trees"] != 12 || n["digits"] < 24 || sum.Planned != n["trees"]+n["digits"] {
		t.Errorf("trials %v of %d planned", n, sum.Planned)
	}
}

// TestNoIdleWorker: while one trial of a look is slow, other variants go on.
func TestNoIdleWorker(t *testing.T) {
	slow := make(chan struct{})
	w := newBench(t, nil)
	fake := &trainertest.Fake{Metrics: plants.Metrics, Before: func(ctx context.Context, job trainer.Job, _ int) error {
		if job.Params["x"] == 0.0 && job.Seed == design.Seed(1, 2) {
			select {
			case <-slow:
			case <-ctx.Done():
			}
		}
		return nil
	}}
	w.Backend, w.Limits.Poll = fake, time.Hour // idle workers are woken
	done := make(chan sweep.Summary)
	go func() { done <- w.run(t, settled(), nil) }()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if _, err := w.store.Study(t.Context(), "settled"); err == nil && replicates(w.trials(t, "settled"))["z=0.25"] == 8 {
			break
		}
	}
	close(slow)
	if sum := <-done; sum.Check() != nil || sum.Planned != 27 {
		t.Errorf("%+v", sum)
	}
}

// TestFailedReplicates: a look counts pairs, so that a failed replicate is made up for; a variant that fails every
// time is given up, and one whose failures leave too few pairs, too; a reference that fails ends the study.
func TestFailedReplicates(t *testing.T) {
	for _, c := range []struct {
		name   string
		fails  func(arm string, replicate int) bool
		class  string
		says   map[string]string // reasons
		verify func(t *testing.T, n map[string]int, at courses.Standing, sum sweep.Summary)
	}{
		{"one", func(arm string, r int) bool { return arm == "x=0" && r == 1 }, trials.ClassDiverged, nil,
			func(t *testing.T, n map[string]int, at courses.Standing, sum sweep.Summary) {
				if x, _ := at.Of("", "x=0"); x.N != 3 || n["x=0"] != 4 || x.Verdict != inference.Worse || sum.Failed != 1 {
					t.Errorf("%v, %+v", n, x)
				}
			}},
		{"of the reference", func(arm string, r int) bool { return arm == "baseline" && r == 0 }, trials.ClassDiverged, nil,
			func(t *testing.T, n map[string]int, at courses.Standing, sum sweep.Summary) {
				x, _ := at.Of("", "x=0")
				if z, _ := at.Of("", "z=0.25"); x.N != 3 || n["x=0"] != 4 || z.N != 8 || n["z=0.25"] != 9 || n["baseline"] != 9 {
					t.Errorf("%v, %+v", n, z)
				}
			}},
		{"every one", func(arm string, _ int) bool { return arm == "x=0" }, trials.ClassInfeasible,
			map[string]string{"x=0": "not settled with 0 pairs: the variant has no score: its first 3 replicates failed"},
			func(t *testing.T, n map[string]int, at courses.Standing, sum sweep.Summary) {
				if n["x=0"] != 3 || sum.Infeasible != 3 {
					t.Errorf("%v, %+v", n, sum)
				}
			}},
		{"most", func(arm string, r int) bool { return arm == "x=0" && r > 0 }, trials.ClassDiverged,
			map[string]string{"x=0": "not settled with 1 pair: replicates failed, and of 12 pairs no more than 1 have a score"},
			func(t *testing.T, n map[string]int, at courses.Standing, sum sweep.Summary) {
				if n["x=0"] != 12 {
					t.Errorf("%v", n)
				}
			}},
		{"the reference", func(arm string, _ int) bool { return arm == "baseline" }, trials.ClassDiverged,
			map[string]string{"x=0": "the reference has no score", "z=0.25": "the reference has no score"},
			func(t *testing.T, n map[string]int, at courses.Standing, sum sweep.Summary) {
				if sum.Planned != 12 || sum.Failed != 3 {
					t.Errorf("%+v", sum)
				}
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			broken := true
			w := newBench(t, nil)
			w.Backend = &trainertest.Fake{Metrics: plants.Metrics, Before: func(_ context.Context, job trainer.Job, _ int) error {
				arm, r := design.NameOf(settled(), job.Params), 0
				for design.Seed(1, r) != job.Seed {
					r++
				}
				if broken && c.fails(arm, r) {
					return &trainer.Failure{Class: c.class, Reason: "broken"}
				}
				return nil
			}}
			sum := w.run(t, settled(), nil)
			at := w.standing(t, settled())
			c.verify(t, replicates(w.trials(t, "settled")), at, sum)
			for arm, says := range c.says {
				if v, _ := at.Of("", arm); !v.Done || !v.Broken || v.Verdict != inference.OutOfBudget || !strings.Contains(v.Reason, says) {
					t.Errorf("%s: %q %q, want %q", arm, v.Verdict, v.Reason, says)
				}
			}
			wantSummary(t, w.run(t, settled(), nil), sum) // these classes are not repeated
		})
	}
}

// TestMended: failures that may be mended are repeated, but not those of a variant that is settled without them; what
// was settled stays as it was.
func TestMended(t *testing.T) {
	broken := true
	w := newBench(t, &trainertest.Fake{Metrics: plants.Metrics, Before: func(_ context.Context, job trainer.Job, _ int) error {
		r1 := job.Seed == design.Seed(1, 1)
		if x := job.Params["x"] == 0.0; broken && (x && r1 || job.Params["z"] == 0.25) {
			return &trainer.Failure{Class: trials.ClassError, Reason: "broken"}
		}
		return nil
	}})
	w.run(t, settled(), nil)
	before, _ := w.standing(t, settled()).Of("", "x=0")
	if n := replicates(w.trials(t, "settled")); n["z=0.25"] != 3 || n["x=0"] != 4 {
		t.Fatalf("%v", n)
	}
	broken = false
	sum := w.run(t, settled(), nil)
	after := w.standing(t, settled())
	if x, _ := after.Of("", "x=0"); x.Mean != before.Mean || x.N != 3 || sum.Failed != 1 || sum.Repeated != 3 {
		t.Errorf("%+v after the repetition %s, before %s", sum, x.Effect, before.Effect)
	}
	if z, _ := after.Of("", "z=0.25"); z.N != 8 {
		t.Errorf("mended, it has %d pairs: %s", z.N, z.Reason)
	}
	if _, err := sweep.Retry(t.Context(), w.store, "settled", nil); err != nil {
		t.Fatal(err)
	}
	w.run(t, settled(), nil) // a repetition that nobody needs changes no verdict
	if got := verdicts(w.standing(t, settled())); got != verdicts(after) {
		t.Errorf("%s\nbefore\n%s", got, verdicts(after))
	}
}

// TestBudgetUntilSettled: when the budget is spent, what was never enqueued is not skipped; with more it goes on.
func TestBudgetUntilSettled(t *testing.T) {
	whole := newBench(t, &trainertest.Fake{Metrics: plants.Metrics})
	whole.run(t, settled(), nil)
	want := verdicts(whole.standing(t, settled()))

	w := newBench(t, &trainertest.Fake{Metrics: plants.Metrics, Pause: time.Millisecond})
	spec := settled()
	spec.Budget = studies.Budget{Parallel: 1, DeviceHours: 20 * time.Millisecond.Hours()}
	sum := w.run(t, spec, sweep.ErrBudget)
	if sum.Check() != nil || sum.Most != 0 || sum.Planned >= 48 {
		t.Errorf("%+v", sum)
	}
	plan, err := design.Points(spec)
	if err != nil {
		t.Fatal(err)
	}
	out := courses.Read(spec, plan, w.trials(t, "settled"), true)
	if z, _ := out.Of("", "z=0.25"); !z.Done || z.Verdict != inference.OutOfBudget || !strings.Contains(z.Reason, "budget") {
		t.Errorf("%s", verdicts(out))
	}
	spec.Budget.DeviceHours = 0
	w.run(t, spec, nil)
	if got := verdicts(w.standing(t, spec)); got != want {
		t.Errorf("with more budget\n%s\nin one go\n%s", got, want)
	}
}

// TestStoppedUntilSettled: a study that is stopped again and again comes to the verdicts of one that was not.
func TestStoppedUntilSettled(t *testing.T) {
	whole := newBench(t, &trainertest.Fake{Metrics: plants.Metrics})
	whole.Parallel = 1
	whole.run(t, settled(), nil)
	w := newBench(t, nil)
	for i := range 100 {
		stop := make(chan struct{})
		left := 1 + i%4
		w.Backend = &trainertest.Fake{Metrics: plants.Metrics, Before: func(context.Context, trainer.Job, int) error {
			if left--; left == 0 {
				close(stop)
			}
			return nil
		}}
		w.Parallel, w.Stop = 1, stop
		sum, err := w.Run(t.Context(), settled(), nil)
		if err == nil {
			if sum.Check() != nil {
				t.Error(sum.Check())
			}
			break
		}
		if sum.Missing+sum.Waiting == 0 {
			t.Fatalf("stopped with %+v: %v", sum, err)
		}
	}
	if got, want := verdicts(w.standing(t, settled())), verdicts(whole.standing(t, settled())); got != want {
		t.Errorf("stopped and continued\n%s\nin one go\n%s", got, want)
	}
	if got, want := results(w.trials(t, "settled")), results(whole.trials(t, "settled")); got != want {
		t.Errorf("stopped and continued\n%s\nin one go\n%s", got, want)
	}
}
