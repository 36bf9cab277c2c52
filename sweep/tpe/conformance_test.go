package tpe_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/sweeptest"
	"github.com/mapsweep/mapsweep/sweep/tpe"
	"github.com/mapsweep/mapsweep/trials"
)

func TestSampler(t *testing.T) { sweeptest.TestSampler(t, tpe.New) }

func TestSamplerEachByItself(t *testing.T) {
	sweeptest.TestSampler(t, func(c sweep.SamplerConfig) (sweep.Sampler, error) {
		c.Options = c.Options.With(trials.Params{"multivariate": false})
		return tpe.New(c)
	})
}

func made(t testing.TB, space trials.Space, options trials.Params) sweep.Sampler {
	t.Helper()
	s, err := tpe.New(sweep.SamplerConfig{Seed: 3, Space: space, Trials: 100, Options: options})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func suggest(t testing.TB, s sweep.Sampler, h sweep.History, i int) trials.Suggestion {
	t.Helper()
	sg, err := s.Suggest(context.Background(), h, sweep.Rand(3, i, 0))
	if err != nil {
		t.Fatal(err)
	}
	return sg
}

// TestGrownAndFresh: a sampler that followed the study proposes bit for bit what a new one does, with trials under way, entries
// that change earlier ones, a shorter history in between, and more trials than kernels.
func TestGrownAndFresh(t *testing.T) {
	space := sweeptest.Everything()
	grown := made(t, space, trials.Params{"kernels": int64(50)})
	h := sweeptest.Empty(space, trials.Maximize)
	for i := range 150 {
		if i%10 == 7 {
			old := *h.Finished[i/3]
			old.State, old.Values = trials.State(i%3)+1, nil // complete without a value, pruned, failed
			if i%20 == 7 {
				old.State, old.Values = trials.Complete, []float64{float64(i)}
			}
			h.Finished = append(h.Finished[:len(h.Finished):len(h.Finished)], &old)
		}
		if i == 90 {
			short := h
			short.Finished = h.Finished[:40]
			suggest(t, grown, short, i)
		}
		got := suggest(t, grown, h, i)
		if i%4 == 0 {
			if want := suggest(t, made(t, space, trials.Params{"kernels": int64(50)}), h, i); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("suggestion %d: %v from a sampler that followed the study, %v from a new one", i, got.Params, want.Params)
			}
		}
		tr := sweeptest.Trial(i, got, math.Sin(float64(i)))
		h.Open = append(h.Open[:len(h.Open):len(h.Open)], &tr)
		tr.State = trials.Running
		if len(h.Open) == 4 {
			done := *h.Open[0]
			done.State = trials.Complete
			h.Finished = append(h.Finished[:len(h.Finished):len(h.Finished)], &done)
			h.Open = h.Open[1:]
		}
	}
}

func TestOptions(t *testing.T) {
	space := sweeptest.Everything()
	for name, v := range map[string]any{"gama": 0.1, "startup": 0.5, "candidates": int64(0), "constant_liar": "perhaps", "prior_weight": -1.0, "defaults": "theirs"} {
		_, err := tpe.New(sweep.SamplerConfig{Space: space, Options: trials.Params{name: v}})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("option %s: %v: %v", name, v, err)
		}
	}
	if _, err := tpe.New(sweep.SamplerConfig{Space: space, Options: trials.Params{"defaults": "optuna", "gamma": 0.2, "startup": int64(5)}}); err != nil {
		t.Error(err)
	}
}
