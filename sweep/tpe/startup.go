package tpe

import "math/rand/v2"

// turns spread the first points: in each round of as many points as the startup has, or 100, every dimension is cut into as many
// slices, each of which is drawn from once (Latin hypercube, McKay et al. 1979). The order of the slices depends on study, round and
// dimension alone, so that workers side by side take different ones.
type turns struct {
	slices []float64 // by dimension, for one point
	round  float64   // points of a round
}

func (s *sampler) turns(number, dims int) turns {
	round := min(s.startup, 100)
	rng := rand.New(rand.NewPCG(uint64(s.seed), uint64(number/round)))
	t := turns{round: float64(round)}
	for range dims {
		t.slices = append(t.slices, float64(rng.Perm(round)[number%round]))
	}
	return t
}

// at is a place in dimension j, u being drawn from [0, 1).
func (t turns) at(j int, u float64) float64 { return (t.slices[j] + u) / t.round }
