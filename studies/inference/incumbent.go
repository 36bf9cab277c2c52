package inference

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/mapsweep/mapsweep/trials"
)

// Candidate is a configuration that a search has tried: its objective values, by data set (nil or empty: none there), one for each
// replicate that completed. All candidates have their data sets in the same order.
type Candidate struct {
	Blocks [][]float64
}

// Standing is how far a candidate can be trusted.
type Standing struct {
	Candidate int     // its index
	Mean      float64 // over data sets, of the means over replicates
	Bound     float64 // what the mean is at least (when minimising: at most), with 95 % confidence, one-sided
	N         int     // values
}

// incumbentLevel is the confidence of Standing.Bound, one-sided.
const incumbentLevel = 0.95

// Incumbents ranks candidates by their lower confidence bounds (upper ones when minimising), so that a single lucky value does not
// rank before a good mean of several: the first one is the incumbent. Ties go to the candidate with more values, then to the earlier one.
//
// The bound is mean ∓ t(0.95, ν) s √(Σ_d 1/n_d) / D, over D data sets with n_d values each. The spread s is pooled over all cells of
// a candidate and a data set: s² = Σ Σ (y - ȳ)² / ν with ν = Σ (n - 1) (Snedecor and Cochran, Statistical Methods, 8th ed.,
// section 12.10: the error mean square of a one-way classification, and the t interval of a class mean by it). It holds for a candidate that was run
// once, too. Where no candidate was run twice nothing is known of chance, and bounds are the means themselves.
//
// Candidates without a value on one of the data sets that any has are left out: their means are of something else. So is
// one with a value that is not finite.
func Incumbents(dir trials.Direction, cs []Candidate) []Standing {
	used := map[int]bool{}
	for _, c := range cs {
		for d, ys := range c.Blocks {
			if len(ys) > 0 {
				used[d] = true
			}
		}
	}
	var out []Standing
	squares, free := 0.0, 0
	errs := map[int]float64{} // √(Σ 1/n_d) / D, by candidate
	for i, c := range cs {
		s, sq, nu, width, ok := standing(c, used)
		if !ok {
			continue
		}
		s.Candidate = i
		squares, free, errs[i] = squares+sq, free+nu, width
		out = append(out, s)
	}
	half := 0.0
	if free > 0 {
		t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(free)}.Quantile(incumbentLevel)
		half = t * math.Sqrt(squares/float64(free))
	}
	if dir != trials.Maximize {
		half = -half
	}
	for k := range out {
		out[k].Bound = out[k].Mean - half*errs[out[k].Candidate]
	}
	slices.SortStableFunc(out, func(a, b Standing) int {
		switch {
		case dir.Better(a.Bound, b.Bound):
			return -1
		case dir.Better(b.Bound, a.Bound):
			return 1
		}
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Candidate, b.Candidate))
	})
	return out
}

// standing is a candidate's mean, its sum of squares and degrees of freedom, and the width of its bound in units of
// s t. ok is false for one that cannot be compared.
func standing(c Candidate, used map[int]bool) (s Standing, squares float64, free int, width float64, ok bool) {
	for d := range used {
		if d >= len(c.Blocks) || len(c.Blocks[d]) == 0 {
			return s, 0, 0, 0, false
		}
	}
	inverse := 0.0
	for _, ys := range c.Blocks {
		if len(ys) == 0 {
			continue
		}
		mean := 0.0
		for _, y := range ys {
			if math.IsNaN(y) || math.IsInf(y, 0) {
				return s, 0, 0, 0, false
			}
			mean += y / float64(len(ys))
		}
		for _, y := range ys {
			squares += (y - mean) * (y - mean)
		}
		free += len(ys) - 1
		inverse += 1 / float64(len(ys))
		s.Mean += mean / float64(len(used))
		s.N += len(ys)
	}
	return s, squares, free, math.Sqrt(inverse) / float64(max(1, len(used))), s.N > 0
}
