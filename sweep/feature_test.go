package sweep_test

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/goptuna"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trials"
)

// TestTryFixForbid: points by hand come first, fixed factors keep their value and leave the space, and what is forbidden is
// never run.
func TestTryFixForbid(t *testing.T) {
	spec := search(20, "random", "none")
	spec.Factors = append(spec.Factors, studies.Factor{Name: "depth", Levels: []any{int64(1), int64(2), int64(3)}})
	spec.Baseline["depth"] = int64(1)
	spec.Search.Try = []trials.Params{{"x": 0.25}, {"mode": "fancy", "depth": int64(3)}}
	spec.Search.Fix = trials.Params{"y": 0.75}
	spec.Search.Forbid = []trials.Params{{"mode": "fancy", "depth": int64(2)}, {"mode": "plain", "depth": int64(3)}}
	w := newBench(t, &trainertest.Fake{})
	w.goptuna()
	w.run(t, spec, nil)
	ts := w.trials(t, "search")
	if p := ts[0].Params; p["x"] != 0.25 || p["mode"] != "plain" || p["depth"] != int64(1) {
		t.Errorf("the first point is %s", p.Key())
	}
	if p := ts[1].Params; p["x"] != 0.5 || p["mode"] != "fancy" || p["depth"] != int64(3) {
		t.Errorf("the second point is %s", p.Key())
	}
	for i, tr := range ts {
		mode, depth := tr.Params["mode"], tr.Params["depth"]
		if tr.Params["y"] != 0.75 || mode == "fancy" && depth == int64(2) || mode == "plain" && depth == int64(3) {
			t.Errorf("trial %d ran %s", i, tr.Params.Key())
		}
		if _, varies := tr.Space.Lookup("y"); varies {
			t.Errorf("trial %d varies y", i)
		}
		_, proposed := tr.Attrs[trials.AttrSampler]
		if _, tried := tr.Integer(sweep.AttrTry); tried != (i < 2) || proposed == tried {
			t.Errorf("trial %d: by hand %v, by the sampler %v", i, tried, proposed)
		}
	}
	spec.Search.Trials, spec.Search.Try = 22, append(spec.Search.Try, trials.Params{"x": 0.125}) // points may be added later
	w.run(t, spec, nil)
	if ts := w.trials(t, "search"); len(ts) != 22 || ts[20].Params["x"] != 0.125 || ts[21].Params["x"] == 0.125 {
		t.Errorf("%d trials, of which the last two are %s and %s", len(ts), ts[20].Params.Key(), ts[21].Params.Key())
	}
}

func TestForbiddenForEver(t *testing.T) {
	w := newBench(t, &trainertest.Fake{})
	asked := 0
	w.sampler(func(h sweep.History, _ *rand.Rand) (trials.Suggestion, error) {
		asked++
		if len(h.Forbidden) != 1 {
			t.Errorf("the sampler is told of %d forbidden combinations", len(h.Forbidden))
		}
		return trials.Suggestion{Space: h.Space[1:2], Params: trials.Params{"mode": "fancy"}}, nil
	})
	spec := search(3, "scripted", "")
	spec.Search.Forbid = []trials.Params{{"mode": "fancy"}}
	_, err := w.Run(t.Context(), spec, nil)
	if err == nil || !strings.Contains(err.Error(), "200 points in a row were forbidden by search.forbid") || asked != 200 {
		t.Errorf("after %d questions: %v", asked, err)
	}
	spec = search(3, "scripted", "")
	spec.Search.Try = []trials.Params{{"x": 3.0}}
	if _, err := newBenchOf(t, w).Run(t.Context(), spec, nil); !errors.Is(err, sweep.ErrInvalid) || !strings.Contains(err.Error(), "search.try[0]: x cannot be 3") {
		t.Errorf("a point outside the space: %v", err)
	}
}

// newBenchOf is a bench with w's samplers and a store of its own.
func newBenchOf(t *testing.T, w *bench) *bench {
	n := newBench(t, &trainertest.Fake{})
	n.Samplers = w.Samplers
	return n
}

// TestWarmStart: the sampler sees other studies' finished trials before its own, mapped to its space, as they were when the
// study began.
func TestWarmStart(t *testing.T) {
	w := newBench(t, &trainertest.Fake{})
	w.goptuna()
	old := search(6, "random", "none")
	old.Name = "old"
	w.run(t, old, nil)
	grid := fixed() // x is 0 or 0.5 there, and there is no mode
	w.run(t, grid, nil)

	var seen []sweep.History
	w.Samplers["scripted"] = func(sweep.SamplerConfig) (sweep.Sampler, error) {
		return scripted(func(h sweep.History, rng *rand.Rand) (trials.Suggestion, error) {
			seen = append(seen, h)
			return trials.Suggestion{Space: h.Space[:1], Params: trials.Params{"x": rng.Float64()}}, nil
		}), nil
	}
	spec := search(4, "scripted", "none")
	spec.Search.Fix = trials.Params{"mode": "plain", "y": 0.5}
	spec.Search.WarmStart = []string{"old", "fixed"}
	w.run(t, spec, nil)
	old.Search.Trials = 9
	w.run(t, old, nil) // what comes later changes nothing
	spec.Search.Trials = 6
	w.run(t, spec, nil)
	if len(seen) != 6 {
		t.Fatalf("asked %d times", len(seen))
	}
	for i, h := range seen {
		if len(h.Finished) != 12+i {
			t.Fatalf("suggestion %d saw %d trials, want 6 of each study and %d of its own", i, len(h.Finished), i)
		}
		for k, tr := range h.Finished[:12] {
			if tr.Number != k-12 || len(tr.Space) != 1 || tr.Params["mode"] != "plain" || len(tr.Values) != 1 {
				t.Errorf("entry %d is trial %d, %s, %v", k, tr.Number, tr.Params.Key(), tr.Values)
			}
		}
		if i > 0 && i != 4 && !sweep.Extends(h.Finished, len(seen[i-1].Finished), seen[i-1].Finished[0], seen[i-1].Finished[len(seen[i-1].Finished)-1]) {
			t.Errorf("the log of suggestion %d does not begin with that of the one before", i)
		}
	}
	for says, change := range map[string]func(*studies.Spec){
		"study \"nowhere\": no such study":   func(s *studies.Spec) { s.Search.WarmStart = []string{"nowhere"} },
		"scored by mAP50-95 (maximize), and": func(s *studies.Spec) { s.Objective.Direction = trials.Minimize },
	} {
		spec := search(4, "random", "none")
		spec.Name, spec.Search.WarmStart = "other", []string{"old"}
		change(&spec)
		if _, err := w.Run(t.Context(), spec, nil); !errors.Is(err, sweep.ErrInvalid) || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
}

// expects is a sampler that tells what it expects.
type expects struct{ scripted }

func (expects) Expected(_ context.Context, h sweep.History) (float64, bool, error) {
	return 1 / float64(len(h.Finished)+1), len(h.Finished) > 0, nil
}

// TestSearchEnds: each rule ends the search with its reason, and every trial is accounted for.
func TestSearchEnds(t *testing.T) {
	constant := func(h sweep.History, rng *rand.Rand) (trials.Suggestion, error) {
		if h.Metric == "exhausted" || len(h.All()) == 7 {
			return trials.Suggestion{}, sweep.ErrExhausted
		}
		return trials.Suggestion{Space: h.Space[:1], Params: trials.Params{"x": rng.Float64()}}, nil
	}
	falling := func(job trainer.Job, epoch int) map[string]float64 {
		return map[string]float64{"mAP50-95": []float64{0.5, 0.6, 0.3, 0.6, 0.2, 0.1, 0.7, 0.8}[job.Number%8]}
	}
	for _, c := range []struct {
		name, why string
		change    func(*studies.Spec)
		want      sweep.Summary
		err       error
	}{
		{"exhausted", "every point has been tried", func(*studies.Spec) {}, sweep.Summary{Planned: 7, Complete: 7}, nil},
		{"no improvement", "the last 4 points that ended were no better than trial 1",
			func(s *studies.Spec) { s.Search.Stop = &studies.Stop{NoImprovement: 4} }, sweep.Summary{Planned: 6, Complete: 6}, nil},
		{"expected", "the next point is expected to gain 0.2 at most, less than 0.21",
			func(s *studies.Spec) { s.Search.Stop = &studies.Stop{Expected: 0.21} }, sweep.Summary{Planned: 4, Complete: 4}, nil},
		{"epochs", "12 of 15 epochs used", func(s *studies.Spec) { s.Budget.Epochs = 15 }, sweep.Summary{Planned: 10, Complete: 3, Skipped: 7}, sweep.ErrBudget},
		{"wall clock", "since the first trial began, 1ns allowed", func(s *studies.Spec) { s.Budget.WallClock = "1ns" }, sweep.Summary{Planned: 10, Complete: 1, Skipped: 9}, sweep.ErrBudget},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newBench(t, &trainertest.Fake{Metrics: falling})
			w.Samplers = map[string]sweep.NewSampler{"scripted": func(sweep.SamplerConfig) (sweep.Sampler, error) { return expects{constant}, nil }}
			spec := search(10, "scripted", "none")
			c.change(&spec)
			for range 2 { // and it ends there again
				sum := w.run(t, spec, c.err)
				wantSummary(t, sum, c.want)
				if !strings.Contains(sum.Ended, c.why) {
					t.Errorf("ended because %q, want %q", sum.Ended, c.why)
				}
			}
			st, err := w.store.Study(t.Context(), "search")
			if err != nil {
				t.Fatal(err)
			}
			var why string
			_ = json.Unmarshal(st.Attrs[trials.AttrEnded], &why)
			told := slices.ContainsFunc(w.events, func(ev sweep.Event) bool { e, ok := ev.(sweep.SearchEnded); return ok && e.Why == c.why })
			if c.err == nil && (why != c.why || !told) {
				t.Errorf("the study says %q, told %v", why, told)
			}
			if c.name != "no improvement" {
				return
			}
			spec.Search.Stop.NoImprovement = 5 // trial 6 is the fifth after it, and better
			wantSummary(t, w.run(t, spec, nil), sweep.Summary{Planned: 7, Complete: 7})
		})
	}
	w := newBench(t, &trainertest.Fake{})
	w.goptuna()
	spec := search(10, "random", "none")
	spec.Search.Stop = &studies.Stop{Expected: 0.1}
	if _, err := w.Run(t.Context(), spec, nil); !errors.Is(err, sweep.ErrInvalid) {
		t.Errorf("a sampler that expects nothing: %v", err)
	}
}

// TestSearchEndsInParallel: workers that wait do not outlive a search that has ended.
func TestSearchEndsInParallel(t *testing.T) {
	w := newBench(t, &trainertest.Fake{Pause: time.Millisecond, Metrics: func(trainer.Job, int) map[string]float64 { return map[string]float64{"mAP50-95": 0.5} }})
	w.Samplers = map[string]sweep.NewSampler{"random": goptuna.Random}
	spec := search(100, "random", "none")
	spec.Budget.Parallel = 4
	spec.Search.Stop = &studies.Stop{NoImprovement: 5}
	sum := w.run(t, spec, nil)
	if sum.Complete < 6 || sum.Complete > 9 || sum.Planned != sum.Complete {
		t.Errorf("ended with %+v", sum)
	}
}
