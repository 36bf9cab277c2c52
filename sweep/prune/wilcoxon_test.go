package prune_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/sweep/sweeptest"
	"github.com/mapsweep/mapsweep/trials"
)

// noisy is a curve of n epochs around a level.
func noisy(rng *rand.Rand, n int, level float64) []float64 {
	var values []float64
	for e := range n {
		values = append(values, level*(1-math.Exp(-float64(e+1)/5))+0.02*rng.NormFloat64())
	}
	return values
}

// TestWilcoxonRates plays 500 trials of 20 epochs against a best one whose noise is independent of theirs. One that is no worse is
// stopped at a single look in at most about p_threshold of them, and worse ones surely and early. An equal one that is judged
// at every epoch is stopped more often, as said in docs/STUDY_FILE.md: about a quarter of them.
func TestWilcoxonRates(t *testing.T) {
	const runs, epochs = 500, 20
	pr := judge(t, "wilcoxon", epochs, nil) // p_threshold 0.1
	for _, d := range []trials.Direction{trials.Maximize, trials.Minimize} {
		sign := map[trials.Direction]float64{trials.Maximize: 1, trials.Minimize: -1}[d]
		for _, c := range []struct {
			name             string
			level            float64    // of the trial; that of the best one is 0.5
			once, ever       [2]float64 // least and largest share that is stopped: looked at after the last epoch alone, and after each
			earliest, latest int        // median epoch at which those are stopped that ever are
		}{
			{"equal", 0.5, [2]float64{0.05, 0.14}, [2]float64{0.2, 0.45}, 2, epochs},
			{"better", 0.53, [2]float64{0, 0.01}, [2]float64{0, 0.25}, 2, epochs},
			{"worse by half", 0.25, [2]float64{1, 1}, [2]float64{1, 1}, 4, 8},
			{"a little worse", 0.47, [2]float64{0.9, 1}, [2]float64{0.95, 1}, 4, 12},
		} {
			rng := rand.New(rand.NewPCG(1945, 1))
			once, ever := 0, 0
			var at []int
			for range runs {
				best, own := noisy(rng, epochs, 0.5), noisy(rng, epochs, c.level)
				for i := range epochs {
					best[i], own[i] = sign*best[i], sign*own[i]
				}
				h := sweeptest.Add(sweeptest.Empty(nil, d), sweeptest.Trial(0, trials.Suggestion{}, best...))
				for e := 1; e <= epochs; e++ {
					stop, err := pr.Prune(h, running(1, own[:e]...))
					if err != nil {
						t.Fatal(err)
					}
					if e == epochs && stop {
						once++
					}
					if stop && (len(at) == ever) {
						at = append(at, e)
					}
				}
				ever = len(at)
			}
			share := func(n int) float64 { return float64(n) / runs }
			middle := epochs
			if slices.Sort(at); ever > 0 {
				middle = at[ever/2]
			}
			t.Logf("%s, %s: %.3f stopped at one look, %.3f at any, half of these by epoch %d", d, c.name, share(once), share(ever), middle)
			if share(once) < c.once[0] || share(once) > c.once[1] || share(ever) < c.ever[0] || share(ever) > c.ever[1] || middle < c.earliest || middle > c.latest {
				t.Errorf("%s, %s: %.3f stopped at one look, want %v; %.3f at any, want %v; half of these by epoch %d, want %d to %d", d, c.name, share(once), c.once, share(ever), c.ever, middle, c.earliest, c.latest)
			}
		}
	}
}

// TestWilcoxonGaps: epochs at which either trial has no number, or was not measured, count neither for the test nor for startup.
func TestWilcoxonGaps(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	without := func(tr trials.Trial, epochs ...int) trials.Trial {
		tr.Measurements = slices.DeleteFunc(slices.Clone(tr.Measurements), func(m trials.Measurement) bool { return slices.Contains(epochs, m.Epoch) })
		return tr
	}
	best := sweeptest.Trial(0, trials.Suggestion{}, 9, 9, 9, 9, 9, 9, 9, 9)
	unnamed := sweeptest.Trial(0, trials.Suggestion{}, 9, 9, 9, 9, 9, 9, 9, 9)
	unnamed.Measurements[5].Metrics = map[string]float64{"other": 1}
	gaps := sweeptest.Trial(0, trials.Suggestion{}, 9, nan, 9, inf, 9, 9, 9, 9)
	for _, c := range []struct {
		name string
		best trials.Trial
		own  trials.Trial
		want bool
	}{
		{"four epochs behind", best, running(1, 1, 2, 3, 4), true}, // 1/16
		{"three", best, running(1, 1, 2, 3), false},                // 1/8
		{"three, and one that is no number", best, running(1, 1, nan, 2, 3), false},
		{"three, and one that is infinite", best, running(1, 1, -inf, 2, 3), false},
		{"four, and two that are none", best, running(1, nan, 1, 2, nan, 3, 4), true},
		{"three, and one not measured", best, without(running(1, 1, 2, 3, 4), 2), false},
		{"four, and one not measured", best, without(running(1, 1, 2, 3, 4, 5), 2), true},
		{"the best has two numbers of four", gaps, running(1, 1, 2, 3, 4), false},
		{"four of six", gaps, running(1, 1, 2, 3, 4, 5, 6), true},
		{"three, the best was not measured at one", without(best, 2), running(1, 1, 2, 3, 4), false},
		{"five, the best has another metric at one", unnamed, running(1, 10, nan, nan, nan, 3, 4, 5, 6), false},
		{"nothing to judge now", best, running(1, 1, 2, 3, 4, nan), false},
		{"no epoch in common", without(best, 1, 2, 3, 4), running(1, 1, 2, 3, 4), false},
		{"nothing measured", best, running(1), false},
	} {
		h := sweeptest.Add(sweeptest.Empty(nil, trials.Maximize), c.best)
		if got, err := judge(t, "wilcoxon", 8, nil).Prune(h, c.own); err != nil || got != c.want {
			t.Errorf("%s: pruned %v (%v), want %v", c.name, got, err, c.want)
		}
	}
	h := sweeptest.Add(sweeptest.Empty(nil, trials.Maximize), best)
	for n, want := range map[int]bool{4: false, 5: true} { // startup counts shared epochs alone
		own := running(1, slices.Concat([]float64{nan, nan}, []float64{1, 2, 3, 4, 5}[:n])...)
		if got, err := judge(t, "wilcoxon", 8, trials.Params{"startup": int64(5)}).Prune(h, own); err != nil || got != want {
			t.Errorf("startup 5, %d numbers: pruned %v (%v), want %v", n, got, err, want)
		}
	}
}
