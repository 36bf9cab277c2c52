package inference

import "math"

// Detectable is the smallest true difference that the sequence settles as better or worse, by its last look at the
// latest, with about the given power: (c + t[power, n-1]) * sd / sqrt(n), where n is the most pairs, sd the standard
// deviation of the differences and c what the interval of that look has in units of the standard error. Earlier looks
// add a little power that is not counted. NaN where it cannot be told.
func (q Sequence) Detectable(sd, power float64) float64 {
	n := q.Max
	if n < 2 || !(sd >= 0) {
		return math.NaN()
	}
	df := float64(n - 1)
	c := anytime(n, df, q.g(), q.share())
	if q.Rule != Anytime {
		c = quantile(1-q.share()/float64(2*max(1, len(q.Looks))), df)
	}
	if d := (c + quantile(power, df)) * sd / math.Sqrt(float64(n)); isFinite(d) {
		return d
	}
	return math.NaN()
}
