package inference

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// Outlook is what a sequence will do, before it has run: from simulated differences with a true effect and a standard
// deviation, normal and paired. Shares are 0 to 1.
type Outlook struct {
	Clear      float64 `json:"clear"`      // better or worse, in the true direction
	False      float64 `json:"false"`      // better or worse otherwise
	Equivalent float64 `json:"equivalent"` //
	Open       float64 `json:"open"`       // futile or out of budget
	Mean       float64 `json:"mean"`       // replicates of a variant until it stops
	P10        int     `json:"p10"`
	P50        int     `json:"p50"`
	P90        int     `json:"p90"`
}

// outlookDraws is how many sequences are simulated.
const outlookDraws = 2000

// Outlook simulates the sequence of one variant whose true effect is given, with sd that of paired differences (DifferenceSD).
// It draws the same numbers each time. With a standard deviation that is not above 0 it is NaN.
func (q Sequence) Outlook(effect, sd float64) Outlook {
	o := Outlook{}
	if !(sd > 0) || q.Max < 2 {
		nan := math.NaN()
		return Outlook{Clear: nan, False: nan, Equivalent: nan, Open: nan, Mean: nan}
	}
	used := make([]int, outlookDraws)
	for i, d := range standardDraws(q.Max) {
		c := q.planned(effect, sd, d)
		used[i] = c.N
		o.Mean += float64(c.N) / outlookDraws
		switch {
		case c.Verdict == Equivalent:
			o.Equivalent += 1.0 / outlookDraws
		case !c.Settled:
			o.Open += 1.0 / outlookDraws
		case effect != 0 && c.Mean*effect > 0:
			o.Clear += 1.0 / outlookDraws
		default:
			o.False += 1.0 / outlookDraws
		}
	}
	slices.Sort(used)
	o.P10, o.P50, o.P90 = used[outlookDraws/10], used[outlookDraws/2], used[outlookDraws*9/10]
	return o
}

// Smallest is the smallest true effect that the sequence calls better or worse with the given chance, to 1 % of sd. It
// is NaN without a standard deviation, and infinite if no effect of up to 1000 sd is.
func (q Sequence) Smallest(sd, power float64) float64 {
	if !(sd > 0) || q.Max < 2 {
		return math.NaN()
	}
	q.Patient, q.Margin = true, 0 // neither is what limits it
	draws := standardDraws(q.Max)
	found := func(effect float64) bool {
		n := 0
		for _, d := range draws {
			if c := q.planned(effect, 1, d); c.Settled && c.Mean > 0 {
				n++
			}
		}
		return float64(n) >= power*outlookDraws
	}
	low, high := 0.0, 1.0
	for !found(high) {
		if low, high = high, 2*high; high > 1000 {
			return math.Inf(1)
		}
	}
	for high-low > 0.01 {
		if mid := (low + high) / 2; found(mid) {
			high = mid
		} else {
			low = mid
		}
	}
	return high * sd
}

// standardDraws are sequences of n standard normal numbers.
func standardDraws(n int) [][]float64 {
	rng := rand.New(rand.NewPCG(1, 2))
	out := make([][]float64, outlookDraws)
	for i := range out {
		out[i] = make([]float64, n)
		for j := range out[i] {
			out[i][j] = rng.NormFloat64()
		}
	}
	return out
}

// planned is the course of differences effect + sd z.
func (q Sequence) planned(effect, sd float64, z []float64) Course {
	r := run[int]{q: q}
	d := make([]float64, len(z))
	for i := range z {
		d[i] = effect + sd*z[i]
	}
	for n := q.Next(0); n != 0 && n <= len(d) && !r.Done; n = q.Next(n) {
		e := Effect{Method: Paired, N: n, DF: float64(n - 1), Options: q.Options, P: math.NaN()}
		e.Mean, e.SD = stat.MeanStdDev(d[:n], nil)
		e.SE = e.SD / math.Sqrt(float64(n))
		r.take(e, n, q.Next(n) == 0)
	}
	return r.Course
}
