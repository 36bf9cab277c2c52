package gp

import (
	"cmp"
	"math"
	"slices"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/axis"
	"github.com/mapsweep/mapsweep/trials"
)

// space is a search space as the model sees it.
type space struct {
	h           sweep.History // of the space: its requirements and forbidden combinations
	axes        []axis.Axis
	choice      []bool
	conditional bool
}

func newSpace(h sweep.History) (*space, error) {
	xs, err := axis.All(h.Space)
	if err != nil {
		return nil, err
	}
	s := &space{h: h, axes: xs}
	for _, x := range xs {
		s.choice = append(s.choice, x.Param.Kind == trials.Categorical)
		s.conditional = s.conditional || len(x.Param.Requires) > 0
	}
	return s, nil
}

// missing is where a parameter is put that does not matter at a point.
func (s *space) missing(i int) float64 {
	if s.choice[i] {
		return absent
	}
	return middle
}

// row is where a trial lies. ok is false if a value that matters is not known: the space was edited since.
func (s *space) row(t *trials.Trial) (row []float64, ok bool) {
	row, known := axis.Place(s.axes, t)
	for i, x := range s.axes {
		switch {
		case known[i]:
		case sweep.Active(x.Param, s.h.Space, t.Params, s.h.Fixed):
			return nil, false
		default:
			row[i] = s.missing(i)
		}
	}
	return row, true
}

// settle moves a place of the unit cube to the row of the point that it stands for: to the middle of its cell on a grid,
// and to a fixed place where a parameter does not matter. ok is false for a forbidden combination.
func (s *space) settle(u []float64) (row []float64, ok bool) {
	row = make([]float64, len(u))
	if !s.conditional && len(s.h.Forbidden) == 0 {
		for i, x := range s.axes {
			row[i], _ = x.Unit(x.Value(u[i]))
		}
		return row, true
	}
	at := axis.Point(s.h, s.axes, u)
	for i, x := range s.axes {
		if v, active := at.Params[x.Param.Name]; active {
			row[i], _ = x.Unit(v)
		} else {
			row[i] = s.missing(i)
		}
	}
	return row, !s.h.Forbids(at.Params)
}

// observation is what one trial tells: its row and its loss.
type observation struct {
	row    []float64
	loss   float64
	number int
	bad    bool // no loss of its own: as bad as the worst
	pruned bool // not better than the median
}

// observe lists what the finished trials tell, by number. A failed trial that speaks against its point, and a complete one that broke
// a constraint, is as bad as the worst that is known; a pruned one has its last loss but not less than the
// median of the complete ones. Nothing is left out but what has no loss at all.
func observe(h sweep.History, s *space) []observation {
	var out []observation
	for _, t := range h.All() {
		o := observation{number: t.Number, loss: math.NaN()}
		switch {
		case t.State == trials.Complete && len(t.Values) > 0:
			o.loss, o.bad = loss(h.Direction, t.Values[0]), !t.Feasible()
		case t.State == trials.Pruned:
			o.loss, o.pruned = lastLoss(h, t), true
		case sweep.AgainstPoint(t):
			o.bad = true
		}
		if !o.bad && !finite(o.loss) {
			continue
		}
		var ok bool
		if o.row, ok = s.row(t); ok {
			out = append(out, o)
		}
	}
	return level(out)
}

// level gives losses to bad and pruned observations. Without a good one there is nothing to compare with, and none is left.
func level(os []observation) []observation {
	var good []float64
	worst := math.Inf(-1)
	for _, o := range os {
		if !o.bad {
			worst = max(worst, o.loss)
		}
		if !o.bad && !o.pruned {
			good = append(good, o.loss)
		}
	}
	if len(good) == 0 {
		return nil
	}
	slices.Sort(good)
	for i := range os {
		switch {
		case os[i].bad:
			os[i].loss = worst
		case os[i].pruned:
			os[i].loss = max(os[i].loss, good[len(good)/2])
		}
	}
	return os
}

func loss(d trials.Direction, v float64) float64 {
	if d == trials.Maximize {
		return -v
	}
	return v
}

func lastLoss(h sweep.History, t *trials.Trial) float64 {
	for _, m := range slices.Backward(t.Measurements) {
		if v, ok := m.Metrics[h.Metric]; ok && finite(v) {
			return loss(h.Direction, v)
		}
	}
	if len(t.Values) > 0 {
		return loss(h.Direction, t.Values[0])
	}
	return math.NaN()
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// limit keeps at most n observations: half of them the best, the others the latest of the rest.
func limit(os []observation, n int) []observation {
	if len(os) <= n {
		return os
	}
	byLoss := slices.Clone(os)
	slices.SortStableFunc(byLoss, func(a, b observation) int { return cmp.Compare(a.loss, b.loss) })
	kept := byLoss[:n/2]
	rest := byLoss[n/2:]
	slices.SortFunc(rest, func(a, b observation) int { return cmp.Compare(b.number, a.number) })
	kept = append(kept, rest[:n-len(kept)]...)
	slices.SortFunc(kept, func(a, b observation) int { return cmp.Compare(a.number, b.number) })
	return kept
}

// standardise brings losses to mean 0 and standard deviation 1; constant ones have deviation 1.
func standardise(os []observation) (values []float64, deviation float64) {
	mean, square := 0.0, 0.0
	for _, o := range os {
		mean += o.loss / float64(len(os))
	}
	for _, o := range os {
		square += (o.loss - mean) * (o.loss - mean) / float64(len(os))
	}
	if deviation = math.Sqrt(square); !(deviation > 1e-12*math.Abs(mean)) || deviation == 0 {
		deviation = 1
	}
	for _, o := range os {
		values = append(values, (o.loss-mean)/deviation)
	}
	return values, deviation
}
