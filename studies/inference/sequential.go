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
	// Last says that no more replicates will come, though there may be fewer than Max: the budget is spent, or some
	// failed. What there is gets the next look's share of alpha. Whether it is set must not depend on the scores.
	Last bool
	// Correction says how Together corrects for the arms under rule Anytime: ByEBH ("" is the same) or ByShares.
	// Rule Looks has shares, and so has a variant that is judged alone by Sequential.
	Correction Correction
	// Patient keeps a variant going until Max even where the rest would hardly settle it: no verdict Futile.
	Patient bool

	together bool // judged by e-BH with other arms
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

// look is the next look after n pairs where there are have of them; 0 if there is none yet. last says that it is the final one.
func (q Sequence) look(n, have int) (next int, last bool) {
	next = q.Next(n)
	if next == 0 || next > have {
		if !q.Last || have <= n || have < 2 || next == 0 {
			return 0, false
		}
		next = have
	}
	return next, q.Next(next) == 0 || q.Last && q.Next(next) > have && next == have
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
	E         float64 `json:"e"`     // e-value against "no effect", largest so far; NaN for rule Looks
	ENow      float64 `json:"e_now"` // the same as of this look alone
}

// Course is what a sequence of replicates says of a variant. Its Effect is as of the look that settled it, or of the
// last one: Low and High are the intersection of the intervals so far, PHolm is corrected for looks and arms. Replicates
// that came in after the verdict are not used.
type Course struct {
	Effect
	Steps   []Step `json:"steps"`
	Settled bool   `json:"settled"` // better, worse or equivalent
	Done    bool   `json:"done"`    // no more replicates: settled, futile, out of budget, or there is nothing to test
	Needs   int    `json:"needs"`   // about how many pairs more would settle it; 0 if it is settled or that cannot be told
}

// Sequential judges a variant against its reference as its replicates come in, in the order of the keys. Both map a
// replicate to the metric; looks count those that both have. Where pairing does not help, rule Looks is that of
// Welch's test with all values up to the look (see Compare); rule Anytime keeps to the paired statistic, which its
// e-process is made for.
func Sequential[K cmp.Ordered](reference, variant map[K]float64, q Sequence) Course {
	r := start(reference, variant, q)
	for !r.Done && r.step() {
	}
	return r.end()
}

// run is a sequence under way.
type run[K cmp.Ordered] struct {
	Course
	q                  Sequence
	reference, variant map[K]float64
	both               []K // replicates that both have, in order
	n                  int // pairs of the last look
}

func start[K cmp.Ordered](reference, variant map[K]float64, q Sequence) *run[K] {
	q.Paired = q.Paired || q.Rule == Anytime // the e-process is the paired statistic's
	r := &run[K]{q: q, reference: reference, variant: variant}
	for _, k := range slices.Sorted(maps.Keys(reference)) {
		if v, ok := variant[k]; ok && isFinite(v) && isFinite(reference[k]) {
			r.both = append(r.both, k)
		}
	}
	return r
}

// step takes the next look, if there are pairs for it.
func (r *run[K]) step() bool {
	n, last := r.q.look(r.n, len(r.both))
	if n == 0 {
		return false
	}
	s := Step{N: n, SoFarLow: math.Inf(-1), SoFarHigh: math.Inf(1), E: math.NaN(), ENow: math.NaN()}
	best := 1.0
	if len(r.Steps) > 0 {
		before := r.Steps[len(r.Steps)-1]
		s.SoFarLow, s.SoFarHigh, s.E, best = before.SoFarLow, before.SoFarHigh, before.E, r.PHolm
	}
	until := r.both[n-1]
	r.Effect = Compare(upTo(r.reference, until), upTo(r.variant, until), r.q.Options)
	s.Mean, s.SD = r.Mean, r.SD
	s.Low, s.High = r.q.interval(r.Effect)
	s.SoFarLow, s.SoFarHigh = math.Max(s.SoFarLow, s.Low), math.Min(s.SoFarHigh, s.High)
	if r.q.Rule == Anytime {
		s.ENow = r.q.evidence(r.Effect)
		s.E = math.Max(s.ENow, orZero(s.E))
	}
	r.n, r.Steps = n, append(r.Steps, s)
	r.Low, r.High, r.WideLow, r.WideHigh = s.SoFarLow, s.SoFarHigh, s.SoFarLow, s.SoFarHigh
	r.PHolm, r.Comparisons, r.Correction = math.Min(best, r.q.pValue(r.Effect, s.E)), max(1, r.q.Arms), ByShares
	r.judge(r.q, n, last)
	return true
}

// end is the course as far as it went.
func (r *run[K]) end() Course {
	if len(r.Steps) == 0 {
		r.Effect = Compare(restrict(r.reference, r.both), restrict(r.variant, r.both), r.q.Options)
		r.Low, r.High, r.WideLow, r.WideHigh, r.PHolm = math.Inf(-1), math.Inf(1), math.Inf(-1), math.Inf(1), math.NaN()
		if r.Done = r.q.Last; r.Done {
			r.Effect = Compare(r.reference, r.variant, r.q.Options)
			r.untest()
		} else {
			r.Verdict, r.Reason = Unsettled, fmt.Sprintf("%s so far, the first look is at %d", pairs(len(r.both)), r.q.Next(0))
		}
	} else if r.q.Last && !r.Done { // the pairs ended at a look
		r.give(OutOfBudget, fmt.Sprintf("not settled with %s, and no more will come", pairs(r.n)))
	}
	return r.Course
}

// judge sets the verdict after n pairs.
func (c *Course) judge(q Sequence, n int, last bool) {
	margin := q.Margin
	switch {
	case c.Low > 0 || c.High < 0:
		c.Settled, c.Verdict = true, c.direction()
		c.Reason = fmt.Sprintf("settled after %s: the interval excludes zero", pairs(n))
	case margin > 0 && c.Low >= -margin && c.High <= margin:
		c.Settled, c.Verdict = true, Equivalent
		c.Reason = fmt.Sprintf("settled after %s: the interval lies inside the margin of %.4g", pairs(n), margin)
	case c.SD == 0 && (c.Mean == 0 || last):
		c.Done = true
		c.untest()
	default:
		c.unsettled(q, n, last)
	}
	c.Done = c.Done || c.Settled
}

// untest takes back the numbers of an effect that cannot be tested and says why.
func (c *Course) untest() {
	c.Verdict, c.Reason = NotTested, c.untested()
	c.P, c.PHolm, c.Needs = math.NaN(), math.NaN(), 0
	c.Low, c.High, c.WideLow, c.WideHigh = math.NaN(), math.NaN(), math.NaN(), math.NaN()
}

// unsettled says whether to go on after n pairs.
func (c *Course) unsettled(q Sequence, n int, last bool) {
	c.Needs = q.needs(c.Mean, c.SD, n)
	switch {
	case last && n < q.Max:
		c.give(OutOfBudget, fmt.Sprintf("not settled with %s, and no more will come", pairs(n)))
	case last:
		c.give(OutOfBudget, fmt.Sprintf("not settled with all %s", pairs(n)))
	case !q.Patient && q.hope().futile(c, n):
		c.give(Futile, fmt.Sprintf("stopped after %s: the %d that are left would hardly settle it", pairs(n), q.Max-n))
	default:
		c.Verdict, c.Reason = Unsettled, fmt.Sprintf("not settled with %s, the next look is at %d", pairs(n), q.Next(n))
	}
}

// give ends the sequence unsettled.
func (c *Course) give(v Verdict, why string) {
	c.Done, c.Verdict, c.Reason = true, v, why
	if c.Needs > 0 {
		c.Reason += fmt.Sprintf("; it needs about %.0f more", roughly(c.Needs))
	}
}

// roughly rounds up to two digits.
func roughly(n int) float64 {
	unit := math.Pow(10, max(0, math.Floor(math.Log10(float64(n)))-1))
	return math.Ceil(float64(n)/unit) * unit
}

func pairs(n int) string {
	if n == 1 {
		return "1 pair"
	}
	return fmt.Sprintf("%d pairs", n)
}

// upTo leaves out what comes after a key.
func upTo[K cmp.Ordered](m map[K]float64, last K) map[K]float64 {
	out := make(map[K]float64, len(m))
	for k, v := range m {
		if k <= last {
			out[k] = v
		}
	}
	return out
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
