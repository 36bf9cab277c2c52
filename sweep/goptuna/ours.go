package goptuna

import (
	"context"
	"fmt"

	"github.com/c-bata/goptuna"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
)

type relativeSampler struct {
	sampler sweep.Sampler
	seed    int64
	reader  reader
}

// RelativeSampler lets a sampler of ours propose the points of a goptuna.Study, all parameters together. The
// study needs its space from the start (goptuna.StudyOptionDefineSearchSpace with Distributions, or a Driver): without one
// goptuna asks for what earlier trials had in common. Point n has the random stream of seed and n.
func RelativeSampler(s sweep.Sampler, seed int64) goptuna.RelativeSampler {
	return &relativeSampler{sampler: s, seed: seed}
}

// SampleRelative implements goptuna.RelativeSampler.
func (r *relativeSampler) SampleRelative(study *goptuna.Study, trial goptuna.FrozenTrial, distributions map[string]any) (map[string]float64, error) {
	if len(distributions) == 0 {
		return nil, nil
	}
	space, err := space(distributions)
	if err != nil {
		return nil, err
	}
	h, err := r.reader.history(study, space)
	if err != nil {
		return nil, err
	}
	h.Open = without(h.Open, trial.Number) // the one that is asked for
	s, err := r.sampler.Suggest(context.Background(), h, sweep.Rand(r.seed, trial.Number, 0))
	if err != nil {
		return nil, fmt.Errorf("suggest trial %d: %w", trial.Number, err)
	}
	out := make(map[string]float64, len(s.Params))
	for _, p := range space {
		v, ok := s.Params[p.Name]
		if !ok || !p.Contains(v) {
			return nil, fmt.Errorf("suggest trial %d: %s = %s is out of range", trial.Number, p.Name, trials.FormatValue(v))
		}
		if out[p.Name], err = p.Internal(v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func without(ts []*trials.Trial, number int) []*trials.Trial {
	var out []*trials.Trial
	for _, t := range ts {
		if t.Number != number {
			out = append(out, t)
		}
	}
	return out
}

type pruner struct {
	pruner sweep.Pruner
	reader reader
}

// Pruner lets a pruner of ours judge the trials of a goptuna.Study. goptuna's step s is our epoch s + 1.
func Pruner(p sweep.Pruner) goptuna.Pruner { return &pruner{pruner: p} }

// Prune implements goptuna.Pruner.
func (p *pruner) Prune(study *goptuna.Study, trial goptuna.FrozenTrial) (bool, error) {
	h, err := p.reader.history(study, nil)
	if err != nil {
		return false, err
	}
	judged := translate(trial)
	h.Space = judged.Space
	stop, err := p.pruner.Prune(h, judged)
	if err != nil {
		return false, fmt.Errorf("judge trial %d: %w", trial.Number, err)
	}
	return stop, nil
}
