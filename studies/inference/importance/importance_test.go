package importance_test

import (
	_ "embed"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/studies/inference/importance"
	"github.com/mapsweep/mapsweep/trials"
)

// The numbers of testdata/importance.json were computed by Optuna and scikit-learn (testdata/gen.py).
//
//go:embed testdata/importance.json
var fixtureJSON []byte

type fixture struct {
	Forest struct {
		Bounds [][2]float64
		Trees  []importance.Flat
		Single []struct{ Value, SD float64 }
		Pairs  []struct {
			A, B      int
			Value, SD float64
		}
	}
	Tree struct {
		X    [][]float64
		Y    []float64
		Leaf int
		Tree importance.Flat
	}
	PED struct {
		Space  trials.Space
		Points []struct {
			Params trials.Params
			Score  float64
		}
		Maximize, Minimize, First40 map[string]float64
	}
}

func load(t *testing.T) fixture {
	t.Helper()
	var f fixture
	if err := json.Unmarshal(fixtureJSON, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tolerance {
		t.Errorf("%s is %.12g, want %.12g", what, got, want)
	}
}

func numbers(bounds ...[2]float64) trials.Space {
	var s trials.Space
	for i, b := range bounds {
		s = append(s, trials.Param{Name: string(rune('a' + i)), Kind: trials.Float, Low: b[0], High: b[1]})
	}
	return s
}

// The shares of singles are those of Optuna's evaluator on the same trees, those of pairs what its marginals give.
func TestFANOVAOnTheSameForest(t *testing.T) {
	f := load(t).Forest
	r := importance.Of(numbers(f.Bounds...), f.Trees).FANOVA(true)
	for _, s := range r.Single {
		want := f.Single[s.Name[0]-'a']
		near(t, s.Name, s.Value, want.Value, 1e-9)
		near(t, s.Name+" sd", s.SD, want.SD, 1e-9)
	}
	for _, p := range f.Pairs {
		for _, q := range r.Pairs {
			if q.A[0] == byte('a'+p.A) && q.B[0] == byte('a'+p.B) {
				near(t, q.A+q.B, q.Value, p.Value, 1e-9)
				near(t, q.A+q.B+" sd", q.SD, p.SD, 1e-9)
			}
		}
	}
	if len(r.Single) != 3 || len(r.Pairs) != 3 || r.Single[0].Value < r.Single[1].Value || r.Pairs[0].Value < r.Pairs[1].Value {
		t.Errorf("not by falling value: %+v", r)
	}
}

// One tree of all points is scikit-learn's.
func TestTreeIsTheOther(t *testing.T) {
	f := load(t).Tree
	p := importance.Problem{Space: numbers([2]float64{0, 1}, [2]float64{0, 1}, [2]float64{0, 1})}
	for i, x := range f.X {
		p.Points = append(p.Points, importance.Point{Params: trials.Params{"a": x[0], "b": x[1], "c": x[2]}, Score: f.Y[i]})
	}
	got, err := importance.Grow(p, f.Leaf)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Feature) != len(f.Tree.Feature) {
		t.Fatalf("%d nodes, want %d", len(got.Feature), len(f.Tree.Feature))
	}
	for i := range got.Feature { // both number nodes depth first
		near(t, "value", got.Value[i], f.Tree.Value[i], 1e-9)
		if want := max(f.Tree.Feature[i], -1); got.Feature[i] != want {
			t.Errorf("node %d splits %d, want %d", i, got.Feature[i], want)
		} else if want >= 0 {
			near(t, "threshold", got.Threshold[i], f.Tree.Threshold[i], 1e-9)
		}
	}
}

func TestPED(t *testing.T) {
	f := load(t).PED
	for name, c := range map[string]struct {
		n        int
		minimize bool
		want     map[string]float64
	}{"maximize": {120, false, f.Maximize}, "minimize": {120, true, f.Minimize}, "few": {40, false, f.First40}} {
		p := importance.Problem{Space: f.Space, Minimize: c.minimize}
		for _, x := range f.Points[:c.n] {
			p.Points = append(p.Points, importance.Point{Params: x.Params, Score: x.Score})
		}
		r, err := importance.PED(p)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Single) != len(c.want) {
			t.Fatalf("%s: %d parameters, want %d", name, len(r.Single), len(c.want))
		}
		for _, s := range r.Single {
			near(t, name+" "+s.Name, s.Value, c.want[s.Name], 1e-9)
		}
		if notes := strings.Join(r.Notes, " "); !strings.Contains(notes, "magnitude matters in ") {
			t.Errorf("%s: notes %q", name, notes)
		}
	}
}

// mixed is a problem with numbers, whole numbers and choices, and a pair that acts together.
func mixed(n int, noise float64) importance.Problem {
	p := importance.Problem{
		Space: trials.Space{
			{Name: "lr", Kind: trials.Float, Low: 1e-4, High: 1, Log: true},
			{Name: "mosaic", Kind: trials.Categorical, Choices: []any{1.0, 0.0}},
			{Name: "policy", Kind: trials.Categorical, Choices: []any{"none", "a", "b"}},
			{Name: "n", Kind: trials.Int, Low: 1, High: 4},
			{Name: "idle", Kind: trials.Float, Low: 0, High: 1},
		},
		Baseline: trials.Params{"lr": 0.01, "mosaic": 0.0, "policy": "none", "n": int64(1), "idle": 0.5},
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range n {
		u := rng.Float64()
		q := trials.Params{"lr": math.Pow(10, -4+4*u), "mosaic": float64(rng.IntN(2)), "policy": []any{"none", "a", "b"}[rng.IntN(3)], "n": 1 + rng.Int64N(4), "idle": rng.Float64()}
		s := u + 0.2*float64(q["n"].(int64))
		if q["policy"] == "b" && q["mosaic"] == 1.0 {
			s += 1
		}
		p.Points = append(p.Points, importance.Point{Params: q, Score: s + noise*rng.NormFloat64()})
	}
	return p
}

// In every tree the closed form agrees with brute force over a grid of all dimensions, for numbers and choices.
func TestSharesBruteForce(t *testing.T) {
	p := mixed(120, 0.1)
	m, err := importance.Fit(p, importance.Options{Trees: 3, Leaf: 8})
	if err != nil {
		t.Fatal(err)
	}
	for tree := range 3 {
		single, pairs := m.TreeShares(tree)
		k, sum := 0, 0.0
		for d := range p.Space {
			sum += single[d]
			for e := d + 1; e < len(p.Space); e++ {
				one, two := m.Shares(tree, d, e)
				near(t, p.Space[d].Name, single[d], one, 1e-9)
				near(t, p.Space[d].Name+" x "+p.Space[e].Name, pairs[k], two, 1e-9)
				sum += pairs[k]
				k++
			}
		}
		if sum > 1+1e-9 {
			t.Errorf("shares sum to %v", sum)
		}
	}
}

// The shares of a function whose variance is known, within the accuracy of the forest: Var(u) = 1/12, of n
// 0.2² 15/12, of policy and mosaic 1/18 and 1/36, and of both together 1/18.
func TestKnownShares(t *testing.T) {
	m, err := importance.Fit(mixed(3000, 0.05), importance.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := m.FANOVA(true)
	want := map[string]float64{"lr": 1.0 / 12, "n": 0.04 * 15 / 12, "policy": 1.0 / 18, "mosaic": 1.0 / 36, "idle": 0, "mosaicpolicy": 1.0 / 18}
	total := 0.0
	for _, v := range want {
		total += v
	}
	for _, s := range r.Single {
		near(t, s.Name, s.Value, want[s.Name]/total, 0.02)
	}
	for _, p := range r.Pairs {
		near(t, p.A+p.B, p.Value, want[p.A+p.B]/total, 0.02)
	}
	if r.Fit < 0.95 || len(r.Notes) > 0 {
		t.Errorf("fit %v, notes %q", r.Fit, r.Notes)
	}
	for _, g := range m.Marginals() {
		switch g.Name {
		case "lr":
			near(t, "lr at both ends", g.Mean[len(g.Mean)-1]-g.Mean[0], 1, 0.06)
			near(t, "highest lr", g.X[len(g.X)-1], 1, 1e-12)
			near(t, "lowest lr", g.X[0], 1e-4, 1e-12)
		case "n":
			if !reflect.DeepEqual(g.X, []float64{1, 2, 3, 4}) {
				t.Errorf("n at %v", g.X)
			}
			near(t, "n 1 → 4", g.Mean[3]-g.Mean[0], 0.6, 0.03)
		case "policy":
			if !reflect.DeepEqual(g.Labels, []string{"none", "a", "b"}) {
				t.Errorf("labels %v", g.Labels)
			}
			near(t, "none → b", g.Mean[2]-g.Mean[0], 0.5, 0.03)
		}
	}
}

// The same problem gives the same numbers, whatever the number of cores.
func TestDeterministic(t *testing.T) {
	var first importance.Result
	for i := range 3 {
		m, err := importance.Fit(mixed(400, 0.2), importance.Options{})
		if err != nil {
			t.Fatal(err)
		}
		r := m.FANOVA(true)
		if i > 0 && !reflect.DeepEqual(r, first) {
			t.Fatal("two runs differ")
		}
		first = r
	}
}

// A parameter that is absent at some points has the baseline's value there, which is said.
func TestConditional(t *testing.T) {
	p := mixed(300, 0.05)
	for _, q := range p.Points {
		if q.Params["mosaic"] == 0.0 {
			delete(q.Params, "policy")
		}
	}
	m, err := importance.Fit(p, importance.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if notes := strings.Join(m.FANOVA(false).Notes, " "); !strings.Contains(notes, "policy matters in ") || !strings.Contains(notes, "baseline's value") {
		t.Errorf("notes %q", notes)
	}
}

// Replicates of a configuration count once, by their mean: it is the same as having the means alone.
func TestReplicates(t *testing.T) {
	one := mixed(100, 0.1)
	two := one
	two.Points = nil
	for i := range one.Points { // numbers whose mean is exact
		one.Points[i].Score = math.Round(one.Points[i].Score*1024) / 1024
	}
	for _, p := range one.Points {
		for _, d := range []float64{-0.5, 0.5} {
			two.Points = append(two.Points, importance.Point{Params: p.Params, Score: p.Score + d})
		}
	}
	var r [2]importance.Result
	for i, p := range []importance.Problem{one, two} {
		m, err := importance.Fit(p, importance.Options{})
		if err != nil {
			t.Fatal(err)
		}
		r[i] = m.FANOVA(true)
	}
	if r[1].N != 100 || len(r[1].Notes) != len(r[0].Notes)+1 || r[1].Notes[0] != "200 trials are of 100 configurations: replicates of one count once, by their mean." {
		t.Errorf("n %d, notes %q", r[1].N, r[1].Notes)
	}
	for i, s := range r[0].Single {
		near(t, s.Name, r[1].Single[i].Value, s.Value, 1e-9)
	}
}

// Degenerate input gets a sentence, never a number.
func TestNothing(t *testing.T) {
	set := func(score func(i int) float64) importance.Problem {
		p := mixed(60, 0)
		for i := range p.Points {
			p.Points[i].Score = score(i)
		}
		return p
	}
	rng := rand.New(rand.NewPCG(5, 5))
	flat := mixed(60, 0)
	flat.Space = trials.Space{{Name: "lr", Kind: trials.Float, Low: 1, High: 1}}
	for name, c := range map[string]struct {
		p    importance.Problem
		fit  string
		peds string
	}{
		"no points":          {importance.Problem{Space: mixed(1, 0).Space}, "no trial has a score", "no trial has a score"},
		"all failed":         {set(func(int) float64 { return math.NaN() }), "no trial has a score", "no trial has a score"},
		"infinite":           {set(func(int) float64 { return math.Inf(1) }), "no trial has a score", "no trial has a score"},
		"few":                {mixed(9, 0), "9 configurations with a score are too few", "9 configurations with a score are too few"},
		"constant":           {set(func(int) float64 { return 0.5 }), "exactly alike", "exactly alike"},
		"noise":              {set(func(int) float64 { return rng.NormFloat64() }), "cannot be told from noise", ""},
		"nothing varies":     {flat, "no parameter varies", "no parameter varies"},
		"no space":           {importance.Problem{Points: mixed(60, 0).Points}, "no parameter varies", "no parameter varies"},
		"best tenth is most": {set(func(i int) float64 { return math.Min(float64(i), 1) }), "", ""},
		"best tenth is all":  {set(func(i int) float64 { return []float64{0.5, 0.5}[i%2] }), "exactly alike", "exactly alike"},
	} {
		for method, run := range map[string]struct {
			err  error
			want string
		}{"fANOVA": {second(importance.Fit(c.p, importance.Options{})), c.fit}, "PED": {second(importance.PED(c.p)), c.peds}} {
			var nothing inference.Nothing
			if run.want == "" {
				if run.err != nil && !errors.As(run.err, &nothing) {
					t.Errorf("%s, %s: %v", name, method, run.err)
				}
				continue
			}
			if !errors.As(run.err, &nothing) || !strings.Contains(run.err.Error(), run.want) {
				t.Errorf("%s, %s: %v, want %q", name, method, run.err, run.want)
			}
		}
	}
}

func second[T any](_ T, err error) error { return err }

// Results can be written as JSON: what is missing is null.
func TestJSON(t *testing.T) {
	r, err := importance.PED(mixed(60, 0.1))
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(r)
	if err != nil || !strings.Contains(string(text), `"fit":null`) || !strings.Contains(string(text), `"sd":null`) || strings.Contains(string(text), "NaN") {
		t.Errorf("%s, %v", text, err)
	}
}
