package sweeptest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
)

// Metric is the objective of all histories here.
const Metric = "mAP50-95"

// Empty is the history of a study over space that has no trials yet.
func Empty(space trials.Space, d trials.Direction) sweep.History {
	return sweep.History{Space: space, Direction: d, Metric: Metric, Fixed: trials.Params{"backbone": "small"}}
}

// Trial makes trial number n of a history: complete with those values of the objective, one an epoch.
func Trial(n int, s trials.Suggestion, values ...float64) trials.Trial {
	t := trials.Trial{ID: int64(n + 1), Number: n, State: trials.Complete, Key: fmt.Sprint("suggestion-", n),
		Space: s.Space, Params: s.Params, Attrs: s.Attrs}
	for i, v := range values {
		t.Measurements = append(t.Measurements, trials.Measurement{Epoch: i + 1, Metrics: map[string]float64{Metric: v}})
	}
	if len(values) > 0 {
		t.Values = values[len(values)-1:]
	}
	return t
}

// Play lets a sampler make n trials of an objective, one after another, with the random
// streams of a study of that seed. It ends early if the sampler has no further point.
func Play(t testing.TB, s sweep.Sampler, h sweep.History, seed int64, n int, objective func(number int, p trials.Params) float64) sweep.History {
	t.Helper()
	for range n {
		i := len(h.All())
		sg, err := s.Suggest(context.Background(), h, sweep.Rand(seed, i, 0))
		if errors.Is(err, sweep.ErrExhausted) {
			return h
		}
		if err != nil {
			t.Fatalf("suggestion %d: %v", i, err)
		}
		h = Add(h, Trial(i, sg, objective(i, sg.Params)))
	}
	return h
}

// Add is h with further trials: finished ones at the end of its log, the others among its open ones.
func Add(h sweep.History, ts ...trials.Trial) sweep.History {
	for _, t := range ts {
		if t.State.Finished() {
			h.Finished = append(h.Finished[:len(h.Finished):len(h.Finished)], &t)
		} else {
			h.Open = append(h.Open[:len(h.Open):len(h.Open)], &t)
		}
	}
	return h
}
