package importance_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/studies/inference/importance"
	"github.com/mapsweep/mapsweep/trials"
)

func game(m, seeds int, score func(seed int, mask uint) float64) importance.Game {
	g := importance.Game{Score: score}
	for j := range m {
		g.Knobs = append(g.Knobs, importance.Attributed{Name: string(rune('a' + j))})
	}
	for s := range seeds {
		g.Seeds = append(g.Seeds, s)
	}
	return g
}

// random is a game without any structure.
func random(m, seeds int) importance.Game {
	rng := rand.New(rand.NewPCG(uint64(m), 9))
	v := make([][]float64, seeds)
	for s := range v {
		v[s] = make([]float64, 1<<m)
		for i := range v[s] {
			v[s][i] = rng.NormFloat64()
		}
	}
	return game(m, seeds, func(s int, mask uint) float64 { return v[s][mask] })
}

// permutations of 0 ... m-1.
func permutations(m int) [][]int {
	if m == 0 {
		return [][]int{{}}
	}
	var out [][]int
	for _, p := range permutations(m - 1) {
		for i := range m {
			out = append(out, slices.Insert(slices.Clone(p), i, m-1))
		}
	}
	return out
}

// Values are the mean effect over all orders, by brute force, and sum to the gain.
func TestShapleyBruteForce(t *testing.T) {
	for m := 1; m <= importance.MostKnobs; m++ {
		g := random(m, 3)
		a, err := importance.Shapley(g)
		if err != nil {
			t.Fatal(err)
		}
		want := make([]float64, m)
		orders := permutations(m)
		for s := range 3 {
			for _, order := range orders {
				mask := uint(0)
				for _, j := range order {
					want[j] += (g.Score(s, mask|1<<j) - g.Score(s, mask)) / float64(3*len(orders))
					mask |= 1 << j
				}
			}
		}
		sum := 0.0
		for j, k := range a.Knobs {
			near(t, fmt.Sprintf("%d knobs, %s", m, k.Name), k.Value.Mean, want[j], 1e-12)
			sum += k.Value.Mean
		}
		near(t, "sum", sum, a.Gain.Mean, 1e-12)
		near(t, "gain", a.Gain.Mean, a.End-a.Start, 1e-12)
		if len(a.Pairs) != m*(m-1)/2 {
			t.Errorf("%d pairs", len(a.Pairs))
		}
	}
}

// Intervals are those of the paired t test over replicates; a knob that does nothing gets no number's worth.
func TestShapleySeeds(t *testing.T) {
	noise := []float64{0.01, -0.02, 0.03, 0}
	g := game(2, 4, func(s int, mask uint) float64 {
		v := 0.5
		if mask&1 > 0 {
			v += 0.2 + noise[s]
		}
		return v
	})
	a, err := importance.Shapley(g)
	if err != nil {
		t.Fatal(err)
	}
	x, y := map[int]float64{}, map[int]float64{}
	for s, n := range noise {
		x[s], y[s] = 0, 0.2+n
	}
	want := inference.Compare(x, y, inference.Options{})
	if got := a.Knobs[0].Value; math.Abs(got.Low-want.Low) > 1e-12 || math.Abs(got.High-want.High) > 1e-12 || got.Verdict != inference.Better {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := a.Knobs[1].Value; got.Verdict != inference.NotTested || got.Mean != 0 {
		t.Errorf("the idle knob: %v", got)
	}
}

// Synergy of two knobs that only act together is all of it, and each gets half of the gain.
func TestSynergy(t *testing.T) {
	a, err := importance.Shapley(game(3, 2, func(s int, mask uint) float64 {
		if mask&3 == 3 {
			return 1 + 0.1*float64(s)
		}
		return 0
	}))
	if err != nil {
		t.Fatal(err)
	}
	near(t, "a and b", a.Pairs[0].Value.Mean, 1.05, 1e-12)
	near(t, "a and c", a.Pairs[1].Value.Mean, 0, 1e-12)
	near(t, "a", a.Knobs[0].Value.Mean, 0.525, 1e-12)
	near(t, "a first", a.Knobs[0].First, 0, 1e-12)
	near(t, "a last", a.Knobs[0].Last, 1.05, 1e-12)
}

func TestShapleyNothing(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]struct {
		g    importance.Game
		want string
	}{
		"no knobs":     {game(0, 3, nil), "do not differ"},
		"seven knobs":  {game(7, 3, nil), "at most 6"},
		"no seeds":     {game(2, 0, nil), "needs the full factorial"},
		"a cell fails": {game(2, 3, func(_ int, mask uint) float64 { return []float64{0, 1, nan, 2}[mask] }), "needs the full factorial"},
	} {
		_, err := importance.Shapley(c.g)
		var nothing inference.Nothing
		if !errors.As(err, &nothing) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	a, err := importance.Shapley(game(2, 3, func(s int, mask uint) float64 {
		if s == 1 && mask == 2 {
			return nan
		}
		return float64(mask) + 0.1*float64(s)
	}))
	if err != nil || a.Seeds != 2 || !strings.Contains(a.Notes[0], "1 of 3 replicates") {
		t.Errorf("%+v, %v", a, err)
	}
	a, err = importance.Shapley(random(2, 1))
	if err != nil || a.Knobs[0].Value.Verdict != inference.NotTested || !math.IsNaN(a.Knobs[0].Value.Low) {
		t.Errorf("%+v, %v", a, err)
	}
}

// walk is a path over knobs a, b, c ... from 0 to 1 by a score of those that are on.
func walk(m int, requires map[string]trials.Params, score func(on func(string) bool) float64) importance.Walk {
	w := importance.Walk{From: "baseline", To: "best", Start: trials.Params{}}
	for j := range m {
		name := string(rune('a' + j))
		w.Start[name] = 0.0
		w.Flips = append(w.Flips, importance.Flip{Name: name, From: 0.0, To: 1.0, Requires: requires[name]})
	}
	w.Scores = func(p trials.Params) map[int]float64 {
		out := map[int]float64{}
		for s := range 3 {
			if v := score(func(n string) bool { return p[n] == 1.0 }); !math.IsNaN(v) {
				out[s] = v + 0.01*float64(s)
			}
		}
		return out
	}
	return w
}

// At each step no other knob would have brought more, and steps sum to the gain.
func TestPathBruteForce(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for round := range 20 {
		v := make([]float64, 32)
		for i := range v {
			v[i] = rng.NormFloat64()
		}
		v[31] = 5
		mask := func(on func(string) bool) int {
			k := 0
			for j := range 5 {
				if on(string(rune('a' + j))) {
					k |= 1 << j
				}
			}
			return k
		}
		p, err := walk(5, nil, func(on func(string) bool) float64 { return v[mask(on)] }).Find()
		if err != nil {
			t.Fatal(err)
		}
		at, sum, share := 0, 0.0, 0.0
		for _, s := range p.Steps {
			next := at | 1<<(s.Name[0]-'a')
			for j := range 5 {
				if at>>j&1 == 0 && v[at|1<<j] > v[next] {
					t.Errorf("round %d: %c would have been better than %s", round, 'a'+j, s.Name)
				}
			}
			near(t, s.Name, s.Gain.Mean, v[next]-v[at], 1e-12)
			near(t, s.Name+" score", s.Score, v[next]+0.01, 1e-12)
			sum += s.Gain.Mean
			share += s.Share
			at = next
		}
		near(t, "sum", sum, p.End-p.Start, 1e-12)
		near(t, "shares", share, 1, 1e-12)
		if at != 31 {
			t.Errorf("round %d ends at %b", round, at)
		}
	}
}

// A knob comes after those that it requires, however much it promises, and one that never matters is not walked.
func TestPathRequirements(t *testing.T) {
	requires := map[string]trials.Params{"a": {"c": 1.0}, "d": {"b": 0.0}}
	p, err := walk(4, requires, func(on func(string) bool) float64 {
		s := 0.0
		if on("a") {
			s += 10
		}
		if on("b") {
			s++
		}
		return s
	}).Find()
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, s := range p.Steps {
		order = append(order, s.Name)
	}
	if strings.Join(order, " ") != "b c a" || strings.Join(p.Idle, " ") != "d" {
		t.Errorf("order %v, idle %v", order, p.Idle)
	}
}

func TestPathNothing(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]struct {
		w    importance.Walk
		want string
	}{
		"no knobs": {walk(0, nil, func(func(string) bool) float64 { return 1 }), "do not differ"},
		"worse": {walk(2, nil, func(on func(string) bool) float64 {
			if on("a") {
				return -1
			}
			return 0
		}), "best scored no better than baseline"},
		"equal":    {walk(2, nil, func(func(string) bool) float64 { return 1 }), "no better"},
		"no end":   {walk(1, nil, func(on func(string) bool) float64 { return map[bool]float64{true: nan}[on("a")] }), "best has no score"},
		"no start": {walk(1, nil, func(on func(string) bool) float64 { return map[bool]float64{false: nan}[on("a")] }), "baseline has no score"},
		"gap": {walk(2, nil, func(on func(string) bool) float64 {
			if on("a") != on("b") {
				return nan
			}
			return map[bool]float64{true: 1}[on("a")]
		}), "no configuration between"},
		"never matters": {walk(1, map[string]trials.Params{"a": {"z": 1.0}}, func(func(string) bool) float64 { return 1 }), "do not differ in a knob that matters"},
	} {
		_, err := c.w.Find()
		var nothing inference.Nothing
		if !errors.As(err, &nothing) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// Where configurations lack replicates, the path keeps those that all have: a gain is that of its own interval.
func TestPathShared(t *testing.T) {
	score := map[string][]float64{ // of a metric that is minimised; the hard replicates 3 and 4 failed with a alone
		"":   {0.500, 0.501, 0.502, 0.600, 0.601},
		"a":  {0.510, 0.5105, 0.5125},
		"b":  {0.530, 0.531, 0.532, 0.630, 0.631},
		"ab": {0.400, 0.402, 0.401, 0.500, 0.502},
	}
	w := walk(2, nil, nil)
	w.Option.Minimize = true
	w.Scores = func(p trials.Params) map[int]float64 {
		key := ""
		for _, n := range []string{"a", "b"} {
			if p[n] == 1.0 {
				key += n
			}
		}
		out := map[int]float64{}
		for r, v := range score[key] {
			out[r] = v
		}
		return out
	}
	p, err := w.Find()
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Steps) != 2 || p.Steps[0].Name != "a" || !strings.Contains(strings.Join(p.Notes, " "), "2 of 5 replicates are left out") {
		t.Fatalf("%+v", p)
	}
	sum := 0.0
	for _, s := range p.Steps {
		if g := s.Gain; g.N != 3 || g.Mean < g.Low || g.Mean > g.High {
			t.Errorf("%s: gain %v with interval %v to %v over %d", s.Name, g.Mean, g.Low, g.High, g.N)
		}
		sum += s.Gain.Mean
	}
	near(t, "a", p.Steps[0].Gain.Mean, 0.01, 1e-12)
	near(t, "sum", sum, p.End-p.Start, 1e-12)
	if v := p.Steps[0].Gain.Verdict; v != inference.Worse {
		t.Errorf("a is %s", v)
	}

	// Where replicates pair nothing, each configuration keeps its own, and intervals are Welch's.
	w.Option.Unpaired = true
	p, err = w.Find()
	if err != nil || len(p.Notes) != 1 {
		t.Fatalf("%+v, %v", p, err)
	}
	for _, s := range p.Steps {
		if g := s.Gain; g.Method != inference.Welch || g.Mean < g.Low || g.Mean > g.High {
			t.Errorf("%s: gain %v with interval %v to %v", s.Name, g.Mean, g.Low, g.High)
		}
	}

	w.Option.Unpaired = false
	score["ab"] = []float64{math.NaN(), math.NaN(), math.NaN(), 0.5, 0.5}
	if p, err = w.Find(); err != nil || p.Steps[0].Name != "b" { // a shares none with the end
		t.Errorf("%+v, %v", p, err)
	}
	score["b"] = score["b"][:3]
	var nothing inference.Nothing
	if _, err = w.Find(); !errors.As(err, &nothing) {
		t.Errorf("a path without a shared replicate: %v", err)
	}
}

// A model's path finds the knobs that made the difference, in order, and says that it is predicted.
func TestPredictedPath(t *testing.T) {
	p := mixed(800, 0.05)
	m, err := importance.Fit(p, importance.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := importance.Walk{From: "baseline", To: "best", Start: p.Baseline, Predicted: true,
		Flips: []importance.Flip{{Name: "idle", From: 0.5, To: 0.6}, {Name: "policy", From: "none", To: "b"}, {Name: "mosaic", From: 0.0, To: 1.0},
			{Name: "n", From: int64(1), To: int64(4)}},
		Scores: m.Scores}
	path, err := w.Find()
	if err != nil {
		t.Fatal(err)
	}
	if path.Steps[0].Name != "n" || path.Steps[len(path.Steps)-1].Gain.Mean < -0.1 || !path.Predicted || !strings.Contains(path.Notes[0], "predicted by a model") {
		t.Errorf("%+v", path)
	}
	near(t, "gain", path.End-path.Start, 1.6, 0.1)
	for _, s := range path.Steps {
		if s.Name == "idle" {
			near(t, "idle", s.Gain.Mean, 0, 0.05)
		}
		if !math.IsNaN(s.Gain.Low) || !math.IsNaN(s.Gain.P) || s.Gain.Verdict != "" {
			t.Errorf("%s has an interval: %v", s.Name, s.Gain)
		}
	}
	if got := m.Scores(trials.Params{"policy": "other"}); len(got) != 0 {
		t.Errorf("a choice that the space lacks: %v", got)
	}
}
