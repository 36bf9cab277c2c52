package inference_test

import (
	"math"
	"testing"

	"github.com/mapsweep/mapsweep/studies/inference"
)

// The numbers of the cases with spread are the formula's in Python: s = sqrt((0.02+0.08)/3) with 3 degrees of freedom, and
// 2.353363 from tables of Student's distribution.
func TestCautious(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name     string
		groups   [][]float64
		minimize bool
		want     []float64
	}{
		{"nothing", nil, false, []float64{}},
		{"no replicates", [][]float64{{3}, {}, {1}}, false, []float64{3, nan, 1}},
		{"replicates", [][]float64{{1.0, 1.2}, {0.8, 1.0, 1.2}, {1.3}}, false, []float64{0.796182, 0.751934, 0.870337}},
		{"turned", [][]float64{{1.0, 1.2}, {0.8, 1.0, 1.2}, {1.3}}, true, []float64{1.403818, 1.248066, 1.729663}},
		{"no spread", [][]float64{{2, 2}, {3}}, false, []float64{2, 3}},
		{"not a number", [][]float64{{2, nan}, {3}}, false, []float64{2, 3}},
	} {
		got := inference.Cautious(c.groups, c.minimize)
		for i, w := range c.want {
			if math.IsNaN(w) != math.IsNaN(got[i]) || math.Abs(got[i]-w) > 5e-7 {
				t.Errorf("%s: %v, want %v", c.name, got, c.want)
				break
			}
		}
	}
}
