package reports_test

import (
	"context"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/memory"
)

// record stores a study with complete trials of the given scores, a trial each.
func record(t *testing.T, store trials.Store, spec studies.Spec, attrs map[string]json.RawMessage, runs []trials.Trial) {
	t.Helper()
	ctx := context.Background()
	resolved, err := spec.JSON()
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.CreateStudy(ctx, trials.Study{Name: spec.Name, Directions: []trials.Direction{spec.Objective.Direction}, Objective: spec.Objective.Metric, Resolved: resolved, Attrs: attrs})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range runs {
		if _, err := store.Enqueue(ctx, st.ID, trials.Suggestion{Key: r.Key, Params: r.Params, Space: r.Space, Attrs: r.Attrs}); err != nil {
			t.Fatal(err)
		}
		tr, err := store.Claim(ctx, st.ID, "w")
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Finish(ctx, tr.ID, trials.Outcome{State: trials.Complete, Values: r.Values, Constraints: r.Constraints}); err != nil {
			t.Fatal(err)
		}
	}
}

func confirmedStudy(t *testing.T, report string) *reports.Snapshot {
	t.Helper()
	low, high := 0.0, 1.0
	search := studies.Spec{Name: "s", Design: studies.DesignSearch, Replicates: 1, Objective: studies.Objective{Metric: "score", Direction: trials.Maximize, Epoch: "last", Split: "val"},
		Baseline: trials.Params{"x": 0.5}, Factors: []studies.Factor{{Name: "x", Low: &low, High: &high}}, Search: &studies.Search{Sampler: "random", Trials: 3, Pruner: "none"}}
	at := func(key string, x float64, arm string, rep int, values ...float64) trials.Trial {
		a := map[string]json.RawMessage{trials.AttrReplicate: trials.Attr(rep), trials.AttrSeed: trials.Attr(rep + 7)}
		if arm != "" {
			a[trials.AttrArm] = trials.Attr(arm)
		}
		return trials.Trial{Key: key, Params: trials.Params{"x": x}, Space: search.Space(), Values: values, Attrs: a}
	}
	broken := at("suggestion-0002", 0.9, "", 0, 0.99)
	broken.Constraints = []float64{1}
	store := memory.New()
	record(t, store, search, nil, []trials.Trial{at("suggestion-0000", 0.1, "", 0, 0.5), at("suggestion-0001", 0.2, "", 0, 0.7), broken})
	again := search
	again.Name, again.Design, again.Search, again.Replicates, again.Objective.Split = "s-confirm", studies.DesignVariants, nil, 3, report
	again.Variants = []studies.Variant{{Name: "trial-1", Params: trials.Params{"x": 0.2}}}
	again.Factors = studies.VariantFactors(again.Baseline, again.Variants)
	c := trials.Confirms{Study: "s", Of: 2, Tune: "val", Report: report, Picks: []trials.Pick{{Arm: "trial-1", Trials: []int{1}, Value: 0.7}}}
	var runs []trials.Trial
	for r, v := range []float64{0.40, 0.42, 0.41} {
		runs = append(runs, at("b"+string(rune('0'+r)), 0.5, "baseline", r, v), at("t"+string(rune('0'+r)), 0.2, "trial-1", r, v+0.1+0.001*float64(r)))
	}
	record(t, store, again, map[string]json.RawMessage{trials.AttrConfirms: trials.Attr(c)}, runs)
	snap, err := reports.Load(t.Context(), store, "s")
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

// What was found from fresh seeds leads, with its effect, and how much the search had promised.
func TestConfirmation(t *testing.T) {
	s := confirmedStudy(t, "test")
	c := s.Confirmed
	if !c.Shown() || !c.Fresh() || len(c.Blocks) != 1 || len(c.Blocks[0].Points) != 1 {
		t.Fatalf("%+v", c)
	}
	p := c.Blocks[0].Points[0]
	if p.Label != "trial 1 (x 0.2)" || p.Confirmed.N != 3 || math.Abs(p.Confirmed.Mean-0.511) > 1e-9 || math.Abs(p.Shrinkage-0.189) > 1e-9 || math.Abs(p.Effect.Mean-0.101) > 1e-9 || p.Effect.Verdict != "better" {
		t.Errorf("%+v", p)
	}
	answer := reports.Text(s.Answer(&s.Blocks[0]))
	for _, w := range []string{"Confirmed from fresh seeds on split test: trial 1 (x 0.2) has score 0.511", "over 3 seeds", "better; the search had said 0.700",
		"In the search the best of 3 complete trials has score 0.700", "which is optimistic (it was chosen as the largest of 2 noisy values)", "1 complete trial breaks a constraint"} {
		if !strings.Contains(answer, w) {
			t.Errorf("the answer lacks %q:\n%s", w, answer)
		}
	}
	if len(s.Warnings) != 0 {
		t.Errorf("warnings %v", s.Warnings)
	}
	if s := confirmedStudy(t, "val"); len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], "scored on split val, as the search was") {
		t.Errorf("warnings %v", s.Warnings)
	}
}

// A trial that breaks a constraint is not the best, whatever its score.
func TestInfeasibleIsNotTheBest(t *testing.T) {
	s := confirmedStudy(t, "test")
	if len(s.Search.Candidates) != 2 || s.Search.Candidates[0].Trials[0] != 1 || s.Search.Infeasible != 1 {
		t.Errorf("%+v", s.Search)
	}
	for _, st := range s.Search.Steps {
		if st.Broken != (st.Trial == 2) || st.Best > 0.7 || st.Broken && st.Record {
			t.Errorf("%+v", st)
		}
	}
}

// Luck does not outrank replicates.
func TestRankOfReplicates(t *testing.T) {
	low, high := 0.0, 1.0
	spec := studies.Spec{Name: "s", Design: studies.DesignSearch, Replicates: 1, Objective: studies.Objective{Metric: "score", Direction: trials.Maximize},
		Factors: []studies.Factor{{Name: "x", Low: &low, High: &high}}, Search: &studies.Search{Sampler: "random", Trials: 9}}
	var runs []trials.Trial
	for i, r := range []struct{ x, v float64 }{{0.1, 0.60}, {0.1, 0.62}, {0.1, 0.61}, {0.1, 0.59}, {0.2, 0.615}, {0.3, 0.5}, {0.3, 0.52}} {
		runs = append(runs, trials.Trial{Key: string(rune('a' + i)), Params: trials.Params{"x": r.x}, Space: spec.Space(), Values: []float64{r.v}})
	}
	store := memory.New()
	record(t, store, spec, nil, runs)
	s, err := reports.Load(t.Context(), store, "s")
	if err != nil {
		t.Fatal(err)
	}
	if c := s.Search.Candidates; c[0].N != 4 || c[1].N != 1 || !(c[0].Rank < c[0].Mean) || c[1].Mean <= c[0].Mean {
		t.Errorf("%+v", c)
	}
}
