package compare

import (
	"fmt"
	"math"

	"github.com/mapsweep/mapsweep/studies/inference"
)

// spread is the difference of two effects of which at least one was measured until it was settled. A t interval would
// be too narrow then. The two effects' own intervals hold however their studies stopped, so that the difference lies
// between their outer ends: in [low(b) - high(a), high(b) - low(a)]. There is no p value.
func spread(a, b inference.Effect, o inference.Options) inference.Effect {
	e := inference.Effect{Method: "intervals of both effects", N: min(a.N, b.N), Mean: b.Mean - a.Mean, Options: o, P: math.NaN(), PHolm: math.NaN(),
		SD: math.NaN(), SE: math.NaN(), DF: math.NaN(), Correlation: math.NaN(), Comparisons: 1,
		Reference: inference.Summary{N: a.N, Mean: a.Mean, SD: a.SD}, Variant: inference.Summary{N: b.N, Mean: b.Mean, SD: b.SD}}
	lowA, highA := outer(a)
	lowB, highB := outer(b)
	e.Low, e.High = lowB-highA, highB-lowA
	if math.IsNaN(e.Low) || math.IsInf(e.Low, 0) || math.IsInf(e.High, 0) {
		e.Low, e.High = math.NaN(), math.NaN()
		e.WideLow, e.WideHigh = e.Low, e.High
		e.Verdict, e.Reason = inference.NotTested, "an effect has no interval yet"
		return e
	}
	e.WideLow, e.WideHigh = e.Low, e.High
	switch {
	case e.Low > 0 || e.High < 0:
		e.Verdict, e.Reason = inference.Worse, "the intervals of the two effects do not overlap"
		if (e.Low > 0) != o.Minimize {
			e.Verdict = inference.Better
		}
	case o.Margin > 0 && e.Low >= -o.Margin && e.High <= o.Margin:
		e.Verdict, e.Reason = inference.Equivalent, fmt.Sprintf("whatever the two intervals hold differs by less than the margin of %.4g", o.Margin)
	default:
		e.Verdict, e.Reason = inference.NotShown, "the intervals of the two effects overlap"
	}
	return e
}

// outer is an effect's interval that holds together with the others of its study.
func outer(e inference.Effect) (low, high float64) {
	if !math.IsNaN(e.WideLow) && !math.IsNaN(e.WideHigh) && (e.WideLow != 0 || e.WideHigh != 0) {
		return e.WideLow, e.WideHigh
	}
	return e.Low, e.High
}
