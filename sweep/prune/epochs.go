package prune

import "github.com/mapsweep/mapsweep/sweep"

// Epochs is how many epochs a trial takes on average under a pruner with rungs, by its name in study files, if each rung lets the
// best 1/eta pass: in a bracket that begins at rung r_b of a trial of E epochs that is r_b + sum over k > b of (r_k - r_k-1)/eta^(k-b), with
// E as the last r, and the brackets of Hyperband are averaged by their shares. Not ok for another pruner: how much that saves is
// not known in advance; nor where the length of a trial is not known, or the options are refused.
func Epochs(name string, c sweep.PrunerConfig) (average float64, ok bool) {
	if c.Epochs < 1 {
		return 0, false
	}
	var p sweep.Pruner
	var err error
	switch name {
	case "asha", "successive-halving": // the same rungs, and the same options
		p, err = ASHA(c)
	case "hyperband":
		p, err = Hyperband(c)
	default:
		return 0, false
	}
	if err != nil {
		return 0, false
	}
	s, one := p.(halving)
	if !one {
		s = p.(hyperband).halving
	}
	for b, share := range s.weights {
		average += share * s.average(b)
	}
	return average, true
}

// Promotes says of a pruner, by its name in study files, that it lets pruned trials go on: their checkpoints stay until the search is over.
func Promotes(name string) bool { return name == "asha" || name == "hyperband" }

// average is that of a bracket.
func (s halving) average(bracket int) float64 {
	sum, last, share := 0.0, 0, 1.0
	for k := bracket; ; k++ {
		next, ok := s.rung(k)
		if !ok {
			return sum + share*float64(s.epochs-last)
		}
		sum += share * float64(next-last)
		last, share = next, share/float64(s.eta)
	}
}
