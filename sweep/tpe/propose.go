package tpe

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
)

// How often the model, and after it the random draw, may come up with nothing but forbidden points.
const (
	modelTries  = 20
	randomTries = 2000
)

// point is a place in each dimension, NaN where the parameter is not active, and what that means; params is nil as long as
// nobody asks.
type point struct {
	x      []float64
	params trials.Params
}

// group is a set of dimensions that are modelled together: the best observations and the others.
type group struct {
	cols         []int // of all dimensions
	below, above *mixture
}

// proposal is the making of one suggestion.
type proposal struct {
	*columns
	settings
	h    sweep.History
	rng  *rand.Rand
	open map[uint64]bool // points of trials under way
}

// propose draws a point that is not forbidden: from the model once there are enough results, else, or if the model
// finds none, over the whole space.
func (s *sampler) propose(ctx context.Context, h sweep.History, rng *rand.Rand) (trials.Params, error) {
	p := &proposal{columns: s.kept, settings: s.settings, h: h, rng: rng}
	if s.kept.judged >= s.startup {
		groups := p.groups()
		p.look()
		for range modelTries {
			if params := p.model(groups); params != nil {
				return params, nil
			}
		}
	}
	unit := func(int) float64 { return rng.Float64() }
	if s.even && s.kept.judged < s.startup {
		t := s.turns(len(s.kept.ranks)+len(h.Open), len(p.dims))
		unit = func(j int) float64 { return t.at(j, rng.Float64()) }
	}
	for range randomTries {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		if pt := p.draw(unit); !h.Forbids(pt.params) {
			return pt.params, nil
		}
		unit = func(int) float64 { return rng.Float64() }
	}
	return nil, fmt.Errorf("every one of %d points was forbidden: allow more of the space", randomTries)
}

// draw makes a point from a number of [0, 1) for each dimension.
func (p *proposal) draw(unit func(j int) float64) point {
	pt := p.blank()
	for j := range p.dims {
		if p.active(j, pt) {
			p.set(pt, j, p.dims[j].snap(unit(j)))
		}
	}
	return pt
}

func (p *proposal) blank() point {
	pt := point{x: make([]float64, len(p.dims)), params: make(trials.Params, len(p.dims))}
	for j := range pt.x {
		pt.x[j] = math.NaN()
	}
	return pt
}

func (p *proposal) set(pt point, j int, x float64) {
	pt.x[j] = x
	if pt.params != nil {
		pt.params[p.dims[j].Param.Name] = p.dims[j].at(x)
	}
}

// simple says that neither conditions nor forbidden points ask for the parameters of a candidate.
func (p *proposal) simple() bool {
	return len(p.h.Forbidden) == 0 && !slices.ContainsFunc(p.dims, func(d dimension) bool { return len(d.Param.Requires) > 0 })
}

func (p *proposal) active(j int, pt point) bool {
	q := p.dims[j].Param
	return len(q.Requires) == 0 || sweep.Active(q, p.h.Space, pt.params, p.h.Fixed)
}

// groups makes the model: one group of all dimensions, or one for each.
func (p *proposal) groups() []group {
	below, above := p.split(p.h, p.settings)
	model := func(cols ...int) group {
		dims := pick(p.dims, cols)
		return group{cols, newMixture(dims, cols, below, p.settings, p.floor), newMixture(dims, cols, above, p.settings, 1)}
	}
	if p.multivariate {
		return []group{model(count(len(p.dims))...)}
	}
	var gs []group
	for j := range p.dims {
		gs = append(gs, model(j))
	}
	return gs
}

func count(n int) []int {
	is := make([]int, n)
	for i := range is {
		is[i] = i
	}
	return is
}

func pick(dims []dimension, cols []int) []dimension {
	var out []dimension
	for _, j := range cols {
		out = append(out, dims[j])
	}
	return out
}

// look notes the points of trials under way.
func (p *proposal) look() {
	p.open = map[uint64]bool{}
	for _, t := range p.h.Open {
		x := make([]float64, len(p.dims))
		for j, d := range p.dims {
			x[j] = d.place(t)
		}
		p.open[hashOf(x)] = true
	}
}

// model takes in each group that of some draws from the density of the best where it exceeds that of the others most
// (expected improvement, Bergstra et al. 2011, section 4.1). It returns nil if all were forbidden.
func (p *proposal) model(groups []group) trials.Params {
	at := p.blank()
	if p.simple() {
		at.params = nil
	}
	for _, g := range groups {
		best, found := at, false
		score, fresh := math.Inf(-1), false
		for range p.candidates {
			pt, active := p.candidate(g, at)
			if !active {
				found = true // none of the group is active
				break
			}
			if p.h.Forbids(pt.params) {
				continue
			}
			r, f := g.ratio(pt.x), !p.settings.fresh || p.untried(pt.x)
			if !found || f && !fresh || f == fresh && r > score {
				best, score, fresh, found = pt, r, f, true
			}
		}
		if !found {
			return nil
		}
		at = best
	}
	if at.params == nil {
		at.params = make(trials.Params, len(p.dims))
		for j, x := range at.x {
			if !math.IsNaN(x) {
				p.set(at, j, x)
			}
		}
	}
	return at.params
}

// candidate draws the active dimensions of a group from one kernel of the best, on top of those that are there.
func (p *proposal) candidate(g group, at point) (pt point, active bool) {
	pt = point{x: append([]float64(nil), at.x...)}
	if at.params != nil {
		pt.params = at.params.Clone()
	}
	k := g.below.pick(p.rng)
	for i, j := range g.cols {
		if p.active(j, pt) {
			p.set(pt, j, g.below.draw(k, i, p.rng))
			active = true
		}
	}
	return pt, active
}

// ratio is the logarithm of how much likelier x is among the best than among the others.
func (g group) ratio(x []float64) float64 {
	at := make([]float64, len(g.cols))
	for i, j := range g.cols {
		at[i] = x[j]
	}
	return g.below.logDensity(at) - g.above.logDensity(at)
}

// untried says that no trial is, or was, at x.
func (p *proposal) untried(x []float64) bool {
	key := hashOf(x)
	return p.points[key] == 0 && !p.open[key]
}
