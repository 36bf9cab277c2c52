package claims

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// Power is the chance of showing an effect with the replicates that Judged.Needs says.
const Power = 0.8

// Evidence is what a study found of one pair: the effect of To against From in the claim's unit, counted so that
// larger is better. For Points that is the difference in points, for Ratio what is saved or gained as a fraction.
// Low and High are the interval at the claim's level; infinite or NaN while nothing can be concluded.
type Evidence struct {
	N      int
	Effect float64
	SD     float64 // of the differences over seeds: for Points in points, for Ratio of logarithms
	Low    float64
	High   float64
	Reason string // why there is no interval, or why it must not be read; "" if there is nothing to say
	Void   bool   // the interval must not be read, for Reason
	// Sequence is the rule by which replicates were added, its Arms the pairs that are judged together; nil: their number
	// was fixed.
	Sequence *inference.Sequence
}

// Judged is a verdict on one pair.
type Judged struct {
	Evidence
	Verdict  Verdict
	Expected *Interval // counted as Effect is; nil: no figure was published
	Needs    int       // INCONCLUSIVE: about how many replicates would show an effect of NeedsFor; 0: that cannot be told, or too many
	NeedsFor float64
	Sentence string // what it means

	enough bool // as many replicates have run as show the claimed effect
}

// Judge holds what was found against what was claimed. Of one effect [L, U], expected [e1, e2] (0 < e1 <= e2) and
// margin d the first of these that holds is the verdict:
//
//	U < 0                   CONTRADICTED
//	L > e2                  LARGER
//	L > 0 and U < e1        SMALLER
//	L > 0                   SUPPORTED: [L, U] meets [e1, e2]
//	-d <= L and U <= d      NO RELEVANT EFFECT
//	else                    INCONCLUSIVE
//
// Where no figure was published the direction alone is judged: L > 0 is SUPPORTED. pairs is the number of verdicts that
// are given together; each has Alpha / pairs.
func (c Claim) Judge(e Evidence, expected *Interval, pairs int) Judged {
	j := Judged{Evidence: e, Expected: c.gains(expected)}
	j.Verdict = verdict(e, j.Expected, c.Margin)
	if j.Verdict == Inconclusive && !e.Void {
		c.needs(&j, c.Alpha/float64(max(1, pairs)))
	}
	j.Sentence = c.sentence(j)
	return j
}

func verdict(e Evidence, claimed *Interval, margin float64) Verdict {
	switch {
	case e.Void || math.IsNaN(e.Low) || math.IsNaN(e.High) || e.Low > e.High:
		return Inconclusive
	case e.High < 0:
		return Contradicted
	case e.Low > 0 && claimed == nil:
		return Supported
	case e.Low > 0 && e.Low > claimed.High:
		return Larger
	case e.Low > 0 && e.High < claimed.Low:
		return Smaller
	case e.Low > 0:
		return Supported
	case e.Low >= -margin && e.High <= margin:
		return NoRelevantEffect
	}
	return Inconclusive
}

// needs is about how many replicates would show the smallest effect that was claimed. If as many have run already, the
// effect is probably smaller, and it is how many would show one of the margin's size. Without a figure it is that, too.
func (c Claim) needs(j *Judged, alpha float64) {
	j.NeedsFor = math.NaN()
	if j.N < 2 || !(j.SD > 0) {
		return
	}
	if j.Expected != nil {
		j.NeedsFor, j.Needs = j.Expected.Low, c.needed(j.Evidence, j.Expected.Low, alpha)
		if j.Needs == 0 || j.Needs > j.N {
			return
		}
		j.enough = true
	}
	j.NeedsFor, j.Needs = c.Margin, c.needed(j.Evidence, c.Margin, alpha)
	if j.Needs > 0 {
		j.Needs = max(j.N+1, j.Needs)
	}
}

// needed is about how many replicates show an effect in the claim's unit, by the rule by which they were added.
func (c Claim) needed(e Evidence, effect, alpha float64) int {
	d := c.distance(effect)
	if e.Sequence != nil {
		return e.Sequence.NeededFor(d, e.SD, Power)
	}
	return Needed(d, e.SD, alpha)
}

// distance is a gain on the scale of the differences: of a ratio the logarithm of what is left, 1 - x, or has become, 1 + x,
// so that larger is better.
func (c Claim) distance(x float64) float64 {
	switch {
	case c.Unit != Ratio:
		return x
	case c.Direction == trials.Minimize:
		return -math.Log1p(-min(x, 1))
	}
	return math.Log1p(x)
}

// Needed is the number of pairs that show a true effect with chance Power at level alpha, for differences that scatter
// by sd: ((z[1-alpha/2] + z[Power]) sd / effect)² + z[1-alpha/2]²/2, rounded up (Guenther 1981). It is for one look at a fixed
// number of pairs; looking several times costs more, see inference.Sequence.NeededFor. It is 0 where it cannot be told.
func Needed(effect, sd, alpha float64) int {
	if !(effect > 0) || !(sd > 0) {
		return 0
	}
	z := distuv.UnitNormal.Quantile(1 - alpha/2)
	k := (z + distuv.UnitNormal.Quantile(Power)) * sd / effect
	return int(math.Min(math.Ceil(k*k+z*z/2), math.MaxInt32))
}

// Gain counts a published effect so that larger is better: of a ratio what is saved (1 minus it), or gained where more
// is better.
func (c Claim) Gain(x float64) float64 {
	switch {
	case c.Unit == Ratio && c.Direction == trials.Minimize:
		return 1 - x
	case c.Unit == Ratio:
		return x - 1
	case c.Direction == trials.Minimize:
		return -x
	}
	return x
}

func (c Claim) gains(i *Interval) *Interval {
	if i == nil {
		return nil
	}
	a, b := c.Gain(i.Low), c.Gain(i.High)
	return &Interval{math.Min(a, b), math.Max(a, b)}
}

// worst orders the verdicts of a claim in steps: the claim is no better than its worst step.
var worst = []Verdict{Contradicted, NoRelevantEffect, Inconclusive, Smaller, Larger, Supported}

// Worst is the verdict on a claim whose pairs got these: CONTRADICTED if any is, else NO RELEVANT EFFECT, INCONCLUSIVE,
// SMALLER, LARGER, SUPPORTED, in this order. Without pairs it is INCONCLUSIVE.
func Worst(pairs []Judged) Verdict {
	for _, v := range worst {
		if slices.ContainsFunc(pairs, func(j Judged) bool { return j.Verdict == v }) {
			return v
		}
	}
	return Inconclusive
}

// Amount writes an effect in the claim's unit: "+1.25 points", "+29.7 %".
func (c Claim) Amount(x float64) string {
	if c.Unit == Ratio {
		return number(100*x, 1) + " %"
	}
	return number(x, 2) + " points"
}

// number has a sign, a true minus.
func number(x float64, decimals int) string {
	text := strconv.FormatFloat(math.Abs(x), 'f', decimals, 64)
	if x < 0 && strings.Trim(text, "0.") != "" {
		return "−" + text
	}
	return "+" + text
}

// Range writes the ends of an interval: "+0.90 to +1.40 points"; one value alone if they are equal.
func (c Claim) Range(low, high float64) string {
	switch {
	case low == high:
		return c.Amount(low)
	case c.Unit == Ratio:
		return number(100*low, 1) + " to " + c.Amount(high)
	}
	return number(low, 2) + " to " + c.Amount(high)
}

// sentence says what a verdict means.
func (c Claim) sentence(j Judged) string {
	small := ""
	if j.Low >= -c.Margin && j.High <= c.Margin {
		small = fmt.Sprintf(", though all of the interval is within the margin of %s", c.plain(c.Margin))
	}
	switch j.Verdict {
	case Supported:
		if j.Expected == nil {
			return "The advice improves the metric; no figure was published, so that the direction alone was checked" + small + "."
		}
		return "The advice improves the metric, and the interval meets what was claimed" + small + "."
	case Smaller:
		return "The advice improves the metric by less than was claimed" + small + "."
	case Larger:
		return "The advice improves the metric by more than was claimed."
	case Contradicted:
		return "The advice makes the metric worse" + small + "."
	case NoRelevantEffect:
		return fmt.Sprintf("Whatever the advice does, it is within the margin of %s.", c.plain(c.Margin))
	}
	switch {
	case j.Reason != "":
		return "Nothing can be concluded: " + j.Reason + "."
	case math.IsNaN(j.NeedsFor):
		return "Nothing can be concluded: there is no interval."
	case j.Needs == 0 && j.enough:
		return fmt.Sprintf("The replicates would have shown the claimed effect in four cases of five, so it is probably smaller. "+
			"One of %s is too small beside the noise to be shown.", c.plain(j.NeedsFor))
	case j.Needs == 0:
		return fmt.Sprintf("The interval leaves room for an improvement and for none. An effect of %s is too small beside the noise to be shown.", c.plain(j.NeedsFor))
	case j.enough:
		return fmt.Sprintf("The replicates would have shown the claimed effect in four cases of five, so it is probably smaller. "+
			"About %d replicates would show one of %s.", j.Needs, c.plain(j.NeedsFor))
	}
	return fmt.Sprintf("The interval leaves room for an improvement and for none. About %d replicates would show an effect of %s in four cases of five.",
		j.Needs, c.plain(j.NeedsFor))
}

// plain is an amount without a sign.
func (c Claim) plain(x float64) string { return c.Amount(x)[1:] }

// MarshalJSON writes a missing number as null.
func (j Judged) MarshalJSON() ([]byte, error) {
	finite := func(x float64) *float64 {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil
		}
		return &x
	}
	out := struct {
		Verdict  Verdict   `json:"verdict"`
		N        int       `json:"n"`
		Effect   *float64  `json:"effect"`
		SD       *float64  `json:"sd"`
		Low      *float64  `json:"low"`
		High     *float64  `json:"high"`
		Expected *Interval `json:"expected"`
		Needs    int       `json:"needs,omitempty"`
		NeedsFor *float64  `json:"needs_for,omitempty"`
		Sentence string    `json:"sentence"`
	}{j.Verdict, j.N, finite(j.Effect), finite(j.SD), finite(j.Low), finite(j.High), j.Expected, j.Needs, nil, j.Sentence}
	if j.Needs > 0 {
		out.NeedsFor = finite(j.NeedsFor)
	}
	return json.Marshal(out)
}
