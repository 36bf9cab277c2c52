package inference

import (
	"math"
	"slices"
)

// ExpectedBest is what the best of n of these values is on average, for n = 1 to len(values), if the values are
// independent draws from one distribution, as the scores of a random search are and those of an adaptive one are not:
//
//	E[best of n] = sum over i = n..B of C(i-1, n-1)/C(B, n) v_(i)
//
// with v_(1) the worst and v_(B) the best (Tang et al. 2020, the unbiased form of Dodge et al. 2019: all subsets of n of
// the B values weigh alike). Two searches are compared at equal budgets by the same n. NaN and infinities are left out.
func ExpectedBest(values []float64, minimize bool) []float64 {
	v := finite(values)
	slices.Sort(v)
	if minimize {
		slices.Reverse(v)
	}
	out := make([]float64, len(v))
	b := float64(len(v))
	for n := 1; n <= len(v); n++ {
		weight, sum := float64(n)/b, 0.0 // of the best: C(B-1, n-1)/C(B, n)
		for i := len(v); i >= n; i-- {
			sum += weight * v[i-1]
			weight *= float64(i-n) / math.Max(1, float64(i-1))
		}
		out[n-1] = sum
	}
	return out
}
