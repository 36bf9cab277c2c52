package inference_test

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/mapsweep/mapsweep/studies/inference"
)

// The numbers of testdata/sizes.json were computed by SciPy and statsmodels (testdata/gen_sizes.py).
//
//go:embed testdata/sizes.json
var sizesJSON []byte

type sized struct {
	X, Y      []float64
	Above     float64
	AboveLow  float64 `json:"above_low"`
	AboveHigh float64 `json:"above_high"`
	D         float64
	DLow      float64 `json:"d_low"`
	DHigh     float64 `json:"d_high"`
}

type sizes struct {
	Paired, Free []sized
	Power        []struct {
		N                       int
		Delta, SD, Alpha, Power float64
	}
	Floors []struct {
		Values        []float64
		SD, Low, High float64
	}
	Unpaired []struct {
		X, Y                          []float64
		AloneX                        []float64 `json:"alone_x"`
		AloneY                        []float64 `json:"alone_y"`
		R, Mean, SE, DF, P, Low, High float64
	}
	Needs []struct {
		D      []float64
		Margin float64
		Rule   inference.Rule
		Needs  int
	}
}

func loadSizes(t *testing.T) sizes {
	t.Helper()
	var s sizes
	if err := json.Unmarshal(sizesJSON, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEffectSizes(t *testing.T) {
	f := loadSizes(t)
	check := func(name string, c sized, s inference.Sizes, step float64) {
		near(t, name+"P(A>B)", s.Above, c.Above, 1e-9)
		within(t, name+"P(A>B), low", s.AboveLow, c.AboveLow, step)
		within(t, name+"P(A>B), high", s.AboveHigh, c.AboveHigh, step)
		near(t, name+"d", s.D, c.D, 1e-9)
		within(t, name+"d, low", s.DLow, c.DLow, 1e-9)
		within(t, name+"d, high", s.DHigh, c.DHigh, 1e-9)
		if s.Significant != (s.AboveLow > 0.5) || s.Meaningful != (s.AboveLow > 0.75) {
			t.Errorf("%s%+v", name, s)
		}
	}
	for i, c := range f.Paired {
		s := inference.EffectSizes(bySeed(c.X), bySeed(c.Y), inference.Options{Paired: true})
		check(fmt.Sprintf("pairs %d: ", i), c, s, 1e-9) // a step of the bootstrap is 1/(2n): sampling hits the same one
		less := inference.EffectSizes(bySeed(c.X), bySeed(c.Y), inference.Options{Paired: true, Minimize: true})
		near(t, "P(A>B) where less is better", less.Above, 1-s.Above, 1e-9)
		near(t, "its low end", less.AboveLow, 1-s.AboveHigh, 1e-9)
	}
	for i, c := range f.Free {
		// two bootstraps, by seeds of their own
		check(fmt.Sprintf("arms %d: ", i), c, inference.EffectSizes(bySeed(c.X), bySeed(c.Y), inference.Options{Unpaired: true}), 0.03)
	}
}

func TestEffectSizesDegenerate(t *testing.T) {
	for name, c := range map[string]struct {
		x, y  map[int]float64
		above float64
		d     bool
	}{
		"nothing":    {nil, nil, math.NaN(), false},
		"no variant": {map[int]float64{1: 1, 2: 2}, nil, math.NaN(), false},
		"one pair":   {map[int]float64{1: 1}, map[int]float64{1: 2}, 1, false},
		"two pairs":  {map[int]float64{1: 1, 2: 3}, map[int]float64{1: 2, 2: 3.5}, 1, false}, // no correction for one degree of freedom
		"identical":  {map[int]float64{1: 1, 2: 2, 3: 4}, map[int]float64{1: 1, 2: 2, 3: 4}, 0.5, false},
		"constant":   {map[int]float64{1: 1, 2: 2, 3: 4}, map[int]float64{1: 2, 2: 3, 3: 5}, 1, false},
		"apart":      {map[int]float64{1: 1, 2: 2}, map[int]float64{3: 1.5, 4: 1.75}, 0.5, true},
		"NaN":        {map[int]float64{1: 1, 2: math.NaN(), 3: 4}, map[int]float64{1: 2, 2: 3, 3: math.Inf(1)}, 1, false},
	} {
		s := inference.EffectSizes(c.x, c.y, inference.Options{})
		near(t, name, s.Above, c.above, 1e-12)
		if math.IsNaN(s.D) == c.d || math.IsNaN(s.DLow) == c.d || math.IsInf(s.D, 0) {
			t.Errorf("%s: d %v, %v to %v", name, s.D, s.DLow, s.DHigh)
		}
		if _, err := json.Marshal(s); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// ((1.6449 + 1.6449) / (sqrt(6) 0.25))² = 28.86.
func TestNoether(t *testing.T) {
	if n := inference.Noether(0.75, 0.05, 0.95); n != 29 {
		t.Errorf("%d, want 29", n)
	}
	if n := inference.Noether(0.5, 0.05, 0.95); n != 0 {
		t.Errorf("no number of pairs shows a chance of 1/2, and it says %d", n)
	}
}

func TestPower(t *testing.T) {
	f := loadSizes(t)
	for _, c := range f.Power {
		near(t, fmt.Sprintf("power of %d pairs", c.N), inference.Power(c.N, c.Delta, c.SD, c.Alpha), c.Power, 1e-9)
	}
	if p := inference.Power(1, 1, 1, 0.05); !math.IsNaN(p) {
		t.Errorf("one pair has power %v", p)
	}
	for _, c := range f.Floors {
		s := inference.Summarize(c.Values)
		low, high := inference.SDInterval(s.SD, s.N, 0.05)
		near(t, "noise floor", s.SD, c.SD, 1e-9)
		near(t, "noise floor, low", low, c.Low, 1e-9)
		near(t, "noise floor, high", high, c.High, 1e-9)
	}
}

// Where the arms correlate by 0.1 at most, Welch's test takes the place of the paired one; the script holds it against
// SciPy's Welch statistic and, for negative correlations, SciPy's paired p value.
func TestUnpairedByCorrelation(t *testing.T) {
	for i, c := range loadSizes(t).Unpaired {
		x, y := bySeed(c.X), bySeed(c.Y)
		for k, v := range c.AloneX {
			x[k] = v
		}
		for k, v := range c.AloneY {
			y[k+50] = v
		}
		e := inference.Compare(x, y, inference.Options{})
		name := fmt.Sprintf("case %d: ", i)
		if e.Method != inference.Welch || e.Alone != 0 {
			t.Errorf("%s%s, %d alone", name, e.Method, e.Alone)
		}
		near(t, name+"correlation", e.Correlation, c.R, 1e-9)
		near(t, name+"mean", e.Mean, c.Mean, 1e-9)
		near(t, name+"SE", e.SE, c.SE, 1e-9)
		near(t, name+"df", e.DF, c.DF, 0)
		near(t, name+"p", e.P, c.P, 1e-9)
		near(t, name+"low", e.Low, c.Low, 1e-9)
		near(t, name+"high", e.High, c.High, 1e-9)
		if p := inference.Compare(x, y, inference.Options{Paired: true}).P; len(c.AloneX)+len(c.AloneY) == 0 && e.P < p-1e-12 {
			t.Errorf("%sp %v is below the paired %v", name, e.P, p)
		}
	}
}

func TestNeedsAgainstSciPy(t *testing.T) {
	for i, c := range loadSizes(t).Needs {
		q := looks(c.Margin)
		q.Rule, q.Patient, q.Paired = c.Rule, true, true
		reference, variant := arms(c.D...)
		if got := inference.Sequential(reference, variant, q).Needs; got != c.Needs {
			t.Errorf("case %d: %d more, want %d", i, got, c.Needs)
		}
	}
}

// The outlook meets the same independent simulation as the rules do; its 2,000 draws are good to 0.03.
func TestOutlook(t *testing.T) {
	for _, c := range loadSequences(t).Rows {
		if c.Effect == 0 {
			continue
		}
		q := looks(0)
		q.Rule, q.Patient = c.Rule, true
		o := q.Outlook(-0.004*c.Effect, 0.004)
		within(t, fmt.Sprintf("%s, effect %v: settled", c.Rule, c.Effect), o.Clear, c.Settled, 0.035)
		within(t, fmt.Sprintf("%s, effect %v: replicates", c.Rule, c.Effect), o.Mean, c.Mean, 0.25)
		within(t, "shares", o.Clear+o.False+o.Equivalent+o.Open, 1, 1e-9)
		if o.P10 > o.P50 || o.P50 > o.P90 || o.P90 > 12 {
			t.Errorf("%+v", o)
		}
	}
	none := looks(10).Outlook(0, 1)
	if none.Clear != 0 || none.Equivalent < 0.95 || none.False > 0.05 || none.P50 != 3 {
		t.Errorf("%+v", none)
	}
	smallest := looks(0.5).Smallest(0.004, 0.8)
	if o := looks(0).Outlook(smallest, 0.004); math.Abs(o.Clear-0.8) > 0.01 || smallest < 0.004 || smallest > 0.005 {
		t.Errorf("%v is found with chance %v", smallest, o.Clear)
	}
	if s := looks(0).Smallest(0, 0.8); !math.IsNaN(s) {
		t.Errorf("without noise: %v", s)
	}
	if o := looks(0).Outlook(1, math.NaN()); !math.IsNaN(o.Clear) {
		t.Errorf("%+v", o)
	}
	if b, err := json.Marshal(looks(0).Outlook(1, 0)); err != nil {
		t.Errorf("%s, %v", b, err)
	}
}
