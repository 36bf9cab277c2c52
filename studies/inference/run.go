package inference

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
)

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
	until := r.both[n-1]
	r.take(Compare(upTo(r.reference, until), upTo(r.variant, until), r.q.Options), n, last)
	return true
}

// take judges the effect of a look.
func (r *run[K]) take(e Effect, n int, last bool) {
	s := Step{N: n, SoFarLow: math.Inf(-1), SoFarHigh: math.Inf(1), E: math.NaN(), ENow: math.NaN()}
	best := 1.0
	if len(r.Steps) > 0 {
		before := r.Steps[len(r.Steps)-1]
		s.SoFarLow, s.SoFarHigh, s.E, best = before.SoFarLow, before.SoFarHigh, before.E, r.PHolm
	}
	s.Mean, s.SD = e.Mean, e.SD
	s.Low, s.High = r.q.interval(e)
	s.SoFarLow, s.SoFarHigh = math.Max(s.SoFarLow, s.Low), math.Min(s.SoFarHigh, s.High)
	if s.SoFarLow > s.SoFarHigh { // nothing is in all of them, so that one is wrong: this look's own says what it saw
		s.SoFarLow, s.SoFarHigh = s.Low, s.High
	}
	if r.q.Rule == Anytime {
		s.ENow = r.q.evidence(e)
		s.E = math.Max(s.ENow, orZero(s.E))
	}
	r.Effect, r.Needs, r.n, r.Steps = e, 0, n, append(r.Steps, s)
	r.Low, r.High, r.WideLow, r.WideHigh = s.SoFarLow, s.SoFarHigh, s.SoFarLow, s.SoFarHigh
	r.PHolm, r.Comparisons, r.Correction = math.Min(best, r.q.pValue(e, s.E)), max(1, r.q.Arms), ByShares
	r.judge(r.q, n, last)
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
		c.Reason += fmt.Sprintf("; it needs about %d more", Roughly(c.Needs))
	}
}

// Roughly rounds a number of replicates up to two digits: it is a guess.
func Roughly(n int) int {
	unit := math.Pow(10, max(0, math.Floor(math.Log10(float64(n)))-1))
	return int(math.Ceil(float64(n)/unit) * unit)
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
