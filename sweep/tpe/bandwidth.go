package tpe

import (
	"cmp"
	"math"
	"slices"
)

// bandwidths are the standard deviations of the kernels at places xs of [0, 1] (NaN: no kernel): the larger
// distance to a neighbour, for the outermost to the only one (Bergstra et al. 2011, section 4; Optuna's consider_endpoints is
// false). least bounds them from below, 1 from above.
func bandwidths(xs []float64, least float64) []float64 {
	order := make([]int, 0, len(xs))
	for k, x := range xs {
		if !math.IsNaN(x) {
			order = append(order, k)
		}
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(xs[a], xs[b]), cmp.Compare(a, b)) })
	n := len(order)
	sigmas := make([]float64, len(xs))
	for i, k := range order {
		var left, right float64
		switch {
		case n == 1:
			left, right = xs[k], 1-xs[k]
		case i == 0:
			right = xs[order[1]] - xs[k]
		case i == n-1:
			left = xs[k] - xs[order[i-1]]
		default:
			left, right = xs[k]-xs[order[i-1]], xs[order[i+1]]-xs[k]
		}
		sigmas[k] = math.Min(math.Max(math.Max(left, right), least), 1)
	}
	return sigmas
}

// least is the smallest bandwidth of a dimension among n observations ("magic clip", Bergstra et al. 2011): the range
// divided by n + 2, at most by 100, and for continuous parameters floor times that. On a grid it stays as it is, where
// narrower kernels would leave next to nothing for the neighbouring values.
func least(n int, floor float64, grid bool) float64 {
	if grid {
		floor = math.Max(floor, 1)
	}
	return math.Max(floor/(float64(n)+2), 0.01)
}
