package inference_test

import (
	_ "embed"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/studies/inference"
)

// The numbers of testdata/inference.json were computed by SciPy and statsmodels (testdata/gen.py).
//
//go:embed testdata/inference.json
var fixtureJSON []byte

type interval struct{ P, DF, Low, High float64 }

type fixture struct {
	Cases []struct {
		Name               string
		Reference, Variant []float64
		Mean, SD, SE       float64
		interval
		Wide4Low    float64 `json:"wide4_low"`
		Wide4High   float64 `json:"wide4_high"`
		Correlation *float64
		Welch       interval
	}
	Unequal struct {
		Reference, Variant []float64
		Mean               float64
		interval
	}
	Families []struct {
		P, Holm []float64
		Reject  []bool
	}
	Detectable []struct {
		N                       int
		SD, Alpha, Power, Value float64
	}
	Tost struct {
		Reference, Variant []float64
		Margins            []struct{ Margin, P float64 }
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

func bySeed(values []float64) map[int]float64 {
	m := map[int]float64{}
	for i, v := range values {
		m[100+i] = v
	}
	return m
}

// near holds got against a number of the fixture, relative to its size.
func near(t *testing.T, what string, got, want, relative float64) {
	t.Helper()
	if math.IsNaN(got) != math.IsNaN(want) || math.Abs(got-want) > relative*max(math.Abs(want), 1e-12) {
		t.Errorf("%s = %.17g, want %.17g", what, got, want)
	}
}

func TestPairedAgainstSciPy(t *testing.T) {
	for _, c := range load(t).Cases {
		e := inference.Compare(bySeed(c.Reference), bySeed(c.Variant), inference.Options{Paired: true})
		if e.Method != inference.Paired || e.N != len(c.Reference) || e.Alone != 0 {
			t.Errorf("%s: method %q, n %d, %d alone", c.Name, e.Method, e.N, e.Alone)
		}
		tol := 1e-9
		if c.Name == "large values" { // differences of values near 1e6 keep ten digits
			tol = 1e-7
		}
		near(t, c.Name+": mean", e.Mean, c.Mean, tol)
		near(t, c.Name+": sd", e.SD, c.SD, tol)
		near(t, c.Name+": se", e.SE, c.SE, tol)
		near(t, c.Name+": df", e.DF, c.DF, 0)
		near(t, c.Name+": p", e.P, c.P, tol)
		near(t, c.Name+": low", e.Low, c.Low, tol)
		near(t, c.Name+": high", e.High, c.High, tol)
		correlation := math.NaN()
		if c.Correlation != nil {
			correlation = *c.Correlation
		}
		near(t, c.Name+": correlation", e.Correlation, correlation, tol)

		// In a family of four the Bonferroni interval is at level 1 - 0.05/4.
		four := inference.Family([]inference.Effect{e, e, e, e})
		near(t, c.Name+": low of four", four[3].WideLow, c.Wide4Low, tol)
		near(t, c.Name+": high of four", four[3].WideHigh, c.Wide4High, tol)
		if four[0].Comparisons != 4 {
			t.Errorf("%s: %d comparisons, want 4", c.Name, four[0].Comparisons)
		}

		w := inference.Compare(bySeed(c.Reference), bySeed(c.Variant), inference.Options{Unpaired: true})
		if w.Method != inference.Welch {
			t.Errorf("%s: method %q, want Welch", c.Name, w.Method)
		}
		near(t, c.Name+": Welch p", w.P, c.Welch.P, tol)
		near(t, c.Name+": Welch df", w.DF, c.Welch.DF, tol)
		near(t, c.Name+": Welch low", w.Low, c.Welch.Low, tol)
		near(t, c.Name+": Welch high", w.High, c.Welch.High, tol)
	}
}

func TestWelchForDisjointSeeds(t *testing.T) {
	f := load(t).Unequal
	reference, variant := map[string]float64{}, map[string]float64{}
	for i, v := range f.Reference {
		reference["a"+string(rune('0'+i))] = v
	}
	for i, v := range f.Variant {
		variant["b"+string(rune('0'+i))] = v
	}
	e := inference.Compare(reference, variant, inference.Options{})
	if e.Method != inference.Welch || e.N != 4 || e.Reference.N != 7 {
		t.Errorf("method %q, n %d of %d", e.Method, e.N, e.Reference.N)
	}
	near(t, "mean", e.Mean, f.Mean, 1e-9)
	near(t, "p", e.P, f.P, 1e-9)
	near(t, "df", e.DF, f.DF, 1e-9)
	near(t, "low", e.Low, f.Low, 1e-9)
	near(t, "high", e.High, f.High, 1e-9)
}

func TestHolmAgainstStatsmodels(t *testing.T) {
	for _, f := range load(t).Families {
		for i, got := range inference.Holm(f.P) {
			near(t, "Holm", got, f.Holm[i], 1e-12)
			if (got < 0.05) != f.Reject[i] {
				t.Errorf("p %v: rejects %v, want %v", f.P, got < 0.05, f.Reject[i])
			}
		}
	}
	got := inference.Holm([]float64{math.NaN(), 0.04, 0.01})
	if !math.IsNaN(got[0]) || got[1] != 0.04 || got[2] != 0.02 {
		t.Errorf("an absent p value must not count: %v", got)
	}
	if got := inference.Holm(nil); len(got) != 0 {
		t.Errorf("Holm(nil) = %v", got)
	}
}

func TestDetectable(t *testing.T) {
	for _, c := range load(t).Detectable {
		near(t, "detectable", inference.Detectable(c.N, c.SD, c.Alpha, c.Power), c.Value, 1e-9)
		n, ok := inference.Needed(c.Value*(1+1e-9), c.SD, c.Alpha, c.Power, c.N)
		if n != c.N || !ok {
			t.Errorf("Needed(%v) = %d, %v, want %d", c.Value, n, ok, c.N)
		}
	}
	if d := inference.Detectable(1, 0.1, 0.05, 0.8); !math.IsNaN(d) {
		t.Errorf("one pair detects %v, want NaN", d)
	}
	if n, ok := inference.Needed(0.001, 1, 0.05, 0.8, 12); ok || n != 12 {
		t.Errorf("a tiny effect is settled with %d seeds", n)
	}
	near(t, "sd of differences", inference.DifferenceSD(0.0048, 0), 0.0048*math.Sqrt2, 1e-15)
	near(t, "sd of differences", inference.DifferenceSD(0.0048, 0.5), 0.0048, 1e-15)
}

// A 95 % interval inside the margin is two one-sided tests at 2.5 % each.
func TestEquivalentAgainstTOST(t *testing.T) {
	f := load(t).Tost
	for _, m := range f.Margins {
		want := inference.NotShown
		if m.P < 0.025 {
			want = inference.Equivalent
		}
		for _, e := range []inference.Effect{ // the two one-sided tests are the same the other way round
			inference.Compare(bySeed(f.Reference), bySeed(f.Variant), inference.Options{Margin: m.Margin}),
			inference.Compare(bySeed(f.Variant), bySeed(f.Reference), inference.Options{Margin: m.Margin}),
		} {
			if e.Verdict != want {
				t.Errorf("margin %v: %q (%s), want %q with TOST p %v", m.Margin, e.Verdict, e.Reason, want, m.P)
			}
		}
	}
	if e := inference.Compare(bySeed(f.Reference), bySeed(f.Variant), inference.Options{}); e.Verdict == inference.Equivalent {
		t.Error("equivalent without a declared margin")
	}
}

// quickstart: the four toggles at four seeds, from design/quickstart.md section 5 where the fixture has them.
func TestVerdicts(t *testing.T) {
	base := map[int]float64{0: 0.624, 1: 0.628, 2: 0.631, 3: 0.627}
	clear := map[int]float64{0: 0.577, 1: 0.579, 2: 0.576, 3: 0.568}
	weak := map[int]float64{0: 0.579, 1: 0.570, 2: 0.546, 3: 0.586} // raw p 0.0104
	none := map[int]float64{0: 0.630, 1: 0.620, 2: 0.634, 3: 0.622}
	family := func(o inference.Options, variants ...map[int]float64) []inference.Effect {
		var es []inference.Effect
		for _, v := range variants {
			es = append(es, inference.Compare(base, v, o))
		}
		return inference.Family(es)
	}
	es := family(inference.Options{}, clear, weak, none)
	want := []inference.Verdict{inference.Worse, inference.Worse, inference.NotShown}
	for i, e := range es {
		if e.Verdict != want[i] {
			t.Errorf("variant %d: %v, want %s", i, e, want[i])
		}
	}
	es = family(inference.Options{}, weak, none, none, none, none, none)
	if es[0].Verdict != inference.NotShown || !strings.Contains(es[0].Reason, "6 comparisons") {
		t.Errorf("weak effect among six: %s: %s", es[0].Verdict, es[0].Reason)
	}
	if es := family(inference.Options{Minimize: true}, clear); es[0].Verdict != inference.Better {
		t.Errorf("a smaller loss is %s", es[0].Verdict)
	}
	if es := family(inference.Options{Margin: 0.2}, clear); es[0].Verdict != inference.Worse || !strings.Contains(es[0].Reason, "margin") {
		t.Errorf("clear but small: %s: %s", es[0].Verdict, es[0].Reason)
	}
	if es := family(inference.Options{Alpha: 0.0001}, clear); es[0].Verdict != inference.NotShown {
		t.Errorf("alpha 0.0001: %s", es[0].Verdict)
	}
}

func TestDegenerate(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name               string
		reference, variant map[int]float64
		n, alone           int
		mean               float64
		reason             string
	}{
		{"nothing", nil, nil, 0, 0, nan, "neither"},
		{"no variant", map[int]float64{1: 0.5}, nil, 0, 1, nan, "the variant has no finished trial"},
		{"no reference", nil, map[int]float64{1: 0.5}, 0, 1, nan, "the reference has no finished trial"},
		{"one seed", map[int]float64{1: 0.5}, map[int]float64{1: 0.6}, 1, 0, 0.1, "one seed only"},
		{"one seed in common", map[int]float64{1: 0.5, 2: 0.5}, map[int]float64{1: 0.6, 3: 0.7}, 1, 2, 0.1, "one seed only"},
		{"one each, none in common", map[int]float64{1: 0.5}, map[int]float64{2: 0.6}, 1, 0, 0.1, "no spread"},
		{"identical", map[int]float64{1: 0.5, 2: 0.6}, map[int]float64{1: 0.5, 2: 0.6}, 2, 0, 0, "seems to do nothing"},
		{"identical but for rounding", map[int]float64{1: 0.1 + 0.2, 2: 0.6}, map[int]float64{1: 0.3, 2: 0.6}, 2, 0, 0, "seems to do nothing"},
		{"constant difference", map[int]float64{1: 0.5, 2: 0.6, 3: 0.7}, map[int]float64{1: 0.6, 2: 0.7, 3: 0.8}, 3, 0, 0.1, "exactly equal"},
		{"NaN and Inf are no scores", map[int]float64{1: 0.5, 2: nan, 3: 0.7}, map[int]float64{1: 0.6, 2: 0.7, 3: math.Inf(1)}, 1, 2, 0.1, "one seed only"},
		{"only NaN", map[int]float64{1: nan}, map[int]float64{1: nan}, 0, 0, nan, "neither"},
	} {
		e := inference.Compare(c.reference, c.variant, inference.Options{Margin: 1})
		if e.Verdict != inference.NotTested || !math.IsNaN(e.P) || !math.IsNaN(e.PHolm) || !math.IsNaN(e.Low) || !math.IsNaN(e.WideHigh) {
			t.Errorf("%s: %+v", c.name, e)
		}
		if e.N != c.n || e.Alone != c.alone {
			t.Errorf("%s: n %d, %d alone, want %d and %d", c.name, e.N, e.Alone, c.n, c.alone)
		}
		near(t, c.name+": mean", e.Mean, c.mean, 1e-9)
		if !strings.Contains(e.Reason, c.reason) {
			t.Errorf("%s: reason %q, want %q", c.name, e.Reason, c.reason)
		}
		if _, err := json.Marshal(e); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// Effects that cannot be tested must not dilute the correction of those that can.
func TestFamilyCountsTestedEffects(t *testing.T) {
	base := map[int]float64{0: 0.624, 1: 0.628, 2: 0.631, 3: 0.627}
	weak := inference.Compare(base, map[int]float64{0: 0.579, 1: 0.570, 2: 0.546, 3: 0.586}, inference.Options{})
	failed := inference.Compare(base, map[int]float64{}, inference.Options{})
	es := inference.Family([]inference.Effect{failed, weak, failed})
	if es[1].Comparisons != 1 || es[1].PHolm != es[1].P {
		t.Errorf("p %v became %v among %d", es[1].P, es[1].PHolm, es[1].Comparisons)
	}
	if len(inference.Family(nil)) != 0 {
		t.Error("an empty family has members")
	}
}

// Unpaired values lower the number of pairs, but the arms keep all their values.
func TestUnequalArms(t *testing.T) {
	e := inference.Compare(map[int]float64{0: 1, 1: 2, 2: 4, 3: 5}, map[int]float64{1: 2.5, 2: 4.6, 9: 7}, inference.Options{})
	if e.N != 2 || e.Alone != 3 || e.Reference.N != 4 || e.Variant.N != 3 {
		t.Errorf("%+v", e)
	}
	near(t, "mean", e.Mean, 0.55, 1e-12)
	near(t, "reference", e.Reference.Mean, 3, 1e-12)
}

func TestJSON(t *testing.T) {
	e := inference.Compare(map[int]float64{0: 0.5}, map[int]float64{0: 0.6}, inference.Options{})
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	if v, ok := m["p"]; !ok || v != nil {
		t.Errorf("p = %v, want null", v)
	}
	if m["verdict"] != "not tested" || m["n"] != 1.0 || m["mean"] == nil {
		t.Errorf("%s", b)
	}
	if ref := m["reference"].(map[string]any); ref["sd"] != nil || ref["mean"] != 0.5 {
		t.Errorf("reference %v", ref)
	}
}
