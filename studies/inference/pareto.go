package inference

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/mapsweep/mapsweep/trials"
)

// Dominates says whether a is better than b in one objective and worse in none (Pareto). values and directions go
// together; NaN neither dominates nor is dominated.
func Dominates(a, b []float64, directions []trials.Direction) bool {
	better := false
	for i, d := range directions {
		switch x, y := a[i], b[i]; {
		case math.IsNaN(x) || math.IsNaN(y) || d.Better(y, x):
			return false
		case d.Better(x, y):
			better = true
		}
	}
	return better
}

// Front is the Pareto front: the indexes, in order, of those points that no other one dominates. A point that lacks a value, or
// has NaN, is not on it; of points that are the same all are.
func Front(points [][]float64, directions []trials.Direction) []int {
	var front []int
	for i, p := range points {
		if !hasAll(p, directions) {
			continue
		}
		dominated := slices.ContainsFunc(points, func(q []float64) bool {
			return hasAll(q, directions) && Dominates(q, p, directions)
		})
		if !dominated {
			front = append(front, i)
		}
	}
	return front
}

func hasAll(p []float64, directions []trials.Direction) bool {
	return len(p) == len(directions) && !slices.ContainsFunc(p, math.IsNaN)
}

// Nadir is a reference point for Hypervolume where none is given: in each objective the worst value of all points, and a tenth
// of the range beyond. Two studies can only be compared with one and the same point. It is nil without points.
func Nadir(points [][]float64, directions []trials.Direction) []float64 {
	var worst, best []float64
	for _, p := range points {
		if !hasAll(p, directions) {
			continue
		}
		if worst == nil {
			worst, best = slices.Clone(p), slices.Clone(p)
		}
		for i, d := range directions {
			if d.Better(worst[i], p[i]) {
				worst[i] = p[i]
			}
			if d.Better(p[i], best[i]) {
				best[i] = p[i]
			}
		}
	}
	for i := range worst {
		worst[i] += (worst[i] - best[i]) / 10
	}
	return worst
}

// Hypervolume is the size of what points dominate up to a reference point (Zitzler and Thiele 1998), exactly, for one to three
// objectives; in the product of their units. Points that are not better than the reference in every objective add nothing.
func Hypervolume(points [][]float64, reference []float64, directions []trials.Direction) (float64, error) {
	n := len(directions)
	if n < 1 || n > 3 || len(reference) != n || slices.ContainsFunc(reference, math.IsNaN) {
		return 0, fmt.Errorf("hypervolume of %d objectives with the reference point %v: one to three have one", n, reference)
	}
	var losses [][]float64 // how far below the reference, as negative numbers
	for _, p := range points {
		if !hasAll(p, directions) {
			continue
		}
		l := make([]float64, n)
		inside := true
		for i, d := range directions {
			l[i] = p[i] - reference[i]
			if d == trials.Maximize {
				l[i] = -l[i]
			}
			inside = inside && l[i] < 0
		}
		if inside {
			losses = append(losses, l)
		}
	}
	return volume(losses), nil
}

// volume is what negative points dominate up to the origin: the last coordinate is swept from the best up, and each slice
// has the volume, in one dimension less, of the points met so far.
func volume(losses [][]float64) float64 {
	if len(losses) == 0 {
		return 0
	}
	last := len(losses[0]) - 1
	losses = slices.Clone(losses)
	slices.SortFunc(losses, func(a, b []float64) int { return cmp.Compare(a[last], b[last]) })
	if last == 0 {
		return -losses[0][0]
	}
	sum := 0.0
	var met [][]float64
	for i, l := range losses {
		met = append(met, l[:last])
		next := 0.0
		if i+1 < len(losses) {
			next = losses[i+1][last]
		}
		if next > l[last] {
			sum += (next - l[last]) * volume(met)
		}
	}
	return sum
}
