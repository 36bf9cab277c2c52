package inference

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// noncentral is the distribution of the noncentral t, P((Z + ncp)/s <= t) with s² chi-square over its df degrees of freedom. It
// integrates over what is the smoother: for small t ∫ f(s) Φ(t s - ncp) ds, else
// Φ(-ncp) + ∫ φ(z) P(s >= (z + ncp)/t) dz from -ncp up.
func noncentral(t, df, ncp float64) float64 {
	if t < 0 {
		return 1 - noncentral(-t, df, -ncp)
	}
	sum := 0.0
	if t < 1 {
		for _, n := range chiNodes(df) {
			sum += n.w * normal(t*n.x-ncp)
		}
		return sum
	}
	const end = 9.0
	if -ncp > end {
		return 1
	}
	chi := distuv.ChiSquared{K: df}
	for _, n := range panels(max(-ncp, -end), end, 3) {
		s := (n.x + ncp) / t
		sum += n.w * math.Exp(-n.x*n.x/2) / math.Sqrt(2*math.Pi) * chi.Survival(df*s*s)
	}
	return normal(-ncp) + sum
}

// noncentrality is the parameter with which a value at most t has probability p, by halving.
func noncentrality(t, df, p float64) float64 {
	low, high := t-1, t+1 // the probability falls as the parameter rises
	for step := 2.0; noncentral(t, df, low) < p && step < 1e9; step *= 2 {
		low -= step
	}
	for step := 2.0; noncentral(t, df, high) > p && step < 1e9; step *= 2 {
		high += step
	}
	for high-low > 1e-13*max(1, math.Abs(high)) {
		mid := (low + high) / 2
		if mid <= low || mid >= high {
			break
		}
		if noncentral(t, df, mid) > p {
			low = mid
		} else {
			high = mid
		}
	}
	return (low + high) / 2
}
