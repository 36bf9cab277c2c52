package reports

import (
	"math"
	"slices"

	"github.com/mapsweep/mapsweep/studies/inference"
)

// Sizes are the effect of an arm in units that do not depend on the metric's; false where it was not tested, and where
// variants stopped by their results: sizes of such samples are too large.
func (s *Snapshot) Sizes(b *Block, arm string) (inference.Sizes, bool) {
	e, ok := b.Effect(arm)
	ref, has := b.Reference()
	i := slices.IndexFunc(b.Arms, func(a Arm) bool { return a.Name == arm })
	if !ok || !has || i < 0 || s.Sequential() || math.IsNaN(e.Low) || e.N < 2 {
		return inference.Sizes{}, false
	}
	return inference.EffectSizes(bySeed(*ref), bySeed(b.Arms[i]), e.Options), true
}

// Holding is on how many of a study's data sets an arm's effect is shown.
type Holding struct {
	Arm     string            `json:"arm"`
	Verdict inference.Verdict `json:"verdict"` // better or worse: the direction that holds on more of them
	Sets    int               `json:"sets"`    // data sets
	inference.Conjunction
}

// HoldsOn says on how many data sets each arm is better, or worse, at the study's level shared out among arms and
// directions (Dror et al. 2017); nil with one data set, and where variants stopped by their results.
func (s *Snapshot) HoldsOn() []Holding {
	if _, why := s.Pooled(); why != "" {
		return nil
	}
	first := &s.Blocks[0]
	level := s.Spec.Rules.Level() / float64(2*max(1, len(first.Effects)))
	var out []Holding
	for _, e := range first.Effects {
		h := Holding{Arm: e.Arm, Sets: len(s.Blocks)}
		for _, v := range []inference.Verdict{inference.Better, inference.Worse} {
			p := make([]float64, len(s.Blocks))
			for i := range s.Blocks {
				p[i] = s.oneSided(&s.Blocks[i], e.Arm, v)
			}
			if c := inference.HoldsOn(p, level, false); h.Verdict == "" || c.Holds > h.Holds {
				h.Verdict, h.Conjunction = v, c
			}
		}
		out = append(out, h)
	}
	return out
}

// oneSided is the p value of an arm being better, or worse, on a block.
func (s *Snapshot) oneSided(b *Block, arm string, v inference.Verdict) float64 {
	e, ok := b.Effect(arm)
	if !ok || math.IsNaN(e.P) {
		return math.NaN()
	}
	if (s.Metric.Gain(e.Mean) > 0) == (v == inference.Better) {
		return e.P / 2
	}
	return 1 - e.P/2
}

// Ranked are the arms' ranks over data sets, with Friedman's test; false with fewer than three data sets or arms.
func (s *Snapshot) Ranked() (arms []string, r inference.Ranks, ok bool) {
	if _, why := s.Pooled(); why != "" || len(s.Blocks) < 3 || len(s.Blocks[0].Arms) < 3 {
		return nil, r, false
	}
	scores := make([][]float64, len(s.Blocks))
	for _, a := range s.Blocks[0].Arms {
		arms = append(arms, a.Label)
		for i := range s.Blocks {
			x := math.NaN()
			if k := slices.IndexFunc(s.Blocks[i].Arms, func(o Arm) bool { return o.Name == a.Name }); k >= 0 {
				x = s.Metric.Gain(s.Blocks[i].Arms[k].Mean)
			}
			scores[i] = append(scores[i], x)
		}
	}
	r, ok = inference.Friedman(scores, s.Spec.Rules.Level())
	return arms, r, ok
}
