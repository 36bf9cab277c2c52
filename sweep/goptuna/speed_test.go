package goptuna_test

import (
	"testing"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/goptuna"
	"github.com/mapsweep/mapsweep/sweep/sweeptest"
	"github.com/mapsweep/mapsweep/trials"
)

// BenchmarkSuggest asks for one point with 1,000 finished trials of three parameters behind it.
func BenchmarkSuggest(b *testing.B) {
	h := sweeptest.Empty(quadraticSpace, trials.Minimize)
	random, err := goptuna.Random(sweep.SamplerConfig{Space: quadraticSpace})
	if err != nil {
		b.Fatal(err)
	}
	for i := range 1000 {
		sg, err := random.Suggest(b.Context(), h, sweep.Rand(1, i, 0))
		if err != nil {
			b.Fatal(err)
		}
		h = sweeptest.Add(h, sweeptest.Trial(i, sg, quadratic(i, sg.Params)))
	}
	for name, f := range samplers {
		s, err := f(sweep.SamplerConfig{Seed: 1, Space: quadraticSpace, Trials: 2000})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			for i := range b.N {
				if _, err := s.Suggest(b.Context(), h, sweep.Rand(1, 1000+i, 0)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
