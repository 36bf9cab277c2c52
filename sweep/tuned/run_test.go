package tuned_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/goptuna"
	"github.com/mapsweep/mapsweep/sweep/tuned"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/memory"
)

// planted is a study whose untuned effect has the opposite sign of the tuned one. With lr at its baseline 0.2 the bare
// variant loses 0.39 points of its score, at its own best lr of 0.9 it gains 0.1.
func planted() studies.Spec {
	low, high := 0.0, 1.0
	return studies.Spec{
		Name:       "planted",
		Objective:  studies.Objective{Metric: "score", Direction: trials.Maximize, Epoch: "last", Split: "test"},
		Trainer:    studies.Trainer{Backend: "fake", Data: []string{"digits"}, Epochs: 1},
		Baseline:   trials.Params{"mosaic": 1.0, "lr": 0.2},
		Factors:    []studies.Factor{{Name: "mosaic", Levels: []any{1.0, 0.0}}},
		Design:     studies.DesignOneFactor,
		Replicates: 2,
		Seed:       3,
		Budget:     studies.Budget{Parallel: 1},
		Tune: &studies.Tune{Knobs: []studies.Factor{{Name: "lr", Low: &low, High: &high}, {Name: "mixup", Low: &low, High: &high, Requires: trials.Params{"mosaic": 1.0}}},
			DeviceHours: 1, Repeats: 2, Trials: 12, Sampler: "random", Pruner: "none", Split: "val"},
	}
}

func score(job trainer.Job, _ int) map[string]float64 {
	lr, _ := trials.Number(job.Params["lr"])
	mosaic, _ := trials.Number(job.Params["mosaic"])
	noise := 0.002 * math.Sin(float64(job.Seed))
	if mosaic == 0 {
		return map[string]float64{"score": 0.7 - (lr-0.9)*(lr-0.9) + noise}
	}
	return map[string]float64{"score": 0.6 - (lr-0.2)*(lr-0.2) + noise}
}

// bench is a runner over a memory store.
type bench struct {
	tuned.Runner
	store       trials.Store
	own, search *trainertest.Fake // backends of the study and of its tunings
	stages      []tuned.Stage
}

func newBench(t *testing.T) *bench {
	t.Helper()
	dir := t.TempDir()
	b := &bench{store: memory.New(), own: &trainertest.Fake{Metrics: score}, search: &trainertest.Fake{Metrics: score}}
	b.Runner = tuned.Runner{
		Engine: sweep.Engine{Store: b.store, Backend: b.own, Dir: filepath.Join(dir, "planted"), Samplers: map[string]sweep.NewSampler{"random": goptuna.Random, "tpe": goptuna.TPE},
			Limits: sweep.Limits{Heartbeat: 5 * time.Millisecond, Poll: 2 * time.Millisecond, Grace: 50 * time.Millisecond}},
		Tuning: b.search,
		Dir:    func(study string) string { return filepath.Join(dir, study) },
		Stage: func(s tuned.Stage) func(sweep.Event) {
			b.stages = append(b.stages, s)
			return nil
		},
	}
	return b
}

func (b *bench) run(t *testing.T, spec studies.Spec, want error) sweep.Summary {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	sum, err := b.Run(ctx, spec, []byte("name: planted"))
	if !errors.Is(err, want) {
		t.Fatalf("Run: %v, want %v", err, want)
	}
	return sum
}

func (b *bench) trials(t *testing.T, name string) []trials.Trial {
	t.Helper()
	st, err := b.store.Study(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	ts, err := b.store.Trials(t.Context(), st.ID)
	if err != nil {
		t.Fatal(err)
	}
	return ts
}

// means are the mean scores of the study's trials by arm and tuning (-1: untuned).
func means(ts []trials.Trial) map[string]map[int]float64 {
	sum, n := map[string]map[int]float64{}, map[string]map[int]int{}
	for _, t := range ts {
		if t.State != trials.Complete {
			continue
		}
		r, ok := t.Tuning()
		if !ok {
			r = -1
		}
		if sum[t.Arm()] == nil {
			sum[t.Arm()], n[t.Arm()] = map[int]float64{}, map[int]int{}
		}
		sum[t.Arm()][r] += t.Values[0]
		n[t.Arm()][r]++
	}
	for arm := range sum {
		for r := range sum[arm] {
			sum[arm][r] /= float64(n[arm][r])
		}
	}
	return sum
}

func TestTunedEffectHasTheOtherSign(t *testing.T) {
	b := newBench(t)
	sum := b.run(t, planted(), nil)
	if sum.Planned != 12 || sum.Complete != 12 || sum.Later != 0 {
		t.Fatalf("%+v, want 2 arms x 2 replicates x (untuned and 2 tunings)", sum)
	}
	m := means(b.trials(t, "planted"))
	if d := m["mosaic=0"][-1] - m["baseline"][-1]; d > -0.35 {
		t.Errorf("untuned effect %v, want about -0.39", d)
	}
	for r := range 2 {
		if d := m["mosaic=0"][r] - m["baseline"][r]; d < 0.05 {
			t.Errorf("effect of tuning %d is %v, want about 0.1", r, d)
		}
	}
}

func TestTuningsAreFair(t *testing.T) {
	b := newBench(t)
	spec := planted()
	b.run(t, spec, nil)
	var names []string
	final := map[int64]bool{}
	for _, tr := range b.trials(t, "planted") {
		final[tr.Seed()] = true
	}
	if len(final) != 2*3 {
		t.Errorf("%d seeds in the comparison, want 2 replicates x 3", len(final))
	}
	firsts := map[int]map[string]float64{}
	for _, s := range b.stages {
		if s.Of == nil {
			continue
		}
		names = append(names, s.Spec.Name)
		ts := b.trials(t, s.Spec.Name)
		for i, tr := range ts {
			if final[tr.Seed()] {
				t.Errorf("%s trained with seed %d, which is one of the comparison", s.Spec.Name, tr.Seed())
			}
			_, sampled := tr.Space.Lookup("mixup")
			if want := s.Of.Arm == "baseline"; sampled != want {
				t.Errorf("%s samples mixup, which requires mosaic: %v, want %v", s.Spec.Name, sampled, want)
			}
			if i == 0 {
				if firsts[s.Of.Tuning] == nil {
					firsts[s.Of.Tuning] = map[string]float64{}
				}
				firsts[s.Of.Tuning][s.Of.Arm], _ = trials.Number(tr.Params["lr"])
			}
		}
		st, err := b.store.Study(t.Context(), s.Spec.Name)
		if err != nil {
			t.Fatal(err)
		}
		if of, ok := st.TuningOf(); !ok || of != *s.Of || of.Study != "planted" {
			t.Errorf("%s is marked as %+v", s.Spec.Name, of)
		}
	}
	if want := []string{"planted.tune-baseline-0", "planted.tune-mosaic-0-0", "planted.tune-baseline-1", "planted.tune-mosaic-0-1"}; !slices.Equal(names, want) {
		t.Errorf("tunings %v, want %v", names, want)
	}
	if firsts[0]["baseline"] != firsts[0]["mosaic=0"] || firsts[0]["baseline"] == firsts[1]["baseline"] {
		t.Errorf("first points %v: a tuning has one sampler seed in all arms, and each its own", firsts)
	}
	for _, job := range b.search.Jobs() {
		if job.Split != "val" {
			t.Fatalf("a tuning was scored on %s", job.Split)
		}
	}
	for _, job := range b.own.Jobs() {
		if job.Split != "test" {
			t.Fatalf("the comparison was scored on %s", job.Split)
		}
	}
	if n := len(b.own.Jobs()); n != 12 {
		t.Errorf("%d trainings in the comparison, want 12", n)
	}
}

// Trials that train a choice have its parameters and say where it comes from.
func TestChoiceIsRecorded(t *testing.T) {
	b := newBench(t)
	b.run(t, planted(), nil)
	for _, tr := range b.trials(t, "planted") {
		r, ok := tr.Tuning()
		c, chosen := tr.Choice()
		if ok != chosen {
			t.Fatalf("trial %d: tuning %v, choice %v", tr.Number, ok, chosen)
		}
		if !ok {
			if lr, _ := trials.Number(tr.Params["lr"]); lr != 0.2 {
				t.Errorf("an untuned trial has lr %v", lr)
			}
			continue
		}
		from := b.trials(t, c.Study)[c.Trial]
		if from.Params.Key() != tr.Params.Key() || from.Values[0] != c.Value {
			t.Errorf("trial %d of tuning %d: %s (%v), chosen was %s (%v)", tr.Number, r, tr.Params.Key(), c.Value, from.Params.Key(), from.Values[0])
		}
		for _, o := range b.trials(t, c.Study) {
			if o.State == trials.Complete && o.Values[0] > c.Value {
				t.Errorf("%s: trial %d scored %v, chosen was one with %v", c.Study, o.Number, o.Values[0], c.Value)
			}
		}
	}
}

// state is what must come out the same, however often a run was cut short.
func (b *bench) state(t *testing.T) string {
	t.Helper()
	all, err := b.store.Studies(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, st := range all {
		for _, tr := range b.trials(t, st.Name) {
			lines = append(lines, fmt.Sprintf("%s %s %s seed %d %s %v", st.Name, tr.Key, tr.State, tr.Seed(), tr.Params.Key(), tr.Values))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// TestStoppedAnywhere: cut short after every possible number of trainings, the study comes to the same end.
func TestStoppedAnywhere(t *testing.T) {
	whole := newBench(t)
	spec := planted()
	spec.Tune.Trials = 4
	whole.run(t, spec, nil)
	want := whole.state(t)
	total := len(whole.own.Jobs()) + len(whole.search.Jobs())
	for at := 1; at < total; at += 3 {
		b := newBench(t)
		ctx, cut := context.WithCancelCause(t.Context())
		var mu sync.Mutex
		n := 0
		before := func(context.Context, trainer.Job, int) error {
			mu.Lock()
			defer mu.Unlock()
			if n++; n == at {
				cut(sweep.ErrStopped)
			}
			return nil
		}
		b.own.Before, b.search.Before = before, before
		if _, err := b.Run(ctx, spec, nil); !errors.Is(err, sweep.ErrStopped) {
			t.Fatalf("cut at %d: %v", at, err)
		}
		if sum := b.run(t, spec, nil); sum.Complete != 12 {
			t.Errorf("cut at %d, then %+v", at, sum)
		}
		if got := b.state(t); got != want {
			t.Errorf("cut at %d:\n%s\nin one go:\n%s", at, got, want)
		}
	}
}

func TestGracefulStopAndRequest(t *testing.T) {
	b := newBench(t)
	stop := make(chan struct{})
	b.Engine.Stop = stop
	n := 0
	b.search.Before = func(context.Context, trainer.Job, int) error {
		if n++; n == 3 {
			close(stop)
			time.Sleep(30 * time.Millisecond)
		}
		return nil
	}
	sum := b.run(t, planted(), sweep.ErrStopped)
	if sum.Complete != 4 || sum.Later != 8 {
		t.Errorf("stopped in a tuning: %+v, want the 4 untuned trials complete and 8 to come", sum)
	}
	b.Engine.Stop, b.search.Before = nil, nil
	b.Runner.Stage = func(s tuned.Stage) func(sweep.Event) {
		if s.Of != nil && s.Number == 2 { // between two stages nobody but the runner looks
			if err := sweep.RequestStop(t.Context(), b.store, "planted"); err != nil {
				t.Error(err)
			}
		}
		return nil
	}
	b.run(t, planted(), sweep.ErrStopped)
	b.Runner.Stage = nil
	if sum := b.run(t, planted(), nil); sum.Complete != 12 {
		t.Errorf("%+v", sum)
	}
}

func TestReplicatesAreAdded(t *testing.T) {
	b := newBench(t)
	spec := planted()
	b.run(t, spec, nil)
	searched := len(b.search.Jobs())
	before := b.trials(t, "planted")
	spec.Replicates = 3
	if sum := b.run(t, spec, nil); sum.Planned != 18 || sum.Complete != 18 {
		t.Errorf("%+v", sum)
	}
	if n := len(b.search.Jobs()); n != searched {
		t.Errorf("%d trainings of tunings were added: their choice is known", n-searched)
	}
	chosen := map[string]string{}
	for _, tr := range before {
		if r, ok := tr.Tuning(); ok {
			chosen[fmt.Sprint(tr.Arm(), r)] = tr.Params.Key()
		}
	}
	for _, tr := range b.trials(t, "planted") {
		if r, ok := tr.Tuning(); ok && tr.Params.Key() != chosen[fmt.Sprint(tr.Arm(), r)] {
			t.Errorf("trial %d trains %s, tuning %d chose %s", tr.Number, tr.Params.Key(), r, chosen[fmt.Sprint(tr.Arm(), r)])
		}
	}
}

// TestBudgetIsDeviceTime: a variant that is slower gets fewer trials for the same device-hours.
func TestBudgetIsDeviceTime(t *testing.T) {
	b := newBench(t)
	spec := planted()
	const budget = 150 * time.Millisecond
	spec.Tune.DeviceHours, spec.Tune.Trials, spec.Tune.Repeats = budget.Hours(), 1000, 1
	b.search.Before = func(_ context.Context, job trainer.Job, _ int) error {
		pause := 2 * time.Millisecond
		if m, _ := trials.Number(job.Params["mosaic"]); m == 0 {
			pause = 20 * time.Millisecond
		}
		time.Sleep(pause)
		return nil
	}
	b.run(t, spec, nil)
	counts := map[string]int{}
	for _, s := range b.stages {
		if s.Of == nil {
			continue
		}
		var used, last time.Duration
		for _, tr := range b.trials(t, s.Spec.Name) {
			if n := len(tr.Attempts); n > 0 {
				last = tr.Attempts[0].Ended.Sub(tr.Attempts[0].Started)
				used += last
				counts[s.Of.Arm]++
			}
		}
		if used < budget || used-last >= budget {
			t.Errorf("%s used %v with its last trial of %v, of a budget of %v", s.Spec.Name, used, last, budget)
		}
	}
	if counts["mosaic=0"] >= counts["baseline"] {
		t.Errorf("trials %v: the slow variant should have fewer", counts)
	}
}

// TestNothingToChoose: a variant whose tunings come to nothing is accounted for, and the others go on.
func TestNothingToChoose(t *testing.T) {
	b := newBench(t)
	b.search.Before = func(_ context.Context, job trainer.Job, _ int) error {
		if m, _ := trials.Number(job.Params["mosaic"]); m == 0 {
			return &trainer.Failure{Class: trials.ClassDiverged, Reason: "the loss became NaN"}
		}
		return nil
	}
	sum := b.run(t, planted(), nil)
	if sum.Complete != 8 || sum.Infeasible != 4 || sum.Planned != 12 {
		t.Errorf("%+v, want the 4 trials of the tuned variant infeasible", sum)
	}
	for _, tr := range b.trials(t, "planted") {
		if tr.State == trials.Fail && !strings.Contains(tr.Text(trials.AttrReason), "none of its 12 trials was complete (12 failed, 0 pruned)") {
			t.Errorf("trial %d: %s", tr.Number, tr.Text(trials.AttrReason))
		}
	}
	if sum := b.run(t, planted(), nil); sum.Infeasible != 4 || len(b.own.Jobs()) != 8 {
		t.Errorf("again: %+v after %d trainings", sum, len(b.own.Jobs()))
	}
}

// TestNothingToTune: an arm in which no tuned knob matters is trained as it is, without a search.
func TestNothingToTune(t *testing.T) {
	b := newBench(t)
	spec := planted()
	spec.Tune.Knobs = spec.Tune.Knobs[1:]
	if sum := b.run(t, spec, nil); sum.Complete != 12 {
		t.Errorf("%+v", sum)
	}
	for _, s := range b.stages {
		if s.Of != nil && s.Of.Arm == "mosaic=0" {
			t.Errorf("a search %s over nothing", s.Spec.Name)
		}
	}
}

func TestChoose(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	trial := func(n int, from, to time.Duration, state trials.State, v ...float64) trials.Trial {
		return trials.Trial{Number: n, State: state, Values: v, Finished: at.Add(to), Attempts: []trials.Attempt{{Started: at.Add(from), Ended: at.Add(to)}}}
	}
	spec := studies.Spec{Objective: studies.Objective{Direction: trials.Maximize}, Budget: studies.Budget{DeviceHours: 1}}
	m := time.Minute
	for _, c := range []struct {
		name string
		ts   []trials.Trial
		want int // -1: none
	}{
		{"none", nil, -1},
		{"best", []trials.Trial{trial(0, 0, 10*m, trials.Complete, 0.1), trial(1, 10*m, 20*m, trials.Complete, 0.3), trial(2, 20*m, 30*m, trials.Complete, 0.2)}, 1},
		{"first of equals", []trials.Trial{trial(0, 0, 10*m, trials.Complete, 0.3), trial(1, 10*m, 20*m, trials.Complete, 0.3)}, 0},
		{"over the budget", []trials.Trial{trial(0, 0, 50*m, trials.Complete, 0.1), trial(1, 50*m, 61*m, trials.Complete, 0.3)}, 0},
		{"just within", []trials.Trial{trial(0, 0, 50*m, trials.Complete, 0.1), trial(1, 50*m, 60*m, trials.Complete, 0.3)}, 1},
		{"side by side", []trials.Trial{trial(0, 0, 20*m, trials.Complete, 0.1), trial(1, 0, 21*m, trials.Complete, 0.2), trial(2, 0, 25*m, trials.Complete, 0.3)}, 1},
		{"failures cost", []trials.Trial{trial(0, 0, 20*m, trials.Complete, 0.1), trial(1, 20*m, 59*m, trials.Fail), trial(2, 59*m, 65*m, trials.Complete, 0.3)}, 0},
		{"pruned is no score", []trials.Trial{trial(0, 0, 5*m, trials.Pruned, 0.9), trial(1, 5*m, 10*m, trials.Complete, 0.3)}, 1},
		{"running does not count", []trials.Trial{trial(0, 0, 5*m, trials.Running, 0.9), trial(1, 5*m, 10*m, trials.Complete, 0.3)}, 1},
		{"too long for one", []trials.Trial{trial(0, 0, 61*m, trials.Complete, 0.9)}, -1},
	} {
		got, ok := tuned.Choose(spec, c.ts)
		if ok != (c.want >= 0) || ok && got.Number != c.want {
			t.Errorf("%s: trial %d, %v; want %d", c.name, got.Number, ok, c.want)
		}
	}
	spec.Objective.Direction = trials.Minimize
	if got, _ := tuned.Choose(spec, []trials.Trial{trial(0, 0, m, trials.Complete, 0.2), trial(1, m, 2*m, trials.Complete, 0.1)}); got.Number != 1 {
		t.Error("the larger loss was taken")
	}
}

func TestNames(t *testing.T) {
	spec := planted()
	spec.Trainer.Data = []string{"a/b.yaml", "builtin:digits"}
	spec.Factors = []studies.Factor{{Name: "a", Levels: []any{int64(0), "x y", "x-y", strings.Repeat("long", 30)}}}
	spec.Baseline = trials.Params{"a": int64(0)}
	spec.Name = strings.Repeat("n", 64)
	for _, name := range []string{"short", strings.Repeat("n", 64)} {
		spec.Name = name
		plan, err := design.Points(spec)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		children := tuned.Children(spec, plan)
		if len(children) != 4*2*2 {
			t.Fatalf("%d tunings", len(children))
		}
		for _, c := range children {
			if err := studies.CheckName(c.Spec.Name); err != nil {
				t.Error(err)
			}
			if seen[c.Spec.Name] {
				t.Errorf("two tunings are called %s", c.Spec.Name)
			}
			seen[c.Spec.Name] = true
		}
	}
}
