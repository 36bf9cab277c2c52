package goptuna_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"

	upstream "github.com/c-bata/goptuna"
	"github.com/c-bata/goptuna/cmaes"
	"github.com/c-bata/goptuna/sobol"

	"github.com/mapsweep/mapsweep/sweep/goptuna"
	"github.com/mapsweep/mapsweep/trials"
)

// Traps of goptuna's Study, Trial and Storage, and the Driver that avoids them.

var threeSpace = trials.Space{
	{Name: "x", Kind: trials.Float, Low: 0, High: 1},
	{Name: "k", Kind: trials.Int, Low: 0, High: 6, Step: 2},
	{Name: "c", Kind: trials.Categorical, Choices: []any{"a", "b", "c"}},
}

func driver(t *testing.T, s *upstream.Study, space trials.Space) *goptuna.Driver {
	t.Helper()
	d, err := goptuna.NewDriver(s, space)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func trialsOf(t *testing.T, s *upstream.Study) []upstream.FrozenTrial {
	t.Helper()
	ts, err := s.GetTrials()
	if err != nil {
		t.Fatal(err)
	}
	return ts
}

// TestIntersectionSpoilsTrialZero: looking for what trials have in common, goptuna deletes parameters of the first of them.
func TestIntersectionSpoilsTrialZero(t *testing.T) {
	s := study(t)
	n := 0
	err := s.Optimize(func(tr upstream.Trial) (float64, error) {
		x, err := tr.SuggestFloat("x", 0, 1)
		if n++; n == 1 {
			_, _ = tr.SuggestFloat("y", 0, 1)
		}
		return x, err
	}, 2)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := upstream.IntersectionSearchSpace(s); err != nil {
		t.Fatal(err)
	}
	if len(trialsOf(t, s)[0].Distributions) != 1 {
		t.Error("goptuna leaves trial 0 alone now: cloneFrozen may go")
	}
	s = study(t, upstream.StudyOptionRelativeSampler(goptuna.RelativeSampler(make1(t, goptuna.Random, threeSpace, 9), 1)))
	d := driver(t, s, threeSpace)
	for range 3 {
		if err := d.Run(func(goptuna.Asked) (float64, error) { return 1, nil }); err != nil {
			t.Fatal(err)
		}
	}
	for _, tr := range trialsOf(t, s) {
		if len(tr.Distributions) != 3 || len(tr.Params) != 3 {
			t.Errorf("trial %d has %d parameters", tr.Number, len(tr.Params))
		}
	}
}

// TestNaNIsNoValue: goptuna completes a trial with NaN, which then stays the best.
func TestNaNIsNoValue(t *testing.T) {
	values := []float64{math.NaN(), 1, 2}
	s := study(t)
	n := 0
	_ = s.Optimize(func(upstream.Trial) (float64, error) { n++; return values[n-1], nil }, 3)
	if v, err := s.GetBestValue(); err != nil || !math.IsNaN(v) {
		t.Errorf("goptuna's best is %v (%v), it was NaN", v, err)
	}
	s = study(t)
	d := driver(t, s, threeSpace)
	for _, v := range values {
		a, err := d.Ask()
		if err != nil {
			t.Fatal(err)
		}
		state, err := d.Tell(a.ID, v, nil)
		if want := map[bool]upstream.TrialState{true: upstream.TrialStateFail, false: upstream.TrialStateComplete}[math.IsNaN(v)]; state != want || err != nil {
			t.Errorf("told %v: %v (%v), want %v", v, state, err, want)
		}
	}
	if v, err := s.GetBestValue(); v != 1 || err != nil {
		t.Errorf("best %v (%v), want 1", v, err)
	}
}

// TestNoLocks: two of goptuna's samplers have state and no lock. Ours are asked by many at once in the conformance suite, which
// runs with -race.
func TestNoLocks(t *testing.T) {
	for _, s := range []any{cmaes.Sampler{}, sobol.Sampler{}} {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(s)) {
			if f.Type == reflect.TypeFor[sync.Mutex]() || f.Type == reflect.TypeFor[sync.RWMutex]() {
				t.Errorf("%T has a lock now", s)
			}
		}
	}
}

// TestSobolEnds: goptuna's Sobol sampler never draws the upper end of ints.
func TestSobolEnds(t *testing.T) {
	space := map[string]any{"i": upstream.IntUniformDistribution{High: 3}, "k": upstream.StepIntUniformDistribution{High: 6, Step: 2}}
	s := sobol.NewSampler()
	for range 256 {
		p, err := s.SampleRelative(study(t), upstream.FrozenTrial{}, space)
		if err != nil || p["i"] == 3 || p["k"] == 6 {
			t.Fatalf("goptuna's Sobol sampler reaches upper ends now: %v (%v)", p, err)
		}
	}
}

type failingSampler struct{}

func (failingSampler) SampleRelative(*upstream.Study, upstream.FrozenTrial, map[string]any) (map[string]float64, error) {
	return nil, errors.New("out of order")
}

// TestNothingStaysRunning: after a panic of the objective, or an error of a relative sampler, goptuna leaves the
// trial running for ever.
func TestNothingStaysRunning(t *testing.T) {
	distributions, err := goptuna.Distributions(threeSpace)
	if err != nil {
		t.Fatal(err)
	}
	broken := []upstream.StudyOption{upstream.StudyOptionRelativeSampler(failingSampler{}), upstream.StudyOptionDefineSearchSpace(distributions)}
	for name, c := range map[string]struct {
		options []upstream.StudyOption
		fails   func()
		error   string
	}{
		"panic":  {nil, func() { panic("out of memory") }, "out of memory"},
		"sample": {broken, func() {}, "out of order"},
	} {
		s := study(t, c.options...)
		func() {
			defer func() { _ = recover() }()
			_ = s.Optimize(func(upstream.Trial) (float64, error) { c.fails(); return 1, nil }, 1)
		}()
		if got := trialsOf(t, s)[0].State; got != upstream.TrialStateRunning {
			t.Errorf("%s: goptuna leaves the trial %v now", name, got)
		}
		s = study(t, c.options...)
		err := driver(t, s, threeSpace).Run(func(goptuna.Asked) (float64, error) { c.fails(); return 1, nil })
		if got := trialsOf(t, s)[0].State; got != upstream.TrialStateFail || err == nil || !strings.Contains(err.Error(), c.error) {
			t.Errorf("%s: the driver leaves it %v (%v)", name, got, err)
		}
	}
}

// TestWrappedPruned: goptuna compares with ==, so that an error around ErrTrialPruned fails the trial; and a pruned
// trial's value is the last that was reported, NaN included.
func TestWrappedPruned(t *testing.T) {
	wrapped := fmt.Errorf("epoch 3: %w", upstream.ErrTrialPruned)
	s := study(t, upstream.StudyOptionIgnoreError(true))
	_ = s.Optimize(func(upstream.Trial) (float64, error) { return 0, wrapped }, 1)
	if got := trialsOf(t, s)[0].State; got != upstream.TrialStateFail {
		t.Errorf("goptuna unwraps ErrTrialPruned now: %v", got)
	}
	s = study(t, upstream.StudyOptionPruner(goptuna.Pruner(never{})))
	_ = s.Optimize(func(tr upstream.Trial) (float64, error) {
		_ = tr.ShouldPrune(1, 0.5)
		_ = tr.ShouldPrune(2, math.NaN())
		return 0, upstream.ErrTrialPruned
	}, 1)
	if got := trialsOf(t, s)[0].Value; !math.IsNaN(got) {
		t.Errorf("goptuna gives a pruned trial the value %v, it was NaN", got)
	}
	s = study(t)
	d := driver(t, s, threeSpace)
	err := d.Run(func(a goptuna.Asked) (float64, error) {
		for step, v := range []float64{0.5, math.NaN()} {
			if _, err := d.Report(a.ID, step, v); err != nil {
				t.Error(err)
			}
		}
		return 0, wrapped
	})
	if got := trialsOf(t, s)[0]; err != nil || got.State != upstream.TrialStatePruned || got.Value != 0.5 {
		t.Errorf("the driver keeps %v with %v (%v), want pruned with 0.5", got.State, got.Value, err)
	}
}

// TestEnqueuedValues: goptuna forgets an enqueued value that lies outside, and takes the upper end of a step-int for outside.
func TestEnqueuedValues(t *testing.T) {
	k := upstream.StepIntUniformDistribution{High: 6, Step: 2}
	if k.Contains(6) {
		t.Error("goptuna's step-int contains its upper end now")
	}
	for _, c := range []struct {
		enqueued map[string]float64
		error    string // of the driver
	}{
		{map[string]float64{"k": 6, "x": 0.25}, ""},
		{map[string]float64{"x": 5}, "x = 5, which is out of its range"},
		{map[string]float64{"c": 3}, "c = 3, which"},
		{map[string]float64{"q": 1}, "q, which is no parameter"},
	} {
		theirs, s := study(t), study(t)
		for _, s := range []*upstream.Study{theirs, s} {
			if err := s.EnqueueTrial(c.enqueued); err != nil {
				t.Fatal(err)
			}
		}
		err := theirs.Optimize(func(tr upstream.Trial) (float64, error) {
			v, _ := tr.SuggestStepInt("k", 0, 6, 2)
			x, err := tr.SuggestFloat("x", 0, 1)
			if v == 6 || x == 5 {
				t.Errorf("goptuna follows %v now", c.enqueued)
			}
			return 0, err
		}, 1)
		if err != nil {
			t.Errorf("goptuna refuses %v now: %v", c.enqueued, err)
		}
		a, err := driver(t, s, threeSpace).Ask()
		if c.error != "" {
			if err == nil || !strings.Contains(err.Error(), c.error) || trialsOf(t, s)[0].State != upstream.TrialStateFail {
				t.Errorf("%v: %v, trial %v; want %q and a failed trial", c.enqueued, err, trialsOf(t, s)[0].State, c.error)
			}
		} else if err != nil || a.Params["k"] != int64(6) || a.Params["x"] != 0.25 {
			t.Errorf("%v: the driver asks for %v (%v)", c.enqueued, a.Params, err)
		}
	}
}

// TestNegativeSteps: goptuna takes the latest of only negative steps for step 0, at which there is no value.
func TestNegativeSteps(t *testing.T) {
	f := upstream.FrozenTrial{IntermediateValues: map[int]float64{-1: 0.5}}
	if step, ok := f.GetLatestStep(); step != 0 || !ok {
		t.Errorf("goptuna's latest step of -1 is %d (%v), it was 0", step, ok)
	}
	s := study(t)
	d := driver(t, s, threeSpace)
	a, err := d.Ask()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Report(a.ID, -1, 0.5); err == nil || !strings.Contains(err.Error(), "from 0") {
		t.Errorf("step -1: %v", err)
	}
	if _, err := d.Report(a.ID, 0, 0.5); err != nil {
		t.Error(err)
	}
	if _, err := d.Report(a.ID, 0, 0.5); err == nil {
		t.Error("step 0 was kept twice")
	}
}

// asked keeps the space that a relative sampler is asked for.
type asked struct{ space map[string]any }

func (a *asked) SampleRelative(_ *upstream.Study, _ upstream.FrozenTrial, space map[string]any) (map[string]float64, error) {
	a.space = space
	return nil, nil
}

// TestSingleValues: goptuna works out which parameters have more than one value, and then asks for all of them.
func TestSingleValues(t *testing.T) {
	space := trials.Space{{Name: "x", Kind: trials.Float, High: 1}, {Name: "one", Kind: trials.Float, Low: 0.5, High: 0.5}}
	distributions, err := goptuna.Distributions(space)
	if err != nil {
		t.Fatal(err)
	}
	theirs, ours := &asked{}, &asked{}
	s := study(t, upstream.StudyOptionRelativeSampler(theirs), upstream.StudyOptionDefineSearchSpace(distributions))
	_ = s.Optimize(func(upstream.Trial) (float64, error) { return 0, nil }, 1)
	if len(theirs.space) != 2 {
		t.Errorf("goptuna asks for %d parameters, it was both", len(theirs.space))
	}
	a, err := driver(t, study(t, upstream.StudyOptionRelativeSampler(ours)), space).Ask()
	if err != nil || len(ours.space) != 1 || a.Params["one"] != 0.5 {
		t.Errorf("the driver asks for %v and gets %v (%v)", ours.space, a.Params, err)
	}
}

// full is a storage that cannot make trials until it was asked often enough.
type full struct {
	*upstream.InMemoryStorage
	asked, until int
}

func (f *full) CreateNewTrial(study int) (int, error) {
	if f.asked++; f.asked <= f.until {
		return 0, errors.New("disk full")
	}
	return f.InMemoryStorage.CreateNewTrial(study)
}

// TestFullStorage: goptuna asks a storage that cannot make a trial again and again, without a pause, whatever the limit.
func TestFullStorage(t *testing.T) {
	f := &full{InMemoryStorage: upstream.NewInMemoryStorage(), until: 1000}
	err := study(t, upstream.StudyOptionStorage(f)).Optimize(func(upstream.Trial) (float64, error) { return 0, nil }, 1)
	if f.asked != 1001 || err != nil {
		t.Errorf("goptuna asked %d times (%v), it was until it works", f.asked, err)
	}
	f = &full{InMemoryStorage: upstream.NewInMemoryStorage(), until: 1000}
	_, err = driver(t, study(t, upstream.StudyOptionStorage(f)), threeSpace).Ask()
	if f.asked != 1 || err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("the driver asked %d times: %v", f.asked, err)
	}
}

// TestRestartsHaveNames: goptuna's CMA-ES gives the first generations of all restarts one name, so that a restarted strategy is
// told the trials of the one before.
func TestRestartsHaveNames(t *testing.T) {
	space := trials.Space{{Name: "x", Kind: trials.Float, High: 1}, {Name: "y", Kind: trials.Float, High: 1}}
	distributions, err := goptuna.Distributions(space)
	if err != nil {
		t.Fatal(err)
	}
	s := study(t, upstream.StudyOptionDefineSearchSpace(distributions), upstream.StudyOptionRelativeSampler(cmaes.NewSampler(cmaes.SamplerOptionIPop(2))))
	if err := s.Optimize(func(tr upstream.Trial) (float64, error) {
		_, err := tr.SuggestFloat("x", 0, 1)
		_, _ = tr.SuggestFloat("y", 0, 1)
		return 0, err
	}, 200); err != nil {
		t.Fatal(err)
	}
	first := trialsOf(t, s)[0].SystemAttrs["goptuna:cmaes:generationId"]
	n := 0
	for _, tr := range trialsOf(t, s) {
		if tr.SystemAttrs["goptuna:cmaes:generationId"] == first {
			n++
		}
	}
	if n <= 6 { // the population of two parameters
		t.Errorf("goptuna's first generation has %d trials: restarts have names of their own now", n)
	}
	for _, restart := range []string{"ipop", "bipop"} {
		sizes := generations(t, restart, space)
		for label, n := range sizes {
			if run := strings.Split(label, "-")[1]; run == "0" && n != 6 || n > 96 {
				t.Errorf("%s: generation %s has %d trials", restart, label, n)
			}
		}
		if len(sizes) < 30 {
			t.Errorf("%s: %d generations", restart, len(sizes))
		}
	}
}

// TestNoSQLStorage: goptuna's SQL storages, and gorm, are not among what the program is built from.
func TestNoSQLStorage(t *testing.T) {
	list, err := os.ReadFile("../../vendor/modules.txt")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(list), "github.com/c-bata/goptuna/tpe\n") {
		t.Fatal("goptuna is not in vendor/modules.txt")
	}
	for _, module := range []string{"goptuna/rdb", "gorm"} {
		if strings.Contains(string(list), module) {
			t.Errorf("vendor/modules.txt has %s: what doc.go says of it needs tests", module)
		}
	}
}
