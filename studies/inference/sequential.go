package inference

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
)

// Rule says when a sequence of replicates may be looked at, and what an interval costs for it.
type Rule string

// The rules.
const (
	// Looks: at each of K planned numbers of replicates the t interval at level 1 - alpha/K. All of them hold at once
	// with probability 1 - alpha (union bound), and so does their intersection.
	Looks Rule = "looks"
	// Anytime: after every replicate, the interval of the t statistic's e-process with a normal prior of variance
	// g sd² on the effect (Rouder et al. 2009; Grünwald, de Heide and Koolen 2024). It may be looked at, and stopped
	// by, as often as one likes.
	Anytime Rule = "anytime"
)

// DefaultG is the prior variance of rule Anytime, in units of the differences' variance.
const DefaultG = 4

// Verdicts that only sequences have; reports read both as "not settled".
const (
	Unsettled   Verdict = "not settled yet" // more replicates are to come
	Futile      Verdict = "futile"          // stopped: the replicates that are left would hardly settle it
	OutOfBudget Verdict = "out of budget"   // all replicates ran, and it is not settled
)

// Sequence says how a variant is settled. Options.Alpha is the chance of a false verdict over all Arms.
type Sequence struct {
	Options
	Rule  Rule
	Looks []int   // rule Looks: rising numbers of pairs, the last is Max
	Max   int     // most pairs
	Arms  int     // variants that are settled side by side; each has Alpha/Arms. 0: 1
	G     float64 // rule Anytime: prior variance; 0: DefaultG
}

// share is the level of one arm.
func (q Sequence) share() float64 { return q.alpha() / float64(max(1, q.Arms)) }

// At says whether a verdict may be given with n pairs.
func (q Sequence) At(n int) bool {
	if q.Rule == Anytime {
		return n >= 2
	}
	return slices.Contains(q.Looks, n)
}

// Next is the next number of pairs, above n, at which a verdict may be given; 0 if there is none.
func (q Sequence) Next(n int) int {
	for k := n + 1; k <= q.Max; k++ {
		if q.At(k) {
			return k
		}
	}
	return 0
}

// Step is one look at a sequence. Low and High are this look's interval, SoFarLow and SoFarHigh the intersection of
// all looks up to it; they can be infinite: nothing can be concluded yet.
type Step struct {
	N         int     `json:"n"`
	Mean      float64 `json:"mean"`
	SD        float64 `json:"sd"`
	Low       float64 `json:"low"`
	High      float64 `json:"high"`
	SoFarLow  float64 `json:"so_far_low"`
	SoFarHigh float64 `json:"so_far_high"`
	E         float64 `json:"e"` // e-value against "no effect", largest so far; NaN for rule Looks
}

// Course is what a sequence of replicates says of a variant. Its Effect is as of the look that settled it, or of the
// last one: Low and High are the intersection of the intervals so far, PHolm is corrected for looks and arms. Replicates
// that came in after the verdict are not used.
type Course struct {
	Effect
	Steps   []Step `json:"steps"`
	Settled bool   `json:"settled"` // better, worse or equivalent
	Done    bool   `json:"done"`    // settled, futile or out of budget: no more replicates
	Needs   int    `json:"needs"`   // about how many pairs more would settle it; 0 if it is settled or that cannot be told
}

// Sequential judges a variant against its reference as its replicates come in, in the order of the keys. Both map a
// replicate to the metric; only those that both have count.
func Sequential[K cmp.Ordered](reference, variant map[K]float64, q Sequence) Course {
	var both []K
	for _, k := range slices.Sorted(maps.Keys(reference)) {
		if v, ok := variant[k]; ok && isFinite(v) && isFinite(reference[k]) {
			both = append(both, k)
		}
	}
	c := Course{}
	low, high, e := math.Inf(-1), math.Inf(1), math.NaN()
	best := 1.0
	for n := q.Next(0); n != 0 && n <= len(both); n = q.Next(n) {
		c.Effect = Compare(restrict(reference, both[:n]), restrict(variant, both[:n]), q.Options)
		s := Step{N: n, Mean: c.Mean, SD: c.SD, E: math.NaN()}
		s.Low, s.High = q.interval(c.Effect)
		if q.Rule == Anytime {
			e = math.Max(q.evidence(c.Effect), orZero(e))
			s.E = e
		}
		low, high = math.Max(low, s.Low), math.Min(high, s.High)
		s.SoFarLow, s.SoFarHigh = low, high
		c.Steps = append(c.Steps, s)
		best = math.Min(best, q.pValue(c.Effect, e))
		c.Low, c.High, c.PHolm, c.Comparisons = low, high, best, max(1, q.Arms)
		c.WideLow, c.WideHigh = low, high
		if c.judge(q, n); c.Done {
			return c
		}
	}
	if len(c.Steps) == 0 {
		c.Effect = Compare(restrict(reference, both), restrict(variant, both), q.Options)
		c.Low, c.High, c.WideLow, c.WideHigh, c.PHolm = math.Inf(-1), math.Inf(1), math.Inf(-1), math.Inf(1), math.NaN()
		c.Verdict, c.Reason = Unsettled, fmt.Sprintf("%d pairs so far, the first look is at %d", len(both), q.Next(0))
	}
	return c
}

// judge sets the verdict after n pairs.
func (c *Course) judge(q Sequence, n int) {
	margin := q.Margin
	switch {
	case c.Low > 0 || c.High < 0:
		c.Settled, c.Verdict = true, Worse
		if (c.Low > 0) != q.Minimize {
			c.Verdict = Better
		}
		c.Reason = fmt.Sprintf("settled after %d pairs: the interval excludes zero", n)
	case margin > 0 && c.Low >= -margin && c.High <= margin:
		c.Settled, c.Verdict = true, Equivalent
		c.Reason = fmt.Sprintf("settled after %d pairs: the interval lies inside the margin of %.4g", n, margin)
	case q.Next(n) == 0:
		c.Verdict, c.Reason = OutOfBudget, fmt.Sprintf("not settled with all %d pairs", n)
	default:
		c.Verdict, c.Reason = Unsettled, fmt.Sprintf("not settled with %d pairs, the next look is at %d", n, q.Next(n))
	}
	c.Done = c.Settled || c.Verdict == OutOfBudget
}

// interval is one look's interval.
func (q Sequence) interval(e Effect) (low, high float64) {
	if e.N < 2 || !(e.SE > 0) {
		return math.Inf(-1), math.Inf(1)
	}
	half := math.Inf(1)
	if q.Rule == Anytime {
		half = anytime(e.N, e.DF, q.g(), q.share()) * e.SE
	} else {
		half = quantile(1-q.share()/float64(2*len(q.Looks)), e.DF) * e.SE
	}
	return e.Mean - half, e.Mean + half
}

// pValue is corrected for looks and arms.
func (q Sequence) pValue(e Effect, evidence float64) float64 {
	arms := float64(max(1, q.Arms))
	if q.Rule == Anytime {
		return math.Min(1, arms/evidence)
	}
	if math.IsNaN(e.P) {
		return 1
	}
	return math.Min(1, e.P*float64(len(q.Looks))*arms)
}

func (q Sequence) g() float64 {
	if q.G > 0 {
		return q.G
	}
	return DefaultG
}

// evidence is the e-value of n pairs against "no effect":
// (1+ng)^(-1/2) [ (1+t²/v) / (1+t²/(v(1+ng))) ]^((v+1)/2), with t = mean/SE and v degrees of freedom.
func (q Sequence) evidence(e Effect) float64 {
	if e.N < 2 || !(e.SE > 0) {
		return 0
	}
	t2, v, ng := (e.Mean/e.SE)*(e.Mean/e.SE), e.DF, 1+float64(e.N)*q.g()
	return math.Exp((v+1)/2*(math.Log1p(t2/v)-math.Log1p(t2/(v*ng))) - math.Log(ng)/2)
}

// anytime is the half-width of the e-process's interval in units of SE: where the e-value against the end of
// the interval is 1/alpha. It is infinite where n pairs can conclude nothing.
func anytime(n int, v, g, alpha float64) float64 {
	ng := 1 + float64(n)*g
	a := math.Pow(math.Sqrt(ng)/alpha, 2/(v+1))
	if a >= ng {
		return math.Inf(1)
	}
	return math.Sqrt(v * (a - 1) / (1 - a/ng))
}

func restrict[K cmp.Ordered](m map[K]float64, keys []K) map[K]float64 {
	out := make(map[K]float64, len(keys))
	for _, k := range keys {
		out[k] = m[k]
	}
	return out
}

func orZero(x float64) float64 {
	if math.IsNaN(x) {
		return 0
	}
	return x
}
