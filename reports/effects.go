package reports

import (
	"cmp"
	"math"
	"slices"

	"github.com/mapsweep/mapsweep/studies/inference"
)

// Effect is an arm against the block's reference: its name, and what may be concluded.
type Effect struct {
	Arm   string
	Label string
	// Course is how the effect was settled, in a study whose variants get replicates until they are; else nil.
	Course *inference.Course
	inference.Effect
}

// compare fills the block's effects and smallest visible effect.
func (s *Snapshot) compare(b *Block) {
	ref, ok := b.Reference()
	if !ok {
		return
	}
	if s.Sequential() {
		s.compareCourses(b)
		return
	}
	o := inference.Options{Alpha: s.Spec.Rules.Level(), Margin: b.Margin, Minimize: s.Metric.Gain(1) < 0}
	var es []inference.Effect
	for _, a := range b.Arms {
		if !a.Reference {
			es = append(es, inference.Compare(bySeed(*ref), bySeed(a), o))
			b.Effects = append(b.Effects, Effect{Arm: a.Name, Label: a.Label})
		}
	}
	for i, e := range inference.FamilyBy(es, inference.Correction(s.Spec.Rules.Correction)) {
		b.Effects[i].Effect = e
	}
	if s.floor(b) != "" {
		unlearned(b.Effects)
	}
	s.inert(b)
	b.Smallest = smallest(b.Effects, s.Spec.Rules.Level())
}

// unlearned takes back verdicts of equality where the reference has not learned: scores that are alike near zero
// say nothing of a change.
func unlearned(es []Effect) {
	for i := range es {
		if es[i].Verdict == inference.Equivalent {
			es[i].Verdict, es[i].Reason = inference.NotTested, "the reference has hardly learned anything yet"
		}
	}
}

func bySeed(a Arm) map[int64]float64 {
	m := make(map[int64]float64, len(a.Scores))
	for _, c := range a.Scores {
		m[int64(c.Replicate)] = c.Value
	}
	return m
}

// smallest is the true effect that the block would have found with the usual power at the level of Holm's
// first step, for the pooled spread of its differences and the usual number of pairs.
func smallest(es []Effect, level float64) float64 {
	var ns []int
	var square float64
	for _, e := range es {
		if e.N > 1 && finite(e.SD) {
			ns = append(ns, e.N)
			square += e.SD * e.SD
		}
	}
	if len(ns) == 0 || square == 0 {
		return math.NaN()
	}
	slices.Sort(ns)
	m := float64(len(ns))
	return inference.Detectable(ns[len(ns)/2], math.Sqrt(square/m), level/m, inference.DefaultPower)
}

// Sorted returns the block's effects from the best to the worst; those without a number come last.
func (s *Snapshot) Sorted(b *Block) []Effect {
	out := slices.Clone(b.Effects)
	slices.SortStableFunc(out, func(x, y Effect) int {
		switch xn, yn := math.IsNaN(x.Mean), math.IsNaN(y.Mean); {
		case xn && yn:
			return 0
		case xn:
			return 1
		case yn:
			return -1
		}
		return cmp.Compare(s.Metric.Gain(y.Mean), s.Metric.Gain(x.Mean))
	})
	return out
}

// Seeds is how many values an effect rests on, in words: "5 seeds", or for arms that were not paired "5 trials against 4 trials, not paired".
func (e Effect) Seeds() string {
	if e.Method == inference.Welch || e.Method == inference.Pooled {
		return Count(e.Reference.N, "trial") + " against " + Count(e.Variant.N, "trial") + ", not paired"
	}
	return Count(e.N, "seed")
}
