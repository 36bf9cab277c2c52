package tpe_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/sweeptest"
	"github.com/mapsweep/mapsweep/trials"
)

var line = trials.Space{{Name: "x", Kind: trials.Float, Low: 0, High: 1}}

// trial is one of a study over line, with an objective to be minimised.
func trial(n int, x float64, state trials.State, value float64) trials.Trial {
	tr := sweeptest.Trial(n, trials.Suggestion{Space: line, Params: trials.Params{"x": x}}, value)
	if tr.State = state; state != trials.Complete {
		tr.Values = nil
	}
	if state != trials.Complete && state != trials.Pruned {
		tr.Measurements = nil
	}
	return tr
}

func class(tr trials.Trial, name string) trials.Trial {
	tr.Attrs = map[string]json.RawMessage{trials.AttrClass: trials.Attr(name)}
	return tr
}

// near counts how many of 200 suggestions lie within 0.1 of x.
func near(t *testing.T, h sweep.History, options trials.Params, x float64) int {
	t.Helper()
	s := made(t, h.Space, options)
	n := 0
	for i := range 200 {
		if math.Abs(suggest(t, s, h, i).Params["x"].(float64)-x) < 0.1 {
			n++
		}
	}
	return n
}

// field has 12 complete trials, of which the best lie at 0.3 and at 0.7.
func field() sweep.History {
	h := sweeptest.Empty(line, trials.Minimize)
	for i := range 12 {
		x := (float64(i) + 0.5) / 12
		h = sweeptest.Add(h, trial(i, x, trials.Complete, math.Min(math.Abs(x-0.3), math.Abs(x-0.7))))
	}
	return h
}

// TestOthersRepel: running trials, and failures that speak against their point, push suggestions away from where they lie; other
// failures, and trials that another one stands for, do not.
func TestOthersRepel(t *testing.T) {
	before := near(t, field(), nil, 0.3)
	if before < 50 {
		t.Fatalf("%d of 200 suggestions lie at one of two optima", before)
	}
	superseded := class(trial(0, 0, trials.Fail, 0), trials.ClassDiverged)
	superseded.Attrs[trials.AttrRetriedBy] = trials.Attr(99)
	for _, c := range []struct {
		name    string
		like    trials.Trial
		options trials.Params
		repels  bool
	}{
		{"running", trial(0, 0, trials.Running, 0), nil, true},
		{"waiting", trial(0, 0, trials.Waiting, 0), nil, true},
		{"running, no liar", trial(0, 0, trials.Running, 0), trials.Params{"constant_liar": false}, false},
		{"diverged", class(trial(0, 0, trials.Fail, 0), trials.ClassDiverged), nil, true},
		{"out of memory", class(trial(0, 0, trials.Fail, 0), trials.ClassMemory), nil, true},
		{"infeasible", class(trial(0, 0, trials.Fail, 0), trials.ClassInfeasible), nil, true},
		{"NaN", trial(0, 0, trials.Complete, math.NaN()), nil, true},
		{"error", class(trial(0, 0, trials.Fail, 0), trials.ClassError), nil, false},
		{"lost", class(trial(0, 0, trials.Fail, 0), trials.ClassLost), nil, false},
		{"superseded", superseded, nil, false},
	} {
		h := field()
		for i := range 6 {
			tr := c.like
			tr.Number, tr.Params = 12+i, trials.Params{"x": 0.27 + 0.01*float64(i)}
			h = sweeptest.Add(h, tr)
		}
		after := near(t, h, c.options, 0.3)
		if c.repels && after > before/2 || !c.repels && after != before {
			t.Errorf("%s: %d of 200 suggestions lie near six such trials, %d without them", c.name, after, before)
		}
	}
}

// TestOrderOfTrials: which trials are followed.
func TestOrderOfTrials(t *testing.T) {
	at := func(n int, x float64, change func(*trials.Trial)) trials.Trial {
		tr := trial(n, x, trials.Pruned, x)
		change(&tr)
		return tr
	}
	epochs := func(n int, value float64) func(*trials.Trial) {
		return func(tr *trials.Trial) {
			tr.Measurements = []trials.Measurement{{Epoch: 1, Metrics: map[string]float64{sweeptest.Metric: 0}},
				{Epoch: n, Metrics: map[string]float64{sweeptest.Metric: value}}}
		}
	}
	constrained := func(violations ...float64) func(*trials.Trial) {
		return func(tr *trials.Trial) {
			tr.State, tr.Values, tr.Constraints = trials.Complete, []float64{0}, violations
		}
	}
	completed := func(v float64) func(*trials.Trial) {
		return func(tr *trials.Trial) { tr.State, tr.Values = trials.Complete, []float64{v} }
	}
	for _, c := range []struct {
		name         string
		good, others func(*trials.Trial)
	}{
		{"complete before pruned", completed(5), epochs(9, -1)},
		{"pruned later before pruned earlier", epochs(9, 5), epochs(8, -1)},
		{"pruned at the same epoch, by value", epochs(9, 1), epochs(9, 2)},
		{"pruned with a value before NaN", epochs(9, 1), epochs(9, math.NaN())},
		{"pruned before infeasible", epochs(2, 9), constrained(0.1)},
		{"feasible before infeasible", completed(5), constrained(-1, 0.1)},
		{"less infeasible before more", constrained(0.1, 0.2), constrained(0.4, -5)},
		{"infeasible before an unknown constraint", constrained(9), constrained(math.NaN())},
		{"infinite is worst", completed(1e9), completed(math.Inf(1))},
	} {
		h := sweeptest.Empty(line, trials.Minimize)
		for i := range 18 {
			h = sweeptest.Add(h, at(i, 0.05+0.05*float64(i), c.others))
		}
		h = sweeptest.Add(h, at(18, 0.25, c.good), at(19, 0.26, c.good))
		// Two of 20 count as the best.
		if n := near(t, h, trials.Params{"gamma": 0.1}, 0.25); n < 100 {
			t.Errorf("%s: %d of 200 suggestions lie where the better ones do", c.name, n)
		}
	}
}

// TestSeveralObjectives: of x^2 and (x-1)^2/4, both to be minimised, points between the optima are proposed, not those of one.
func TestSeveralObjectives(t *testing.T) {
	space := trials.Space{{Name: "x", Kind: trials.Float, Low: -4, High: 5}}
	h := sweeptest.Empty(space, trials.Minimize)
	h.Goals = []trials.Goal{{Metric: sweeptest.Metric, Direction: trials.Minimize}, {Metric: "speed", Direction: trials.Maximize}}
	s := made(t, space, nil)
	var xs []float64
	for i := range 80 {
		sg := suggest(t, s, h, i)
		x := sg.Params["x"].(float64)
		tr := sweeptest.Trial(i, sg, 0)
		tr.Values = []float64{x * x, -(x - 1) * (x - 1)}
		h = sweeptest.Add(h, tr)
		xs = append(xs, x)
	}
	inside, left := 0, 0
	for _, x := range xs[40:] {
		if x > -0.2 && x < 1.2 {
			inside++
			if x < 0.5 {
				left++
			}
		}
	}
	if inside < 25 || left < 5 || left > inside-5 {
		t.Errorf("of 40 points %d lie on the front, %d of them in its left half", inside, left)
	}
}

// TestForbidden: forbidden combinations are never proposed, also where the model wants nothing else; if all is forbidden, that
// is said.
func TestForbidden(t *testing.T) {
	space := trials.Space{{Name: "a", Kind: trials.Categorical, Choices: []any{"x", "y"}}, {Name: "b", Kind: trials.Int, Low: 0, High: 2}}
	for _, options := range []trials.Params{nil, {"multivariate": false}} {
		h := sweeptest.Empty(space, trials.Maximize)
		h.Forbidden = []trials.Params{{"a": "y", "b": int64(2)}, {"a": "x", "backbone": "small"}}
		s := made(t, space, options)
		for i := range 40 {
			sg := suggest(t, s, h, i)
			if sg.Params["a"] == "x" || sg.Params["b"] == int64(2) {
				t.Fatalf("trial %d is forbidden: %s", i, sg.Params.Key())
			}
			b, _ := trials.Number(sg.Params["b"])
			h = sweeptest.Add(h, sweeptest.Trial(i, sg, b))
		}
		h.Forbidden = append(h.Forbidden, trials.Params{"backbone": "small"})
		if sg, err := s.Suggest(t.Context(), h, sweep.Rand(1, 1, 0)); err == nil {
			t.Errorf("all is forbidden, and %s was proposed", sg.Params.Key())
		}
	}
}

// TestConditional: a parameter that matters under one choice only is learnt there, together with the others.
func TestConditional(t *testing.T) {
	space := trials.Space{
		{Name: "momentum", Kind: trials.Float, Low: 0, High: 1, Requires: trials.Params{"optimizer": "sgd"}},
		{Name: "optimizer", Kind: trials.Categorical, Choices: []any{"adam", "sgd"}},
		{Name: "lr", Kind: trials.Float, Low: 1e-5, High: 1, Log: true},
	}
	h := sweeptest.Empty(space, trials.Minimize)
	h = sweeptest.Play(t, made(t, space, nil), h, 1, 120, func(_ int, p trials.Params) float64 {
		best, extra := -4.0, 0.5
		if p["optimizer"] == "sgd" {
			best, extra = -1, math.Abs(p["momentum"].(float64)-0.9)
		}
		return math.Abs(math.Log10(p["lr"].(float64))-best) + extra
	})
	good := 0
	for _, tr := range h.All()[60:] {
		if tr.Values[0] < 0.5 { // possible with sgd only
			good++
		}
	}
	if good < 20 {
		t.Errorf("%d of the last 60 points are good", good)
	}
}

// TestRepeatsAvoided: in a space of 12 points, the first 12 are different.
func TestRepeatsAvoided(t *testing.T) {
	space := trials.Space{{Name: "a", Kind: trials.Int, Low: 0, High: 3}, {Name: "b", Kind: trials.Categorical, Choices: []any{int64(1), "1", nil}}}
	distinct := func(options trials.Params) int {
		h := sweeptest.Play(t, made(t, space, options.With(trials.Params{"startup": int64(3), "candidates": int64(400)})), sweeptest.Empty(space, trials.Minimize), 1, 12,
			func(_ int, p trials.Params) float64 { return float64(p["a"].(int64)) })
		seen := map[string]bool{}
		for _, tr := range h.All() {
			seen[tr.Params.Key()] = true
		}
		return len(seen)
	}
	if n := distinct(nil); n < 11 {
		t.Errorf("%d different points of 12", n)
	}
	if n := distinct(trials.Params{"avoid_repeats": false}); n > 10 {
		t.Errorf("%d different points of 12 without the option: the test shows nothing", n)
	}
}
