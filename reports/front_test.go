package reports_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/internal/fixture"
	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trials"
)

func TestFront(t *testing.T) {
	low, high := 0.0, 1.0
	spec := studies.Spec{Name: "two", Design: studies.DesignSearch, Replicates: 1, Factors: []studies.Factor{{Name: "x", Low: &low, High: &high}},
		Objective: studies.Objective{Metric: "score", Direction: trials.Maximize, Also: []trials.Goal{{Metric: "time/image", Direction: trials.Minimize}}},
		Search:    &studies.Search{Sampler: "random", Trials: 6}}
	st := fixture.Study(spec)
	st.Directions = []trials.Direction{trials.Maximize, trials.Minimize}
	var ts []trials.Trial
	for i, v := range [][]float64{{1, 1}, {2, 2}, {1, 2}, {4, 4}, {3, 1}} {
		ts = append(ts, trials.Trial{Number: i, State: trials.Complete, Values: v, Params: trials.Params{"x": float64(i) / 10}, Finished: fixture.Start.Add(1e9 * 1)})
	}
	ts = append(ts, trials.Trial{Number: 5, State: trials.Complete, Values: []float64{9, 0}, Constraints: []float64{1}, Finished: fixture.Start.Add(2e9)})
	s, err := reports.New(st, ts)
	if err != nil {
		t.Fatal(err)
	}
	var on []int
	for _, p := range s.Front.Best() {
		on = append(on, p.Trial)
	}
	if !slices.Equal(on, []int{3, 4}) { // (4, 4) and (3, 1): the others are dominated, and (9, 0) breaks a constraint
		t.Errorf("front %v", on)
	}
	// Up to (1 - 0.3, 4 + 0.3) the first point dominates 0.3 x 3.3; at the end (4, 4) adds 1 x 0.3 to (3, 1)'s 2.3 x 3.3.
	if v := s.Front.Volume; len(v) != 6 || abs(v[0]-0.99) > 1e-9 || abs(v[5]-(2.3*3.3+0.3)) > 1e-9 || v[5] != v[4] || !slices.IsSorted(v) {
		t.Errorf("volumes %v up to %v", v, s.Front.Reference)
	}
	answer := reports.Text(s.Answer(&s.Blocks[0]))
	for _, w := range []string{"Of 6 complete trials 2 are on the Pareto front", "(trial 3) to", "(trial 4)", "1 complete trial breaks a constraint and is on no front"} {
		if !strings.Contains(answer, w) {
			t.Errorf("the answer lacks %q:\n%s", w, answer)
		}
	}
	if len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], "their values are optimistic") {
		t.Errorf("warnings %v", s.Warnings)
	}
	none, err := reports.New(st, ts[5:])
	if err != nil || len(none.Front.On) != 0 || !strings.Contains(reports.Text(none.Answer(&none.Blocks[0])), "no front") {
		t.Errorf("all infeasible: %+v (%v)", none.Front, err)
	}
	if empty, err := reports.New(st, nil); err != nil || len(empty.Front.Points) != 0 {
		t.Errorf("nothing yet: %v", err)
	}
}

func abs(x float64) float64 { return max(x, -x) }
