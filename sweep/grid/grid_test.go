package grid_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/grid"
	"github.com/mapsweep/mapsweep/sweep/sweeptest"
	"github.com/mapsweep/mapsweep/trials"
)

// TestSampler gives the continuous factors of the suite three values each.
func TestSampler(t *testing.T) {
	sweeptest.TestSampler(t, func(c sweep.SamplerConfig) (sweep.Sampler, error) {
		c.Options = trials.Params{"points": int64(3)}.With(c.Options)
		return grid.New(c)
	})
}

func newSampler(t *testing.T, space trials.Space, options trials.Params) sweep.Sampler {
	t.Helper()
	s, err := grid.New(sweep.SamplerConfig{Seed: 2, Space: space, Options: options})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// all plays until the grid is exhausted, with some trials always open, and counts the points.
func all(t *testing.T, s sweep.Sampler, h sweep.History) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for i := range 1000 {
		sg, err := s.Suggest(t.Context(), h, sweep.Rand(1, i, 0))
		if errors.Is(err, sweep.ErrExhausted) {
			return counts
		}
		if err != nil {
			t.Fatal(err)
		}
		counts[sg.Params.Key()]++
		tr := sweeptest.Trial(i, sg, 1)
		tr.State = trials.Running
		if h = sweeptest.Add(h, tr); len(h.Open) > 3 {
			done := *h.Open[i%3]
			done.State = []trials.State{trials.Complete, trials.Pruned, trials.Fail}[i%3]
			rest := append([]*trials.Trial{}, h.Open[:i%3]...)
			h.Open = append(rest, h.Open[i%3+1:]...)
			h = sweeptest.Add(h, done)
		}
	}
	t.Fatal("the grid has no end")
	return nil
}

func TestEachOnce(t *testing.T) {
	space := trials.Space{
		{Name: "mosaic", Kind: trials.Categorical, Choices: []any{true, false}},
		{Name: "p", Kind: trials.Float, High: 0.3, Step: 0.1, Requires: trials.Params{"mosaic": true}},
		{Name: "k", Kind: trials.Int, Low: 1, High: 3, Log: true},
		{Name: "lr", Kind: trials.Float, Low: 1e-4, High: 1e-2, Log: true},
	}
	h := sweeptest.Empty(space, trials.Maximize)
	h.Forbidden = []trials.Params{{"mosaic": false, "k": int64(2)}}
	counts := all(t, newSampler(t, space, trials.Params{"points": int64(3)}), h)
	// With mosaic 4 x 3 x 3, without 2 x 3.
	if len(counts) != 42 {
		t.Errorf("%d combinations, want 42", len(counts))
	}
	for key, n := range counts {
		if n != 1 || strings.Contains(key, "mosaic=false") && (strings.Contains(key, "k=2 ") || strings.Contains(key, " p=")) {
			t.Errorf("%s was tried %d times", key, n)
		}
	}
	if counts["k=1 lr=0.001 mosaic=false"] != 1 {
		t.Errorf("the middle of a logarithmic scale is missing: %v", counts)
	}
}

// TestOrder: declared order has the last factor fastest; combinations that the history has are left out.
func TestOrder(t *testing.T) {
	space := trials.Space{{Name: "a", Kind: trials.Int, High: 1}, {Name: "b", Kind: trials.Int, High: 2}}
	s := newSampler(t, space, trials.Params{"order": "declared"})
	h := sweeptest.Add(sweeptest.Empty(space, trials.Maximize), sweeptest.Trial(0, trials.Suggestion{Space: space, Params: trials.Params{"a": int64(0), "b": int64(1)}}, 1))
	h = sweeptest.Play(t, s, h, 1, 9, func(int, trials.Params) float64 { return 1 })
	got := ""
	for _, tr := range h.Finished[1:] {
		got += tr.Params.Key() + ", "
	}
	if got != "a=0 b=0, a=0 b=2, a=1 b=0, a=1 b=1, a=1 b=2, " {
		t.Errorf("order %s", got)
	}
}

func TestRefused(t *testing.T) {
	x := trials.Param{Name: "x", Kind: trials.Float, High: 1}
	wide := trials.Param{Name: "w", Kind: trials.Int, High: 2e6}
	for want, c := range map[string]sweep.SamplerConfig{
		"x: a grid needs a step":     {Space: trials.Space{x}},
		"more than a million":        {Space: trials.Space{wide}},
		"empty":                      {},
		"option points: 1":           {Space: trials.Space{x}, Options: trials.Params{"points": int64(1)}},
		"option steps: there is non": {Space: trials.Space{x}, Options: trials.Params{"steps": int64(3)}},
	} {
		if _, err := grid.New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
