package goptuna

import (
	"context"
	"math/rand/v2"

	"github.com/c-bata/goptuna"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/axis"
	"github.com/mapsweep/mapsweep/trials"
)

type randomSampler struct{}

// Random draws every parameter by itself, evenly over its scale, with goptuna's RandomSampler. It has no options.
func Random(c sweep.SamplerConfig) (sweep.Sampler, error) {
	if _, err := axis.All(c.Space); err != nil {
		return nil, err
	}
	return randomSampler{}, sweep.ReadOptions(c.Options).Err()
}

// Suggest implements sweep.Sampler.
func (randomSampler) Suggest(ctx context.Context, h sweep.History, rng *rand.Rand) (trials.Suggestion, error) {
	xs, err := axis.All(h.Space)
	if err != nil {
		return trials.Suggestion{}, err
	}
	study, st, err := newStudy(nil, goptuna.StudyOptionSampler(seeded(rng)))
	if err != nil {
		return trials.Suggestion{}, err
	}
	a := asker{study: study, storage: st}
	return allowed(ctx, h, func() (trials.Suggestion, error) { return a.ask(ctx, h, xs) })
}
