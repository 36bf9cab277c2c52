package goptuna_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"testing"
	"time"

	upstream "github.com/c-bata/goptuna"
	"github.com/c-bata/goptuna/tpe"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/goptuna"
	"github.com/mapsweep/mapsweep/sweep/sweeptest"
	"github.com/mapsweep/mapsweep/trials"
)

// Traps of goptuna's TPE.

// observed is a goptuna study with a complete trial for each value of its one parameter.
func observed(t *testing.T, distribution any, internal []float64, value func(float64) float64) *upstream.Study {
	t.Helper()
	st := upstream.NewInMemoryStorage()
	s := study(t, upstream.StudyOptionStorage(st))
	for _, x := range internal {
		external, err := upstream.ToExternalRepresentation(distribution, x)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := st.CloneTrial(s.ID, upstream.FrozenTrial{State: upstream.TrialStateComplete, Value: value(x),
			InternalParams: map[string]float64{"p": x}, Params: map[string]any{"p": external}, Distributions: map[string]any{"p": distribution}}); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func sampleTheirs(t *testing.T, s *upstream.Study, distribution any, n int, options ...tpe.SamplerOption) []float64 {
	t.Helper()
	sampler := tpe.NewSampler(options...)
	var out []float64
	for range n {
		v, err := sampler.Sample(s, upstream.FrozenTrial{}, "p", distribution)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

// TestTPEFormulas: goptuna adds logarithms up where the logarithm of a sum is due, divides by the square of a width, has signed
// distances and a wrong share inside the range, so that of its candidates it takes one from an end. The best trials here are
// those next to 0.5.
func TestTPEFormulas(t *testing.T) {
	var us []float64
	for i := range 101 {
		us = append(us, float64(i)/100)
	}
	far := func(x float64) float64 { return math.Abs(x - 0.5) }
	mean := 0.0
	for _, x := range sampleTheirs(t, observed(t, upstream.UniformDistribution{High: 1}, us, far), upstream.UniformDistribution{High: 1}, 200) {
		mean += far(x) / 200
	}
	space := trials.Space{{Name: "p", Kind: trials.Float, High: 1}}
	h := sweeptest.Empty(space, trials.Minimize)
	for i, x := range us {
		h = sweeptest.Add(h, sweeptest.Trial(i, trials.Suggestion{Space: space, Params: trials.Params{"p": x}}, far(x)))
	}
	s := make1(t, goptuna.TPE, space, 400)
	ours := 0.0
	for i := range 200 {
		ours += far(suggest(t, s, h, 200+i).Params["p"].(float64)) / 200
	}
	t.Logf("mean distance from the best: goptuna %.4f, ours %.4f", mean, ours)
	if mean < 0.03 {
		t.Errorf("goptuna's TPE proposes points %.3f from the best on average now: its formulas may be mended", mean)
	}
	if ours > 0.015 {
		t.Errorf("ours proposes points %.3f from the best on average", ours)
	}
}

// TestTPELeavesTheGrid: goptuna's TPE takes every step-int for one of step 1, and stores values that it cannot have.
func TestTPELeavesTheGrid(t *testing.T) {
	d := upstream.StepIntUniformDistribution{Low: 0, High: 90, Step: 10}
	var at []float64
	for i := range 30 {
		at = append(at, float64(i%10)*10)
	}
	off := 0
	for _, x := range sampleTheirs(t, observed(t, d, at, func(x float64) float64 { return math.Abs(x - 50) }), d, 100) {
		if math.Mod(x, 10) != 0 {
			off++
		}
	}
	if off < 50 {
		t.Errorf("goptuna's TPE left the grid in %d of 100 draws; it was most of them", off)
	}
	// Ours has cells; that they are kept is part of the conformance suite.
}

// TestTPEForgetsStepZero: of a pruned trial whose only step is 0, goptuna's TPE does not see the value. Here epochs count from
// one, and pruned trials are ranked by how far they came and how good they were.
func TestTPEForgetsStepZero(t *testing.T) {
	st := upstream.NewInMemoryStorage()
	s := study(t, upstream.StudyOptionStorage(st))
	u := upstream.UniformDistribution{High: 1}
	for i := range 60 {
		x := float64(i) / 59
		if _, err := st.CloneTrial(s.ID, upstream.FrozenTrial{State: upstream.TrialStatePruned, IntermediateValues: map[int]float64{0: math.Abs(x - 0.8)},
			InternalParams: map[string]float64{"p": x}, Params: map[string]any{"p": x}, Distributions: map[string]any{"p": u}}); err != nil {
			t.Fatal(err)
		}
	}
	mean := 0.0
	for _, x := range sampleTheirs(t, s, u, 50) {
		mean += math.Abs(x-0.8) / 50
	}
	if mean < 0.15 {
		t.Errorf("goptuna's TPE sees step 0 now: %.2f from the best on average", mean)
	}
	if ours := prunedDistance(t, func(i int) []float64 { return []float64{math.Abs(float64(i)/59 - 0.8)} }); ours > 0.1 {
		t.Errorf("ours proposes points %.2f from the best on average", ours)
	}
}

// prunedDistance is how far from 0.8 our use of goptuna's TPE proposes points on average, after 60 pruned trials evenly spread over the
// unit interval, with those values at their epochs.
func prunedDistance(t *testing.T, values func(i int) []float64) (mean float64) {
	t.Helper()
	space := trials.Space{{Name: "p", Kind: trials.Float, High: 1}}
	h := sweeptest.Empty(space, trials.Minimize)
	for i := range 60 {
		tr := sweeptest.Trial(i, trials.Suggestion{Space: space, Params: trials.Params{"p": float64(i) / 59}}, values(i)...)
		tr.State, tr.Values = trials.Pruned, nil
		h = sweeptest.Add(h, tr)
	}
	s := make1(t, goptuna.TPE, space, 400)
	for i := range 50 {
		mean += math.Abs(suggest(t, s, h, 60+i).Params["p"].(float64)-0.8) / 50
	}
	return mean
}

// TestTPENaNSteps: goptuna's TPE ranks pruned trials by the value of their last step as it stands, and NaN, which is neither below nor
// above anything, spoils the order of all. Ours takes the last value that is a number.
func TestTPENaNSteps(t *testing.T) {
	values := func(i int) []float64 {
		v := math.Abs(float64(i)/59 - 0.8)
		if i%2 == 1 {
			return []float64{v, v, math.NaN()}
		}
		return []float64{v, v, v}
	}
	st := upstream.NewInMemoryStorage()
	s := study(t, upstream.StudyOptionStorage(st))
	u := upstream.UniformDistribution{High: 1}
	for i := range 60 {
		steps, x := map[int]float64{}, float64(i)/59
		for k, v := range values(i) {
			steps[k+1] = v
		}
		if _, err := st.CloneTrial(s.ID, upstream.FrozenTrial{State: upstream.TrialStatePruned, IntermediateValues: steps,
			InternalParams: map[string]float64{"p": x}, Params: map[string]any{"p": x}, Distributions: map[string]any{"p": u}}); err != nil {
			t.Fatal(err)
		}
	}
	theirs := 0.0
	for _, x := range sampleTheirs(t, s, u, 50) {
		theirs += math.Abs(x-0.8) / 50
	}
	ours := prunedDistance(t, values)
	t.Logf("mean distance from the best: goptuna %.3f, ours %.3f", theirs, ours)
	if theirs < 0.15 {
		t.Errorf("goptuna's TPE orders NaN now: %.2f from the best on average", theirs)
	}
	if ours > 0.1 {
		t.Errorf("ours proposes points %.2f from the best on average", ours)
	}
}

// TestTPENaNParameter: tpe.Sampler loops for ever once observed parameters are NaN and there is no prior, which a second process shows, since
// nothing else could be stopped. Ours leaves that trial out.
func TestTPENaNParameter(t *testing.T) {
	if os.Getenv("MAPSWEEP_TEST_NAN") != "" {
		nan := make([]float64, 20)
		for i := range nan {
			nan[i] = math.NaN()
		}
		u := upstream.UniformDistribution{High: 1}
		sampleTheirs(t, observed(t, u, nan, func(float64) float64 { return 1 }), u, 1,
			tpe.SamplerOptionParzenEstimatorParams(tpe.ParzenEstimatorParams{PriorWeight: 1, Weights: tpe.DefaultWeights}))
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	child := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestTPENaNParameter$")
	child.Env = append(os.Environ(), "MAPSWEEP_TEST_NAN=1")
	if err := child.Run(); err == nil || ctx.Err() == nil {
		t.Errorf("goptuna's TPE comes to an end now: %v", err)
	}
	h := sweeptest.Play(t, make1(t, goptuna.Random, quadraticSpace, 30), sweeptest.Empty(quadraticSpace, trials.Minimize), 1, 30, quadratic)
	for i := range h.All() {
		h.All()[i].Params["x"] = math.NaN()
	}
	suggest(t, make1(t, goptuna.TPE, quadraticSpace, 30), h, 30)
}

// TestTPECategories: of up to 24 choices goptuna scores every one and takes the same each time; ours scores 24 draws from the
// good trials, so that one which is not among them is passed over now and then.
func TestTPECategories(t *testing.T) {
	d := upstream.CategoricalDistribution{}
	p := trials.Param{Name: "p", Kind: trials.Categorical}
	for i := range 16 {
		d.Choices, p.Choices = append(d.Choices, fmt.Sprint(i)), append(p.Choices, fmt.Sprint(i))
	}
	var at []float64
	h := sweeptest.Empty(trials.Space{p}, trials.Minimize)
	for i := range 16 {
		at = append(at, float64(i))
		h = sweeptest.Add(h, sweeptest.Trial(i, trials.Suggestion{Space: h.Space, Params: trials.Params{"p": p.Choices[i]}}, float64(i)))
	}
	theirs := map[float64]int{}
	for _, x := range sampleTheirs(t, observed(t, d, at, func(x float64) float64 { return x }), d, 400) {
		theirs[x]++
	}
	ours := map[any]int{}
	s := make1(t, goptuna.TPE, h.Space, 40)
	for i := range 400 {
		ours[suggest(t, s, h, 16+i).Params["p"]]++
	}
	if len(theirs) != 1 {
		t.Errorf("goptuna draws categories now: %v", theirs)
	}
	if len(ours) < 3 || ours["0"]+ours["1"] < 300 {
		t.Errorf("ours proposes %v, want the best two mostly and others at times", ours)
	}
}

// TestForbiddenBest: where the model wants a forbidden point only, the search goes on with others.
func TestForbiddenBest(t *testing.T) {
	space := trials.Space{{Name: "a", Kind: trials.Categorical, Choices: []any{"x", "y"}}, {Name: "b", Kind: trials.Categorical, Choices: []any{true, false}},
		{Name: "n", Kind: trials.Int, Low: 0, High: 3}, {Name: "m", Kind: trials.Int, Low: 0, High: 3}}
	value := func(p trials.Params) float64 { // each value of the forbidden combinations is good by itself
		v := 0.0
		for name, best := range (trials.Params{"a": "y", "b": false, "n": int64(3), "m": int64(3)}) {
			if trials.SameValue(p[name], best) {
				v++
			}
		}
		return v
	}
	for name, make := range map[string]sweep.NewSampler{"tpe": goptuna.TPE, "cmaes": goptuna.CMAES} {
		for seed := range int64(5) {
			s := make1(t, make, space, 80)
			h := sweeptest.Empty(space, trials.Maximize)
			h.Forbidden = []trials.Params{{"a": "y", "b": false}, {"n": int64(3), "m": int64(3)}, {"n": int64(3), "m": int64(2)}, {"n": int64(2), "m": int64(3)}}
			for i := range 80 {
				sg, err := s.Suggest(t.Context(), h, sweep.Rand(seed, i, 0))
				if err != nil || h.Forbids(sg.Params) {
					t.Fatalf("%s, seed %d, trial %d: %s, %v", name, seed, i, sg.Params.Key(), err)
				}
				h = sweeptest.Add(h, sweeptest.Trial(i, sg, value(sg.Params)))
			}
		}
	}
}
