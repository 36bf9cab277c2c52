package prune

import (
	"math"

	"github.com/mapsweep/mapsweep/sweep"
)

// ASHA is asynchronous successive halving (Li et al. 2020): a trial that reaches a rung goes on if it is among the best
// 1/reduction_factor of all that have reached it, and is pruned otherwise; when later trials show that it belongs to them after
// all, it is promoted (sweep.Promoter). The best at a rung always goes on. The first rung is min_epochs, by default a sixteenth of the
// epochs, and reduction_factor is 4.
func ASHA(c sweep.PrunerConfig) (sweep.Pruner, error) {
	o := sweep.ReadOptions(c.Options)
	s := readHalving(c, o, 4, 16)
	s.weights = []float64{1}
	return s, o.Err()
}

// readHalving reads the first rung, by default a part of the epochs, and the reduction factor.
func readHalving(c sweep.PrunerConfig, o *sweep.Options, eta, part int) halving {
	longest := most
	if c.Epochs > 1 {
		longest = c.Epochs - 1 // a rung at the end would stop nothing
	}
	return halving{first: o.Int("min_epochs", max(1, (c.Epochs+part-1)/part), 1, longest), eta: o.Int("reduction_factor", eta, 2, most), epochs: c.Epochs}
}

// most bounds options that have no other bound: more is a slip.
const most = 1 << 20

// Most brackets that may be asked for, and how many there are where the rungs say nothing else.
const (
	mostBrackets    = 16
	defaultBrackets = 4
)

// hyperband is halving in several brackets.
type hyperband struct{ halving }

// Hyperband is ASHA in several brackets, of which bracket b begins at rung b (Li et al. 2018; asynchronous as in Falkner et al. 2018,
// section 4.2): whoever is misjudged early has a chance in the others. Each suggestion belongs to one bracket, in such
// proportions that all brackets train about as many epochs: of B brackets, bracket b gets ceil(B/(s+1) eta^s) shares with
// s = B-1-b (Li et al. 2018, algorithm 1). reduction_factor is 3 by default, min_epochs a twenty-seventh of the epochs, and brackets one more than
// there are rungs, so that the last one stops nothing, but at most four.
func Hyperband(c sweep.PrunerConfig) (sweep.Pruner, error) {
	o := sweep.ReadOptions(c.Options)
	s := readHalving(c, o, 3, 27)
	room := s.room()
	s.weights = shares(o.Int("brackets", min(room, defaultBrackets), 1, room), s.eta)
	_, s.offset = math.Modf(float64(uint64(c.Seed)%(1<<32)) * (math.Sqrt2 - 1))
	return hyperband{s}, o.Err()
}

// Bracket implements sweep.Bracketer.
func (s hyperband) Bracket(suggestion int) int { return s.assigned(suggestion) }

// room is for how many brackets there are rungs.
func (s halving) room() int {
	n := 1
	for ; n < mostBrackets; n++ {
		if _, ok := s.rung(n - 1); !ok {
			break
		}
	}
	return n
}

// shares are the brackets' shares of the suggestions.
func shares(brackets, eta int) []float64 {
	w := make([]float64, brackets)
	sum := 0.0
	for b := range w {
		s := brackets - 1 - b
		w[b] = math.Ceil(float64(brackets) / float64(s+1) * math.Pow(float64(eta), float64(s)))
		sum += w[b]
	}
	for b := range w {
		w[b] /= sum
	}
	return w
}
