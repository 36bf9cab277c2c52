package charts

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/trials"
)

// A picture stays one that can be looked at, and quick to draw, whatever the size of the study.
const (
	mostArms   = 40  // beside the reference
	mostTrials = 200 // with a line each
)

// noteHeight is the room under a chart for the sentence that says what was left out.
const noteHeight vg.Length = 14

// pick chooses what a chart shows of a snapshot. The sentence says what was left out; it is empty if nothing was.
type pick func(*reports.Snapshot) (*reports.Snapshot, string)

func everything(s *reports.Snapshot) (*reports.Snapshot, string) { return s, "" }

// clearestArms keeps the first block's reference and, of many other arms, those with the clearest effects:
// smallest p value, then largest effect, then best score. They stay in design order.
func clearestArms(s *reports.Snapshot) (*reports.Snapshot, string) {
	b := s.Blocks[0]
	effects := make(map[string]reports.Effect, len(b.Effects))
	tested := false
	for _, e := range b.Effects {
		effects[e.Arm] = e
		tested = tested || !math.IsNaN(e.P)
	}
	var others []int
	for i, a := range b.Arms {
		if !a.Reference {
			others = append(others, i)
		}
	}
	if len(others) <= mostArms {
		return s, ""
	}
	slices.SortStableFunc(others, func(i, j int) int {
		x, y := effects[b.Arms[i].Name], effects[b.Arms[j].Name]
		if len(effects) == 0 {
			return numbersFirst(-s.Metric.Gain(b.Arms[i].Mean), -s.Metric.Gain(b.Arms[j].Mean))
		}
		return cmp.Or(numbersFirst(x.P, y.P), numbersFirst(-math.Abs(x.Mean), -math.Abs(y.Mean)))
	})
	keep := map[string]bool{}
	for _, i := range others[:mostArms] {
		keep[b.Arms[i].Name] = true
	}
	why := "the clearest effects"
	switch {
	case len(effects) == 0:
		why = "the best scores"
	case !tested:
		why = "the largest effects"
	}
	c := *s
	arms := slices.DeleteFunc(slices.Clone(b.Arms), func(a reports.Arm) bool { return !a.Reference && !keep[a.Name] })
	b.Effects = slices.DeleteFunc(slices.Clone(b.Effects), func(e reports.Effect) bool { return !keep[e.Arm] })
	b.Arms, b.Top = arms, nil
	c.Blocks = []reports.Block{b}
	return &c, fmt.Sprintf("%d of %d variants shown: those with %s", mostArms, len(others), why)
}

// numbersFirst orders numbers, and puts what is none after them.
func numbersFirst(x, y float64) int {
	switch xn, yn := math.IsNaN(x), math.IsNaN(y); {
	case xn && yn:
		return 0
	case xn:
		return 1
	case yn:
		return -1
	}
	return cmp.Compare(x, y)
}

// bestTrials are the trials that charts of one objective mark, and the name of the mark: the best one, with several objectives those
// on the Pareto front, of which none is the best.
func bestTrials(s *reports.Snapshot) (numbers map[int]bool, name string) {
	numbers = map[int]bool{}
	switch {
	case s.Front != nil:
		for _, p := range s.Front.Best() {
			numbers[p.Trial] = true
		}
		return numbers, "on the Pareto front"
	case s.Search != nil && len(s.Search.Candidates) > 0:
		best := s.Search.Candidates[0].Trials[0]
		numbers[best] = true
		return numbers, "best: trial " + reports.Number(float64(best), 0)
	}
	return numbers, ""
}

// someTrials keeps an even sample of a search's many trials, and the best one, or those on the front.
func someTrials(s *reports.Snapshot) (*reports.Snapshot, string) {
	n := len(s.Trials)
	if n <= mostTrials {
		return s, ""
	}
	best, _ := bestTrials(s)
	var keep []trials.Trial
	next := 0
	for i, t := range s.Trials {
		if even := i == next*n/(mostTrials-1); even || best[t.Number] {
			if even {
				next++
			}
			keep = append(keep, t)
		}
	}
	c := *s
	c.Trials = keep
	and := "the best"
	if s.Front != nil {
		and = "those on the Pareto front"
	}
	return &c, fmt.Sprintf("%d of %d trials shown: an even sample, and %s", len(keep), n, and)
}
