package sweep_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/courses"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/memory"
)

// onePlanted is a study of one variant under planted noise.
func onePlanted(seed int64) studies.Spec {
	return studies.Spec{
		Name:       "planted",
		Objective:  studies.Objective{Metric: "mAP50-95", Direction: trials.Maximize, Epoch: "last", Split: "val"},
		Trainer:    studies.Trainer{Backend: "fake", Epochs: 1},
		Baseline:   trials.Params{"x": int64(0)},
		Factors:    []studies.Factor{{Name: "x", Levels: []any{int64(0), int64(1)}}},
		Design:     studies.DesignOneFactor,
		Replicates: 12,
		Settle:     &studies.Settle{Rule: studies.RuleLooks, Looks: []int{3, 5, 8, 12}},
		Seed:       seed,
		Budget:     studies.Budget{Parallel: 1},
	}
}

// engineRuns runs a study of one variant through the engine.
func engineRuns(t *testing.T, spec studies.Spec, p trainertest.Planted, dir string) courses.Variant {
	t.Helper()
	e := sweep.Engine{Store: memory.New(), Backend: &trainertest.Fake{Metrics: p.Metrics}, Dir: dir}
	if _, err := e.Run(t.Context(), spec, nil); err != nil {
		t.Fatal(err)
	}
	st, err := e.Store.Study(t.Context(), spec.Name)
	if err != nil {
		t.Fatal(err)
	}
	ts, err := e.Store.Trials(t.Context(), st.ID)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := design.Points(spec)
	if err != nil {
		t.Fatal(err)
	}
	return judged(t, spec, plan, ts)
}

// simulated runs a study of one variant without the engine: what is missing is scored at once. The engine must come to
// the same, and this takes a hundredth of its time.
func simulated(t *testing.T, spec studies.Spec, p trainertest.Planted) courses.Variant {
	t.Helper()
	plan, err := design.Points(spec)
	if err != nil {
		t.Fatal(err)
	}
	var ts []trials.Trial
	for {
		missing := courses.Read(spec, plan, ts, false).Missing
		if len(missing) == 0 {
			return judged(t, spec, plan, ts)
		}
		for _, m := range missing {
			score := p.Metrics(trainer.Job{Params: m.Params, Seed: m.Seed, Data: m.Data}, 1)["mAP50-95"]
			ts = append(ts, trials.Trial{Number: len(ts), Key: m.Key, State: trials.Complete, Values: []float64{score}})
		}
	}
}

func judged(t *testing.T, spec studies.Spec, plan design.Plan, ts []trials.Trial) courses.Variant {
	t.Helper()
	v := courses.Read(spec, plan, ts, false).Variants[0]
	if !v.Done || len(ts) != 2*v.N {
		t.Fatalf("study %d: %d trials for %d pairs: %s", spec.Seed, len(ts), v.N, v.Reason)
	}
	return v
}

// plants of one variant, x=1, as the errors of sequential rules are judged by.
const plantedSD = 0.01

var onePlants = map[string]trainertest.Planted{
	"an effect of 2 sd":        {Effects: map[string]float64{"x=1": 2 * plantedSD}, SD: plantedSD, Shared: 3 * plantedSD},
	"no effect":                {SD: plantedSD, Shared: 3 * plantedSD},
	"sd a tenth of the margin": {SD: 0.0002, Shared: plantedSD}, // the margin of mAP is 0.002
}

// outcome is what came of many studies.
type outcome struct {
	studies  int
	median   int // seeds
	mean     float64
	verdicts map[inference.Verdict]int
}

func outcomeOf(vs []courses.Variant) outcome {
	o := outcome{studies: len(vs), verdicts: map[inference.Verdict]int{}}
	var n []int
	for _, v := range vs {
		o.verdicts[v.Verdict]++
		n = append(n, v.N)
		o.mean += float64(v.N) / float64(len(vs))
	}
	slices.Sort(n)
	o.median = n[len(n)/2]
	return o
}

// holds says what is wrong with an outcome of the plant of that name.
func (o outcome) holds(name string) error {
	better, worse := o.verdicts[inference.Better], o.verdicts[inference.Worse]
	ok := false
	switch name {
	case "an effect of 2 sd":
		ok = o.median <= 6 && o.mean <= 7.2 && 100*better >= 98*o.studies
	case "no effect": // at most 5 % by the rule; far fewer would mean that it is not the rule
		ok = 20*(better+worse) <= o.studies && 100*(better+worse) >= o.studies
	case "sd a tenth of the margin":
		ok = 20*o.verdicts[inference.Equivalent] >= 19*o.studies
	}
	if ok {
		return nil
	}
	return fmt.Errorf("%s: median of %d seeds, mean %.2f, verdicts %v", name, o.median, o.mean, o.verdicts)
}

// TestPlantedEffects: 2,000 studies of each kind by the decisions that the engine follows.
func TestPlantedEffects(t *testing.T) {
	for name, p := range onePlants {
		var vs []courses.Variant
		for i := range 2000 {
			vs = append(vs, simulated(t, onePlanted(int64(i+1)), p))
		}
		o := outcomeOf(vs)
		if err := o.holds(name); err != nil {
			t.Error(err)
		}
		t.Logf("%s: median of %d seeds, mean %.2f, verdicts %v", name, o.median, o.mean, o.verdicts)
	}
}

// TestPlantedEffectsByTheEngine: the engine comes to just that; all 2,000 studies with the tag soak.
func TestPlantedEffectsByTheEngine(t *testing.T) {
	dir := t.TempDir()
	for name, p := range onePlants {
		var vs []courses.Variant
		for i := range plantedByEngine {
			spec := onePlanted(int64(i + 1))
			v, want := engineRuns(t, spec, p, dir), simulated(t, spec, p)
			if v.Verdict != want.Verdict || v.N != want.N || v.Mean != want.Mean || v.Low != want.Low {
				t.Errorf("%s, study %d: %s, by its decisions alone %s", name, i, v.Effect, want.Effect)
			}
			vs = append(vs, v)
		}
		if o := outcomeOf(vs); o.studies >= 2000 && o.holds(name) != nil {
			t.Error(o.holds(name))
		}
	}
}
