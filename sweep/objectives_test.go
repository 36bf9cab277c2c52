package sweep_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trials"
)

func bound(x float64) *float64 { return &x }

// costly reports, beside the curve, a cost that falls with x and over the epochs.
func costly(change func(job trainer.Job, epoch int, m map[string]float64)) *trainertest.Fake {
	return &trainertest.Fake{Metrics: func(job trainer.Job, epoch int) map[string]float64 {
		m := trainertest.Curve(job, epoch)
		x, _ := trials.Number(job.Params["x"])
		m["cost"] = 2 - x - 0.1*float64(epoch)
		if change != nil {
			change(job, epoch, m)
		}
		return m
	}}
}

func several() studies.Spec {
	s := search(6, "random", "")
	s.Objective.Also = []trials.Goal{{Metric: "cost", Direction: trials.Minimize}}
	s.Constraints = []studies.Constraint{{Metric: "cost", AtMost: bound(1)}, {Metric: "mAP50", AtLeast: bound(0.5)}}
	return s
}

// A trial has a value for each objective and a violation for each constraint, all of the epoch that is scored.
func TestSeveralObjectives(t *testing.T) {
	w := newBench(t, costly(nil))
	w.goptuna()
	if sum := w.run(t, several(), nil); sum.Complete != 6 {
		t.Fatalf("%+v", sum)
	}
	st, err := w.store.Study(t.Context(), "search")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]trials.Direction{trials.Maximize, trials.Minimize}, st.Directions); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"mAP50-95", "cost"}, st.Metrics); diff != "" {
		t.Error(diff)
	}
	feasible := 0
	for _, tr := range w.trials(t, "search") {
		m := tr.Measurements[3].Metrics
		if diff := cmp.Diff([]float64{m["mAP50-95"], m["cost"]}, tr.Values); diff != "" {
			t.Errorf("trial %d: %s", tr.Number, diff)
		}
		if diff := cmp.Diff([]float64{m["cost"] - 1, 0.5 - m["mAP50"]}, tr.Constraints); diff != "" {
			t.Errorf("trial %d: %s", tr.Number, diff)
		}
		x, _ := trials.Number(tr.Params["x"])
		if tr.Feasible() != (x >= 0.6) {
			t.Errorf("trial %d at x=%v: feasible %v", tr.Number, x, tr.Feasible())
		}
		if tr.Feasible() {
			feasible++
		}
	}
	if feasible == 0 || feasible == 6 {
		t.Errorf("%d of 6 are feasible: the test shows nothing", feasible)
	}
}

// At the best epoch all of them are read there.
func TestObjectivesAtBestEpoch(t *testing.T) {
	spec := several()
	spec.Objective.Epoch = "best"
	w := newBench(t, costly(func(_ trainer.Job, epoch int, m map[string]float64) {
		if epoch > 2 {
			m["mAP50-95"] = 0.01
		}
	}))
	w.goptuna()
	w.run(t, spec, nil)
	for _, tr := range w.trials(t, "search") {
		if n, _ := tr.Integer(trials.AttrScoreEpoch); n != 2 || tr.Values[1] != tr.Measurements[1].Metrics["cost"] || tr.Constraints[0] != tr.Values[1]-1 {
			t.Errorf("trial %d: %v %v at epoch %d", tr.Number, tr.Values, tr.Constraints, n)
		}
	}
}

// A trial that lacks an objective or what a constraint is about fails, and its reason says which.
func TestUnreadObjectives(t *testing.T) {
	drop := func(metric string, from int) func(trainer.Job, int, map[string]float64) {
		return func(_ trainer.Job, epoch int, m map[string]float64) {
			if epoch >= from {
				delete(m, metric)
			}
		}
	}
	only := func(c ...studies.Constraint) func(*studies.Spec) {
		return func(s *studies.Spec) { s.Objective.Also, s.Constraints = nil, c }
	}
	for _, c := range []struct {
		name   string
		change func(trainer.Job, int, map[string]float64)
		spec   func(*studies.Spec)
		class  string
		want   string
	}{
		{"never", drop("cost", 0), nil, trials.ClassError, "the trainer never reported the objective cost; it reported loss/box, mAP50, mAP50-95"},
		{"not in the end", drop("cost", 4), nil, trials.ClassError, "the objective cost was not reported at epoch 4, which is scored"},
		{"not finite", func(_ trainer.Job, _ int, m map[string]float64) { m["cost"] = math.Inf(1) }, nil, trials.ClassDiverged, "cost is +Inf at epoch 4"},
		{"constraint, never", drop("cost", 0), only(studies.Constraint{Metric: "cost", AtMost: bound(1)}), trials.ClassError,
			"the trainer never reported the metric of a constraint, cost; it reported loss/box, mAP50, mAP50-95"},
		{"constraint, not a number", func(_ trainer.Job, _ int, m map[string]float64) { m["cost"] = math.NaN() }, only(studies.Constraint{Metric: "cost", AtMost: bound(1)}),
			trials.ClassDiverged, "cost is NaN at epoch 4"},
	} {
		spec := several()
		spec.Search.Trials = 1
		if c.spec != nil {
			c.spec(&spec)
		}
		w := newBench(t, costly(c.change))
		w.goptuna()
		if sum := w.run(t, spec, nil); sum.Failed != 1 {
			t.Errorf("%s: %+v", c.name, sum)
		}
		tr := w.trials(t, "search")[0]
		if got := tr.Text(trials.AttrReason); !strings.HasPrefix(got, c.want) || tr.Text(trials.AttrClass) != c.class || len(tr.Values) != 0 {
			t.Errorf("%s: %s %q, values %v", c.name, tr.Text(trials.AttrClass), got, tr.Values)
		}
	}
}

// What is made from artifacts is made for every objective and constraint.
func TestDeriveAll(t *testing.T) {
	spec := several()
	spec.Objective.Also = []trials.Goal{{Metric: "a", Direction: trials.Minimize}}
	spec.Constraints = []studies.Constraint{{Metric: "b", AtLeast: bound(3)}}
	w := newBench(t, &trainertest.Fake{})
	w.goptuna()
	w.Derive = func(metric string, _ []trials.Artifact) (float64, bool, error) {
		v, ok := map[string]float64{"a": 1, "b": 2}[metric]
		return v, ok, nil
	}
	w.run(t, spec, nil)
	if tr := w.trials(t, "search")[0]; tr.State != trials.Complete || tr.Values[1] != 1 || tr.Constraints[0] != 1 || tr.Measurements[3].Metrics["b"] != 2 {
		t.Errorf("%s %v %v", tr.State, tr.Values, tr.Constraints)
	}
}

// A checkpoint of an infeasible trial is not kept for being the best.
func TestInfeasibleIsNotKept(t *testing.T) {
	ts := []trials.Trial{
		{Number: 0, State: trials.Complete, Values: []float64{0.9}, Constraints: []float64{0.1}},
		{Number: 1, State: trials.Complete, Values: []float64{0.5}, Constraints: []float64{0}},
		{Number: 2, State: trials.Complete, Values: []float64{0.4}},
	}
	got := sweep.Keepers(studies.Keep{Best: 1}, trials.Maximize, ts)
	if diff := cmp.Diff(map[int]bool{1: true}, got); diff != "" {
		t.Error(diff)
	}
	if b, err := json.Marshal(ts[0]); err != nil || !strings.Contains(string(b), `"constraints":[0.1]`) {
		t.Errorf("%s (%v)", b, err)
	}
}
