package reports_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/internal/fixture"
	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// Top are all arms that are not shown to be worse than the best, and none where nothing sets them apart.
func TestTop(t *testing.T) {
	a := fixture.Quickstart()
	check := func(what string, want ...int) {
		t.Helper()
		if got := snapshot(t, a.Build).Blocks[0].Top; !slices.Equal(got, want) {
			t.Errorf("%s: top is %v, want %v", what, got, want)
		}
	}
	a.Variants[1].Effect = 0.08
	check("mixup far above all", 2)
	a.Variants[2].Effect = 0.08
	check("copy-paste with it", 2, 3)
	for i := range a.Variants {
		a.Variants[i].Effect = -0.08
	}
	check("all worse than the baseline", 0)
	for i := range a.Variants {
		a.Variants[i].Effect = 0
	}
	a.Variants = a.Variants[1:3]
	check("nothing sets them apart")
	a.Variants[0].Effect, a.Seeds = -0.3, 1
	check("one seed")
}

// Where replicates were added until a verdict, an arm is worse than the best if its interval ends below the others'.
func TestTopSettled(t *testing.T) {
	b := reports.Block{Arms: []reports.Arm{arm("baseline", 0.5), arm("up", 0.55), arm("level", 0.52), arm("down", 0.4)}, Effects: []reports.Effect{
		{Arm: "up", Effect: inference.Effect{N: 5, Mean: 0.05, Low: 0.03, High: 0.07, P: 0.001}},
		{Arm: "level", Effect: inference.Effect{N: 5, Mean: 0.02, Low: -0.01, High: 0.05, P: 0.1}},
		{Arm: "down", Effect: inference.Effect{N: 3, Mean: -0.1, Low: -0.2, High: math.Inf(1), P: 0.2}}}}
	s := &reports.Snapshot{Metric: reports.MetricOf("mAP50-95"), Spec: studies.Spec{Settle: &studies.Settle{Rule: studies.RuleLooks}}}
	for direction, want := range map[trials.Direction][]int{trials.Maximize: {1, 2, 3}, trials.Minimize: {0, 2, 3}} {
		s.Metric.Direction = direction
		if got := reports.TopOf(s, &b); !slices.Equal(got, want) {
			t.Errorf("%s: top is %v, want %v", direction, got, want)
		}
	}
}

func arm(name string, mean float64) reports.Arm {
	return reports.Arm{Name: name, Mean: mean, Scores: []reports.Score{{Value: mean}}}
}

// The arm that is truly the best is called worse in at most half of alpha of the studies, though the best by score is
// chosen by the same scores: 4,000 studies of four arms that are alike, paired by five seeds.
func TestTopKeepsTheBest(t *testing.T) {
	const runs, arms, seeds = 4000, 4, 5
	rng := rand.New(rand.NewPCG(5, 2026))
	s := &reports.Snapshot{Metric: reports.MetricOf("mAP50-95")}
	lost := 0
	for range runs {
		b := reports.Block{Arms: make([]reports.Arm, arms)}
		for i := range b.Arms {
			b.Arms[i].Name = string(rune('a' + i))
		}
		for r := range seeds {
			shared := rng.NormFloat64()
			for i := range b.Arms {
				b.Arms[i].Scores = append(b.Arms[i].Scores, reports.Score{Replicate: r, Value: shared + rng.NormFloat64()})
			}
		}
		for i := range b.Arms {
			var v []float64
			for _, x := range b.Arms[i].Scores {
				v = append(v, x.Value)
			}
			b.Arms[i].Mean, b.Arms[i].SD = reports.MeanSD(v)
		}
		if top := reports.TopOf(s, &b); len(top) > 0 && !slices.Contains(top, 0) {
			lost++
		}
	}
	share := float64(lost) / runs
	t.Logf("the best was called worse in %.4f of %d studies", share, runs)
	if limit := 0.025 + 3*math.Sqrt(0.025*0.975/runs); share > limit {
		t.Errorf("the best was called worse in %.4f of the studies, more than %.4f", share, limit)
	}
}
