package sweep_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trials"
)

// Configurations are ranked by their bounds, and what broke a constraint or speaks against its point is never the best.
func TestIncumbents(t *testing.T) {
	n := 0
	trial := func(x float64, s trials.State, class string, values ...float64) trials.Trial {
		n++
		tr := trials.Trial{Number: n - 1, State: s, Params: trials.Params{"x": x}, Values: values, Attrs: map[string]json.RawMessage{}}
		if class != "" {
			tr.Attrs[trials.AttrClass] = trials.Attr(class)
		}
		return tr
	}
	infeasible := trial(0.9, trials.Complete, "", 0.99)
	infeasible.Constraints = []float64{0.5}
	ts := []trials.Trial{infeasible,
		trial(0.1, trials.Complete, "", 0.80), // luck
		trial(0.2, trials.Complete, "", 0.74), trial(0.2, trials.Complete, "", 0.78), trial(0.2, trials.Complete, "", 0.76),
		trial(0.3, trials.Complete, "", 0.95), trial(0.3, trials.Fail, trials.ClassDiverged), // another seed of it diverged
		trial(0.4, trials.Complete, "", 0.2), trial(0.4, trials.Complete, "", 0.1), trial(0.4, trials.Fail, trials.ClassLost),
		trial(0.5, trials.Pruned, "", 0.99),
	}
	var order []string
	for _, in := range sweep.Incumbents(trials.Maximize, ts) {
		order = append(order, fmt.Sprint(in.Trials))
	}
	if got, want := fmt.Sprint(order), "[[3 4 2] [1] [7 8]]"; got != want {
		t.Errorf("ranked %s, want %s", got, want)
	}
	if in := sweep.Incumbents(trials.Maximize, nil); len(in) != 0 {
		t.Errorf("no trials have %+v", in)
	}
}

// TestIncumbentInEvents: a search tells its incumbent with each trial that ends; a configuration that was lucky once is replaced
// by one that was good more often.
func TestIncumbentInEvents(t *testing.T) {
	values := []float64{0.5, 0.7, 0.68, 0.7, 0.69, 0.705, 0.695}
	fake := &trainertest.Fake{Metrics: func(job trainer.Job, _ int) map[string]float64 {
		return map[string]float64{"mAP50-95": values[job.Number]}
	}}
	w := newBench(t, fake)
	w.sampler(func(h sweep.History, _ *rand.Rand) (trials.Suggestion, error) {
		mode := "plain"
		if len(h.All()) > 1 {
			mode = "fancy"
		}
		return trials.Suggestion{Space: h.Space[:2], Params: trials.Params{"x": float64(min(len(h.All()), 2)) / 2, "mode": mode}}, nil
	})
	w.run(t, search(7, "scripted", "none"), nil)
	var told []int
	for _, ev := range w.events {
		if e, ok := ev.(sweep.TrialFinished); ok {
			told = append(told, e.Incumbent.Trials[0])
		}
	}
	if got, want := fmt.Sprint(told), "[0 1 1 3 3 5 5]"; got != want {
		t.Errorf("the incumbent's best trial was %s, want %s", got, want)
	}
}
