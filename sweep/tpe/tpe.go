package tpe

import (
	"context"
	"math/rand/v2"
	"sync"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
)

type sampler struct {
	settings
	seed int64
	mu   sync.Mutex
	kept *columns // of the last history
}

// New makes a sampler. Its options are those of settings; docs/STUDY_FILE.md says what they do.
func New(c sweep.SamplerConfig) (sweep.Sampler, error) {
	if _, err := dimensions(c.Space); err != nil {
		return nil, err
	}
	s, err := read(c.Options, c.Trials)
	if err != nil {
		return nil, err
	}
	return &sampler{settings: s, seed: c.Seed}, nil
}

// Startup and StartupOption implement sweep.Learner.
func (s *sampler) Startup() int          { return s.startup }
func (s *sampler) StartupOption() string { return "startup" }

// Suggest implements sweep.Sampler. What it keeps between calls depends on the log alone.
func (s *sampler) Suggest(ctx context.Context, h sweep.History, rng *rand.Rand) (trials.Suggestion, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.kept.holds(h) {
		c, err := newColumns(h)
		if err != nil {
			return trials.Suggestion{}, err
		}
		s.kept = c
	}
	s.kept.extend(h.Finished)
	params, err := s.propose(ctx, h, rng)
	if err != nil {
		return trials.Suggestion{}, err
	}
	sg := trials.Suggestion{Params: params}
	for _, p := range h.Space {
		if _, active := params[p.Name]; active {
			sg.Space = append(sg.Space, p)
		}
	}
	return sg, nil
}
