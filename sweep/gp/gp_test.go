package gp_test

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/gp"
	"github.com/mapsweep/mapsweep/sweep/sweeptest"
	"github.com/mapsweep/mapsweep/trials"
)

func TestSampler(t *testing.T) { sweeptest.TestSampler(t, gp.New) }

// expecter is what the engine's rule of no expected improvement asks.
type expecter interface {
	Expected(ctx context.Context, h sweep.History) (float64, bool, error)
}

func branin(_ int, p trials.Params) float64 {
	x, y := p["x"].(float64), p["y"].(float64)
	a := y - 5.1/(4*math.Pi*math.Pi)*x*x + 5/math.Pi*x - 6
	return a*a + 10*(1-1/(8*math.Pi))*math.Cos(x) + 10
}

var braninSpace = trials.Space{{Name: "x", Kind: trials.Float, Low: -5, High: 10}, {Name: "y", Kind: trials.Float, High: 15}}

// The constants of Hartmann's function of six numbers (Surjanovic and Bingham, Virtual Library of Simulation Experiments).
var (
	hartmannA = [4][6]float64{{10, 3, 17, 3.5, 1.7, 8}, {0.05, 10, 17, 0.1, 8, 14}, {3, 3.5, 1.7, 10, 17, 8}, {17, 8, 0.05, 10, 0.1, 14}}
	hartmannP = [4][6]float64{{0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886}, {0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991},
		{0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650}, {0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381}}
	hartmannC = [4]float64{1, 1.2, 3, 3.2}
	letters   = []string{"a", "b", "c", "d", "e", "f"}
)

func hartmann(_ int, p trials.Params) float64 {
	sum := 0.0
	for i, c := range hartmannC {
		inner := 0.0
		for j, name := range letters {
			d := p[name].(float64) - hartmannP[i][j]
			inner += hartmannA[i][j] * d * d
		}
		sum -= c * math.Exp(-inner)
	}
	return sum
}

func hartmannSpace() (s trials.Space) {
	for _, name := range letters {
		s = append(s, trials.Param{Name: name, Kind: trials.Float, High: 1})
	}
	return s
}

// medianBest is the median over seeds of the best of 50 trials.
func medianBest(t *testing.T, space trials.Space, f func(int, trials.Params) float64, d trials.Direction) float64 {
	t.Helper()
	sign := map[trials.Direction]float64{trials.Minimize: 1, trials.Maximize: -1}[d]
	var bests []float64
	for seed := range int64(3) {
		s, err := gp.New(sweep.SamplerConfig{Seed: seed, Space: space, Trials: 50})
		if err != nil {
			t.Fatal(err)
		}
		h := sweeptest.Play(t, s, sweeptest.Empty(space, d), seed, 50, func(i int, p trials.Params) float64 { return sign * f(i, p) })
		best := math.Inf(1)
		for _, tr := range h.Finished {
			best = min(best, sign*tr.Values[0])
		}
		bests = append(bests, best)
	}
	slices.Sort(bests)
	return bests[1]
}

// TestBetterThanRandom: random search has medians of 0.8 and -2.0 after a hundred trials, twice what is spent here.
func TestBetterThanRandom(t *testing.T) {
	branins, hartmanns := medianBest(t, braninSpace, branin, trials.Minimize), medianBest(t, hartmannSpace(), hartmann, trials.Maximize)
	t.Logf("medians of three searches: %.4f, %.4f", branins, hartmanns)
	if got := branins; got > 0.41 { // the minimum is 0.3979
		t.Errorf("Branin: %.4f after 50 trials", got)
	}
	if got := hartmanns; got > -3 { // the minimum is -3.3224
		t.Errorf("Hartmann: %.4f after 50 trials", got)
	}
}
