package inference

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Ranks compares k arms over N data sets by their ranks (Demšar 2006): Friedman's test of "all arms are alike", and what mean
// ranks must differ by (Nemenyi). With few data sets it finds next to nothing.
type Ranks struct {
	Sets      int         `json:"sets"`
	Mean      []float64   `json:"mean"` // mean rank of each arm, 1 is best, ties share
	ChiSquare float64     `json:"chi_square"`
	P         float64     `json:"p"`        // of Friedman's chi-square with k-1 degrees of freedom, corrected for ties
	F         float64     `json:"f"`        // Iman and Davenport: (N-1) chi² / (N (k-1) - chi²)
	PF        float64     `json:"p_f"`      // F distribution with k-1 and (k-1)(N-1) degrees of freedom
	Critical  float64     `json:"critical"` // difference of mean ranks: q[1-alpha, k]/sqrt(2) sqrt(k (k+1)/(6 N))
	Pairwise  [][]float64 `json:"pairwise"` // Nemenyi's p values
}

// Friedman ranks arms on each data set: scores[i][j] of data set i and arm j, larger is better. A data set with a missing
// score is left out. ok is false with fewer than two data sets or two arms, or if all arms tie everywhere.
func Friedman(scores [][]float64, alpha float64) (r Ranks, ok bool) {
	var sum []float64
	ties := 0.0
	for _, s := range scores {
		if len(finite(s)) < len(s) || len(s) == 0 {
			continue
		}
		ranks, tied := rank(s)
		if sum == nil {
			sum = make([]float64, len(s))
		}
		for j, x := range ranks {
			sum[j] += x
		}
		r.Sets++
		ties += tied
	}
	n, k := float64(r.Sets), float64(len(sum))
	if r.Sets < 2 || len(sum) < 2 || ties >= n*k*(k*k-1) {
		return r, false
	}
	squares := 0.0
	for _, x := range sum {
		r.Mean = append(r.Mean, x/n)
		squares += x * x
	}
	r.ChiSquare = (12/(n*k*(k+1))*squares - 3*n*(k+1)) / (1 - ties/(n*k*(k*k-1)))
	r.P = distuv.ChiSquared{K: k - 1}.Survival(r.ChiSquare)
	r.F, r.PF = math.Inf(1), 0
	if rest := n*(k-1) - r.ChiSquare; rest > 1e-9 {
		r.F = (n - 1) * r.ChiSquare / rest
		r.PF = distuv.F{D1: k - 1, D2: (k - 1) * (n - 1)}.Survival(r.F)
	}
	unit := math.Sqrt(k * (k + 1) / (6 * n))
	r.Critical = studentizedRange(1-alpha, len(sum)) / math.Sqrt2 * unit
	for i := range r.Mean {
		row := make([]float64, len(sum))
		for j := range row {
			row[j] = 1 - withinRange(math.Abs(r.Mean[i]-r.Mean[j])/unit*math.Sqrt2, len(sum))
		}
		r.Pairwise = append(r.Pairwise, row)
	}
	return r, true
}

// rank gives 1 to the largest value and ties their mean rank; tied is the sum of t³-t over groups of t equal values.
func rank(values []float64) (ranks []float64, tied float64) {
	for i, v := range values {
		above, equal := 0, 0
		for _, w := range values {
			if w > v {
				above++
			} else if w == v {
				equal++
			}
		}
		ranks = append(ranks, float64(above)+float64(equal+1)/2)
		if !slices.Contains(values[:i], v) {
			t := float64(equal)
			tied += t*t*t - t
		}
	}
	return ranks, tied
}

// withinRange is P(range of k standard normal values <= q) = k ∫ φ(z) (Φ(z) - Φ(z-q))^(k-1) dz.
func withinRange(q float64, k int) float64 {
	sum := 0.0
	for _, n := range normalNodes(4) {
		sum += n.w * float64(k) * math.Pow(normal(n.x)-normal(n.x-q), float64(k-1))
	}
	return min(1, sum)
}

// studentizedRange is its quantile with infinitely many degrees of freedom.
func studentizedRange(p float64, k int) float64 {
	low, high := 0.0, 20.0
	for range 60 {
		if mid := (low + high) / 2; withinRange(mid, k) < p {
			low = mid
		} else {
			high = mid
		}
	}
	return (low + high) / 2
}

// Wilcoxon is the two-sided p value of the signed-rank test of two arms over data sets, pairs of scores. Differences of zero are left
// out; the distribution over all signs is computed exactly, ties sharing their mean rank. It is NaN if no difference is left.
func Wilcoxon(pairs []Pair) float64 {
	var size []float64
	var sign []bool
	for _, p := range pairs {
		if d := p.Variant - p.Reference; isFinite(d) && d != 0 {
			size, sign = append(size, -math.Abs(d)), append(sign, d > 0)
		}
	}
	if len(size) == 0 {
		return math.NaN()
	}
	ranks, _ := rank(size)
	positive, all := 0, 0
	chance := []float64{1} // of each sum of doubled ranks of positive differences
	for i, r := range ranks {
		double := int(math.Round(2 * r))
		all += double
		if sign[i] {
			positive += double
		}
		next := make([]float64, len(chance)+double)
		for s, c := range chance {
			next[s] += c / 2
			next[s+double] += c / 2
		}
		chance = next
	}
	p := 0.0
	for s := 0; s <= min(positive, all-positive); s++ {
		p += chance[s]
	}
	return min(1, 2*p)
}
