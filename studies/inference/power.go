package inference

import "math"

// Power is the chance that a paired t test on n pairs at two-sided level alpha finds a true difference delta, where
// sd is the standard deviation of the differences: that of the noncentral t with parameter delta sqrt(n)/sd beyond ±t[1-alpha/2, n-1].
func Power(n int, delta, sd, alpha float64) float64 {
	if n < 2 || !(sd > 0) {
		return math.NaN()
	}
	df := float64(n - 1)
	t, ncp := quantile(1-alpha/2, df), delta*math.Sqrt(float64(n))/sd
	return 1 - noncentral(t, df, ncp) + noncentral(-t, df, ncp)
}

// Detectable is the smallest true difference that a paired t test on n pairs finds
// with the given power: (t[1-alpha/2, n-1] + t[power, n-1]) * sd / sqrt(n), where sd
// is the standard deviation of the differences. For m comparisons give alpha/m. It is
// NaN with fewer than two pairs. The formula is the usual approximation by central t
// quantiles; it is a few percent off the exact one for small n.
func Detectable(n int, sd, alpha, power float64) float64 {
	if n < 2 || !(sd >= 0) {
		return math.NaN()
	}
	df := float64(n - 1)
	return (quantile(1-alpha/2, df) + quantile(power, df)) * sd / math.Sqrt(float64(n))
}

// DifferenceSD forecasts the standard deviation of paired differences from the spread
// of the baseline over seeds, if both arms scatter alike and correlate by rho:
// sd * sqrt(2 (1 - rho)). Without knowledge take rho = 0.
func DifferenceSD(sd, rho float64) float64 { return sd * math.Sqrt(2*(1-rho)) }

// Needed is the smallest number of pairs, at most limit, with which Detectable is not
// above delta. ok is false if limit pairs do not suffice.
func Needed(delta, sd, alpha, power float64, limit int) (n int, ok bool) {
	for n = 2; n <= limit; n++ {
		if Detectable(n, sd, alpha, power) <= delta {
			return n, true
		}
	}
	return limit, false
}
