package importance_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mapsweep/mapsweep/studies/inference/importance"
	"github.com/mapsweep/mapsweep/trials"
)

// BenchmarkForest measures the forest, and all shares and marginals from it, of 10,000 points in 8 dimensions.
func BenchmarkForest(b *testing.B) {
	var p importance.Problem
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range 8 {
		p.Space = append(p.Space, trials.Param{Name: string(rune('a' + i)), Kind: trials.Float, High: 1})
	}
	for range 10000 {
		q := trials.Params{}
		s := 0.2 * rng.NormFloat64()
		for i, d := range p.Space {
			x := rng.Float64()
			q[d.Name] = x
			s += math.Sin(x*float64(i)) / float64(i+1)
		}
		p.Points = append(p.Points, importance.Point{Params: q, Score: s})
	}
	b.Run("fit", func(b *testing.B) {
		for b.Loop() {
			if _, err := importance.Fit(p, importance.Options{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	m, err := importance.Fit(p, importance.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("shares", func(b *testing.B) {
		for b.Loop() {
			m.FANOVA(true)
		}
	})
	b.Run("marginals", func(b *testing.B) {
		for b.Loop() {
			m.Marginals()
		}
	})
}
