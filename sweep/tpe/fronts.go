package tpe

import (
	"cmp"
	"math"
	"slices"
)

// Several objectives, as in MOTPE (Ozaki et al. 2020 and 2022): trials are ordered by the front that they belong to, and
// within the front that does not fit by how much hypervolume each adds to those chosen before.

// leading returns the best n rows. Complete trials are ordered by fronts, after them come the other tiers.
func (c *columns) leading(n int) []rank {
	if len(c.goals) == 1 {
		return c.best.first(n, c.ranks)
	}
	if c.fresh && len(c.front) >= min(n, c.judged) {
		return c.front[:min(n, len(c.front))]
	}
	var done, rest []rank
	for _, r := range c.ranks {
		if r.tier == complete {
			done = append(done, r)
		} else if r.tier < bad {
			rest = append(rest, r)
		}
	}
	chosen := bestFronts(done, n)
	if len(chosen) < n {
		slices.SortFunc(rest, rank.compare)
		chosen = append(chosen, rest[:min(n-len(chosen), len(rest))]...)
	}
	c.front, c.fresh = chosen, true
	return chosen
}

// bestFronts takes fronts until n rows are chosen, or all.
func bestFronts(rows []rank, n int) []rank {
	slices.SortFunc(rows, func(a, b rank) int {
		return cmp.Or(slices.Compare(a.losses, b.losses), cmp.Compare(a.row, b.row))
	})
	var chosen []rank
	for len(chosen) < n && len(rows) > 0 {
		var front, behind []rank
		for _, r := range rows {
			// Whatever dominates r stands before it in this order.
			if slices.ContainsFunc(front, func(f rank) bool { return dominates(f.losses, r.losses) }) {
				behind = append(behind, r)
			} else {
				front = append(front, r)
			}
		}
		chosen = append(chosen, byVolume(front, min(n-len(chosen), len(front)))...)
		rows = behind
	}
	return chosen
}

func dominates(a, b []float64) bool {
	better := false
	for i := range a {
		if a[i] > b[i] {
			return false
		}
		better = better || a[i] < b[i]
	}
	return better
}

// byVolume chooses n rows of a front, each time the one that adds most hypervolume (greedy; Guerreiro et al. 2016). What one
// adds never grows, so that a gain from before is a bound and few have to be computed again.
func byVolume(front []rank, n int) []rank {
	ref := reference(front)
	type candidate struct {
		rank
		gain  float64
		known int // how many had been chosen when gain was computed
	}
	left := make([]candidate, len(front))
	for i, r := range front {
		left[i] = candidate{r, volume(nil, r.losses, ref), 0}
	}
	var chosen []rank
	var points [][]float64
	for len(chosen) < n {
		i := 0
		for {
			for j := range left {
				if left[j].gain > left[i].gain {
					i = j
				}
			}
			if left[i].known == len(chosen) {
				break
			}
			left[i].gain, left[i].known = volume(points, left[i].losses, ref), len(chosen)
			i = 0
		}
		chosen, points = append(chosen, left[i].rank), append(points, left[i].losses)
		left = slices.Delete(left, i, i+1)
	}
	return chosen
}

// reference is a point a tenth worse than the worst of every objective.
func reference(front []rank) []float64 {
	ref := make([]float64, len(front[0].losses))
	for i := range ref {
		worst := math.Inf(-1)
		for _, r := range front {
			worst = math.Max(worst, r.losses[i])
		}
		if ref[i] = math.Max(1.1*worst, 0.9*worst); ref[i] == worst {
			ref[i] += 1e-12
		}
	}
	return ref
}

// volume is what p adds to the hypervolume of points below ref: its own box less what points cover of that
// (While et al. 2012, exclusive hypervolume).
func volume(points [][]float64, p, ref []float64) float64 {
	box := 1.0
	for i := range p {
		box *= math.Max(ref[i]-p[i], 0)
	}
	var limited [][]float64
	for _, q := range points {
		m := make([]float64, len(p))
		for i := range p {
			m[i] = math.Max(p[i], q[i])
		}
		limited = append(limited, m)
	}
	for i, q := range limited {
		if !slices.ContainsFunc(limited[i+1:], func(o []float64) bool { return slices.Equal(o, q) || dominates(o, q) }) {
			box -= volume(limited[i+1:], q, ref)
		}
	}
	return box
}
