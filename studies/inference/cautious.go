package inference

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Cautious are the values by which configurations are ranked, one for each group of replicate scores. Where no
// configuration was repeated these are the scores themselves. Else each is the end, on the worse side, of a one-sided
// 95 % interval of the mean: mean ∓ t s/√n, with s pooled over the groups of two or more (their spread is taken to be
// alike, as for replicates of one trainer) and t the 0.95 quantile of Student's distribution with its degrees of freedom.
// So one lucky score does not outrank a configuration that proved itself: its n is 1. NaN for a group without scores.
func Cautious(groups [][]float64, minimize bool) []float64 {
	var squares float64
	df := 0
	out := make([]float64, len(groups))
	for i, g := range groups {
		s := Summarize(g)
		out[i] = s.Mean
		if s.N > 1 {
			squares += s.SD * s.SD * float64(s.N-1)
			df += s.N - 1
		}
	}
	if df == 0 || squares == 0 {
		return out
	}
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(df)}.Quantile(0.95)
	half := t * math.Sqrt(squares/float64(df))
	if minimize {
		half = -half
	}
	for i, g := range groups {
		out[i] -= half / math.Sqrt(float64(len(finite(g))))
	}
	return out
}
