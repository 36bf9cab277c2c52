package reports

import (
	"fmt"
	"math"
	"slices"

	"github.com/mapsweep/mapsweep/studies/inference"
)

// Pooled is a block that stands for all data sets of a study: the scores of an arm are, for each replicate that is
// complete on every data set, the mean over data sets, and effects are tested on these. They speak of these data sets,
// each with the same weight, and not of others. It returns false, and why, where there is nothing to pool.
func (s *Snapshot) Pooled() (Block, string) {
	n := len(s.Blocks)
	first := &s.Blocks[0]
	switch _, ok := first.Reference(); {
	case n < 2:
		return Block{}, "there is one data set only"
	case !ok:
		return Block{}, "the design has no reference"
	case s.Spec.Settle != nil:
		return Block{}, "replicates were added until each data set had its own verdicts, so that means over data sets have no valid interval"
	}
	b := Block{Data: fmt.Sprintf("mean of %d", n), Smallest: math.NaN(), Margin: first.Margin}
	for _, a := range first.Arms {
		if p, ok := s.pool(a); ok {
			b.Arms = append(b.Arms, p)
		}
	}
	s.compare(&b)
	b.Top = s.top(&b)
	return b, ""
}

// pool averages an arm's scores over data sets; false where a data set lacks the arm.
func (s *Snapshot) pool(a Arm) (Arm, bool) {
	out := a
	out.Trials, out.Scores = nil, nil
	var v []float64
	for _, c := range a.Scores {
		sum, ok := c.Value, true
		for _, other := range s.Blocks[1:] {
			i := slices.IndexFunc(other.Arms, func(x Arm) bool { return x.Name == a.Name })
			if i < 0 {
				return out, false
			}
			k := slices.IndexFunc(other.Arms[i].Scores, func(x Score) bool { return x.Replicate == c.Replicate })
			if ok = ok && k >= 0; ok {
				sum += other.Arms[i].Scores[k].Value
			}
		}
		if ok {
			x := sum / float64(len(s.Blocks))
			out.Scores = append(out.Scores, Score{Trial: -1, Replicate: c.Replicate, Seed: c.Seed, Value: x})
			v = append(v, x)
		}
	}
	out.Mean, out.SD = MeanSD(v)
	return out, true
}

// Across compares an arm with its reference over all data sets by interquartile means of all runs; false where Pooled
// has nothing to pool, or where the metric does not mean the same on all data sets as a fraction does.
func (s *Snapshot) Across(arm string) (inference.Across, bool) {
	if _, why := s.Pooled(); why != "" || !s.Metric.Points {
		return inference.Across{}, false
	}
	sets := make([][]inference.Pair, len(s.Blocks))
	for i := range s.Blocks {
		b := &s.Blocks[i]
		k := slices.IndexFunc(b.Arms, func(a Arm) bool { return a.Name == arm })
		ref, ok := b.Reference()
		if k < 0 || !ok {
			return inference.Across{}, false
		}
		base := bySeed(*ref)
		for _, x := range b.Arms[k].Scores {
			if y, both := base[int64(x.Replicate)]; both {
				sets[i] = append(sets[i], inference.Pair{Reference: y, Variant: x.Value})
			}
		}
	}
	a := inference.AcrossSets(sets, inference.Options{Alpha: s.Spec.Rules.Level(), Minimize: s.Metric.Gain(1) < 0})
	return a, a.Sets == len(s.Blocks)
}
