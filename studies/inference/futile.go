package inference

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// hopeless is the chance of being settled by Max below which going on is futile.
const hopeless = 0.05

// most is the largest number of pairs that needs looks for.
const most = 10_000

// futile says that a variant that is not settled after n pairs has a chance below hopeless of being settled at
// the last look, whatever the true effect is, as long as the interval so far holds it. The most favourable effect of the
// interval is taken, and the standard deviation as seen. Looks between are not counted: with the default ones that
// costs next to nothing, with looks of one's own that lie close together the chance of being settled can be larger.
func (q Sequence) futile(c *Course, n int) bool {
	if !(c.SD > 0) || math.IsInf(c.Low, 0) || math.IsInf(c.High, 0) {
		return false
	}
	left := float64(q.Max - n)
	middle := min(max(-float64(n)*c.Mean/left, c.Low), c.High) // brings the mean of all pairs to zero, for equivalence
	for _, effect := range []float64{c.High, c.Low, middle} {
		if q.chance(c, n, effect) >= hopeless {
			return false
		}
	}
	return true
}

// hope is the rule by which a variant could be settled at the easiest: e-BH may ask for no more than 1/alpha of it.
func (q Sequence) hope() Sequence {
	if q.together {
		q.Arms = 1
	}
	return q
}

// chance is the probability that the last look settles a variant whose n pairs so far have mean m and standard deviation
// s, if the r pairs that are left are normal with mean effect and standard deviation s. With M their mean and W their
// sum of squares about it (W/s² is chi-square with r-1 degrees of freedom), all N = n+r pairs have
//
//	mean = (n m + r M)/N    SS = (n-1)s² + W + (n r/N)(M-m)²    half-width h = c sqrt(SS/(N-1)/N)
//
// They are settled if h < |mean| or, with a margin, if mean ± h lies inside it; either is W below a bound that
// depends on M. The integral over M is the trapezoidal sum over effect ± 5 s/sqrt(r).
func (q Sequence) chance(c *Course, n int, effect float64) float64 {
	all, r, s := float64(q.Max), float64(q.Max-n), c.SD
	width := q.halfWidth(q.Max, all-1)
	if math.IsInf(width, 1) {
		return 0
	}
	const nodes, reach = 40, 5.0
	step := 2 * reach / nodes
	sum := 0.0
	for i := range nodes + 1 {
		z := -reach + step*float64(i)
		m := effect + z*s/math.Sqrt(r)
		mean := (float64(n)*c.Mean + r*m) / all
		h := max(math.Abs(mean), q.room(c, mean)) // largest half-width that settles
		bound := h*h/(width*width)*all*(all-1) - float64(n-1)*s*s - float64(n)*r/all*(m-c.Mean)*(m-c.Mean)
		sum += step * math.Exp(-z*z/2) / math.Sqrt(2*math.Pi) * chiSquare(bound/(s*s), r-1)
	}
	return sum
}

// room is how far an interval about mean may reach and still make the intersection of intervals lie inside the margin.
func (q Sequence) room(c *Course, mean float64) float64 {
	room := math.Inf(1)
	if q.Margin == 0 {
		return 0
	}
	if c.Low < -q.Margin {
		room = min(room, mean+q.Margin)
	}
	if c.High > q.Margin {
		room = min(room, q.Margin-mean)
	}
	return max(0, room)
}

// chiSquare is the distribution function; with no degrees of freedom all weight is at zero.
func chiSquare(x, df float64) float64 {
	switch {
	case x < 0:
		return 0
	case df == 0 || math.IsInf(x, 1):
		return 1
	}
	return distuv.ChiSquared{K: df}.CDF(x)
}

// needs is about how many pairs beyond n would settle a variant with the usual power if mean and sd stay as they are: the
// least N with h(N) + t[power, N-1] sd/sqrt(N) below |mean|, or below margin - |mean|; h is a look's half-width.
// It is 0 where that cannot be told or is beyond all reason.
func (q Sequence) needs(mean, sd float64, n int) int {
	gap := max(math.Abs(mean), q.Margin-math.Abs(mean))
	if !(sd > 0) || !(gap > 0) {
		return 0
	}
	return max(0, q.least(gap, sd, DefaultPower, n)-n)
}

// NeededFor is about how many pairs show a true effect with the given power, sd being the standard deviation of the
// differences: the least n with h(n) + t[power, n-1] sd/sqrt(n) no larger than the effect, where h is a look's half-width;
// up to Max the next number of pairs that is looked at. It is 0 where that cannot be told or is above 10,000.
func (q Sequence) NeededFor(effect, sd, power float64) int {
	if !(sd > 0) || !(effect > 0) {
		return 0
	}
	n := q.least(effect, sd, power, 1)
	if n == 0 {
		return 0
	}
	return max(n, q.Next(n-1))
}

// least is the least number of pairs above n whose half-width and t quantile of the power are within the gap; 0 if it is
// above most.
func (q Sequence) least(gap, sd, power float64, n int) int {
	enough := func(k int) bool {
		df := float64(k - 1)
		return (q.halfWidth(k, df)+quantile(power, df))*sd/math.Sqrt(float64(k)) <= gap
	}
	if !enough(most) {
		return 0
	}
	low, high := n, most // halving: more pairs never make it wider
	for high-low > 1 {
		if mid := (low + high) / 2; enough(mid) {
			high = mid
		} else {
			low = mid
		}
	}
	return high
}
