package inference

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// SDInterval is the interval at level 1-alpha of the standard deviation of normal values, of which n had the standard
// deviation sd (divisor n-1): sd sqrt((n-1)/q) with the quantiles q of the chi-square distribution with n-1 degrees of
// freedom at 1-alpha/2 and alpha/2. With few values it is wide: with 5 from 0.6 to 2.9 times sd. NaN without spread.
func SDInterval(sd float64, n int, alpha float64) (low, high float64) {
	if n < 2 || !(sd > 0) {
		return math.NaN(), math.NaN()
	}
	chi := distuv.ChiSquared{K: float64(n - 1)}
	df := float64(n - 1)
	return sd * math.Sqrt(df/chi.Quantile(1-alpha/2)), sd * math.Sqrt(df/chi.Quantile(alpha/2))
}

// Detectable is the smallest true difference that the sequence shows with the given power once all its Max pairs are
// there, sd being the standard deviation of the differences: the half-width of its last look's interval and the t
// quantile of the power. Looks before may show it sooner. NaN with fewer than two pairs, infinite where Max pairs
// conclude nothing.
func (q Sequence) Detectable(sd, power float64) float64 {
	if q.Max < 2 || !(sd >= 0) {
		return math.NaN()
	}
	df := float64(q.Max - 1)
	half := q.halfWidth(q.Max, df)
	return (half + quantile(power, df)) * sd / math.Sqrt(float64(q.Max))
}
