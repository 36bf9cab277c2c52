package inference

import (
	"cmp"
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
	// Last says that no more replicates will ever come, though there may be fewer than Max, as when some failed. What there
	// is between two looks gets the next one's share of alpha then. Whether it is set must not depend on the scores. A study
	// whose device-hours are used up may go on with more: it leaves Last out, and waits at its last planned look.
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
// all looks up to it, or this look's own if nothing lies in all of them; they can be infinite: nothing can be concluded yet.
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
