package inference_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/studies/inference"
)

// arms are a reference and a variant with the given differences, whose scores scatter alike over replicates.
func arms(differences ...float64) (reference, variant map[int]float64) {
	reference, variant = map[int]float64{}, map[int]float64{}
	for i, d := range differences {
		reference[i] = 0.5 + 0.01*math.Sin(float64(7*i))
		variant[i] = reference[i] + d
	}
	return reference, variant
}

func TestSequentialEnds(t *testing.T) {
	flat := []float64{0.01, -0.01, 0.012, -0.012, 0.008, -0.009, 0.011, -0.011} // mean near 0, sd 0.0112
	small := []float64{0.011, 0.002, -0.001, 0.009, 0.003, 0.004, -0.002, 0.006}
	for _, c := range []struct {
		name     string
		d        []float64
		change   func(*inference.Sequence)
		verdict  inference.Verdict
		steps    int
		done     bool
		needs    int
		sentence string
	}{
		// 4 pairs more bring the mean to 2.98 sd/sqrt(12) at best by a miracle.
		{"futile", flat, nil, inference.Futile, 3, true, 0, "stopped after 8 pairs: the 4 that are left would hardly settle it"},
		{"patient", flat, func(q *inference.Sequence) { q.Patient = true }, inference.Unsettled, 3, false, 0, "not settled with 8 pairs, the next look is at 12"},
		{"futile for a margin", flat, func(q *inference.Sequence) { q.Margin = 0.006 }, inference.Futile, 3, true, 36, "it needs about 36 more"},
		{"hope for a margin", flat, func(q *inference.Sequence) { q.Margin = 0.01 }, inference.Unsettled, 3, false, 10, "the next look is at 12"},
		{"hope", small, nil, inference.Unsettled, 3, false, 10, "the next look is at 12"},
		{"last look", append(small, -0.006, 0.007, 0.002, -0.003), nil, inference.OutOfBudget, 4, true, 32, "not settled with all 12 pairs; it needs about 32 more"},
		{"no more, at a look", small, func(q *inference.Sequence) { q.Last = true }, inference.OutOfBudget, 3, true, 10, "not settled with 8 pairs, and no more will come; it needs about 10 more"},
		{"no more, between looks", small[:7], func(q *inference.Sequence) { q.Last = true }, inference.OutOfBudget, 3, true, 15, "not settled with 7 pairs, and no more will come"},
		{"settled by what there is", []float64{0.1, 0.101}, func(q *inference.Sequence) { q.Last = true }, inference.Better, 1, true, 0, "settled after 2 pairs"},
		{"no more, one pair", small[:1], func(q *inference.Sequence) { q.Last = true }, inference.NotTested, 0, true, 0, "one seed only"},
		{"no more, nothing", nil, func(q *inference.Sequence) { q.Last = true }, inference.NotTested, 0, true, 0, "neither the reference nor the variant"},
		{"nothing yet", nil, nil, inference.Unsettled, 0, false, 0, "0 pairs so far, the first look is at 3"},
		{"one pair", small[:1], nil, inference.Unsettled, 0, false, 0, "1 pair so far, the first look is at 3"},
		{"identical", make([]float64, 3), nil, inference.NotTested, 1, true, 0, "seems to do nothing"},
		{"constant", []float64{0.5, 0.5, 0.5}, nil, inference.Unsettled, 1, false, 0, "the next look is at 5"},
		{"constant to the end", []float64{0.5, 0.5, 0.5}, func(q *inference.Sequence) { q.Last = true }, inference.NotTested, 1, true, 0, "all differences are exactly equal"},
		{"anytime, no more", small, func(q *inference.Sequence) { q.Rule, q.Last = inference.Anytime, true }, inference.OutOfBudget, 7, true, 18, "no more will come"},
		{"anytime, futile", flat, func(q *inference.Sequence) { q.Rule = inference.Anytime }, inference.Futile, 4, true, 1134, "would hardly settle it; it needs about 1200 more"},
	} {
		q := looks(0)
		if c.change != nil {
			c.change(&q)
		}
		reference, variant := arms(c.d...)
		got := inference.Sequential(reference, variant, q)
		if got.Verdict != c.verdict || len(got.Steps) != c.steps || got.Done != c.done || got.Needs != c.needs || !strings.Contains(got.Reason, c.sentence) {
			t.Errorf("%s: %s, %d steps, done %v, needs %d: %s", c.name, got.Verdict, len(got.Steps), got.Done, got.Needs, got.Reason)
		}
		if got.Verdict == inference.NotTested && !(math.IsNaN(got.PHolm) && math.IsNaN(got.Low) && math.IsNaN(got.WideHigh)) {
			t.Errorf("%s: numbers without a test: %+v", c.name, got.Effect)
		}
		if _, err := json.Marshal(got); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// Needs is the fewest pairs by its own formula: with one pair less the look's half-width and the margin for power do not fit.
func TestNeeds(t *testing.T) {
	reference, variant := arms(0.011, 0.002, -0.001, 0.009, 0.003, 0.004, -0.002, 0.006)
	c := inference.Sequential(reference, variant, looks(0))
	reach := func(n int) float64 { // Detectable at level alpha/4 is the same sum of quantiles
		return inference.Detectable(n, c.SD, 0.05/4, inference.DefaultPower)
	}
	if n := c.N + c.Needs; reach(n) > c.Mean || reach(n-1) <= c.Mean {
		t.Errorf("%d pairs reach %v, one less %v, and the effect is %v", n, reach(n), reach(n-1), c.Mean)
	}
}

// NeededFor is the first look from which the half-width and the quantile of the power fit into the effect, and the simulation
// finds the effect as often by then, to the percent or two that central t quantiles are off.
func TestNeededFor(t *testing.T) {
	q := looks(0)
	reach := func(n int) float64 { return inference.Detectable(n, 1, 0.05/4, inference.DefaultPower) }
	for effect, want := range map[float64]int{4.2: 5, 2.4: 5, 1.5: 8, 1.2: 12, 1.15: 12} {
		if got := q.NeededFor(effect, 1, inference.DefaultPower); got != want || reach(got) > effect {
			t.Errorf("%g sd: %d, want %d, which reach %g", effect, got, want, reach(got))
		}
		ran := q
		ran.Patient, ran.Max = true, want
		if got := ran.Outlook(effect, 1).Clear; got < 0.78 {
			t.Errorf("%g sd: %d pairs show it with chance %g", effect, want, got)
		}
	}
	if n := q.NeededFor(0.5, 1, inference.DefaultPower); n <= q.Max || reach(n) > 0.5 || reach(n-1) <= 0.5 {
		t.Errorf("beyond the last look: %d pairs reach %g, one less %g", n, reach(n), reach(n-1))
	}
	half := q
	half.Arms = 2
	always := inference.Sequence{Rule: inference.Anytime, Max: 12}
	if a, b, c := q.NeededFor(1, 2, 0.8), half.NeededFor(1, 2, 0.8), always.NeededFor(1, 2, 0.8); a >= b || a >= c {
		t.Errorf("looks %d, two arms %d, anytime %d", a, b, c)
	}
	for _, c := range [][2]float64{{0, 1}, {-1, 1}, {1, 0}, {math.NaN(), 1}, {1, math.NaN()}, {1e-6, 1}} {
		if n := q.NeededFor(c[0], c[1], 0.8); n != 0 {
			t.Errorf("effect %g, sd %g: %d", c[0], c[1], n)
		}
	}
}

// Where pairing does not help, looks use Welch's test with the values that have no partner too; the e-process is paired.
func TestSequentialUnpaired(t *testing.T) {
	reference := map[int]float64{0: 0.50, 1: 0.52, 2: 0.49, 3: 0.55, 9: 0.9}
	variant := map[int]float64{0: 0.61, 1: 0.60, 3: 0.58, 4: 0.63, 9: math.NaN()}
	c := inference.Sequential(reference, variant, looks(0))
	if c.Method != inference.Welch || c.Steps[0].N != 3 || c.Reference.N != 4 || c.Variant.N != 3 {
		t.Errorf("%s: %d pairs, %d against %d", c.Method, c.Steps[0].N, c.Reference.N, c.Variant.N)
	}
	q := looks(0)
	q.Rule = inference.Anytime
	if c := inference.Sequential(reference, variant, q); c.Method != inference.Paired || !math.IsInf(c.Low, -1) {
		t.Errorf("%s from %v", c.Method, c.Low)
	}
}
