package nsga

import (
	"cmp"
	"math"
	"slices"
)

// individual is a trial as the algorithm sees it.
type individual struct {
	number    int
	place     []float64 // on each axis of the unit cube
	known     []bool    // whether the trial has a value there
	losses    []float64 // of each objective, less is better
	violation float64   // sum of violated constraints; 0: feasible, +Inf: it has no losses
	rank      int       // of its front, from 0
	crowding  float64   // size of the empty box around it, +Inf at the ends of a front
}

// dominates is Deb's constrained domination (section VI-B): less violation is better, and between feasible ones the
// objectives decide.
func (a *individual) dominates(b *individual) bool {
	if a.violation != b.violation {
		return a.violation < b.violation
	}
	if a.violation > 0 {
		return false
	}
	better := false
	for i := range a.losses {
		if a.losses[i] > b.losses[i] {
			return false
		}
		better = better || a.losses[i] < b.losses[i]
	}
	return better
}

// fronts sorts individuals into fronts, each of which only those before dominate (section III-A), and gives ranks and crowding
// distances.
func fronts(all []*individual) [][]*individual {
	dominators := make(map[*individual]int, len(all))
	dominated := make(map[*individual][]*individual, len(all))
	var front []*individual
	for _, a := range all {
		for _, b := range all {
			if a.dominates(b) {
				dominated[a] = append(dominated[a], b)
				dominators[b]++
			}
		}
	}
	for _, a := range all {
		if dominators[a] == 0 {
			front = append(front, a)
		}
	}
	var out [][]*individual
	for len(front) > 0 {
		crowd(front)
		var next []*individual
		for _, a := range front {
			a.rank = len(out)
			for _, b := range dominated[a] {
				if dominators[b]--; dominators[b] == 0 {
					next = append(next, b)
				}
			}
		}
		out = append(out, front)
		slices.SortFunc(next, func(a, b *individual) int { return cmp.Compare(a.number, b.number) })
		front = next
	}
	return out
}

// crowd gives the crowding distances of a front (section III-B).
func crowd(front []*individual) {
	for _, a := range front {
		a.crowding = 0
	}
	if front[0].violation > 0 {
		return
	}
	sorted := slices.Clone(front)
	for m := range front[0].losses {
		slices.SortStableFunc(sorted, func(a, b *individual) int { return cmp.Compare(a.losses[m], b.losses[m]) })
		first, last := sorted[0], sorted[len(sorted)-1]
		width := last.losses[m] - first.losses[m]
		first.crowding, last.crowding = math.Inf(1), math.Inf(1)
		if width == 0 {
			continue
		}
		for i := 1; i < len(sorted)-1; i++ {
			sorted[i].crowding += (sorted[i+1].losses[m] - sorted[i-1].losses[m]) / width
		}
	}
}

// selected are the n that survive: whole fronts, and of the last the least crowded.
func selected(all []*individual, n int) []*individual {
	var out []*individual
	for _, front := range fronts(all) {
		if len(out)+len(front) > n {
			front = slices.Clone(front)
			slices.SortStableFunc(front, func(a, b *individual) int { return cmp.Compare(b.crowding, a.crowding) })
			front = front[:n-len(out)]
		}
		if out = append(out, front...); len(out) == n {
			break
		}
	}
	return out
}
