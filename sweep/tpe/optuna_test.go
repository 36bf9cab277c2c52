package tpe_test

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/sweeptest"
	"github.com/mapsweep/mapsweep/trials"
)

// recordedCase is a history, and what Optuna 5.0.0 proposed after it (testdata/gen.py).
type recordedCase struct {
	Name   string
	Trials []struct {
		Params      trials.Params
		State       string
		Value       float64
		Epoch       int
		Constraints []float64
	}
	Suggestions [][]any
}

// optunaSpace is the space of testdata/gen.py.
var optunaSpace = trials.Space{
	{Name: "float", Kind: trials.Float, Low: -1, High: 2},
	{Name: "log", Kind: trials.Float, Low: 1e-5, High: 1e-1, Log: true},
	{Name: "grid", Kind: trials.Float, Low: 0, High: 1, Step: 0.25},
	{Name: "int", Kind: trials.Int, Low: 0, High: 9},
	{Name: "logint", Kind: trials.Int, Low: 1, High: 20, Log: true},
	{Name: "choice", Kind: trials.Categorical, Choices: []any{"a", "b", "c"}},
}

func (c recordedCase) history(t *testing.T) sweep.History {
	t.Helper()
	h := sweeptest.Empty(optunaSpace, trials.Minimize)
	for i, r := range c.Trials {
		tr := sweeptest.Trial(i, trials.Suggestion{Space: optunaSpace, Params: r.Params}, r.Value)
		state, ok := trials.ParseState(r.State)
		if !ok {
			t.Fatalf("state %q", r.State)
		}
		if tr.State, tr.Constraints = state, r.Constraints; state != trials.Complete {
			tr.Values = nil
		}
		if state == trials.Pruned {
			tr.Measurements[0].Epoch = r.Epoch
		}
		h = sweeptest.Add(h, tr)
	}
	return h
}

// TestLikeOptuna: with Optuna's defaults, 2000 suggestions are distributed as 400 of Optuna 5.0.0 after the same history, in each
// parameter: two-sample Kolmogorov-Smirnov and chi-square tests, each at the level 0.001, with fixed seeds. That the tests see a
// difference is shown by our own defaults, which they tell from Optuna's.
func TestLikeOptuna(t *testing.T) {
	text, err := os.ReadFile("testdata/optuna.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []recordedCase
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	told := 0
	for _, c := range cases {
		h := c.history(t)
		like := draws(t, h, trials.Params{"defaults": "optuna"})
		own := draws(t, h, nil)
		for j, p := range optunaSpace {
			var theirs []any
			for _, s := range c.Suggestions {
				theirs = append(theirs, s[j])
			}
			if pvalue := sameDistribution(p, theirs, like[j]); pvalue < 0.001 {
				t.Errorf("%s: %s is distributed otherwise than Optuna's, p = %.2g", c.Name, p.Name, pvalue)
			}
			if sameDistribution(p, theirs, own[j]) < 0.001 {
				told++
			}
		}
	}
	if len(cases) != 3 || told < 3 {
		t.Errorf("%d cases, in which the tests tell our defaults from Optuna's %d times", len(cases), told)
	}
}

// draws are 2000 suggestions after a history, by parameter.
func draws(t *testing.T, h sweep.History, options trials.Params) [][]any {
	s := made(t, h.Space, options)
	out := make([][]any, len(h.Space))
	for i := range 2000 {
		sg := suggest(t, s, h, i)
		for j, p := range h.Space {
			out[j] = append(out[j], sg.Params[p.Name])
		}
	}
	return out
}

// sameDistribution is the p value of two samples being of one distribution.
func sameDistribution(p trials.Param, a, b []any) float64 {
	if p.Kind == trials.Float && p.Step == 0 {
		x, y := numbers(a), numbers(b)
		d := stat.KolmogorovSmirnov(x, nil, y, nil)
		n := float64(len(x)) * float64(len(y)) / float64(len(x)+len(y))
		return kolmogorov(d, n)
	}
	keys := map[string][2]float64{}
	for i, side := range [][]any{a, b} {
		for _, v := range side {
			k := trials.FormatValue(v)
			c := keys[k]
			c[i]++
			keys[k] = c
		}
	}
	return chiSquare(keys, float64(len(a)), float64(len(b)))
}

func numbers(vs []any) []float64 {
	xs := make([]float64, len(vs))
	for i, v := range vs {
		xs[i], _ = trials.Number(v)
	}
	slices.Sort(xs)
	return xs
}

// kolmogorov is the probability of a distance of at least d (Kolmogorov's limit; n is the effective number).
func kolmogorov(d, n float64) float64 {
	p, sign := 0.0, 2.0
	for k := 1.0; k < 50; k++ {
		p += sign * math.Exp(-2*k*k*d*d*n)
		sign = -sign
	}
	return math.Min(p, 1)
}

// chiSquare tests two samples of na and nb for homogeneity. Values with less than five expected in the smaller sample are taken
// together.
func chiSquare(counts map[string][2]float64, na, nb float64) float64 {
	var rare [2]float64
	var cells [][2]float64
	for _, c := range counts {
		if (c[0]+c[1])*math.Min(na, nb)/(na+nb) < 5 {
			rare = [2]float64{rare[0] + c[0], rare[1] + c[1]}
		} else {
			cells = append(cells, c)
		}
	}
	if rare[0]+rare[1] > 0 {
		cells = append(cells, rare)
	}
	if len(cells) < 2 {
		return 1
	}
	x := 0.0
	for _, c := range cells {
		for i, n := range [2]float64{na, nb} {
			expected := (c[0] + c[1]) * n / (na + nb)
			x += (c[i] - expected) * (c[i] - expected) / expected
		}
	}
	return distuv.ChiSquared{K: float64(len(cells) - 1)}.Survival(x)
}
