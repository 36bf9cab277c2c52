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
	o := read(c)
	s := halving{first: o.whole("min_epochs", max(1, (c.Epochs+15)/16), 1), eta: o.whole("reduction_factor", 4, 2), epochs: c.Epochs, weights: []float64{1}}
	s.check(o)
	return s, o.done()
}

// check refuses a first rung that no trial would be stopped at.
func (s halving) check(o *options) {
	if _, ok := s.rung(0); !ok && s.epochs > 1 {
		o.fail("option min_epochs is %d: trials have %d epochs, and the first rung must lie below", s.first, s.epochs)
	}
}

// Hyperband is ASHA in several brackets, of which bracket b begins at rung b (Li et al. 2018; asynchronous as in Falkner et al. 2018,
// section 4.2): whoever is misjudged early has a chance in the others. Each suggestion belongs to one bracket, in such
// proportions that all brackets train about as many epochs: of B brackets, bracket b gets ceil(B/(s+1) eta^s) shares with
// s = B-1-b (Li et al. 2018, algorithm 1). reduction_factor is 3 by default, min_epochs a twenty-seventh of the epochs, and there
// are as many brackets as rungs, and the one that stops nothing.
func Hyperband(c sweep.PrunerConfig) (sweep.Pruner, error) {
	o := read(c)
	s := halving{first: o.whole("min_epochs", max(1, (c.Epochs+26)/27), 1), eta: o.whole("reduction_factor", 3, 2), epochs: c.Epochs}
	s.check(o)
	most := 1
	for c.Epochs > 0 && most < maxBrackets {
		if _, ok := s.rung(most - 1); !ok {
			break
		}
		most++
	}
	if c.Epochs == 0 {
		most = maxBrackets
	}
	n := o.whole("brackets", min(most, defaultBrackets), 1)
	if n > most {
		o.fail("option brackets is %d: %d epochs with rungs from %d on, each %d times the one before, have room for %d", n, c.Epochs, s.first, s.eta, most)
		n = most
	}
	s.weights = shares(n, s.eta)
	_, s.offset = math.Modf(float64(uint64(c.Seed)%(1<<32)) * (math.Sqrt2 - 1))
	return hyperband{s}, o.done()
}

type hyperband struct{ halving }

// Bracket implements sweep.Bracketer.
func (s hyperband) Bracket(suggestion int) int { return s.assigned(suggestion) }

// Most brackets that may be asked for, and how many there are where the length of a trial says nothing else.
const (
	maxBrackets     = 16
	defaultBrackets = 4
)

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
