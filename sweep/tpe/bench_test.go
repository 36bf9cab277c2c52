package tpe_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/sweeptest"
	"github.com/mapsweep/mapsweep/trials"
)

// six is a space of six parameters, as a detector's search may have.
var six = trials.Space{
	{Name: "lr0", Kind: trials.Float, Low: 1e-5, High: 1e-1, Log: true},
	{Name: "momentum", Kind: trials.Float, Low: 0.5, High: 0.99},
	{Name: "box", Kind: trials.Float, Low: 2, High: 20, Log: true},
	{Name: "mixup", Kind: trials.Float, Low: 0, High: 1},
	{Name: "warmup_epochs", Kind: trials.Int, Low: 0, High: 10},
	{Name: "autoaugment", Kind: trials.Categorical, Choices: []any{"none", "randaugment", "autoaugment"}},
}

// recorded is a history of n trials at random points.
func recorded(n int) sweep.History {
	rng := rand.New(rand.NewPCG(1, 1))
	h := sweeptest.Empty(six, trials.Maximize)
	h.Finished = make([]*trials.Trial, n)
	for i := range h.Finished {
		p := trials.Params{"lr0": 1e-5 + rng.Float64()*0.09, "momentum": 0.5 + 0.4*rng.Float64(), "box": 2 + 18*rng.Float64(), "mixup": rng.Float64(),
			"warmup_epochs": rng.Int64N(11), "autoaugment": six[5].Choices[rng.IntN(3)]}
		tr := sweeptest.Trial(i, trials.Suggestion{Space: six, Params: p}, rng.Float64())
		h.Finished[i] = &tr
	}
	return h
}

// BenchmarkSuggest: one suggestion after n trials, one trial having ended since the last.
func BenchmarkSuggest(b *testing.B) {
	for _, n := range []int{100, 1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			all := recorded(n + 100)
			s := made(b, six, nil)
			h := all
			h.Finished = all.Finished[:n]
			suggest(b, s, h, 0)
			i := 0
			for b.Loop() {
				i++
				if h.Finished = all.Finished[:n+i%100]; i%100 == 0 {
					b.StopTimer() // begin again at n
					suggest(b, s, h, 0)
					b.StartTimer()
				}
				if _, err := s.Suggest(context.Background(), h, sweep.Rand(1, i, 0)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "suggestions/s")
		})
	}
}

// BenchmarkGrow: a whole search of n trials; per trial it must not cost more the longer it is.
func BenchmarkGrow(b *testing.B) {
	for _, n := range []int{1_000, 4_000, 16_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			all := recorded(n)
			for b.Loop() {
				s := made(b, six, nil)
				h := all
				for i := range n {
					h.Finished = all.Finished[:i]
					if _, err := s.Suggest(context.Background(), h, sweep.Rand(1, i, 0)); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "suggestions/s")
		})
	}
}
