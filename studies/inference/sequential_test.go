package inference_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/mapsweep/mapsweep/studies/inference"
)

func looks(margin float64) inference.Sequence {
	return inference.Sequence{Options: inference.Options{Margin: margin}, Rule: inference.Looks, Looks: []int{3, 5, 8, 12}, Max: 12}
}

// Multipliers of s/sqrt(n) from the design page, checked there by simulation.
func TestSequentialMultipliers(t *testing.T) {
	for _, c := range []struct {
		rule inference.Rule
		n    int
		want float64
	}{
		{inference.Looks, 3, 8.86}, {inference.Looks, 5, 4.31}, {inference.Looks, 8, 3.34}, {inference.Looks, 12, 2.98},
		{inference.Anytime, 3, math.Inf(1)}, {inference.Anytime, 4, 7.21}, {inference.Anytime, 5, 5.36}, {inference.Anytime, 6, 4.73},
		{inference.Anytime, 8, 4.20}, {inference.Anytime, 12, 3.84},
	} {
		q := looks(0)
		q.Rule, q.Patient = c.rule, true
		base, variant := map[int]float64{}, map[int]float64{}
		for i := range c.n {
			base[i], variant[i] = 0.5, 0.5+0.01*float64(i%2)
		}
		steps := inference.Sequential(base, variant, q).Steps
		s := steps[len(steps)-1]
		half := (s.High - s.Low) / 2 / (s.SD / math.Sqrt(float64(c.n)))
		if math.IsInf(c.want, 1) != math.IsInf(half, 1) || !math.IsInf(half, 1) && math.Abs(half-c.want) > 0.006 {
			t.Errorf("%s with %d pairs: %.3f, want %.2f", c.rule, c.n, half, c.want)
		}
	}
}

// A sequence is judged at its looks, in the order of replicates, and what comes in after the verdict changes nothing.
func TestSequentialStops(t *testing.T) {
	base, variant := map[int]float64{}, map[int]float64{}
	for i := range 12 {
		base[i] = 0.5
		variant[i] = 0.6 + 0.001*float64(i%3)
	}
	c := inference.Sequential(base, variant, looks(0.002))
	if c.Verdict != inference.Better || !c.Done || len(c.Steps) != 1 || c.N != 3 {
		t.Errorf("%s, %d steps, n %d", c.Verdict, len(c.Steps), c.N)
	}
	variant[11] = 0.1
	if again := inference.Sequential(base, variant, looks(0.002)); again.Mean != c.Mean {
		t.Error("a late replicate changed a settled verdict")
	}
	few := inference.Sequential(map[int]float64{0: 1, 1: 2}, map[int]float64{0: 1, 1: 2.5}, looks(0))
	if few.Verdict != inference.Unsettled || few.Done || len(few.Steps) != 0 || few.N != 2 {
		t.Errorf("%+v", few)
	}
	if _, err := json.Marshal(few); err != nil {
		t.Error(err)
	}
}
