package nsga

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/axis"
	"github.com/mapsweep/mapsweep/trials"
)

// Attributes of the trials.
const (
	AttrGeneration = "mapsweep:nsga2_generation" // string: search and generation that the trial was drawn for
	AttrParents    = "mapsweep:nsga2_parents"    // array: numbers of the two trials that it was made from
)

// How often a point is drawn again because it is forbidden, and because it was tried; from then on random ones are.
const (
	redraws = 1000
	anew    = 20
)

type sampler struct {
	breeder
	size int

	mu    sync.Mutex
	known *population // memo: what the log said so far
}

// New makes a sampler of the kind NSGA-II over all objectives. Options:
//
//	population: n               trials of a generation; a fifth of the trials, 10 to 50, if not given
//	crossover: uniform | sbx    numbers are taken from one of two parents, as choices always are, or mixed by simulated
//	                            binary crossover
//	crossover_probability: 0.9
//	mutation_probability: p     of each parameter; one in the number of parameters, if not given
//
// Generation 0 is random. A trial that failed in a way that speaks against its point, or was pruned, counts as the worst of
// its generation; one that broke constraints comes after those that kept them.
func New(c sweep.SamplerConfig) (sweep.Sampler, error) {
	if _, err := axis.All(c.Space); err != nil {
		return nil, err
	}
	o := sweep.ReadOptions(c.Options)
	s := &sampler{size: o.Int("population", min(max(c.Trials/5, 10), 50), 2, 10000), breeder: breeder{
		crossover: o.Choice("crossover", "uniform", "uniform", "sbx"),
		cross:     o.Float("crossover_probability", 0.9, 0, 1),
		mutate:    o.Float("mutation_probability", 1/float64(len(c.Space)), 0, 1),
	}}
	return s, o.Err()
}

// Startup and StartupOption implement sweep.Learner: the first generation has no parents.
func (s *sampler) Startup() int          { return s.size }
func (s *sampler) StartupOption() string { return "population" }

// Suggest implements sweep.Sampler.
func (s *sampler) Suggest(ctx context.Context, h sweep.History, rng *rand.Rand) (trials.Suggestion, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil || !s.known.continues(h) {
		p, err := newPopulation(h, s.size)
		if err != nil {
			return trials.Suggestion{}, err
		}
		s.known = p
	}
	s.known.extend(h)
	open := map[string]bool{}
	for _, t := range h.Open {
		open[key(t)] = true
	}
	var out trials.Suggestion
	allowed := false
	for i := range redraws {
		if ctx.Err() != nil {
			return out, context.Cause(ctx)
		}
		next := s.draw(h, rng, i >= anew)
		if h.Forbids(next.Params) {
			continue
		}
		out, allowed = next, true
		if k := out.Params.Key(); !s.known.tried[k] && !open[k] || i >= 3*anew {
			break
		}
	}
	if !allowed {
		return out, fmt.Errorf("%d points in a row were forbidden combinations: forbid less, or take levels out of the factors", redraws)
	}
	return out, nil
}

// draw makes a point of the present generation, a random one if there are no parents or they bring nothing new.
func (s *sampler) draw(h sweep.History, rng *rand.Rand, random bool) trials.Suggestion {
	p := s.known
	attrs := map[string]json.RawMessage{AttrGeneration: trials.Attr(p.label())}
	var at []float64
	if random || len(p.parents) == 0 {
		at = make([]float64, len(p.axes))
		for i := range at {
			at[i] = rng.Float64()
		}
	} else {
		a, b := parent(p.parents, rng), parent(p.parents, rng)
		at = s.child(p.axes, a, b, rng)
		attrs[AttrParents] = trials.Attr([]int{a.number, b.number})
	}
	out := axis.Point(h, p.axes, at)
	out.Attrs = attrs
	return out
}
