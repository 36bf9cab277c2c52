package inference

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"
)

// Legend: R independent tunings of each arm; k trials of each tuning's choice, with seeds that tuning never saw; m the
// metric of one trial. Tunings are paired across arms (same sampler seed), and so are the trials within them.

// BootstrapDraws is how often the hierarchical bootstrap is drawn.
const BootstrapDraws = 10000

// NoTuningVariance is the reason of a verdict on one tuning.
const NoTuningVariance = "HPO variance not estimated: with one tuning of each variant nothing says how much another tuning would differ"

// Tuned is a variant against its reference when both were tuned. The embedded Effect is the headline: a paired t test
// over the R tunings, whose observations are the tunings' mean differences d_r. With few tunings the bootstrap beside
// it is too narrow: it can draw nothing that the R tunings did not show (docs/STATISTICS.md has the coverage of both).
//
// With one tuning the Effect is over that tuning's seeds, P is NaN and the verdict NotTested.
type Tuned struct {
	Effect
	Tunings  int     `json:"tunings"`   // R, those with at least one pair
	Pairs    int     `json:"pairs"`     // trials of the variant with a partner, over all tunings
	BootLow  float64 `json:"boot_low"`  // hierarchical bootstrap at level 1-alpha: draw r, then s within r; percentiles
	BootHigh float64 `json:"boot_high"` //
	// Between is the standard deviation of the differences of tunings, cleaned of what seeds add to it; Within that
	// of one pair of trials about its tuning's mean. NaN where they cannot be told.
	Between float64 `json:"between"`
	Within  float64 `json:"within"`
}

// CompareTuned tests a variant against its reference, both tuned. The maps hold the metric by tuning and, within a
// tuning, by replicate. The estimate is the mean over tunings r of d_r, the mean over the replicates s that both arms
// have of m_variant(r, s) - m_reference(r, s): tunings weigh alike, whatever they lost. The result is a family of its own.
func CompareTuned(reference, variant map[int]map[int]float64, o Options) Tuned {
	o.Paired = true // by the sampler's seed and the trials' own; with a few tunings no correlation can be told from none
	ref, vary := map[int]float64{}, map[int]float64{}
	var diffs nested
	for _, r := range slices.Sorted(maps.Keys(reference)) {
		x, y := sharedPairs(reference[r], variant[r])
		if len(x) == 0 {
			continue
		}
		ref[r], vary[r] = stat.Mean(x, nil), stat.Mean(y, nil)
		floats.Sub(y, x)
		diffs = append(diffs, y)
	}
	t := Tuned{Tunings: len(diffs), Between: math.NaN(), Within: math.NaN()}
	for _, d := range diffs {
		t.Pairs += len(d)
	}
	if len(diffs) == 1 {
		for r := range ref {
			t.Effect = Compare(reference[r], variant[r], o)
		}
	} else {
		t.Effect = Compare(ref, vary, o)
	}
	rng := rand.New(rand.NewPCG(uint64(t.Tunings), uint64(t.Pairs))) // the same for all variants of a study
	t.BootLow, t.BootHigh = diffs.bootstrap(BootstrapDraws, o.alpha(), rng.IntN)
	t.Between, t.Within = diffs.spread()
	return FamilyTuned([]Tuned{t})[0]
}

// FamilyTuned corrects the effects of all tuned variants of a study, as Family does. Those with one tuning are not
// tested and do not count.
func FamilyTuned(ts []Tuned) []Tuned {
	out := slices.Clone(ts)
	es := make([]Effect, len(out))
	for i := range out {
		es[i] = out[i].Effect
		if out[i].Tunings == 1 {
			es[i].P = math.NaN()
		}
	}
	for i, e := range Family(es) {
		out[i].Effect = e
		switch {
		case out[i].Tunings == 1:
			out[i].Verdict, out[i].Reason = NotTested, NoTuningVariance
		case out[i].Tunings == 0:
			out[i].Verdict, out[i].Reason = NotTested, "no tuning has a finished trial in both arms"
		case e.Verdict == NotTested && e.Mean == 0:
			out[i].Reason = "every tuning scored exactly as the reference's: the change seems to do nothing"
		case e.Verdict == NotShown && !(e.P < e.Options.alpha()):
			out[i].Reason = fmt.Sprintf("%d tunings leave room for effects from %+.3g to %+.3g", e.N, e.Low, e.High)
		}
	}
	return out
}

// sharedPairs are the values of the replicates that both have, in the order of the replicates.
func sharedPairs(reference, variant map[int]float64) (x, y []float64) {
	for _, s := range slices.Sorted(maps.Keys(reference)) {
		if v, ok := variant[s]; ok && isFinite(v) && isFinite(reference[s]) {
			x, y = append(x, reference[s]), append(y, v)
		}
	}
	return x, y
}

// nested are the differences of pairs, by tuning.
type nested [][]float64

// bootstrap is the percentile interval at level 1-alpha of the mean of means: each draw picks as many tunings as there
// are, and within each as many pairs as it has, both with replacement. pick(n) is a number from 0 to n-1. NaN where
// there are fewer than two pairs.
func (diffs nested) bootstrap(draws int, alpha float64, pick func(n int) int) (low, high float64) {
	n := 0
	for _, d := range diffs {
		n += len(d)
	}
	if n < 2 {
		return math.NaN(), math.NaN()
	}
	means := make([]float64, draws)
	for b := range means {
		sum := 0.0
		for range diffs {
			d := diffs[pick(len(diffs))]
			inner := 0.0
			for range d {
				inner += d[pick(len(d))]
			}
			sum += inner / float64(len(d))
		}
		means[b] = sum / float64(len(diffs))
	}
	slices.Sort(means)
	return percentile7(means, alpha/2), percentile7(means, 1-alpha/2)
}

// percentile7 is the quantile of sorted values by linear interpolation between the order statistics around p (n-1), as
// NumPy and R have it by default (Hyndman and Fan's type 7).
func percentile7(sorted []float64, p float64) float64 {
	at := p * float64(len(sorted)-1)
	i := min(int(at), len(sorted)-2)
	f := at - float64(i)
	return sorted[i] + f*(sorted[i+1]-sorted[i])
}

// spread estimates how much tunings differ and how much pairs of one tuning do, by the method of moments of the one-way
// layout: within² is the pooled variance, between² the variance of the d_r less the mean of within²/k_r, at least 0.
func (diffs nested) spread() (between, within float64) {
	between, within = math.NaN(), math.NaN()
	var means []float64
	square, df, noise := 0.0, 0, 0.0
	for _, d := range diffs {
		mean := stat.Mean(d, nil)
		means = append(means, mean)
		for _, x := range d {
			square += (x - mean) * (x - mean)
		}
		df += len(d) - 1
		noise += 1 / float64(len(d)) / float64(len(diffs))
	}
	if df > 0 {
		within = math.Sqrt(square / float64(df))
	}
	if df > 0 && len(means) > 1 {
		between = math.Sqrt(math.Max(0, stat.Variance(means, nil)-within*within*noise))
	}
	return between, within
}

// MarshalJSON writes the effect with what the tunings say beside it.
func (t Tuned) MarshalJSON() ([]byte, error) {
	effect, err := json.Marshal(t.Effect)
	if err != nil {
		return nil, err
	}
	rest, err := json.Marshal(struct {
		Tunings  int    `json:"tunings"`
		Pairs    int    `json:"pairs"`
		BootLow  number `json:"boot_low"`
		BootHigh number `json:"boot_high"`
		Between  number `json:"between"`
		Within   number `json:"within"`
	}{t.Tunings, t.Pairs, number(t.BootLow), number(t.BootHigh), number(t.Between), number(t.Within)})
	if err != nil {
		return nil, err
	}
	return append(append(effect[:len(effect)-1], ','), rest[1:]...), nil
}
