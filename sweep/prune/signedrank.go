package prune

import (
	"cmp"
	"math"
	"slices"
)

// exactUpTo is up to how many differences the distribution is enumerated; beyond, it is close to a normal one.
const exactUpTo = 50

// signedRank is the one-sided p value of the signed-rank test (Wilcoxon 1945): how likely the sum of the ranks of the positive
// differences is at least as large as here, were every sign a fair coin. Equal sizes share their mean rank. Differences of
// zero are ranked, too (Pratt 1959), and give half their ranks to either side. 1 for no differences but zeros.
//
// Up to exactUpTo differences the p value is exact given the ranks, ties included, by the shift algorithm (Streitberg and
// Roehmel 1986) over doubled ranks; beyond, it is that of a normal distribution with mean and variance of the rank sum, without
// a correction for continuity.
func signedRank(differences []float64) float64 {
	twice, plus := doubledRanks(differences)
	if len(twice) == 0 {
		return 1
	}
	if len(differences) <= exactUpTo {
		return tail(twice, plus)
	}
	mean, variance := 0.0, 0.0
	for _, r := range twice {
		rank := float64(r) / 2
		mean += rank / 2
		variance += rank * rank / 4
	}
	z := (float64(plus)/2 - mean) / math.Sqrt(variance)
	return math.Erfc(z/math.Sqrt2) / 2
}

// doubledRanks are twice the mid-ranks of the sizes of the differences that are not zero, and twice the sum of those
// that belong to positive ones.
func doubledRanks(differences []float64) (twice []int, plus int) {
	d := slices.Clone(differences)
	slices.SortFunc(d, func(a, b float64) int { return cmp.Compare(math.Abs(a), math.Abs(b)) })
	for i := 0; i < len(d); {
		j := i
		for j < len(d) && math.Abs(d[j]) == math.Abs(d[i]) {
			j++
		}
		rank := i + 1 + j // twice the mean of ranks i+1 to j
		for _, x := range d[i:j] {
			if x == 0 {
				continue
			}
			twice = append(twice, rank)
			if x > 0 {
				plus += rank
			}
		}
		i = j
	}
	return twice, plus
}

// tail is the share of all choices of a subset whose sum is at least plus.
func tail(values []int, plus int) float64 {
	total := 0
	for _, v := range values {
		total += v
	}
	share := make([]float64, total+1) // by sum, of the subsets of the values so far
	share[0] = 1
	top := 0
	for _, v := range values {
		top += v
		for s := top; s >= 0; s-- {
			x := share[s] / 2
			if s >= v {
				x += share[s-v] / 2
			}
			share[s] = x
		}
	}
	p := 0.0
	for _, x := range share[plus:] {
		p += x
	}
	return min(1, p)
}
