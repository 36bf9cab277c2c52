package gp_test

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"strings"
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
	if got := hartmanns; got > -3.1 { // the minimum is -3.3224
		t.Errorf("Hartmann: %.4f after 50 trials", got)
	}
}

// TestExpected: the expected improvement shrinks as a search goes on, is in the objective's unit, and cannot be told
// before there are trials.
func TestExpected(t *testing.T) {
	play := func(scale float64, n int) float64 {
		s, err := gp.New(sweep.SamplerConfig{Space: braninSpace, Trials: 50})
		if err != nil {
			t.Fatal(err)
		}
		e, ok := s.(expecter)
		if !ok {
			t.Fatal("the sampler does not say what it expects")
		}
		if _, ok, err := e.Expected(t.Context(), sweeptest.Empty(braninSpace, trials.Minimize)); ok || err != nil {
			t.Errorf("before the first trial: %v, %v", ok, err)
		}
		h := sweeptest.Play(t, s, sweeptest.Empty(braninSpace, trials.Minimize), 1, n, func(i int, p trials.Params) float64 { return scale * branin(i, p) })
		v, ok, err := e.Expected(t.Context(), h)
		if !ok || err != nil {
			t.Errorf("after %d trials: %v, %v", n, ok, err)
		}
		return v
	}
	early, late, scaled := play(1, 6), play(1, 40), play(1000, 6)
	if !(early > 0) || late > early/100 || math.Abs(scaled/early-1000) > 50 {
		t.Errorf("expected %g after 6 trials, %g after 40, %g in units of a thousandth", early, late, scaled)
	}
}

// TestOpenTrials: points under way are not proposed again.
func TestOpenTrials(t *testing.T) {
	s, err := gp.New(sweep.SamplerConfig{Space: braninSpace, Trials: 50})
	if err != nil {
		t.Fatal(err)
	}
	h := sweeptest.Play(t, s, sweeptest.Empty(braninSpace, trials.Minimize), 1, 12, branin)
	for i := range 5 {
		sg, err := s.Suggest(t.Context(), h, sweep.Rand(1, 12+i, 0))
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range h.Open {
			dx, dy := sg.Params["x"].(float64)-o.Params["x"].(float64), sg.Params["y"].(float64)-o.Params["y"].(float64)
			if math.Hypot(dx, dy) < 0.1 {
				t.Errorf("proposed %v although %v is under way", sg.Params, o.Params)
			}
		}
		tr := sweeptest.Trial(12+i, sg)
		tr.State = trials.Running
		h = sweeptest.Add(h, tr)
	}
}

// TestBadTrials: a half of the range where everything fails is left alone, though nothing there has a value.
func TestBadTrials(t *testing.T) {
	space := trials.Space{{Name: "x", Kind: trials.Float, High: 1}}
	s, err := gp.New(sweep.SamplerConfig{Space: space, Trials: 40})
	if err != nil {
		t.Fatal(err)
	}
	h := sweeptest.Empty(space, trials.Maximize)
	failed := 0
	for i := range 30 {
		sg, err := s.Suggest(t.Context(), h, sweep.Rand(1, i, 0))
		if err != nil {
			t.Fatal(err)
		}
		x := sg.Params["x"].(float64)
		tr := sweeptest.Trial(i, sg, x) // better and better towards the cliff at 0.6
		if x > 0.6 {
			tr.State, tr.Values, tr.Attrs = trials.Fail, nil, map[string]json.RawMessage{trials.AttrClass: trials.Attr(trials.ClassDiverged)}
			if i >= 10 {
				failed++
			}
		}
		h = sweeptest.Add(h, tr)
	}
	if failed > 12 {
		t.Errorf("%d of the last 20 trials were beyond the cliff", failed)
	}
}

// TestManyTrials: of more trials than are fitted the best and the latest are kept, and a constant objective is no trouble.
func TestManyTrials(t *testing.T) {
	space := trials.Space{{Name: "x", Kind: trials.Float, High: 1}, {Name: "c", Kind: trials.Categorical, Choices: []any{"a", "b"}}}
	s, err := gp.New(sweep.SamplerConfig{Space: space, Trials: 400, Options: trials.Params{"points": int64(20)}})
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func(float64) float64{"constant": func(float64) float64 { return 1 }, "line": func(x float64) float64 { return x }} {
		h := sweeptest.Empty(space, trials.Maximize)
		for i := range 300 {
			x := float64(i*37%300) / 299
			h = sweeptest.Add(h, sweeptest.Trial(i, trials.Suggestion{Space: space, Params: trials.Params{"x": x, "c": "a"}}, f(x)))
		}
		sg, err := s.Suggest(t.Context(), h, sweep.Rand(1, 300, 0))
		if err != nil || name == "line" && sg.Params["x"].(float64) < 0.9 {
			t.Errorf("%s: %v (%v)", name, sg.Params, err)
		}
	}
}

func TestRefused(t *testing.T) {
	for want, c := range map[string]sweep.SamplerConfig{
		"nsga2 searches":        {Space: braninSpace, Goals: make([]trials.Goal, 2)},
		"there is none of that": {Space: braninSpace, Options: trials.Params{"kernel": "rbf"}},
		"empty":                 {},
	} {
		if _, err := gp.New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
