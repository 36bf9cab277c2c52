package confirm_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/confirm"
	"github.com/mapsweep/mapsweep/trials"
)

func ptr(x float64) *float64 { return &x }

func searched() (studies.Spec, []trials.Trial) {
	s := studies.Spec{Name: "s", Seed: 3, Design: studies.DesignSearch, Replicates: 1,
		Objective:   studies.Objective{Metric: "mAP50-95", Direction: trials.Maximize, Epoch: "last", Split: "val", Also: []trials.Goal{{Metric: "time/image", Direction: trials.Minimize}}},
		Trainer:     studies.Trainer{Backend: "native", Model: "gelan-n", Data: []string{"builtin:digits"}, Epochs: 20},
		Baseline:    trials.Params{"mosaic": int64(1), "lr0": 0.02, "box": 7.5},
		Factors:     []studies.Factor{{Name: "lr0", Low: ptr(0.001), High: ptr(0.1)}, {Name: "box", Low: ptr(1), High: ptr(9)}},
		Search:      &studies.Search{Sampler: "tpe", Trials: 4, Pruner: "none"},
		Constraints: []studies.Constraint{{Metric: "time/epoch", AtMost: ptr(60)}},
		DataSplit:   &studies.DataSplit{Tune: "val", Report: "test"},
		Budget:      studies.Budget{Parallel: 2, DeviceHours: 1}}
	var ts []trials.Trial
	for i := range 4 {
		ts = append(ts, trials.Trial{Number: i, Attrs: map[string]json.RawMessage{trials.AttrSeed: trials.Attr(design.Seed(3, i))}})
	}
	return s, ts
}

var ranked = []confirm.Candidate{
	{Params: trials.Params{"mosaic": int64(1), "lr0": 0.01, "box": 5.0}, Trials: []int{3, 1}, Value: 0.5},
	{Params: trials.Params{"mosaic": 1.0, "lr0": 0.02, "box": 7.5}, Trials: []int{0}, Value: 0.45},      // the baseline
	{Params: trials.Params{"mosaic": int64(1), "lr0": 0.01, "box": 5.0}, Trials: []int{5}, Value: 0.42}, // again, on other data
	{Params: trials.Params{"mosaic": int64(1), "lr0": 0.05, "box": 7.0}, Trials: []int{2}, Value: 0.4},
}

func TestPlan(t *testing.T) {
	search, ts := searched()
	spec, c, err := confirm.Plan(search, ts, ranked, 3, confirm.Asked{Top: 3, Replicates: 5}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := trials.Confirms{Study: "s", Of: 3, Tune: "val", Report: "test",
		Picks: []trials.Pick{{Arm: "trial-1", Trials: []int{3, 1}, Value: 0.5}, {Arm: "trial-2", Trials: []int{2}, Value: 0.4}}}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]studies.Variant{{Name: "trial-1", Params: trials.Params{"lr0": 0.01, "box": 5.0}}, {Name: "trial-2", Params: trials.Params{"lr0": 0.05, "box": 7.0}}}, spec.Variants); diff != "" {
		t.Error(diff)
	}
	if spec.Name != "s-confirm" || spec.Objective.Split != "test" || spec.Objective.Also != nil || spec.Budget.DeviceHours != 0 || spec.Replicates != 5 ||
		spec.Search != nil || spec.DataSplit != nil || spec.Trainer.Epochs != 20 || len(spec.Constraints) != 1 {
		t.Errorf("%+v", spec)
	}
	// Points, with the baseline first, and seeds that the search never had.
	plan, err := design.Points(spec)
	if err != nil || len(plan.Points) != 15 || plan.Points[0].Arm != "baseline" {
		t.Fatalf("%d points (%v)", len(plan.Points), err)
	}
	for _, p := range plan.Points {
		for _, tr := range ts {
			if p.Seed == tr.Seed() {
				t.Errorf("%s has the seed of trial %d", p.Key, tr.Number)
			}
		}
	}
	if err := studies.Validate(spec, nil, false); err != nil {
		t.Error(err)
	}
	search.DataSplit = nil
	if _, c, _ := confirm.Plan(search, ts, ranked, 3, confirm.Asked{Top: 1, Replicates: 2}, nil); c.Report != "val" || c.Tune != "val" || len(c.Picks) != 1 {
		t.Errorf("without data_split: %+v", c)
	}
}

// What is recorded stays, and more is only added.
func TestPlanAgain(t *testing.T) {
	search, ts := searched()
	spec, c, err := confirm.Plan(search, ts, ranked, 3, confirm.Asked{Top: 1, Replicates: 2}, nil)
	if err != nil {
		t.Fatal(err)
	}
	resolved, err := spec.JSON()
	if err != nil {
		t.Fatal(err)
	}
	old := &trials.Study{Name: spec.Name, Resolved: resolved, Attrs: map[string]json.RawMessage{trials.AttrConfirms: trials.Attr(c)}}
	better := append([]confirm.Candidate{{Params: trials.Params{"lr0": 0.03, "mosaic": int64(1)}, Trials: []int{9}, Value: 0.9}}, ranked...)
	same, kept, err := confirm.Plan(search, append(ts, trials.Trial{Number: 9}), better, 9, confirm.Asked{Top: 1, Replicates: 2}, old)
	if err != nil {
		t.Fatal(err)
	}
	if extend, changes := studies.Diff(spec, same); !extend || len(changes) > 0 || !cmp.Equal(c, kept) {
		t.Errorf("the same again: %v, %+v", changes, kept)
	}
	more, kept, err := confirm.Plan(search, ts, better, 9, confirm.Asked{Top: 2, Replicates: 4}, old)
	if extend, changes := studies.Diff(spec, more); err != nil || !extend || len(changes) != 3 || kept.Picks[1].Arm != "trial-9" || more.Seed != spec.Seed {
		t.Errorf("more: %v, %+v (%v)", changes, kept, err)
	}
	// A point that changes a parameter that no other one changes is added, too.
	other := []confirm.Candidate{{Params: trials.Params{"lr0": 0.02, "mosaic": int64(0)}, Trials: []int{8}, Value: 0.9}}
	more, _, err = confirm.Plan(search, ts, other, 9, confirm.Asked{Top: 2, Replicates: 2}, old)
	if extend, changes := studies.Diff(spec, more); err != nil || !extend {
		t.Errorf("another parameter: %v (%v)", changes, err)
	}
	for name, asked := range map[string]confirm.Asked{"fewer": {Top: 0, Replicates: 2}, "fewer replicates": {Top: 1, Replicates: 1}} {
		if _, _, err := confirm.Plan(search, ts, ranked, 3, asked, old); !errors.Is(err, sweep.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	old.Attrs = nil
	if _, _, err := confirm.Plan(search, ts, ranked, 3, confirm.Asked{Top: 1, Replicates: 2}, old); !errors.Is(err, sweep.ErrInvalid) {
		t.Errorf("another study of that name: %v", err)
	}
	if _, _, err := confirm.Plan(search, ts, ranked[1:2], 1, confirm.Asked{Top: 1, Replicates: 2}, nil); !errors.Is(err, sweep.ErrInvalid) {
		t.Errorf("nothing but the baseline: %v", err)
	}
}

// TestPlanWithoutBaseline: nothing is known of a baseline that leaves a searched parameter to the trainer; a design would give it the
// value of the first pick.
func TestPlanWithoutBaseline(t *testing.T) {
	search, ts := searched()
	delete(search.Baseline, "box")
	_, _, err := confirm.Plan(search, ts, ranked, 3, confirm.Asked{Top: 3, Replicates: 5}, nil)
	if !errors.Is(err, sweep.ErrInvalid) || !strings.Contains(err.Error(), "no value of box") {
		t.Error(err)
	}
	search.Factors[1].Requires = trials.Params{"mosaic": int64(0)} // which the baseline does not meet: it has no box
	if _, _, err := confirm.Plan(search, ts, ranked, 3, confirm.Asked{Top: 3, Replicates: 5}, nil); err != nil {
		t.Error(err)
	}
}
