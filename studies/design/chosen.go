package design

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/mapsweep/mapsweep/studies"
)

// shape is the size of a fraction: k factors in 2^p runs.
type shape struct{ k, p int }

// chosen are the generators of the fraction of k factors in 2^p runs that has the highest resolution and, among those,
// the least aberration (Fries and Hunter 1980): fewest short words. Their signs are such that the run with all factors
// at the baseline's level is among the runs.
func chosen(k, p int) []studies.Generator {
	var gs []studies.Generator
	columns := catalogue[shape{k, p}]
	if k == p+1 {
		columns = []uint16{1<<p - 1} // the product of all others
	}
	for i, c := range columns {
		g := studies.Generator{Factor: p + i}
		for f := range p {
			if c>>f&1 == 1 {
				g.Of = append(g.Of, f)
			}
		}
		g.Negative = len(g.Of)%2 == 0
		gs = append(gs, g)
	}
	return gs
}

// seated is the chosen fraction with its columns dealt out so that a factor and one that it requires share as few
// words of length 3 and 4 as can be. Where mixup changes nothing without mosaic, a word of length 4 with both makes
// mixup's effect that of an interaction of the other two, and one of length 3 that of a third factor.
func seated(factors []studies.Factor, p int) []studies.Generator {
	k := len(factors)
	gs := chosen(k, p)
	var pairs [][2]int
	for c, f := range factors {
		for name := range f.Requires {
			if r := slices.IndexFunc(factors, func(g studies.Factor) bool { return g.Name == name }); r >= 0 {
				pairs = append(pairs, [2]int{r, c})
			}
		}
	}
	if len(pairs) == 0 || len(gs) == 0 {
		return gs
	}
	seat := seats(k, pairs, togetherness(newRegular(k, gs)))
	holder := make([]int, k) // seat -> factor
	for f, s := range seat {
		holder[s] = f
	}
	for i, g := range gs {
		gs[i].Factor = holder[g.Factor]
		for j, f := range g.Of {
			gs[i].Of[j] = holder[f]
		}
		slices.Sort(gs[i].Of)
	}
	slices.SortFunc(gs, func(a, b studies.Generator) int { return cmp.Compare(a.Factor, b.Factor) })
	return gs
}

// togetherness weighs the short words that two columns share: many of length 4 are better than one of length 3.
func togetherness(r regular) [][]int {
	k := len(r.cols)
	cost := make([][]int, k)
	for i := range cost {
		cost[i] = make([]int, k)
	}
	r.each(func(factors uint32) {
		n := bits.OnesCount32(factors)
		if n > 4 {
			return
		}
		for i := range k {
			for j := range k {
				if factors>>i&1 == 1 && factors>>j&1 == 1 {
					cost[i][j] += map[int]int{3: 1000, 4: 1}[n]
				}
			}
		}
	})
	return cost
}

// seats deals columns to factors: from their own order it swaps two at a time, always those that help most.
func seats(k int, pairs [][2]int, cost [][]int) []int {
	seat := make([]int, k)
	for f := range seat {
		seat[f] = f
	}
	sum := func() (s int) {
		for _, p := range pairs {
			s += cost[seat[p[0]]][seat[p[1]]]
		}
		return s
	}
	for best := sum(); best > 0; {
		least, a, b := best, 0, 0
		for i := range k {
			for j := range i {
				seat[i], seat[j] = seat[j], seat[i]
				if s := sum(); s < least {
					least, a, b = s, i, j
				}
				seat[i], seat[j] = seat[j], seat[i]
			}
		}
		if least == best {
			break
		}
		seat[a], seat[b] = seat[b], seat[a]
		best = least
	}
	return seat
}
