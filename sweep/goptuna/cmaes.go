package goptuna

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"

	"github.com/c-bata/goptuna"
	"github.com/c-bata/goptuna/cmaes"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/axis"
	"github.com/mapsweep/mapsweep/trials"
)

// AttrGeneration is the CMA-ES generation that a trial was drawn in.
const AttrGeneration = "mapsweep:cmaes_generation"

// goptunaGeneration is goptuna's name for it.
const goptunaGeneration = "goptuna:cmaes:generationId"

// sigma is the initial step: a quarter of the range, as Hansen advises (goptuna: a sixth, which
// hardly reaches the ends).
const sigma = 0.25

type cmaesSampler struct{ seed int64 }

// CMAES is the covariance matrix adaptation evolution strategy (Hansen and Ostermeier 2001), goptuna's
// cmaes.Sampler over all numeric parameters without requirements, if there are two or more. The
// others are drawn at random. A generation is told when as many of its trials are complete as it
// takes; until then more points are drawn from it.
func CMAES(c sweep.SamplerConfig) (sweep.Sampler, error) {
	_, err := axis.All(c.Space)
	return cmaesSampler{seed: c.Seed}, err
}

// Suggest implements sweep.Sampler.
func (s cmaesSampler) Suggest(ctx context.Context, h sweep.History, rng *rand.Rand) (out trials.Suggestion, err error) {
	defer guard(&err)
	xs, err := axis.All(h.Space)
	if err != nil {
		return out, err
	}
	space := map[string]any{}
	var together []axis.Axis
	for _, x := range xs {
		if x.Param.Kind != trials.Categorical && len(x.Param.Requires) == 0 && !x.Single() {
			space[x.Param.Name] = unit
			together = append(together, x)
		}
	}
	history := freeze(h, xs)
	for i, t := range h.All() {
		tellable(&history[i], *t, together)
	}
	relative := cmaes.NewSampler(cmaes.SamplerOptionSeed(s.seed), cmaes.SamplerOptionInitialSigma(sigma),
		cmaes.SamplerOptionOptimizerOptions(cmaes.OptimizerOptionSeed(rng.Int64())))
	study, st, err := newStudy(history, goptuna.StudyOptionSampler(seeded(rng)), goptuna.StudyOptionRelativeSampler(relative))
	if err != nil {
		return out, err
	}
	a := asker{study: study, storage: st}
	if len(together) >= 2 {
		if a.relative, err = generations(ctx, study, st, space); err != nil {
			return out, err
		}
	}
	if out, err = a.ask(ctx, h, xs); err != nil {
		return out, err
	}
	if g, ok := st.attrs[goptunaGeneration]; ok {
		out.Attrs = map[string]json.RawMessage{AttrGeneration: trials.Attr(g)}
	}
	return out, nil
}

// tellable hands a trial's generation to goptuna, unless the trial lacks one of the parameters: an
// edited study may have moved a range away from it.
func tellable(f *goptuna.FrozenTrial, t trials.Trial, together []axis.Axis) {
	for _, x := range together {
		if _, ok := f.InternalParams[x.Param.Name]; !ok {
			return
		}
	}
	if g := t.Text(AttrGeneration); g != "" {
		f.SystemAttrs[goptunaGeneration] = g
	}
}

// generations replays the strategy: each call tells goptuna at most one generation, so it
// is asked until none is left, and the last answer counts.
func generations(ctx context.Context, study *goptuna.Study, st *storage, space map[string]any) (map[string]float64, error) {
	for last := "none"; ; last = st.attrs[goptunaGeneration] {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		drawn, err := study.RelativeSampler.SampleRelative(study, goptuna.FrozenTrial{}, space)
		if err != nil {
			return nil, fmt.Errorf("sample with CMA-ES: %w", err)
		}
		if st.attrs[goptunaGeneration] == last {
			return drawn, nil
		}
	}
}
