package inference

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// EBH is the e-Benjamini-Hochberg procedure (Wang and Ramdas 2022): of m e-values, sorted down, the k largest are
// rejected for the largest k with e_(k) >= m/(k alpha). The expected share of false ones among those rejected is at
// most alpha whatever the dependence of the e-values, as of arms that share their reference. NaN counts as 0.
func EBH(e []float64, alpha float64) []bool {
	out := make([]bool, len(e))
	for i, p := range adjustE(e, len(e)) {
		out[i] = p <= alpha
	}
	return out
}

// adjustE gives the smallest alpha at which EBH rejects each of m e-values, at most 1; those that are not there
// count as 0.
func adjustE(e []float64, m int) []float64 {
	order := make([]int, len(e))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return -cmp.Compare(orZero(e[a]), orZero(e[b])) })
	out := make([]float64, len(e))
	least := 1.0
	for k := len(order); k > 0; k-- {
		i := order[k-1]
		least = min(least, float64(m)/(float64(k)*orZero(e[i])))
		out[i] = least
	}
	return out
}

// Contrast is a variant and its reference, each by replicate. Variants of a block may count the replicates of their reference
// in orders of their own.
type Contrast[K cmp.Ordered] struct{ Reference, Variant map[K]float64 }

// Together judges all variants of a block as their replicates come in. Rule Looks gives each its share of alpha, as
// Sequential does. Rule Anytime gives verdicts by e-BH over the arms, unless Sequence.Correction is ByShares:
//
// After every pair the arms' e-values are held against each other. Those that are rejected are settled and stop; their
// e-values stay as they were, and so they stay rejected: whatever the other arms do, k can only grow. An arm that lags
// behind counts as 0 until it has as many pairs, so that its pairs can add verdicts later and take back none. An arm
// shown to be equivalent counts as 0. "Equivalent" and the intervals of arms without a verdict stay at the arm's share of
// alpha; one that is better or worse when k of m are has the interval at level 1 - k alpha/m as of that look, which
// excludes zero just where e-BH rejects (e-BY, Xu, Wang and Ramdas 2024: of such intervals a share of alpha at most
// misses its effect, on average).
//
// Sequence.Arms counts variants that are not here too; 0 or less than those here: as many as here.
func Together[K cmp.Ordered](variants []Contrast[K], q Sequence) []Course {
	q.Arms = max(q.Arms, len(variants))
	q.together = q.Rule == Anytime && q.Correction != ByShares
	runs := make([]*run[K], len(variants))
	out := make([]Course, len(variants))
	for i, v := range variants {
		runs[i] = start(v.Reference, v.Variant, q)
	}
	for n := q.Next(0); n != 0; n = q.Next(n) {
		for _, r := range runs {
			if next, _ := q.look(r.n, len(r.both)); !r.Done && next != 0 && next <= n {
				r.step()
			}
		}
		if q.together {
			settle(runs, n)
		}
	}
	for i, r := range runs {
		out[i] = r.end()
	}
	return out
}

// settle gives the verdicts of e-BH with n pairs.
func settle[K cmp.Ordered](runs []*run[K], n int) {
	e := make([]float64, len(runs))
	for i, r := range runs {
		if len(r.Steps) > 0 && (r.Done || r.n == n) && r.Verdict != Equivalent && r.Verdict != NotTested {
			e[i] = r.Steps[len(r.Steps)-1].ENow
		}
	}
	adjusted, rejected := adjustE(e, runs[0].q.Arms), 0
	for i, p := range adjusted {
		if p <= runs[i].q.alpha() && e[i] > 0 {
			rejected++
		}
	}
	for i, p := range adjusted {
		r := runs[i]
		if len(r.Steps) == 0 || r.Verdict == NotTested {
			continue
		}
		r.Correction = ByEBH
		if r.Done || r.n == n {
			r.PHolm = math.Min(p, r.PHolm)
		}
		if p <= r.q.alpha() && !r.Settled && e[i] > 0 {
			r.reject(e[i], r.q.alpha()*float64(rejected)/float64(r.q.Arms))
		}
	}
}

// reject settles a variant that e-BH rejects, with its interval at level 1 - alpha as of its last look. That excludes
// zero just where the e-value is at least 1/alpha; where rounding makes them disagree there is no verdict.
func (r *run[K]) reject(e, alpha float64) {
	half := anytime(r.n, r.DF, r.q.g(), alpha) * r.SE
	if !(half < math.Abs(r.Mean)) {
		return
	}
	r.Done, r.Settled, r.Needs, r.Verdict = true, true, 0, r.direction()
	r.Low, r.High = r.Mean-half, r.Mean+half
	r.WideLow, r.WideHigh = r.Low, r.High
	r.Reason = fmt.Sprintf("settled after %s: an e-value of %.3g among %d variants", pairs(r.n), e, r.q.Arms)
}
