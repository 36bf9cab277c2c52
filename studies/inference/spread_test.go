package inference_test

import (
	_ "embed"
	"encoding/json"
	"math"
	"testing"

	"github.com/mapsweep/mapsweep/studies/inference"
)

// The numbers of testdata/spread.json were computed by SciPy (testdata/spread_gen.py).
//
//go:embed testdata/spread.json
var spreadJSON []byte

func TestSpread(t *testing.T) {
	var f struct {
		SDs []struct {
			SD, Alpha float64
			N         int
			Interval  [2]float64
		}
		Looks []struct {
			Most, Looks, Arms int
			SD, Power, Value  float64
		}
	}
	if err := json.Unmarshal(spreadJSON, &f); err != nil {
		t.Fatal(err)
	}
	for _, c := range f.SDs {
		low, high := inference.SDInterval(c.SD, c.N, c.Alpha)
		near(t, "low", low, c.Interval[0], 1e-9)
		near(t, "high", high, c.Interval[1], 1e-9)
	}
	for _, c := range f.Looks {
		q := inference.Sequence{Rule: inference.Looks, Looks: make([]int, c.Looks), Max: c.Most, Arms: c.Arms}
		near(t, "smallest effect by looks", q.Detectable(c.SD, c.Power), c.Value, 1e-9)
	}
	for _, n := range []int{0, 1} {
		if low, _ := inference.SDInterval(1, n, 0.05); !math.IsNaN(low) {
			t.Errorf("an interval from %d values", n)
		}
		if d := (inference.Sequence{Max: n}).Detectable(1, 0.8); !math.IsNaN(d) {
			t.Errorf("an effect visible with %d pairs", n)
		}
	}
	if low, _ := inference.SDInterval(0, 5, 0.05); !math.IsNaN(low) {
		t.Error("an interval without spread")
	}
	// Rule anytime with g = 4 and 12 pairs: the multiplier is 3.84 (statistics of the rule), that of power 0.876.
	q := inference.Sequence{Rule: inference.Anytime, Max: 12, Arms: 1}
	near(t, "smallest effect at any time", q.Detectable(1, 0.8), (3.84+0.876)/math.Sqrt(12), 2e-3)
	if d := (inference.Sequence{Rule: inference.Anytime, Max: 3, Arms: 1}).Detectable(1, 0.8); !math.IsInf(d, 1) {
		t.Errorf("three pairs conclude nothing at any time, but an effect of %v would be seen", d)
	}
}
