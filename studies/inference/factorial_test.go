package inference_test

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/studies/inference"
)

// The numbers of testdata/factorial.json were computed by statsmodels, SciPy and NumPy (testdata/factorial.py).
//
//go:embed testdata/factorial.json
var factorialJSON []byte

type factorialFixture struct {
	Cases []struct {
		Name             string
		Counts           []int
		Runs             [][]int
		Scores           []map[string]float64
		Terms            [][][2]int
		Estimate         []float64
		Residual, DF     float64
		SE, Low, High, P []float64
		Lack             *float64
		Weights          []struct {
			Factors []int
			W       []float64
		}
	}
	Unreplicated []struct {
		Name         string
		Runs         [][]int
		Y            []float64
		PSE, ME, SME float64
		M            int
		Terms        [][]int
		Estimate, P  []float64
	}
	HalfNormal []float64
}

func loadFactorial(t *testing.T) factorialFixture {
	t.Helper()
	var f factorialFixture
	if err := json.Unmarshal(factorialJSON, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// settings are factors a, b, c ... with levels 0, 1, 2 ...
func settings(counts ...int) []inference.Setting {
	var out []inference.Setting
	for i, n := range counts {
		s := inference.Setting{Name: string(rune('a' + i))}
		for l := range n {
			s.Levels = append(s.Levels, strconv.Itoa(l))
		}
		out = append(out, s)
	}
	return out
}

func agree(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > 1e-9*math.Max(1, math.Abs(want)) {
		t.Errorf("%s is %.12g, want %.12g", what, got, want)
	}
}

func TestFactorial(t *testing.T) {
	for _, c := range loadFactorial(t).Cases {
		t.Run(c.Name, func(t *testing.T) {
			set := settings(c.Counts...)
			if c.Name == "nested" {
				set[1].Parents = []int{0}
			}
			var runs []inference.Run
			for i, levels := range c.Runs {
				r := inference.Run{Levels: levels, Scores: map[int]float64{}}
				for seed, y := range c.Scores[i] {
					n, _ := strconv.Atoi(seed)
					r.Scores[n] = y
				}
				runs = append(runs, r)
			}
			f, err := inference.AnalyzeFactorial(set, runs, inference.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if len(f.Terms) != len(c.Terms) {
				t.Fatalf("%d terms, want %d: %+v", len(f.Terms), len(c.Terms), f.Terms)
			}
			agree(t, "residual", f.Residual, c.Residual)
			agree(t, "df", f.DF, c.DF)
			for i, term := range f.Terms {
				var names, goals []string
				for _, x := range c.Terms[i] {
					names, goals = append(names, set[x[0]].Name), append(goals, strconv.Itoa(x[1]))
				}
				if fmt.Sprint(term.Factors, term.Levels) != fmt.Sprint(names, goals) {
					t.Errorf("term %d is %v %v, want %v %v", i, term.Factors, term.Levels, names, goals)
				}
				agree(t, term.Label+" estimate", term.Estimate, c.Estimate[i])
				agree(t, term.Label+" SE", term.SE, c.SE[i])
				agree(t, term.Label+" low", term.Low, c.Low[i])
				agree(t, term.Label+" high", term.High, c.High[i])
				agree(t, term.Label+" p", term.P, c.P[i])
			}
			lack := strings.Contains(strings.Join(f.Notes, " "), "lack of fit")
			if want := c.Lack != nil && *c.Lack < 0.05; lack != want {
				t.Errorf("lack of fit noted: %v, want %v (p %v); %q", lack, want, c.Lack, f.Notes)
			}
			for _, w := range c.Weights {
				for k, term := range f.Terms {
					got := 0.0
					for _, p := range term.Partial {
						if p.Factors[0] == set[w.Factors[0]].Name && p.Factors[1] == set[w.Factors[1]].Name {
							got = p.Weight
						}
					}
					agree(t, fmt.Sprintf("%v in %s", w.Factors, term.Label), got, w.W[k])
				}
			}
		})
	}
}

// Where interactions lean on main effects, these are judged, and the reason says what is assumed.
func TestFactorialPartial(t *testing.T) {
	for _, c := range loadFactorial(t).Cases {
		if c.Weights == nil {
			continue
		}
		analyze := func(together float64) inference.Factorial {
			rng := rand.New(rand.NewPCG(3, 3))
			f, err := inference.AnalyzeFactorial(settings(c.Counts...), replicate(c.Runs, 3, func(l []int, seed int) float64 {
				return 0.2*float64(l[0]) + together*float64(l[1]*l[2]) + 0.001*rng.NormFloat64()
			}), inference.Options{})
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
		f := analyze(0)
		if a := f.Terms[0]; a.Clear || a.Verdict != inference.Better || !strings.Contains(a.Reason, "assumes no interactions") {
			t.Errorf("a is %+v", a)
		}
		if notes := strings.Join(f.Notes, " "); !strings.Contains(notes, "cannot estimate a × b, ") {
			t.Errorf("notes %q", notes)
		}
		// Interactions that show refute the assumption: e, which does nothing, is not called worse.
		for _, term := range analyze(0.1).Terms {
			if term.Verdict != inference.Aliased || !strings.Contains(term.Reason, "the points show interactions") {
				t.Errorf("%s with an interaction is %s: %s", term.Label, term.Verdict, term.Reason)
			}
		}
		return
	}
	t.Error("no such case")
}

// The Plackett-Burman design of 12 runs has no point left to see an interaction with: one that is real, of factors that
// do nothing alone, is in nine inert factors by a third, and none of them gets a verdict. Folded over, none is touched.
func TestFactorialUnchecked(t *testing.T) {
	first := []int{1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0}
	var design, folded [][]int
	for i := range 12 {
		l, turned := make([]int, 11), make([]int, 11)
		for j := range l {
			if i < 11 {
				l[j] = first[(j+i)%11]
			}
			turned[j] = 1 - l[j]
		}
		design, folded = append(design, l), append(folded, turned)
	}
	folded = append(folded, design...)
	analyze := func(levels [][]int, seeds int) inference.Factorial {
		rng := rand.New(rand.NewPCG(7, 7))
		f, err := inference.AnalyzeFactorial(settings([]int{2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2}[:len(levels[0])]...), replicate(levels, seeds, func(l []int, _ int) float64 {
			return 0.1*float64((2*l[0]-1)*(2*l[1]-1)) + 0.002*rng.NormFloat64()
		}), inference.Options{Margin: 1})
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	for _, seeds := range []int{1, 3} {
		f := analyze(design, seeds)
		small := 0
		for _, term := range f.Terms {
			if term.Verdict != inference.Aliased || !strings.Contains(term.Reason, "cannot check") || math.IsNaN(term.Low) {
				t.Errorf("%d seeds: %s is %s (%s), interval from %v", seeds, term.Label, term.Verdict, term.Reason, term.Low)
			}
			if term.PHolm < 1e-6 {
				small++
			}
		}
		if !f.Unchecked || len(f.Terms) != 11 || !strings.Contains(strings.Join(f.Notes, " "), "Folding the design over") {
			t.Errorf("%d seeds: unchecked %v, %d terms, notes %q", seeds, f.Unchecked, len(f.Terms), f.Notes)
		}
		if seeds == 3 && small != 9 {
			t.Errorf("%d of the main effects stand out, the test means nine to", small)
		}
	}
	var ten [][]int // factors, which leave a point to see it with
	for _, l := range design {
		ten = append(ten, l[:10])
	}
	f := analyze(ten, 3)
	for _, term := range f.Terms {
		if f.Unchecked || term.Verdict != inference.Aliased || !strings.Contains(term.Reason, "the points show interactions") {
			t.Errorf("of ten factors, %s is %s: %s", term.Label, term.Verdict, term.Reason)
		}
	}
	f = analyze(folded, 3)
	for _, term := range f.Terms[:11] {
		if !term.Clear || term.Verdict != inference.Equivalent {
			t.Errorf("folded over, %s is %s: %s", term.Label, term.Verdict, term.Reason)
		}
	}
	if f.Unchecked {
		t.Error("folded over, main effects need no check")
	}
}

// Lenth's margins are at the level asked for, and its note knows a design that ran once from one with a repeat.
func TestLenthLevel(t *testing.T) {
	c := loadFactorial(t).Unreplicated[0]
	analyze := func(alpha float64, repeats int) inference.Factorial {
		i := -1
		runs := replicate(c.Runs, 1, func([]int, int) float64 { i++; return c.Y[i] })
		for k := range repeats {
			runs[k].Scores[1] = c.Y[k] + 0.01*float64(k)
		}
		f, err := inference.AnalyzeFactorial(settings([]int{2, 2, 2, 2}[:len(c.Runs[0])]...), runs, inference.Options{Alpha: alpha})
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	f := analyze(0.1, 0)
	for _, term := range f.Terms {
		agree(t, term.Label+" interval", term.High-term.Low, 2*f.ME)
	}
	if usual := analyze(0, 0); f.ME >= usual.ME || f.SME >= usual.SME || f.PSE != usual.PSE {
		t.Errorf("at 0.1 ME %v, SME %v; at 0.05 %v, %v", f.ME, f.SME, usual.ME, usual.SME)
	}
	if notes := strings.Join(f.Notes, " "); !strings.Contains(notes, "Every point ran once") {
		t.Errorf("notes %q", notes)
	}
	if f = analyze(0, 3); f.Method != inference.Lenth || !strings.Contains(strings.Join(f.Notes, " "), "Hardly any point was repeated") {
		t.Errorf("%s, notes %q", f.Method, f.Notes)
	}
}

func replicate(levels [][]int, seeds int, score func([]int, int) float64) []inference.Run {
	var runs []inference.Run
	for _, l := range levels {
		r := inference.Run{Levels: l, Scores: map[int]float64{}}
		for s := range seeds {
			r.Scores[s] = score(l, s)
		}
		runs = append(runs, r)
	}
	return runs
}

func TestLenth(t *testing.T) {
	fix := loadFactorial(t)
	for _, c := range fix.Unreplicated {
		t.Run(c.Name, func(t *testing.T) {
			i := -1
			runs := replicate(c.Runs, 1, func([]int, int) float64 { i++; return c.Y[i] })
			f, err := inference.AnalyzeFactorial(settings([]int{2, 2, 2, 2}[:len(c.Runs[0])]...), runs, inference.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if f.Method != inference.Lenth || !math.IsNaN(f.Residual) {
				t.Errorf("method %s, residual %v", f.Method, f.Residual)
			}
			agree(t, "PSE", f.PSE, c.PSE)
			agree(t, "ME", f.ME, c.ME)
			agree(t, "SME", f.SME, c.SME)
			if len(f.Terms) != len(c.Terms) {
				t.Fatalf("%d terms, want %d", len(f.Terms), len(c.Terms))
			}
			for i, term := range f.Terms {
				agree(t, term.Label, term.Estimate, c.Estimate[i])
				agree(t, term.Label+" SE", term.SE, c.PSE)
				agree(t, term.Label+" p", term.P, c.P[i])
				agree(t, term.Label+" interval", term.High-term.Low, 2*c.ME)
			}
			if len(f.Terms) == len(fix.HalfNormal) {
				h := f.HalfNormal()
				for i := range h {
					agree(t, "quantile", h[i].Quantile, fix.HalfNormal[i])
					agree(t, "size", h[i].Size, math.Abs(f.Terms[h[i].Term].Estimate))
					if i > 0 && h[i].Size < h[i-1].Size {
						t.Error("sizes fall")
					}
				}
			}
		})
	}
}

// In the half fraction D = ABC the interactions of two are pairs: one term each, never judged. Main effects are clear.
func TestAliased(t *testing.T) {
	var half [][]int
	for i := range 8 {
		a, b, c := i>>2&1, i>>1&1, i&1
		half = append(half, []int{a, b, c, (a + b + c) % 2})
	}
	f, err := inference.AnalyzeFactorial(settings(2, 2, 2, 2), replicate(half, 4, func(l []int, seed int) float64 {
		return 0.3*float64(l[0]*l[1]) + 0.001*float64((l[2]*3+seed*l[0]*5+seed*2)%5)
	}), inference.Options{Margin: 0.05})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"a 0 → 1": "better", "b 0 → 1": "better", "c 0 → 1": "equivalent", "d 0 → 1": "equivalent",
		"a × b": "aliased: cannot be told from c × d", "a × c": "aliased: cannot be told from b × d", "a × d": "aliased: cannot be told from b × c"}
	if len(f.Terms) != len(want) {
		t.Fatalf("%d terms: %+v", len(f.Terms), f.Terms)
	}
	for _, term := range f.Terms {
		got := string(term.Verdict)
		if term.Verdict == inference.Aliased {
			got += ": " + term.Reason
		}
		if got != want[term.Label] {
			t.Errorf("%s is %s, want %s", term.Label, got, want[term.Label])
		}
		if term.Clear != (len(term.Factors) == 1) {
			t.Errorf("%s clear: %v", term.Label, term.Clear)
		}
	}
}

// Alias groups are those of brute force: products of columns that agree in every run up to their sign.
func TestAliasesBruteForce(t *testing.T) {
	for name, generators := range map[string][][]int{
		"2^(5-2), D=AB E=AC":          {{0, 1}, {0, 2}},
		"2^(6-3), D=AB E=AC F=BC":     {{0, 1}, {0, 2}, {1, 2}},
		"2^(7-4), saturated":          {{0, 1}, {0, 2}, {1, 2}, {0, 1, 2}},
		"2^(5-1) of 3 and one, D=ABC": {{0, 1, 2}, {0, 1}},
	} {
		var runs [][]int
		for i := range 8 {
			l := []int{i >> 2 & 1, i >> 1 & 1, i & 1}
			for _, g := range generators {
				sign := 1
				for _, f := range g {
					sign *= 2*l[f] - 1
				}
				l = append(l, (sign+1)/2)
			}
			runs = append(runs, l)
		}
		k := len(runs[0])
		column := func(factors []string) string {
			var text string
			first := 0
			for _, l := range runs {
				s := 1
				for _, f := range factors {
					s *= 2*l[f[0]-'a'] - 1
				}
				if first == 0 {
					first = s
				}
				text += strconv.Itoa(s * first)
			}
			return text
		}
		f, err := inference.AnalyzeFactorial(settings([]int{2, 2, 2, 2, 2, 2, 2}[:k]...), replicate(runs, 2, func(l []int, s int) float64 {
			return float64((l[0]*5+l[1]*3+s*7+l[2]*s)%11) / 10
		}), inference.Options{})
		if err != nil {
			t.Fatal(err)
		}
		terms := 0
		seen := map[string]bool{}
		for _, term := range f.Terms {
			own := column(term.Factors)
			if seen[own] {
				t.Errorf("%s: %s is there twice", name, term.Label)
			}
			seen[own] = true
			terms += 1 + len(term.Aliases)
			for _, a := range term.Aliases {
				if column(a) != own {
					t.Errorf("%s: %v is no alias of %s", name, a, term.Label)
				}
			}
			if len(term.Aliases) > 0 && term.Verdict != inference.Aliased {
				t.Errorf("%s: %s has aliases and is %s", name, term.Label, term.Verdict)
			}
		}
		if want := k + k*(k-1)/2; terms != want {
			t.Errorf("%s: %d terms and aliases, want %d", name, terms, want)
		}
	}
}

// In a balanced design the estimate of one term does not depend on the others: leaving a factor out changes nothing.
func TestOrthogonal(t *testing.T) {
	var cube [][]int
	for i := range 16 {
		cube = append(cube, []int{i >> 3 & 1, i >> 2 & 1, i >> 1 & 1, i & 1})
	}
	score := func(l []int, s int) float64 {
		return math.Sin(float64(l[0]*3+l[1]*5+l[2]*7+l[3]*11+s*13)) * 0.1
	}
	all, err := inference.AnalyzeFactorial(settings(2, 2, 2, 2), replicate(cube, 2, score), inference.Options{})
	if err != nil {
		t.Fatal(err)
	}
	runs := replicate(cube, 2, score)
	for i := range runs {
		runs[i].Levels = runs[i].Levels[:3]
	}
	some, err := inference.AnalyzeFactorial(settings(2, 2, 2), runs, inference.Options{})
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]float64{}
	for _, term := range all.Terms {
		by[term.Label] = term.Estimate
	}
	for _, term := range some.Terms {
		agree(t, term.Label, term.Estimate, by[term.Label])
	}
}

// Degenerate input gets a sentence, never a number.
func TestFactorialNothing(t *testing.T) {
	nan := math.NaN()
	square := [][]int{{0, 0}, {0, 1}, {1, 0}, {1, 1}}
	constant := func(v float64) func([]int, int) float64 { return func([]int, int) float64 { return v } }
	for _, c := range []struct {
		name string
		runs []inference.Run
		want string
	}{
		{"no runs", nil, "no trial"},
		{"all failed", replicate(square, 0, constant(1)), "no trial"},
		{"NaN and infinite", replicate(square, 2, func(l []int, s int) float64 { return []float64{nan, math.Inf(1)}[s] }), "no trial"},
		{"one point", replicate(square[:1], 5, constant(1)), "only one point"},
		{"seeds apart", []inference.Run{{Levels: []int{0, 0}, Scores: map[int]float64{0: 1}}, {Levels: []int{1, 1}, Scores: map[int]float64{1: 2}}}, "no factor has scores at two levels"},
	} {
		_, err := inference.AnalyzeFactorial(settings(2, 2), c.runs, inference.Options{})
		var nothing inference.Nothing
		if !errors.As(err, &nothing) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	for _, c := range []struct {
		name string
		runs []inference.Run
		want string
	}{
		{"no spread", replicate(square, 3, constant(0.5)), "exactly alike"},
		{"spread of points, not of seeds", replicate(square, 3, func(l []int, s int) float64 { return float64(l[0]) + 0.1*float64(s) }), "exactly alike"},
		{"one seed, two points", replicate(square[:2], 1, func(l []int, s int) float64 { return float64(l[1]) }), "too few points"},
		{"one seed, no spread", replicate(square, 1, constant(0.5)), "nothing says how much seeds differ"},
	} {
		f, err := inference.AnalyzeFactorial(settings(2, 2), c.runs, inference.Options{Margin: 1})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for _, term := range f.Terms {
			if term.Verdict != inference.NotTested || !math.IsNaN(term.P) || !math.IsNaN(term.Low) || !strings.Contains(term.Reason, c.want) {
				t.Errorf("%s: %s is %s (%s), p %v", c.name, term.Label, term.Verdict, term.Reason, term.P)
			}
		}
		text, err := json.Marshal(f)
		if err != nil || !strings.Contains(string(text), `"p":null`) || !strings.Contains(string(text), `"pse":null`) {
			t.Errorf("%s: %s, %v", c.name, text, err)
		}
	}
}

// A design with a failed point loses no factor, and one with a level that never ran says so.
func TestFactorialMissing(t *testing.T) {
	square := [][]int{{0, 0}, {0, 1}, {1, 0}}
	f, err := inference.AnalyzeFactorial(settings(2, 2), replicate(square, 3, func(l []int, s int) float64 {
		return 0.1*float64(l[0]) + 0.001*float64((s*l[1]*3+s*5+l[0]*s)%4)
	}), inference.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Terms) != 2 || f.Terms[0].Clear || !strings.Contains(strings.Join(f.Notes, " "), "a × b") {
		t.Errorf("%+v", f)
	}
	f, err = inference.AnalyzeFactorial(settings(3, 2), replicate([][]int{{0, 0}, {0, 1}, {2, 0}, {2, 1}}, 3, func(l []int, s int) float64 {
		return 0.1*float64(l[0]) + 0.001*float64((s*l[1]*3+s*5+l[0]*s)%4)
	}), inference.Options{})
	if err != nil || len(f.Terms) != 3 || f.Notes[0] != "a has no scores at 1." {
		t.Errorf("%+v, %v", f, err)
	}
}
