package prune_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/sweeptest"
	"github.com/mapsweep/mapsweep/trials"
)

// family is a planted family of learning curves: y(e) = top - (top - start) e^(-e/pace) + noise, with tops and paces of their
// own, so that the order of early epochs is not that of the last one. The best point is known.
func family(seed uint64, points, epochs int) (value func(p, e int) float64, top []float64) {
	rng := rand.New(rand.NewPCG(seed, 77))
	curves := make([][]float64, points)
	for p := range curves {
		end, pace := 0.5+0.1*rng.NormFloat64(), float64(epochs)/20*math.Exp(0.5*rng.NormFloat64())
		for e := 1; e <= epochs; e++ {
			curves[p] = append(curves[p], end*(1-math.Exp(-float64(e)/pace))+0.01*rng.NormFloat64())
		}
		top = append(top, curves[p][epochs-1])
	}
	return func(p, e int) float64 { return curves[p][e-1] }, top
}

// TestFewerEpochs: on the planted family each pruner ends near the best of all points for a fraction of the epochs that no
// pruning takes. Mean over 8 seeds of 50 points of 27 epochs, 4 workers; regret is the distance from the best final value,
// whose standard deviation over points is 0.1. What was measured stands beside the bounds.
func TestFewerEpochs(t *testing.T) {
	const seeds, points, epochs = 8, 50, 27
	for _, c := range []struct {
		pruner        string
		share, regret float64 // at most: of the epochs, and mean distance from the best
	}{
		{"", 1, 0},
		{"median", 0.6, 0.01},
		{"successive-halving", 0.35, 0.03},
		{"asha", 0.35, 0.02},
		{"hyperband", 0.5, 0.03},
	} {
		trained, regret := 0, 0.0
		for seed := range uint64(seeds) {
			value, top := family(seed, points, epochs)
			r := sweeptest.Race{Direction: trials.Maximize, Epochs: epochs, Workers: 4, Points: points, Value: value}
			if c.pruner != "" {
				p, err := pruners[c.pruner](sweep.PrunerConfig{Seed: int64(seed), Epochs: epochs, Trials: points})
				if err != nil {
					t.Fatal(err)
				}
				r.Pruner = p
			}
			r.Run(t)
			trained += r.Trained
			best, found := 0.0, 0.0
			for p, v := range top {
				best = max(best, v)
				if r.Most[[2]int{p, epochs}] > 0 {
					found = max(found, v)
				}
			}
			regret += (best - found) / seeds
		}
		share := float64(trained) / (seeds * points * epochs)
		t.Logf("%-10s %.3f of the epochs, regret %.4f", c.pruner, share, regret)
		if share > c.share || regret > c.regret {
			t.Errorf("%s took %.3f of the epochs with a regret of %.4f; want at most %v and %v", c.pruner, share, regret, c.share, c.regret)
		}
	}
}
