package inference

import (
	"fmt"
	"math"
	"slices"
)

// Verdict is what may be concluded about a variant.
type Verdict string

// The verdicts. NotShown is not "no effect": the interval leaves room for both.
const (
	Better     Verdict = "better"     // Holm's p value is below alpha and the difference is in the metric's favour
	Worse      Verdict = "worse"      // the same, to its disadvantage
	Equivalent Verdict = "equivalent" // the interval lies inside the margin of no practical weight
	NotShown   Verdict = "not shown"  // neither
	NotTested  Verdict = "not tested" // too few or unvarying values for any interval
	Inert      Verdict = "inert"      // set by readers that know: the trainer does not tell the two arms apart
)

// Correction is how verdicts that are read together are corrected for their number.
type Correction string

// The corrections. The first three are named as in study files.
const (
	ByHolm    Correction = "holm"    // Holm's p values, Bonferroni intervals: any number of replicates that was fixed before
	ByDunnett Correction = "dunnett" // many arms against one reference, all values, one pooled variance
	ByEBH     Correction = "e-bh"    // the e-values of rule Anytime; bounds the share of false verdicts among those given
	ByShares  Correction = "shares"  // alpha shared out over arms and looks (Bonferroni): sequences
)

// Name is the correction for people.
func (c Correction) Name() string {
	switch c {
	case ByHolm:
		return "Holm"
	case ByDunnett:
		return "Dunnett"
	case ByEBH:
		return "e-BH"
	case ByShares:
		return "shares of alpha (Bonferroni)"
	}
	return "none"
}

// Holm adjusts p values for their number (Holm 1979): the result, in the same order,
// can be held against alpha. NaN stays NaN and does not count.
func Holm(p []float64) []float64 {
	out := make([]float64, len(p))
	var order []int
	for i, x := range p {
		out[i] = math.NaN()
		if !math.IsNaN(x) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case p[a] < p[b]:
			return -1
		case p[a] > p[b]:
			return 1
		}
		return 0
	})
	highest := 0.0
	for rank, i := range order {
		highest = max(highest, min(1, p[i]*float64(len(order)-rank)))
		out[i] = highest
	}
	return out
}

// Family corrects effects that are read together, all variants of a study say, by Holm.
func Family(effects []Effect) []Effect { return FamilyBy(effects, ByHolm) }

// FamilyBy corrects effects that are read together and were compared with a number of replicates that was fixed
// before: it returns them with corrected p values, simultaneous intervals, verdicts and reasons. ByDunnett needs one
// reference for all and puts the pooled test of all values in the place of each effect's own; where it cannot be done,
// and for every other correction, it is Holm. Effects that could not be tested (one seed, no spread) do not count
// as comparisons of Holm's.
func FamilyBy(effects []Effect, by Correction) []Effect {
	out := slices.Clone(effects)
	if by != ByDunnett || !dunnett(out) {
		holm(out)
	}
	for i := range out {
		out[i].judge()
	}
	return out
}

// holm sets Holm's p values and Bonferroni intervals.
func holm(effects []Effect) {
	p := make([]float64, len(effects))
	tested := 0
	for i, e := range effects {
		p[i] = e.P
		if !math.IsNaN(e.P) {
			tested++
		}
	}
	adjusted := Holm(p)
	for i := range effects {
		e := &effects[i]
		e.Comparisons, e.Correction, e.PHolm = tested, ByHolm, adjusted[i]
		e.WideLow, e.WideHigh = e.interval(e.Options.alpha() / float64(max(1, tested)))
	}
}

// judge sets verdict and reason from the corrected numbers.
func (e *Effect) judge() {
	if math.IsNaN(e.P) {
		e.Verdict, e.Reason = NotTested, e.untested()
		return
	}
	alpha, margin := e.Options.alpha(), e.Options.Margin
	inside := margin > 0 && e.WideLow >= -margin && e.WideHigh <= margin
	switch {
	case e.PHolm < alpha:
		e.Verdict, e.Reason = e.direction(), "the difference is clear"
		if e.Comparisons > 1 {
			e.Reason += fmt.Sprintf(" after correction for %d comparisons", e.Comparisons)
		}
		if inside {
			e.Reason += fmt.Sprintf(", but it is smaller than the margin of %.4g that matters in practice", margin)
		}
	case inside:
		e.Verdict, e.Reason = Equivalent, fmt.Sprintf("the interval lies inside the margin of %.4g that does not matter in practice", margin)
	case e.P < alpha:
		e.Verdict = NotShown
		e.Reason = fmt.Sprintf("clear on its own (p = %.2g), but not among %d comparisons (p = %.2g)", e.P, e.Comparisons, e.PHolm)
	default:
		e.Verdict = NotShown
		e.Reason = fmt.Sprintf("%d pairs leave room for effects from %+.3g to %+.3g", e.N, e.Low, e.High)
		if e.Method != Paired {
			e.Reason = fmt.Sprintf("the two arms leave room for effects from %+.3g to %+.3g", e.Low, e.High)
		}
	}
}

// direction is the verdict of a difference that is clear.
func (e *Effect) direction() Verdict {
	if (e.Mean > 0) != e.Options.Minimize {
		return Better
	}
	return Worse
}

// untested says why there is no interval.
func (e *Effect) untested() string {
	switch {
	case e.Reference.N == 0 && e.Variant.N == 0:
		return "neither the reference nor the variant has a finished trial"
	case e.Reference.N == 0:
		return "the reference has no finished trial"
	case e.Variant.N == 0:
		return "the variant has no finished trial"
	case e.N == 0:
		return "the arms share no seed"
	case e.N == 1 && e.Method == Welch:
		return "an arm with one trial has no spread; at least two are needed"
	case e.N == 1:
		return "one seed only: nothing says how much seeds differ; at least two are needed"
	case e.Mean == 0:
		return "every trial scored exactly as the reference with its seed: the change seems to do nothing"
	}
	return "all differences are exactly equal: a t interval needs spread"
}
