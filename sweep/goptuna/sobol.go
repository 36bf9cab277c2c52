package goptuna

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"

	"github.com/c-bata/goptuna"
	"github.com/c-bata/goptuna/sobol"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/axis"
	"github.com/mapsweep/mapsweep/trials"
)

// AttrSobol is the index of a trial's point in the Sobol sequence, from 0.
const AttrSobol = "mapsweep:sobol_index"

type sobolSampler struct{ seed int64 }

// Sobol takes the points of goptuna's Sobol sequence (Joe and Kuo 2008) one after another, all of them
// shifted by a vector that the study's seed draws (Cranley and Patterson 1976).
func Sobol(c sweep.SamplerConfig) (sweep.Sampler, error) {
	_, err := axis.All(c.Space)
	return sobolSampler{seed: c.Seed}, err
}

// Suggest implements sweep.Sampler.
func (s sobolSampler) Suggest(ctx context.Context, h sweep.History, rng *rand.Rand) (out trials.Suggestion, err error) {
	defer guard(&err)
	xs, err := axis.All(h.Space)
	if err != nil {
		return out, err
	}
	next := int64(0)
	for _, t := range h.All() {
		if i, ok := t.Integer(AttrSobol); ok {
			next = max(next, i+1)
		}
	}
	engine := sobol.NewEngine(uint32(len(xs)))
	point := engine.Draw()
	for range next {
		point = engine.Draw()
	}
	shift := rand.New(rand.NewPCG(uint64(s.seed), 0x736f626f6c)) // "sobol"
	study, st, err := newStudy(nil, goptuna.StudyOptionSampler(seeded(rng)))
	if err != nil {
		return out, err
	}
	a := asker{study: study, storage: st, relative: map[string]float64{}}
	for i, x := range xs {
		_, a.relative[x.Param.Name] = math.Modf(point[i] + shift.Float64())
	}
	if out, err = a.ask(ctx, h, xs); err == nil {
		out.Attrs = map[string]json.RawMessage{AttrSobol: trials.Attr(next)}
	}
	return out, err
}
