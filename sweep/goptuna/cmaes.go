package goptuna

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"sync"

	"github.com/c-bata/goptuna"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/axis"
	"github.com/mapsweep/mapsweep/trials"
)

// AttrGeneration is the CMA-ES generation that a trial was drawn in: strategy, restart and generation.
const AttrGeneration = "mapsweep:cmaes_generation"

type cmaesSampler struct {
	options strategyOptions

	mu    sync.Mutex
	known *strategy // memo: the strategy, told what the log held so far
}

// CMAES is the covariance matrix adaptation evolution strategy (Hansen and Ostermeier 2001), goptuna's
// cmaes.Optimizer over all numeric parameters without requirements, if there are two or more. The
// others are drawn at random. A generation is told when as many of its trials have ended as it
// takes; until then more points are drawn from it. A trial that failed, was pruned or broke a constraint ranks
// behind all others of its generation. Options:
//
//	restart: none | ipop | bipop  what follows when it has converged: nothing; a strategy twice as large from a random
//	                              point (Auger and Hansen 2005); that, or a small one, in turns (Hansen 2009)
//	sigma: 0.25                   first step, in parts of a range. A quarter, as Hansen advises
//	                              (goptuna: a sixth, which hardly reaches the ends)
//	start: middle | baseline      the mean at the start
//	population: n                 trials a generation; 4 + 3 ln(parameters) if not given
func CMAES(c sweep.SamplerConfig) (sweep.Sampler, error) {
	if _, err := axis.All(c.Space); err != nil {
		return nil, err
	}
	o := sweep.ReadOptions(c.Options)
	s := &cmaesSampler{options: strategyOptions{
		seed:       c.Seed,
		restart:    o.Choice("restart", "none", "none", "ipop", "bipop"),
		sigma:      o.Float("sigma", 0.25, 1e-6, 2),
		start:      o.Choice("start", "middle", "middle", "baseline"),
		population: o.Int("population", 0, 4, 10000),
	}}
	return s, o.Err()
}

// Suggest implements sweep.Sampler.
func (s *cmaesSampler) Suggest(ctx context.Context, h sweep.History, rng *rand.Rand) (out trials.Suggestion, err error) {
	defer guard(&err)
	xs, err := axis.All(h.Space)
	if err != nil {
		return out, err
	}
	var together []axis.Axis
	for _, x := range xs {
		if x.Param.Kind != trials.Categorical && len(x.Param.Requires) == 0 && !x.Single() {
			together = append(together, x)
		}
	}
	study, st, err := newStudy(nil, goptuna.StudyOptionSampler(seeded(rng)))
	if err != nil {
		return out, err
	}
	a := asker{study: study, storage: st}
	draws := 0
	return allowed(ctx, h, func() (trials.Suggestion, error) {
		if draws++; len(together) < 2 || draws > insisted {
			a.relative = nil
			return a.ask(ctx, h, xs)
		}
		drawn, label, err := s.draw(ctx, h, together, rng.Int64())
		if err != nil {
			return trials.Suggestion{}, err
		}
		a.relative = drawn
		out, err := a.ask(ctx, h, xs)
		out.Attrs = map[string]json.RawMessage{AttrGeneration: trials.Attr(label)}
		return out, err
	})
}

// draw brings the strategy up to date with the log and draws a point from it with a random stream of that seed.
func (s *cmaesSampler) draw(ctx context.Context, h sweep.History, xs []axis.Axis, seed int64) (map[string]float64, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil || !s.known.continues(h, xs) {
		st, err := newStrategy(s.options, h, xs)
		if err != nil {
			return nil, "", err
		}
		s.known = st
	}
	told := s.known
	s.known = nil // a panic or an error below leaves nothing half told
	if err := told.read(ctx, h); err != nil {
		return nil, "", err
	}
	at, err := told.draw(seed)
	if err != nil {
		return nil, "", err
	}
	s.known = told
	drawn := map[string]float64{}
	for i, x := range xs {
		drawn[x.Param.Name] = at[i]
	}
	return drawn, told.label(), nil
}

// rankOf is how a finished trial is told: its loss if it is complete and feasible, otherwise the worst there is.
func rankOf(h sweep.History, t *trials.Trial) float64 {
	if t.State != trials.Complete || len(t.Values) == 0 || !finite(t.Values[0]) || !t.Feasible() {
		return math.Inf(1)
	}
	return loss(h.Direction, t.Values[0])
}
