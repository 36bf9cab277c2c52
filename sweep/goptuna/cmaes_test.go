package goptuna_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/goptuna"
	"github.com/mapsweep/mapsweep/sweep/sweeptest"
	"github.com/mapsweep/mapsweep/trials"
)

// generations plays a constant objective, on which CMA-ES converges at once, and counts the trials of each generation.
func generations(t *testing.T, restart string, space trials.Space) map[string]int {
	t.Helper()
	s, err := goptuna.CMAES(sweep.SamplerConfig{Seed: 1, Space: space, Trials: 600, Options: trials.Params{"restart": restart}})
	if err != nil {
		t.Fatal(err)
	}
	h := sweeptest.Empty(space, trials.Minimize)
	sizes := map[string]int{}
	for i := range 600 {
		sg := suggest(t, s, h, i)
		h = sweeptest.Add(h, sweeptest.Trial(i, sg, 0))
		sizes[h.Finished[i].Text(goptuna.AttrGeneration)]++
	}
	return sizes
}

// TestRestarts: none keeps one strategy; IPOP doubles the population of 6 each time; BIPOP has small ones between.
func TestRestarts(t *testing.T) {
	space := trials.Space{{Name: "x", Kind: trials.Float, High: 1}, {Name: "y", Kind: trials.Float, High: 1}}
	populations := func(restart string) []int {
		var out []int
		for label, n := range generations(t, restart, space) {
			var run int
			if _, err := fmt.Sscan(strings.Split(label, "-")[1], &run); err != nil {
				t.Fatal(err)
			}
			for len(out) <= run {
				out = append(out, 0)
			}
			out[run] = max(out[run], n)
		}
		return out
	}
	if got := populations("none"); len(got) != 1 || got[0] != 6 {
		t.Errorf("without restarts: populations %v, want 6 alone", got)
	}
	if got := populations("ipop"); len(got) < 3 || got[0] != 6 || got[1] != 12 || got[2] != 24 {
		t.Errorf("ipop: populations %v, want 6, 12, 24 ..", got)
	}
	if got := populations("bipop"); len(got) < 3 || got[1] != 12 || got[2] > 12 {
		t.Errorf("bipop: populations %v, want 6, 12, at most 12 ..", got)
	}
}

// TestCMAESOptions: a small step at the baseline begins there; the population is as asked.
func TestCMAESOptions(t *testing.T) {
	space := trials.Space{{Name: "x", Kind: trials.Float, High: 1}, {Name: "y", Kind: trials.Float, Low: 1e-4, High: 1, Log: true}}
	s, err := goptuna.CMAES(sweep.SamplerConfig{Seed: 1, Space: space, Options: trials.Params{"start": "baseline", "sigma": 0.01, "population": int64(9)}})
	if err != nil {
		t.Fatal(err)
	}
	h := sweeptest.Empty(space, trials.Minimize)
	h.Fixed = trials.Params{"x": 0.8, "y": 1e-3}
	sizes := map[string]int{}
	for i := range 18 {
		sg := suggest(t, s, h, i)
		x, y := sg.Params["x"].(float64), sg.Params["y"].(float64)
		if i < 9 && (math.Abs(x-0.8) > 0.05 || math.Abs(math.Log10(y)+3) > 0.2) {
			t.Errorf("trial %d at %v, %v: the baseline is 0.8, 0.001", i, x, y)
		}
		h = sweeptest.Add(h, sweeptest.Trial(i, sg, x))
		sizes[h.Finished[i].Text(goptuna.AttrGeneration)]++
	}
	if len(sizes) != 2 {
		t.Errorf("generations %v, want two of 9", sizes)
	}
}

// TestCMAESLog: the strategy that grew with the log and one that reads it all at once propose the same, whatever was asked between;
// trials that failed, were pruned or broke a constraint do not keep a generation open.
func TestCMAESLog(t *testing.T) {
	grown := make1(t, goptuna.CMAES, quadraticSpace, 200)
	h := sweeptest.Empty(quadraticSpace, trials.Minimize)
	for i := range 90 {
		sg := suggest(t, grown, h, i)
		tr := sweeptest.Trial(i, sg, quadratic(i, sg.Params))
		switch i % 7 {
		case 2:
			tr.State, tr.Values = trials.Fail, nil
		case 3:
			tr.State = trials.Pruned
		case 4:
			tr.Constraints = []float64{0.5}
		}
		h = sweeptest.Add(h, tr)
		if i%10 == 9 {
			fresh := suggest(t, make1(t, goptuna.CMAES, quadraticSpace, 200), h, i+1).Params.Key()
			if got := suggest(t, grown, h, i+1).Params.Key(); got != fresh {
				t.Errorf("after %d trials %s, anew %s", i+1, got, fresh)
			}
			short := h
			short.Finished = h.Finished[:i/2]
			suggest(t, grown, short, i) // another process that has seen less
		}
	}
	if label := h.Finished[89].Text(goptuna.AttrGeneration); !strings.HasSuffix(label, "-14") {
		t.Errorf("trial 89 is of generation %s, want number 14", label)
	}
	if _, err := grown.Suggest(canceled(t), h, sweep.Rand(1, 90, 0)); err == nil {
		t.Error("a cancelled context was ignored")
	}
}

func canceled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// TestSobolOptions: skip leaves points out, none is the sequence itself, a digital shift keeps every square of 4 x 4 at 4 of 64.
func TestSobolOptions(t *testing.T) {
	space := trials.Space{{Name: "x", Kind: trials.Float, High: 1}, {Name: "y", Kind: trials.Float, High: 1}}
	play := func(n int, options trials.Params) []*trials.Trial {
		s, err := goptuna.Sobol(sweep.SamplerConfig{Seed: 5, Space: space, Options: options})
		if err != nil {
			t.Fatal(err)
		}
		return sweeptest.Play(t, s, sweeptest.Empty(space, trials.Minimize), 1, n, quadratic2).All()
	}
	plain, skipped := play(12, trials.Params{"scramble": nil}), play(4, trials.Params{"scramble": "none", "skip": int64(8)})
	if plain[0].Params["x"] != 0.5 || plain[0].Params["y"] != 0.5 {
		t.Errorf("the sequence begins at %v", plain[0].Params)
	}
	for i, tr := range skipped {
		if tr.Params.Key() != plain[8+i].Params.Key() {
			t.Errorf("skipped: point %d is %v, want %v", i, tr.Params, plain[8+i].Params)
		}
	}
	squares := map[[2]int]int{}
	for _, tr := range play(63, trials.Params{"scramble": "digital"}) {
		squares[[2]int{int(4 * tr.Params["x"].(float64)), int(4 * tr.Params["y"].(float64))}]++
	}
	for sq, n := range squares {
		if len(squares) != 16 || n < 3 || n > 4 { // goptuna leaves the first point out
			t.Errorf("square %v of %d has %d points", sq, len(squares), n)
		}
	}
}
