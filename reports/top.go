package reports

import (
	"math"
	"slices"

	"github.com/mapsweep/mapsweep/studies/inference"
)

// IsTop says that the arm at index i of Arms is not shown to be worse than the best one, while another is.
func (b *Block) IsTop(i int) bool { return slices.Contains(b.Top, i) }

// top finds the arms that are not shown to be worse than the best, in the order of Arms. It is empty where no arm is
// shown to be worse than another: a table in which everything is bold says nothing.
func (s *Snapshot) top(b *Block) []int {
	worse := s.worseThanBest
	if s.Spec.Settle != nil {
		worse = s.outsideIntervals
	}
	out := worse(b)
	if !slices.Contains(out, true) {
		return nil
	}
	var set []int
	for i, a := range b.Arms {
		if !out[i] && len(a.Scores) > 0 && s.judged(b, a) {
			set = append(set, i)
		}
	}
	return set
}

// judged says that an arm has what a comparison needs: an effect that was tested, or that is exactly nothing. The
// reference always has.
func (s *Snapshot) judged(b *Block, a Arm) bool {
	e, ok := b.Effect(a.Name)
	return !ok || e.N > 1 && (finite(e.P) || e.Mean == 0)
}

// worseThanBest compares each arm with the one of the best mean, with p values by Bonferroni's method over these
// comparisons. Though the best was chosen by its score, the arm that is truly the best is called worse in at most half
// of alpha of all studies: it would have to lose clearly against one of the others, and each of them has its share.
func (s *Snapshot) worseThanBest(b *Block) []bool {
	out := make([]bool, len(b.Arms))
	best := -1
	for i, a := range b.Arms {
		if len(a.Scores) > 0 && (best < 0 || s.Metric.Gain(a.Mean) > s.Metric.Gain(b.Arms[best].Mean)) {
			best = i
		}
	}
	if best < 0 {
		return out
	}
	o := inference.Options{Alpha: s.Spec.Rules.Level(), Minimize: s.Metric.Gain(1) < 0}
	others := 0
	for i, a := range b.Arms {
		if i != best && len(a.Scores) > 0 {
			others++
		}
	}
	for i, a := range b.Arms {
		if i != best && len(a.Scores) > 0 {
			e := inference.Compare(bySeed(b.Arms[best]), bySeed(a), o)
			out[i] = finite(e.P) && e.P*float64(others) < o.Alpha && s.Metric.Gain(e.Mean) < 0
		}
	}
	return out
}

// outsideIntervals is for studies whose replicates were added until a verdict: a t test between two arms that stopped
// by their results would call too many differences clear. The effects' intervals hold all at once, whatever stopped
// them: an arm is worse than the best where its interval ends below the highest lower end, that of the reference being 0.
func (s *Snapshot) outsideIntervals(b *Block) []bool {
	out := make([]bool, len(b.Arms))
	floor := 0.0
	ends := func(e Effect) (low, high float64) {
		if s.Metric.Gain(1) < 0 {
			return -e.High, -e.Low
		}
		return e.Low, e.High
	}
	for _, e := range b.Effects {
		if low, _ := ends(e); !math.IsNaN(low) {
			floor = max(floor, low)
		}
	}
	for i, a := range b.Arms {
		high := 0.0
		if e, ok := b.Effect(a.Name); ok {
			_, high = ends(e)
		}
		out[i] = high < floor // false for NaN
	}
	return out
}
