package goptuna

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"sync"

	"github.com/c-bata/goptuna"
	"github.com/c-bata/goptuna/sobol"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/axis"
	"github.com/mapsweep/mapsweep/trials"
)

// AttrSobol is the index of a trial's point in the Sobol sequence, from 0.
const AttrSobol = "mapsweep:sobol_index"

type sobolSampler struct {
	seed     int64
	scramble string
	skip     int64

	mu    sync.Mutex
	known sequence // memo: what was drawn so far
}

// Sobol takes the points of goptuna's Sobol sequence (Joe and Kuo 2008) one after another. Options:
//
//	scramble: shift    all points are shifted by a vector that the study's seed draws (Cranley and Patterson 1976)
//	          digital  their binary digits are, which keeps the balance of the first 2^k points (Matousek 1998)
//	          none     the sequence as it is, the same in every study
//	skip: n            the first n points are left out
func Sobol(c sweep.SamplerConfig) (sweep.Sampler, error) {
	if _, err := axis.All(c.Space); err != nil {
		return nil, err
	}
	o := sweep.ReadOptions(c.Options)
	s := &sobolSampler{seed: c.Seed,
		scramble: o.Choice("scramble", "shift", "shift", "digital", "none"), skip: int64(o.Int("skip", 0, 0, 1<<24))}
	return s, o.Err()
}

// Suggest implements sweep.Sampler.
func (s *sobolSampler) Suggest(ctx context.Context, h sweep.History, rng *rand.Rand) (out trials.Suggestion, err error) {
	defer guard(&err)
	xs, err := axis.All(h.Space)
	if err != nil {
		return out, err
	}
	study, st, err := newStudy(nil, goptuna.StudyOptionSampler(seeded(rng)))
	if err != nil {
		return out, err
	}
	a := asker{study: study, storage: st, relative: map[string]float64{}}
	next := s.next(h)
	return allowed(ctx, h, func() (trials.Suggestion, error) {
		point := s.point(len(xs), next)
		for i, x := range xs {
			a.relative[x.Param.Name] = point[i]
		}
		out, err := a.ask(ctx, h, xs)
		out.Attrs = map[string]json.RawMessage{AttrSobol: trials.Attr(next)}
		next++
		return out, err
	})
}

// next is the index after the last one that a trial has.
func (s *sobolSampler) next(h sweep.History) int64 {
	next := s.skip
	for _, log := range [][]*trials.Trial{h.Finished, h.Open} {
		for _, t := range log {
			if i, ok := t.Integer(AttrSobol); ok {
				next = max(next, i+1)
			}
		}
	}
	return next
}

// point is point i of the scrambled sequence in that many dimensions, coordinates in [0, 1).
func (s *sobolSampler) point(dimensions int, i int64) []float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	point := s.known.at(dimensions, i)
	shift := rand.New(rand.NewPCG(uint64(s.seed), 0x736f626f6c)) // "sobol"
	for j := range point {
		switch s.scramble {
		case "shift":
			_, point[j] = math.Modf(point[j] + shift.Float64())
		case "digital":
			point[j] = float64(uint32(point[j]*(1<<32))^shift.Uint32()) / (1 << 32)
		}
	}
	return point
}

// sequence is a Sobol sequence that can be read forwards, and begins anew to go back.
type sequence struct {
	engine     *sobol.Engine
	dimensions int
	drawn      int64
}

// at is point i, counted from 0; goptuna leaves out the origin.
func (q *sequence) at(dimensions int, i int64) []float64 {
	if q.engine == nil || q.dimensions != dimensions || q.drawn > i {
		*q = sequence{engine: sobol.NewEngine(uint32(dimensions)), dimensions: dimensions}
	}
	for ; q.drawn < i; q.drawn++ {
		q.engine.Draw()
	}
	q.drawn++
	return q.engine.Draw()
}
