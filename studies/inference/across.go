package inference

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Estimate is a number with its interval at level 1-alpha; NaN where the data give none.
type Estimate struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// Across is a variant against its reference over several data sets at once (Agarwal et al. 2021). A score counts the same on every
// data set, so the metric must mean the same on all: a fraction such as mAP does. Intervals are percentiles of a stratified bootstrap:
// pairs are drawn again within each data set, data sets are not. So they speak of other seeds on these data sets, not of other data sets.
type Across struct {
	Sets        int      `json:"sets"`
	Runs        int      `json:"runs"` // pairs over all data sets
	Reference   Estimate `json:"reference"`
	Variant     Estimate `json:"variant"`     // interquartile mean of all runs
	Difference  Estimate `json:"difference"`  // of the two
	Improvement Estimate `json:"improvement"` // mean over data sets of the chance that a run of the variant is better than a run of the reference
}

// IQM is the interquartile mean: of n values sorted, n/4 (rounded down) are left out at either end, the mean is that of the rest. NaN
// of none.
func IQM(values []float64) float64 {
	vs := finite(values)
	slices.Sort(vs)
	vs = vs[len(vs)/4 : len(vs)-len(vs)/4]
	if len(vs) == 0 {
		return math.NaN()
	}
	sum := 0.0
	for _, v := range vs {
		sum += v
	}
	return sum / float64(len(vs))
}

// Pair is one replicate in both arms.
type Pair struct{ Reference, Variant float64 }

// AcrossSets pools data sets, each a list of pairs. Pairs that are not finite are left out, and then data sets without any.
// There is no interval if a data set has one pair only.
func AcrossSets(sets [][]Pair, o Options) Across {
	nan := Estimate{math.NaN(), math.NaN(), math.NaN()}
	a := Across{Reference: nan, Variant: nan, Difference: nan, Improvement: nan}
	var kept [][]Pair
	enough := true
	for _, s := range sets {
		s = slices.DeleteFunc(slices.Clone(s), func(p Pair) bool { return !isFinite(p.Reference) || !isFinite(p.Variant) })
		if len(s) > 0 {
			kept = append(kept, s)
			a.Runs += len(s)
			enough = enough && len(s) > 1
		}
	}
	if a.Sets = len(kept); a.Sets == 0 {
		return a
	}
	estimates := []*Estimate{&a.Reference, &a.Variant, &a.Difference, &a.Improvement}
	for i, v := range o.across(kept) {
		estimates[i].Value = v
	}
	if !enough {
		return a
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var draws [4][]float64
	again := make([][]Pair, len(kept))
	for range bootstrapDraws {
		for i, s := range kept {
			again[i] = again[i][:0]
			for range s {
				again[i] = append(again[i], s[rng.IntN(len(s))])
			}
		}
		for i, v := range o.across(again) {
			draws[i] = append(draws[i], v)
		}
	}
	for i, e := range estimates {
		e.Low, e.High = percentiles(draws[i], o.alpha())
	}
	return a
}

// across are the four numbers of Across.
func (o Options) across(sets [][]Pair) [4]float64 {
	var x, y []float64
	improvement := 0.0
	for _, s := range sets {
		wins := 0.0
		for _, p := range s {
			x, y = append(x, p.Reference), append(y, p.Variant)
			for _, q := range s {
				wins += o.better(p.Variant, q.Reference)
			}
		}
		improvement += wins / float64(len(s)*len(s)) / float64(len(sets))
	}
	rx, ry := IQM(x), IQM(y)
	return [4]float64{rx, ry, ry - rx, improvement}
}
