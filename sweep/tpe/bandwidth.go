package tpe

import (
	"math"
	"slices"
)

// bandwidths are the standard deviations of the kernels at places xs of [0, 1] (NaN: no kernel): the larger
// distance to a neighbour, for the outermost to the only one (Bergstra et al. 2011, section 4; Optuna's consider_endpoints is
// false). least bounds them from below, 1 from above.
func bandwidths(xs []float64, least float64) []float64 {
	order := sorted(xs)
	n := len(order)
	sigmas := make([]float64, len(xs))
	for i, at := range order {
		var left, right float64
		switch {
		case n == 1:
			left, right = at.x, 1-at.x
		case i == 0:
			right = order[1].x - at.x
		case i == n-1:
			left = at.x - order[i-1].x
		default:
			left, right = at.x-order[i-1].x, order[i+1].x-at.x
		}
		sigmas[at.k] = math.Min(math.Max(math.Max(left, right), least), 1)
	}
	return sigmas
}

// sorted are the places of xs that are not NaN, by place and then by number. They are dealt out to as many buckets as there are
// places, in which few are left to sort: places are drawn from [0, 1], and a suggestion sorts hundreds in each dimension.
func sorted(xs []float64) []place {
	bucket := func(x float64) int { return int(math.Min(math.Max(x, 0), 1) * float64(len(xs)-1)) }
	ends := make([]int, len(xs)+1)
	for _, x := range xs {
		if !math.IsNaN(x) {
			ends[bucket(x)+1]++
		}
	}
	for i := range xs {
		ends[i+1] += ends[i]
	}
	order := make([]place, ends[len(xs)])
	for k, x := range xs {
		if !math.IsNaN(x) {
			b := bucket(x)
			order[ends[b]] = place{x, k}
			ends[b]++ // the beginning of the next bucket once this one is full
		}
	}
	from := 0
	for _, to := range ends[:len(xs)] {
		if to-from > 1 {
			slices.SortFunc(order[from:to], place.compare)
		}
		from = to
	}
	return order
}

// place is where observation k lies.
type place struct {
	x float64
	k int
}

func (a place) compare(b place) int {
	switch {
	case a.x < b.x:
		return -1
	case a.x > b.x:
		return 1
	}
	return a.k - b.k
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
