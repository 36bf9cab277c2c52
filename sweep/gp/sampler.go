package gp

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/axis"
	"github.com/mapsweep/mapsweep/trials"
)

type sampler struct {
	seed            int64
	startup, points int

	mu    sync.Mutex
	known fitted // memo: the last fit
}

// New makes a sampler that proposes the point where a Gaussian process expects the largest improvement. Options:
//
//	startup: n    finished trials before the process is asked; those before are spread evenly. If not given, two more than
//	              there are parameters, but not more than a quarter of the trials nor fewer than 3
//	points: 300   finished trials that the process is fitted to; of more, half are the best and half the latest.
//	              A suggestion takes a time that grows with their third power
//
// The first objective alone is looked at. Trials that run or wait are taken to end as expected.
func New(c sweep.SamplerConfig) (sweep.Sampler, error) {
	if _, err := axis.All(c.Space); err != nil {
		return nil, err
	}
	if len(c.Goals) > 1 {
		return nil, fmt.Errorf("gp searches for one objective, this study has %d: nsga2 searches for several", len(c.Goals))
	}
	startup := len(c.Space) + 2
	if c.Trials > 0 {
		startup = min(startup, c.Trials/4)
	}
	o := sweep.ReadOptions(c.Options)
	s := &sampler{seed: c.Seed, startup: o.Int("startup", max(startup, 3), 2, math.MaxInt), points: o.Int("points", 300, 10, 1000)}
	return s, o.Err()
}

// Startup and StartupOption implement sweep.Learner.
func (s *sampler) Startup() int          { return s.startup }
func (s *sampler) StartupOption() string { return "startup" }

// Suggest implements sweep.Sampler.
func (s *sampler) Suggest(ctx context.Context, h sweep.History, rng *rand.Rand) (trials.Suggestion, error) {
	sp, err := newSpace(h)
	if err != nil {
		return trials.Suggestion{}, err
	}
	f, err := s.fit(ctx, h, sp)
	if err != nil {
		return trials.Suggestion{}, err
	}
	if f.model == nil {
		return s.even(h, sp, rng)
	}
	var open [][]float64
	for _, t := range h.Open {
		if row, ok := sp.row(t); ok {
			open = append(open, row)
		}
	}
	best, ok := acquire(sp, f.model.believing(open), rng)
	if !ok {
		return s.even(h, sp, rng)
	}
	return axis.Point(h, sp.axes, best.u), nil
}

// Expected is the largest improvement of the objective, in its unit, that the process expects of one more trial. The second result
// is false before there are enough trials to say so. It is a function of the finished trials alone.
func (s *sampler) Expected(ctx context.Context, h sweep.History) (float64, bool, error) {
	sp, err := newSpace(h)
	if err != nil {
		return 0, false, err
	}
	f, err := s.fit(ctx, h, sp)
	if err != nil || f.model == nil {
		return 0, false, err
	}
	best, ok := acquire(sp, f.model, rand.New(rand.NewPCG(uint64(s.seed), uint64(len(h.Finished)))))
	return math.Exp(best.score) * f.unit, ok, nil
}

// fitted is a model and what it was fitted to.
type fitted struct {
	model       *model  // nil: too few trials
	unit        float64 // one standard deviation of the losses
	n           int
	first, last *trials.Trial
	space       trials.Space
	direction   trials.Direction
}

// fit fits the process to the finished trials, unless the last call did.
func (s *sampler) fit(ctx context.Context, h sweep.History, sp *space) (fitted, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(h.Finished); n > 0 && n == s.known.n && sweep.Extends(h.Finished, n, s.known.first, s.known.last) &&
		h.Direction == s.known.direction && slices.EqualFunc(h.Space, s.known.space, same) {
		return s.known, nil
	}
	os := observe(h, sp)
	f := fitted{n: len(h.Finished), space: h.Space, direction: h.Direction}
	if f.n > 0 {
		f.first, f.last = h.Finished[0], h.Finished[f.n-1]
	}
	if len(os) >= s.startup {
		if ctx.Err() != nil {
			return f, context.Cause(ctx)
		}
		os = limit(os, s.points)
		rows := make([][]float64, len(os))
		for i, o := range os {
			rows[i] = o.row
		}
		var values []float64
		values, f.unit = standardise(os)
		p := newProblem(rows, values, sp.choice)
		if m, ok := newModel(p, p.fit()); ok {
			f.model = m
		}
	}
	s.known = f
	return f, nil
}

func same(a, b trials.Param) bool {
	return a.Name == b.Name && a.Kind == b.Kind && a.Low == b.Low && a.High == b.High && a.Step == b.Step && a.Log == b.Log &&
		slices.EqualFunc(a.Choices, b.Choices, trials.SameValue) && a.Requires.Key() == b.Requires.Key()
}

// even is the next point of a sequence that fills the cube evenly, shifted by the study's seed; where that one is forbidden,
// a random one.
func (s *sampler) even(h sweep.History, sp *space, rng *rand.Rand) (trials.Suggestion, error) {
	d := len(sp.axes)
	i := len(h.Finished) + len(h.Open)
	u := spread(d, i+1, rand.New(rand.NewPCG(uint64(s.seed), 0x6770)))[i] // "gp"
	for range 1000 {
		if out := axis.Point(h, sp.axes, u); !h.Forbids(out.Params) {
			return out, nil
		}
		for j := range u {
			u[j] = rng.Float64()
		}
	}
	return trials.Suggestion{}, fmt.Errorf("a thousand points in a row were forbidden combinations: forbid less, or take levels out of the factors")
}
