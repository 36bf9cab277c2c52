package goptuna_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	upstream "github.com/c-bata/goptuna"
	"github.com/c-bata/goptuna/cmaes"
	"github.com/c-bata/goptuna/successivehalving"
	"github.com/c-bata/goptuna/tpe"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/goptuna"
	"github.com/mapsweep/mapsweep/sweep/sweeptest"
	"github.com/mapsweep/mapsweep/trials"
)

// The tests here show what goptuna v0.9.0 does by itself, so that an update which mends it is noticed, and
// that it does not happen through our adapters.

func study(t *testing.T, opts ...upstream.StudyOption) *upstream.Study {
	t.Helper()
	s, err := upstream.CreateStudy("trap", append(opts, upstream.StudyOptionLogger(nil))...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func suggest(t *testing.T, s sweep.Sampler, h sweep.History, i int) trials.Suggestion {
	t.Helper()
	sg, err := s.Suggest(t.Context(), h, sweep.Rand(1, i, 0))
	if err != nil {
		t.Fatal(err)
	}
	return sg
}

func make1(t *testing.T, f sweep.NewSampler, space trials.Space, n int) sweep.Sampler {
	t.Helper()
	s, err := f(sweep.SamplerConfig{Seed: 1, Space: space, Trials: n})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestEndsReachable: goptuna's random sampler never draws 3 from [0, 3] nor 6 from 0, 2 .. 6.
// That ours does, of every kind of range, is part of the conformance suite; here each end is drawn as often
// as the others.
func TestEndsReachable(t *testing.T) {
	theirs := map[int]int{}
	err := study(t).Optimize(func(tr upstream.Trial) (float64, error) {
		x, err := tr.SuggestInt("x", 0, 3)
		theirs[x]++
		if y, _ := tr.SuggestStepInt("y", 0, 6, 2); y == 6 {
			theirs[3]++
		}
		return 0, err
	}, 400)
	if err != nil || theirs[3] != 0 {
		t.Errorf("goptuna draws upper ends now (%v, %v): our cells may go", theirs, err)
	}
	space := trials.Space{{Name: "x", Kind: trials.Int, Low: 0, High: 3}, {Name: "l", Kind: trials.Int, Low: 1, High: 3, Log: true}}
	s := make1(t, goptuna.Random, space, 400)
	ours, logs := map[any]int{}, map[any]int{}
	for i := range 400 {
		p := suggest(t, s, sweeptest.Empty(space, trials.Minimize), i).Params
		ours[p["x"]]++
		logs[p["l"]]++
	}
	for v := range 4 {
		if n := ours[int64(v)]; n < 70 || n > 130 { // 100 expected, standard deviation 8.7
			t.Errorf("%d was drawn %d times of 400", v, n)
		}
	}
	// Cells of 1, 2, 3 on the logarithmic scale from 0.5 to 3.5: ln 3, ln(5/3), ln(7/5) of ln 7.
	for v, share := range map[int64]float64{1: 0.5646, 2: 0.2625, 3: 0.1729} {
		if got := float64(logs[v]) / 400; math.Abs(got-share) > 0.08 {
			t.Errorf("log-int %d has share %.3f, want about %.3f", v, got, share)
		}
	}
}

// TestSeedsReproduce: with one seed, goptuna's samplers give another study every time.
func TestSeedsReproduce(t *testing.T) {
	play := func(s upstream.Sampler) string {
		out := ""
		err := study(t, upstream.StudyOptionSampler(s)).Optimize(func(tr upstream.Trial) (float64, error) {
			x, err := tr.SuggestFloat("x", 0, 1)
			c, _ := tr.SuggestCategorical("c", []string{"a", "b", "c"})
			out += fmt.Sprint(x, c, " ")
			return x, err
		}, 40)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for name, f := range map[string]func() upstream.Sampler{
		"random": func() upstream.Sampler { return upstream.NewRandomSampler(upstream.RandomSamplerOptionSeed(7)) },
		"tpe":    func() upstream.Sampler { return tpe.NewSampler(tpe.SamplerOptionSeed(7)) },
	} {
		first, second, third := play(f()), play(f()), play(f())
		if first == second && second == third {
			t.Errorf("goptuna's %s follows its seed now", name)
		}
	}
	space := trials.Space{{Name: "x", Kind: trials.Float, Low: 0, High: 1}, {Name: "c", Kind: trials.Categorical, Choices: []any{"a", "b", "c"}}}
	for name, f := range samplers {
		first := ""
		for range 3 {
			h := sweeptest.Play(t, make1(t, f, space, 40), sweeptest.Empty(space, trials.Minimize), 7, 40,
				func(_ int, p trials.Params) float64 { return p["x"].(float64) })
			out := ""
			for _, tr := range h.All() {
				out += tr.Params.Key() + " "
			}
			if first == "" {
				first = out
			}
			if out != first {
				t.Errorf("%s: one seed gives two studies", name)
			}
		}
	}
}

// TestParzenOrder: goptuna's Parzen estimator puts its observations in the wrong order unless they come sorted,
// which ruins the bandwidths.
func TestParzenOrder(t *testing.T) {
	params := tpe.ParzenEstimatorParams{ConsiderPrior: true, PriorWeight: 1, ConsiderMagicClip: true, Weights: tpe.DefaultWeights}
	if e := tpe.NewParzenEstimator([]float64{0.8, 0.1, 0.3}, 0, 1, params); slices.IsSorted(e.Mus) {
		t.Errorf("goptuna sorts observations now: %v", e.Mus)
	}
	e := goptuna.Mixture([]float64{0.8, 0.1, 0.3})
	if !slices.IsSorted(e.Mus) {
		t.Errorf("means %v are not sorted", e.Mus)
	}
	// Neighbours: 0.1, 0.3, 0.5 (the prior), 0.8. Width: the larger gap to a neighbour, at the ends the only one.
	for i, want := range []float64{0.2, 0.2, 1, 0.3} {
		if math.Abs(e.Sigmas[i]-want) > 1e-12 {
			t.Errorf("widths %v, want 0.2, 0.2, 1 (the prior), 0.3", e.Sigmas)
			break
		}
	}
	// The latest observation weighs most: with 50 of them the first weighs 1/50 of the last.
	us := make([]float64, 50)
	for i := range us {
		us[i] = 1 - float64(i)/100 // the first is the largest
	}
	e = goptuna.Mixture(us)
	if first, last := e.Weights[len(e.Weights)-1], e.Weights[slices.Index(e.Mus, us[49])]; math.Abs(first/last-0.02) > 1e-9 {
		t.Errorf("the oldest observation weighs %.4f of the newest, want 0.02", first/last)
	}
}

// TestDensity compares the mixture's density with numerical integration: it is one over the unit interval, and draws
// follow it.
func TestDensity(t *testing.T) {
	m := goptuna.Mixture([]float64{0.05, 0.1, 0.95})
	const n = 20000
	var sum, below float64
	for i := range n {
		u := (float64(i) + 0.5) / n
		d := math.Exp(goptuna.LogDensity(m, u)) / n
		sum += d
		if u < 0.3 {
			below += d
		}
	}
	if math.Abs(sum-1) > 1e-6 {
		t.Errorf("the density integrates to %v", sum)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	drawn := 0
	for range n {
		u := goptuna.Draw(m, rng)
		if u < 0 || u > 1 {
			t.Fatalf("drew %v", u)
		}
		if u < 0.3 {
			drawn++
		}
	}
	if got := float64(drawn) / n; math.Abs(got-below) > 0.015 { // four standard errors
		t.Errorf("%.4f of the draws lie below 0.3, the density says %.4f", got, below)
	}
}

// quadratic is best at x = 0.7, y = 2e-3 (logarithmic) and mode "b".
func quadratic(_ int, p trials.Params) float64 {
	x, _ := trials.Number(p["x"])
	y, _ := trials.Number(p["y"])
	v := (x-0.7)*(x-0.7) + math.Pow(math.Log10(y)+2.7, 2)/4
	if p["mode"] != "b" {
		v += 0.3
	}
	return v
}

var quadraticSpace = trials.Space{
	{Name: "x", Kind: trials.Float, Low: 0, High: 1},
	{Name: "y", Kind: trials.Float, Low: 1e-4, High: 1, Log: true},
	{Name: "mode", Kind: trials.Categorical, Choices: []any{"a", "b", "c"}},
}

// best is the median over seeds of the best of 60 trials.
func best(t *testing.T, f sweep.NewSampler, d trials.Direction) float64 {
	t.Helper()
	sign := map[trials.Direction]float64{trials.Minimize: 1, trials.Maximize: -1}[d]
	var bests []float64
	for seed := range 15 {
		s, err := f(sweep.SamplerConfig{Seed: int64(seed), Space: quadraticSpace, Trials: 60})
		if err != nil {
			t.Fatal(err)
		}
		h := sweeptest.Play(t, s, sweeptest.Empty(quadraticSpace, d), int64(seed), 60,
			func(i int, p trials.Params) float64 { return sign * quadratic(i, p) })
		b := math.Inf(1)
		for _, tr := range h.All() {
			b = min(b, sign*tr.Values[0])
		}
		bests = append(bests, b)
	}
	slices.Sort(bests)
	return bests[len(bests)/2]
}

// TestSearchesBetterThanRandom: with either direction TPE and CMA-ES find better points than random search.
func TestSearchesBetterThanRandom(t *testing.T) {
	for _, d := range []trials.Direction{trials.Minimize, trials.Maximize} {
		random := best(t, goptuna.Random, d)
		for name, f := range map[string]sweep.NewSampler{"tpe": goptuna.TPE, "cmaes": goptuna.CMAES} {
			got := best(t, f, d)
			t.Logf("%s: %s %.5f, random %.5f (medians of the best of 60 over 15 seeds)", d, name, got, random)
			if got > 0.5*random {
				t.Errorf("%s: best of %s is %.5f, of random search %.5f", d, name, got, random)
			}
		}
	}
}

// TestCMAESMaximizes: goptuna's CMA-ES goes downhill in a study that maximises.
func TestCMAESMaximizes(t *testing.T) {
	mean := func(direction upstream.StudyDirection) float64 {
		space := map[string]any{"x": upstream.UniformDistribution{High: 1}, "y": upstream.UniformDistribution{High: 1}}
		s := study(t, upstream.StudyOptionDirection(direction), upstream.StudyOptionDefineSearchSpace(space),
			upstream.StudyOptionRelativeSampler(cmaes.NewSampler(cmaes.SamplerOptionSeed(1))))
		sum := 0.0
		err := s.Optimize(func(tr upstream.Trial) (float64, error) {
			x, err := tr.SuggestFloat("x", 0, 1)
			_, _ = tr.SuggestFloat("y", 0, 1)
			if n, _ := tr.Number(); n >= 100 {
				sum += x / 20
			}
			return x, err
		}, 120)
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	if m := mean(upstream.StudyDirectionMaximize); m > 0.5 {
		t.Errorf("goptuna's CMA-ES maximises now: mean %.2f", m)
	}
	space := trials.Space{{Name: "x", Kind: trials.Float, Low: 0, High: 1}, {Name: "y", Kind: trials.Float, Low: 0, High: 1}}
	for d, ok := range map[trials.Direction]func(float64) bool{
		trials.Maximize: func(m float64) bool { return m > 0.9 }, trials.Minimize: func(m float64) bool { return m < 0.1 }} {
		h := sweeptest.Play(t, make1(t, goptuna.CMAES, space, 120), sweeptest.Empty(space, d), 1, 120,
			func(_ int, p trials.Params) float64 { return p["x"].(float64) })
		m := 0.0
		for _, tr := range h.All()[100:] {
			m += tr.Params["x"].(float64) / 20
		}
		if !ok(m) {
			t.Errorf("%s x: the last 20 trials have a mean of %.2f", d, m)
		}
	}
}

// TestCMAESCategories: goptuna panics where CMA-ES meets a categorical parameter.
func TestCMAESCategories(t *testing.T) {
	panicked := func() (p any) {
		defer func() { p = recover() }()
		_ = study(t, upstream.StudyOptionRelativeSampler(cmaes.NewSampler())).Optimize(func(tr upstream.Trial) (float64, error) {
			x, err := tr.SuggestFloat("x", 0, 1)
			_, _ = tr.SuggestCategorical("c", []string{"a", "b"})
			return x, err
		}, 5)
		return nil
	}()
	if panicked == nil {
		t.Error("goptuna copes with categories under CMA-ES now")
	}
	h := sweeptest.Play(t, make1(t, goptuna.CMAES, quadraticSpace, 30), sweeptest.Empty(quadraticSpace, trials.Minimize), 1, 30, quadratic)
	seen := map[any]int{}
	generations := map[string]int{}
	for _, tr := range h.All() {
		seen[tr.Params["mode"]]++
		generations[tr.Text(goptuna.AttrGeneration)]++
	}
	// x and y: 4 + floor(3 ln 2) = 6 trials a generation.
	if len(seen) != 3 || len(generations) != 5 || generations[""] != 0 {
		t.Errorf("choices %v, generations %v: want all three, and five of six trials", seen, generations)
	}
}

// TestNaNIsNoReason: goptuna's successive halving prunes every trial that reports NaN, and its in-memory
// storage takes NaN for the best value.
func TestNaNIsNoReason(t *testing.T) {
	p, err := successivehalving.NewPruner()
	if err != nil {
		t.Fatal(err)
	}
	pruned := 0
	_ = study(t, upstream.StudyOptionPruner(p)).Optimize(func(tr upstream.Trial) (float64, error) {
		err := tr.ShouldPrune(1, math.NaN())
		if err != nil {
			pruned++
		}
		return 1, err
	}, 5)
	if pruned != 5 {
		t.Errorf("goptuna pruned %d of 5 trials that reported NaN; it was all", pruned)
	}
	// Ours is in the conformance suite of pruners. Samplers never see NaN as a result:
	h := sweeptest.AnyHistory(quadraticSpace, trials.Minimize)
	for i := range h.All() {
		if h.All()[i].State == trials.Complete {
			h.All()[i].Values = []float64{math.NaN()}
		}
	}
	for name, f := range samplers {
		s := make1(t, f, quadraticSpace, 30)
		for i := range 10 {
			for k, v := range suggest(t, s, h, i).Params {
				if x, ok := trials.Number(v); ok && math.IsNaN(x) {
					t.Errorf("%s suggests %s = NaN", name, k)
				}
			}
		}
	}
}

// TestTPEAvoidsRunningTrials: a parallel worker does not propose what another one is running.
func TestTPEAvoidsRunningTrials(t *testing.T) {
	space := trials.Space{{Name: "c", Kind: trials.Categorical, Choices: []any{"a", "b"}}}
	h := sweeptest.Empty(space, trials.Minimize)
	add := func(c string, state trials.State, v ...float64) {
		tr := sweeptest.Trial(len(h.All()), trials.Suggestion{Space: space, Params: trials.Params{"c": c}}, v...)
		tr.State = state
		h = sweeptest.Add(h, tr)
	}
	for range 6 {
		add("a", trials.Complete, 0.5)
		add("b", trials.Complete, 0.5)
	}
	for range 12 {
		add("a", trials.Running)
	}
	s := make1(t, goptuna.TPE, space, 40)
	for i := range 5 {
		if c := suggest(t, s, h, 40+i).Params["c"]; c != "b" {
			t.Errorf("proposed %v although twelve trials of it are running", c)
		}
	}
}

// TestCMAESTogether: cmaes.Sampler has no lock; ours is asked by many at once (run with -race).
func TestCMAESTogether(t *testing.T) {
	s := make1(t, goptuna.CMAES, quadraticSpace, 30)
	h := sweeptest.Play(t, s, sweeptest.Empty(quadraticSpace, trials.Minimize), 1, 20, quadratic)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if _, err := s.Suggest(context.Background(), h, sweep.Rand(1, i, 0)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// TestPanics: what goptuna panics about comes back as an error.
func TestPanics(t *testing.T) {
	many := make(trials.Space, 21202) // one more dimension than goptuna has Sobol numbers for
	for i := range many {
		many[i] = trials.Param{Name: fmt.Sprint("p", i), Kind: trials.Float, High: 1}
	}
	s := make1(t, goptuna.Sobol, many, 10)
	if _, err := s.Suggest(t.Context(), sweeptest.Empty(many, trials.Minimize), sweep.Rand(1, 0, 0)); !errors.Is(err, goptuna.ErrPanic) {
		t.Errorf("Suggest: %v, want a panic turned into an error", err)
	}
}

// TestSobolFillsSpace: each quarter of an axis gets its share of the first 64 points, in any pair of axes each of 16 squares.
func TestSobolFillsSpace(t *testing.T) {
	space := trials.Space{{Name: "x", Kind: trials.Float, Low: 0, High: 1}, {Name: "y", Kind: trials.Float, Low: 0, High: 1}}
	h := sweeptest.Play(t, make1(t, goptuna.Sobol, space, 64), sweeptest.Empty(space, trials.Minimize), 1, 64, quadratic2)
	squares := map[[2]int]int{}
	for _, tr := range h.All() {
		squares[[2]int{int(4 * tr.Params["x"].(float64)), int(4 * tr.Params["y"].(float64))}]++
	}
	for sq, n := range squares {
		if n < 2 || n > 6 { // four each, up to the shift
			t.Errorf("square %v has %d points", sq, n)
		}
	}
	if len(squares) != 16 {
		t.Errorf("%d of 16 squares have points", len(squares))
	}
}

func quadratic2(int, trials.Params) float64 { return 0 }
