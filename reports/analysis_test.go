package reports_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/internal/fixture"
	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// crossed is a study of two-level factors a, b, c ... in every combination but those that drop wants out: the score
// by the levels, 0 or 1, of each.
func crossed(factors, seeds int, design string, score func(on func(string) float64) float64) fixture.Ablation {
	a := fixture.Quickstart()
	a.Name, a.Design, a.Seeds, a.Noise = "crossed", design, seeds, 0.003
	a.Factors, a.Variants, a.Baseline = nil, nil, trials.Params{}
	for i := range factors {
		name := string(rune('a' + i))
		a.Factors = append(a.Factors, studies.Factor{Name: name, Levels: []any{0.0, 1.0}})
		a.Baseline[name] = 0.0
	}
	level := func(p trials.Params) func(string) float64 { return func(n string) float64 { return p[n].(float64) } }
	a.Score = score(level(a.Baseline))
	for k := 1; k < 1<<factors; k++ {
		p := trials.Params{}
		var name []string
		for i, f := range a.Factors {
			p[f.Name] = float64(k >> (factors - 1 - i) & 1)
			if p[f.Name] == 1.0 {
				name = append(name, f.Name+"=1")
			}
		}
		a.Variants = append(a.Variants, fixture.Variant{Arm: strings.Join(name, " "), Params: p, Effect: score(level(p)) - a.Score, Noise: 0.002})
	}
	return a
}

// Terms come from the arms' scores: a main effect, and an interaction that is half of what two bring together.
func TestFactorial(t *testing.T) {
	a := crossed(3, 5, studies.DesignFactorial, func(on func(string) float64) float64 {
		return 0.5 + 0.05*on("a") + 0.08*on("b")*on("c")
	})
	s := snapshot(t, a.Build)
	f, err := s.Factorial(&s.Blocks[0])
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{"a 0 → 1": 0.05, "b 0 → 1": 0.04, "c 0 → 1": 0.04, "a × b": 0, "a × c": 0, "b × c": 0.04}
	if len(f.Terms) != len(want) || f.Method != inference.SeedBlocks || f.Runs != 8 || f.Seeds != 5 {
		t.Fatalf("%+v", f)
	}
	for _, x := range f.Terms {
		if w := want[x.Label]; math.Abs(x.Estimate-w) > 0.003 || w > 0 && x.Verdict != inference.Better {
			t.Errorf("%s is %.4f, %s; want %.4f", x.Label, x.Estimate, x.Verdict, w)
		}
	}
	sh, err := s.Shapley(&s.Blocks[0])
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, k := range sh.Knobs {
		sum += k.Value.Mean
	}
	if math.Abs(sum-sh.Gain.Mean) > 1e-12 || math.Abs(sum-0.13) > 0.005 || sh.Seeds != 5 || len(sh.Pairs) != 3 {
		t.Errorf("%+v, sum %v", sh, sum)
	}
	p, err := s.Path(&s.Blocks[0])
	if err != nil || p.Predicted || len(p.Steps) != 3 || p.Steps[0].Name != "a" || math.Abs(p.End-p.Start-sh.Gain.Mean) > 1e-12 {
		t.Errorf("%+v, %v", p, err)
	}
	again, _ := s.Shapley(&s.Blocks[0])
	if &again.Knobs[0] != &sh.Knobs[0] {
		t.Error("computed twice")
	}
}

// A smaller score is better where the objective says so.
func TestFactorialMinimize(t *testing.T) {
	a := crossed(2, 4, studies.DesignFactorial, func(on func(string) float64) float64 { return 0.5 - 0.05*on("a") + 0.05*on("b") })
	st, ts := a.Build()
	st.Resolved = []byte(strings.Replace(string(st.Resolved), `"MAXIMIZE"`, `"MINIMIZE"`, 1))
	s, err := reports.New(st, ts)
	if err != nil {
		t.Fatal(err)
	}
	f, err := s.Factorial(&s.Blocks[0])
	if err != nil || f.Terms[0].Verdict != inference.Better || f.Terms[1].Verdict != inference.Worse {
		t.Errorf("%+v, %v", f.Terms, err)
	}
	p, err := s.Path(&s.Blocks[0])
	if err != nil || len(p.Steps) != 1 || p.Steps[0].Name != "a" {
		t.Errorf("%+v, %v", p, err)
	}
}

// A factor that needs another one has its effect where it matters, and no interaction with it; the points that train
// alike ran once.
func TestFactorialNested(t *testing.T) {
	a := crossed(3, 3, studies.DesignFactorial, func(on func(string) float64) float64 {
		return 0.5 + 0.05*on("a") + 0.03*on("a")*on("b") + 0.01*on("c")
	})
	a.Factors[1].Requires = trials.Params{"a": 1.0}
	var kept []fixture.Variant
	for _, v := range a.Variants {
		if v.Params["a"] == 1.0 || v.Params["b"] == 0.0 {
			kept = append(kept, v)
		}
	}
	a.Variants = kept
	s := snapshot(t, a.Build)
	f, err := s.Factorial(&s.Blocks[0])
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{"a 0 → 1": 0.065, "b 0 → 1": 0.03, "c 0 → 1": 0.01, "a × c": 0, "b × c": 0}
	if len(f.Terms) != len(want) {
		t.Fatalf("%+v", f.Terms)
	}
	for _, x := range f.Terms {
		if w, ok := want[x.Label]; !ok || math.Abs(x.Estimate-w) > 0.004 || !x.Clear {
			t.Errorf("%s is %.4f, want %.4f", x.Label, x.Estimate, w)
		}
	}
	p, err := s.Path(&s.Blocks[0])
	if err != nil || p.Steps[0].Name != "a" || p.Steps[1].Name != "b" {
		t.Errorf("%+v, %v", p, err)
	}
	sh, err := s.Shapley(&s.Blocks[0])
	if err != nil || math.Abs(sh.Knobs[0].Value.Mean-0.065) > 0.004 || math.Abs(sh.Knobs[1].Value.Mean-0.015) > 0.004 {
		t.Errorf("%+v, %v", sh.Knobs, err)
	}
}

// A failed point leaves Shapley values and a path without their scores, and says so.
func TestFactorialFailed(t *testing.T) {
	a := crossed(2, 2, studies.DesignFactorial, func(on func(string) float64) float64 { return 0.5 + 0.05*on("a") + 0.05*on("b") })
	st, ts := a.Build()
	for i := range ts {
		if ts[i].Arm() == "a=1" || ts[i].Arm() == "b=1" {
			fixture.Fail(&ts[i], 2, trials.ClassDiverged, "loss became NaN")
		}
	}
	s, err := reports.New(st, ts)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Shapley(&s.Blocks[0])
	says(t, "Shapley", err, "needs the full factorial")
	_, err = s.Path(&s.Blocks[0])
	says(t, "path", err, "no configuration between")
}

// says checks that an error is a sentence for people.
func says(t *testing.T, what string, err error, want string) {
	t.Helper()
	var nothing inference.Nothing
	if !errors.As(err, &nothing) || !strings.Contains(err.Error(), want) {
		t.Errorf("%s: %v, want %q", what, err, want)
	}
}

// Every analysis of every degenerate study is a sentence.
func TestAnalysesOfNothing(t *testing.T) {
	for name, mk := range fixture.Degenerate() {
		s := snapshot(t, mk)
		b := &s.Blocks[0]
		_, err := s.Factorial(b)
		says(t, name+" factorial", err, "")
		_, err = s.Shapley(b)
		says(t, name+" Shapley", err, "")
		_, err = s.Path(b)
		says(t, name+" path", err, "")
		_, err = s.Importance()
		says(t, name+" importance", err, "")
		_, err = s.PED()
		says(t, name+" PED-ANOVA", err, "")
	}
	s := snapshot(t, func() (trials.Study, []trials.Trial) {
		st, _ := crossed(2, 2, studies.DesignFactorial, func(func(string) float64) float64 { return 1 }).Build()
		return st, nil
	})
	_, err := s.Factorial(&s.Blocks[0])
	says(t, "no trials", err, "no trial of the design has a score")
	_, err = s.Path(&s.Blocks[0])
	says(t, "no trials", err, "no trial is complete")
	if _, err = s.PathBetween(&s.Blocks[0], "baseline", "nobody"); err == nil || errors.As(err, new(inference.Nothing)) {
		t.Errorf("an unknown name: %v", err)
	}
}

// A search has importance with its bias, and a path that is predicted.
func TestSearchImportance(t *testing.T) {
	s := snapshot(t, func() (trials.Study, []trials.Trial) { return fixture.Search(200) })
	r, err := s.Importance()
	if err != nil {
		t.Fatal(err)
	}
	if r.Single[0].Name != "lr0" || len(r.Pairs) != 6 || len(r.Marginals) != 4 || !r.Marginals[0].Log ||
		!strings.Contains(r.Bias, "The sampler (tpe) preferred good regions") || !strings.Contains(strings.Join(r.Notes, " "), "pruned trials are left out") {
		t.Errorf("%+v", r)
	}
	ped, err := s.PED()
	if err != nil || ped.N != r.N || ped.Bias == "" {
		t.Errorf("%+v, %v", ped, err)
	}
	p, err := s.Path(&s.Blocks[0])
	if err == nil && (!p.Predicted || p.Steps[0].Gain.Mean < p.Steps[len(p.Steps)-1].Gain.Mean) {
		t.Errorf("%+v", p)
	}
	if err != nil {
		says(t, "path", err, "predicted no better")
	}
	_, err = s.Shapley(&s.Blocks[0])
	says(t, "Shapley", err, "design search does not")
	_, err = s.Factorial(&s.Blocks[0])
	says(t, "factorial", err, "a search has no levels")
}

// An even sample has no bias, but where pruning took the weak trials away.
func TestBias(t *testing.T) {
	for _, c := range []struct {
		sampler string
		pruned  bool
		want    string
	}{{"random", false, ""}, {"sobol", false, ""}, {"random", true, "what is left is not even"}, {"cmaes", false, "(cmaes) preferred good regions"}} {
		st, ts := fixture.Search(60)
		st.Resolved = []byte(strings.Replace(string(st.Resolved), `"sampler":"tpe"`, fmt.Sprintf(`"sampler":%q`, c.sampler), 1))
		for i := range ts {
			if !c.pruned {
				ts[i].State = trials.Complete
			}
		}
		s, err := reports.New(st, ts)
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.Importance()
		if err != nil || !strings.Contains(r.Bias, c.want) || (c.want == "") != (r.Bias == "") || s.Uneven() != (c.want != "") {
			t.Errorf("%+v: bias %q, %v", c, r.Bias, err)
		}
	}
	s := snapshot(t, func() (trials.Study, []trials.Trial) { return fixture.Foreign(30) })
	if r, err := s.Importance(); err != nil || !strings.Contains(r.Bias, "Another program chose") {
		t.Errorf("foreign: %+v, %v", r, err)
	}
	_, err := s.Path(&s.Blocks[0])
	says(t, "foreign path", err, "the baseline does not say what x is")
}

// The analyses of a snapshot read back from JSON, as programs do, have null for what is missing.
func TestAnalysesJSON(t *testing.T) {
	s := snapshot(t, crossed(2, 1, studies.DesignFactorial, func(on func(string) float64) float64 { return 0.5 + 0.1*on("a") }).Build)
	f, err := s.Factorial(&s.Blocks[0])
	if err != nil {
		t.Fatal(err)
	}
	sh, err := s.Shapley(&s.Blocks[0])
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal([]any{f, sh})
	if err != nil || !strings.Contains(string(text), `"low":null`) || strings.Contains(string(text), "NaN") {
		t.Errorf("%s, %v", text, err)
	}
}
