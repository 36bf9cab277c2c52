package inference_test

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/studies/inference"
)

// The numbers of testdata/many.json were computed by SciPy, scikit-posthocs and rliable (testdata/gen_many.py).
//
//go:embed testdata/many.json
var manyJSON []byte

type many struct {
	Dunnett []struct {
		Reference []float64
		Arms      [][]float64
		DF        float64
		T, P      []float64
		ScipyP    []float64 `json:"scipy_p"`
		ScipyLow  []float64 `json:"scipy_low"`
		ScipyHigh []float64 `json:"scipy_high"`
	}
	EBH []struct {
		E      []float64
		Alpha  float64
		Reject []bool
	}
	Friedman []struct {
		Scores    [][]float64
		Mean      []float64
		Pairwise  [][]float64
		Critical  float64
		ChiSquare float64 `json:"chi_square"`
		P, F      float64
		PF        float64 `json:"p_f"`
	}
	Wilcoxon []struct {
		X, Y []float64
		P    float64
	}
	Conjunction []struct {
		P, Bonferroni, Fisher []float64
		BonferroniHolds       int `json:"bonferroni_holds"`
		FisherHolds           int `json:"fisher_holds"`
	}
	IQM []struct {
		Values []float64
		IQM    float64
	}
	Across struct {
		Reference, Variant [][]float64 // data sets x runs
		ReferenceIQM       float64     `json:"reference_iqm"`
		VariantIQM         float64     `json:"variant_iqm"`
		VariantLow         float64     `json:"variant_low"`
		VariantHigh        float64     `json:"variant_high"`
		Improvement        float64
		ImprovementLow     float64 `json:"improvement_low"`
		ImprovementHigh    float64 `json:"improvement_high"`
	}
}

func loadMany(t *testing.T) many {
	t.Helper()
	var m many
	if err := json.Unmarshal(manyJSON, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// within holds got against a number that another method computed, to an absolute tolerance.
func within(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

// Against adaptive quadrature to 1e-9; SciPy's own dunnett integrates by random numbers, so that its p values are good to
// some 1e-4 and the ends of its intervals to 1e-3 of their width.
func TestDunnettAgainstSciPy(t *testing.T) {
	for i, c := range loadMany(t).Dunnett {
		var es []inference.Effect
		for _, a := range c.Arms {
			es = append(es, inference.Compare(bySeed(c.Reference), bySeed(a), inference.Options{}))
		}
		for j, e := range inference.FamilyBy(es, inference.ByDunnett) {
			name := fmt.Sprintf("case %d, arm %d: ", i, j)
			if e.Method != inference.Pooled || e.Correction != inference.ByDunnett || e.Comparisons != len(es) || e.DF != c.DF {
				t.Errorf("%s%s, %s of %d, df %v", name, e.Method, e.Correction, e.Comparisons, e.DF)
			}
			near(t, name+"t", e.Mean/e.SE, c.T[j], 1e-9)
			within(t, name+"p", e.PHolm, c.P[j], 1e-9)
			within(t, name+"p of SciPy", e.PHolm, c.ScipyP[j], 5e-4)
			width := c.ScipyHigh[j] - c.ScipyLow[j]
			within(t, name+"low", e.WideLow, c.ScipyLow[j], 2e-3*width)
			within(t, name+"high", e.WideHigh, c.ScipyHigh[j], 2e-3*width)
			if (e.WideLow > 0 || e.WideHigh < 0) != (e.PHolm < 0.05) {
				t.Errorf("%sp %v and interval %v to %v disagree", name, e.PHolm, e.WideLow, e.WideHigh)
			}
		}
	}
}

// Two-sided critical values at 0.05 of Dunnett (1964), table II, for 1 to 5 arms: the interval's half-width in standard errors.
func TestDunnettAgainstTables(t *testing.T) {
	for df, row := range map[int][]float64{
		5: {2.57, 3.03, 3.29, 3.48, 3.62}, 10: {2.23, 2.57, 2.76, 2.89, 2.99}, 20: {2.09, 2.38, 2.54, 2.65, 2.73}, 60: {2.00, 2.27, 2.41, 2.51, 2.58},
	} {
		for i, want := range row {
			m := i + 1
			if df%(m+1) != 0 { // the table is for arms of equal size
				continue
			}
			n := df/(m+1) + 1
			values := func(shift float64) map[int]float64 {
				out := map[int]float64{}
				for k := range n {
					out[k] = shift + float64(k%2) + 0.1*float64(k)
				}
				return out
			}
			var es []inference.Effect
			for k := range m {
				es = append(es, inference.Compare(values(0), values(float64(k+1)), inference.Options{Unpaired: true}))
			}
			e := inference.FamilyBy(es, inference.ByDunnett)[0]
			within(t, fmt.Sprintf("critical value, %d arms, df %d", m, df), (e.WideHigh-e.WideLow)/2/e.SE, want, 0.0051)
		}
	}
}

func TestDunnettDegenerate(t *testing.T) {
	base := map[int]float64{0: 0.624, 1: 0.628, 2: 0.631, 3: 0.627}
	one := inference.Compare(base, map[int]float64{0: 0.577, 1: 0.579, 2: 0.576, 3: 0.568}, inference.Options{})
	failed := inference.Compare(base, map[int]float64{}, inference.Options{})
	single := inference.Compare(base, map[int]float64{0: 0.6}, inference.Options{})
	other := inference.Compare(map[int]float64{0: 0.1, 1: 0.2, 2: 0.15}, map[int]float64{0: 0.2, 1: 0.25, 2: 0.27}, inference.Options{})
	es := inference.FamilyBy([]inference.Effect{one, failed, single}, inference.ByDunnett)
	if es[0].Verdict != inference.Worse || es[0].Comparisons != 2 || es[0].DF != 6 {
		t.Errorf("%s among %d, df %v", es[0].Verdict, es[0].Comparisons, es[0].DF)
	}
	if es[1].Verdict != inference.NotTested || !strings.Contains(es[1].Reason, "no finished trial") {
		t.Errorf("%s: %s", es[1].Verdict, es[1].Reason)
	}
	if es[2].Verdict == inference.NotTested || math.IsNaN(es[2].PHolm) { // its spread is known from the others
		t.Errorf("%s: %s", es[2].Verdict, es[2].Reason)
	}
	for name, mixed := range map[string][]inference.Effect{
		"two references": {one, other}, "nothing": {}, "all failed": {failed, failed},
		"no spread": {inference.Compare(map[int]float64{0: 1, 1: 1}, map[int]float64{0: 2, 1: 2}, inference.Options{})},
	} {
		for i, e := range inference.FamilyBy(mixed, inference.ByDunnett) {
			if holm := inference.Family(mixed)[i]; e.Correction != inference.ByHolm || e.Verdict != holm.Verdict || e.Method != holm.Method {
				t.Errorf("%s: %s, %s", name, e.Correction, e.Verdict)
			}
		}
	}
}

func TestEBH(t *testing.T) {
	for _, c := range loadMany(t).EBH {
		if got := inference.EBH(c.E, c.Alpha); !slices.Equal(got, c.Reject) {
			t.Errorf("%v at %v: %v, want %v", c.E, c.Alpha, got, c.Reject)
		}
	}
	if got := inference.EBH([]float64{math.NaN(), math.Inf(1)}, 0.05); got[0] || !got[1] {
		t.Errorf("%v", got)
	}
}

// Verdicts of e-BH stay whatever comes in later, and one arm among many is judged as by itself.
func TestTogether(t *testing.T) {
	q := looks(1)
	q.Rule, q.Looks = inference.Anytime, nil
	rng, given := rand.New(rand.NewPCG(3, 4)), 0
	for range 60 {
		reference, variants := world{n: 12, rho: 0.3, arms: 4, effect: 1.5}.draw(rng)
		for i := range variants[1] {
			variants[1][i] += 2
		}
		before := map[int]inference.Verdict{}
		for n := 2; n <= 12; n += 2 { // arms come in at their own pace
			now := make([]map[int]float64, len(variants))
			for j := range variants {
				now[j] = map[int]float64{}
				for i := range min(12, n+j%2*2) {
					now[j][i] = variants[j][i]
				}
			}
			for j, c := range inference.Together(against(reference, now...), q) {
				if v, ok := before[j]; ok && v != c.Verdict {
					t.Fatalf("variant %d was %s and is %s with %d pairs", j, v, c.Verdict, n)
				}
				if c.Settled && c.Verdict != inference.Equivalent {
					before[j] = c.Verdict
					if c.PHolm > 0.05 || c.Correction != inference.ByEBH || !c.Done {
						t.Errorf("%s with p %v by %s", c.Verdict, c.PHolm, c.Correction)
					}
				}
			}
		}
		given += len(before)
		alone := inference.Sequential(reference, variants[0], q)
		if c := inference.Together(against(reference, variants[0]), q)[0]; c.Verdict != alone.Verdict || c.N != alone.N || c.PHolm != alone.PHolm {
			t.Errorf("alone %s with %d, by itself %s with %d", alone.Verdict, alone.N, c.Verdict, c.N)
		}
	}
	if given < 60 {
		t.Errorf("only %d verdicts: the test shows nothing", given)
	}
	shares := q
	shares.Correction = inference.ByShares
	reference, variants := world{n: 12, arms: 3}.draw(rng)
	for i, c := range inference.Together(against(reference, variants...), shares) {
		three := shares
		three.Arms = 3
		if alone := inference.Sequential(reference, variants[i], three); c.Verdict != alone.Verdict || c.Correction != inference.ByShares || c.Low != alone.Low {
			t.Errorf("%s by %s, alone %s", c.Verdict, c.Correction, alone.Verdict)
		}
	}
	if got := inference.Together(against(map[int]float64{}, nil, map[int]float64{1: 2}), q); len(got) != 2 || got[0].Verdict != inference.Unsettled {
		t.Errorf("%v", got)
	}
}

func against(reference map[int]float64, variants ...map[int]float64) []inference.Contrast[int] {
	var out []inference.Contrast[int]
	for _, v := range variants {
		out = append(out, inference.Contrast[int]{Reference: reference, Variant: v})
	}
	return out
}

func TestFriedman(t *testing.T) {
	for i, c := range loadMany(t).Friedman {
		name := fmt.Sprintf("case %d: ", i)
		r, ok := inference.Friedman(c.Scores, 0.05)
		if !ok || r.Sets != len(c.Scores) {
			t.Fatalf("%s%v, %d sets", name, ok, r.Sets)
		}
		near(t, name+"critical difference", r.Critical, c.Critical, 1e-7)
		for j := range c.Mean {
			near(t, name+"mean rank", r.Mean[j], c.Mean[j], 1e-9)
			for k := range c.Mean {
				if j != k {
					within(t, name+"Nemenyi", r.Pairwise[j][k], c.Pairwise[j][k], 1e-8)
				}
			}
		}
		if c.P > 0 { // SciPy wants three arms
			near(t, name+"chi square", r.ChiSquare, c.ChiSquare, 1e-9)
			near(t, name+"p", r.P, c.P, 1e-9)
			near(t, name+"F", r.F, c.F, 1e-8)
			near(t, name+"p of F", r.PF, c.PF, 1e-8)
		}
	}
	for name, scores := range map[string][][]float64{"none": nil, "one data set": {{1, 2}}, "one arm": {{1}, {2}}, "all tie": {{1, 1}, {2, 2}}, "missing": {{1, math.NaN()}, {1, 2}}} {
		if _, ok := inference.Friedman(scores, 0.05); ok {
			t.Errorf("%s: tested", name)
		}
	}
}

func TestWilcoxon(t *testing.T) {
	for _, c := range loadMany(t).Wilcoxon {
		near(t, "Wilcoxon", inference.Wilcoxon(zip(c.X, c.Y)), c.P, 1e-9)
	}
	if p := inference.Wilcoxon([]inference.Pair{{1, 1}, {math.NaN(), 2}}); !math.IsNaN(p) {
		t.Errorf("no difference has p %v", p)
	}
}

func TestHoldsOn(t *testing.T) {
	for _, c := range loadMany(t).Conjunction {
		for _, fisher := range []bool{false, true} {
			want, holds := c.Bonferroni, c.BonferroniHolds
			if fisher {
				want, holds = c.Fisher, c.FisherHolds
			}
			got := inference.HoldsOn(c.P, 0.05, fisher)
			if got.Holds != holds {
				t.Errorf("%v, independent %v: holds on %d, want %d", c.P, fisher, got.Holds, holds)
			}
			for u := range want {
				near(t, fmt.Sprintf("%v, independent %v, at least %d", c.P, fisher, u+1), got.P[u], want[u], 1e-9)
			}
		}
	}
	if c := inference.HoldsOn([]float64{0.001, math.NaN()}, 0.05, true); c.Holds != 1 || len(c.P) != 2 {
		t.Errorf("%+v", c)
	}
	if c := inference.HoldsOn(nil, 0.05, true); c.Holds != 0 || len(c.P) != 0 {
		t.Errorf("%+v", c)
	}
}

func TestAcrossSets(t *testing.T) {
	m := loadMany(t)
	for _, c := range m.IQM {
		near(t, "interquartile mean", inference.IQM(c.Values), c.IQM, 1e-9)
	}
	var sets [][]inference.Pair
	for i := range m.Across.Reference {
		sets = append(sets, zip(m.Across.Reference[i], m.Across.Variant[i]))
	}
	a := inference.AcrossSets(sets, inference.Options{})
	if a.Sets != 3 || a.Runs != 24 {
		t.Errorf("%d sets, %d runs", a.Sets, a.Runs)
	}
	near(t, "reference", a.Reference.Value, m.Across.ReferenceIQM, 1e-9)
	near(t, "variant", a.Variant.Value, m.Across.VariantIQM, 1e-9)
	near(t, "difference", a.Difference.Value, m.Across.VariantIQM-m.Across.ReferenceIQM, 1e-9)
	near(t, "improvement", a.Improvement.Value, m.Across.Improvement, 1e-9)
	// Two bootstraps of 10,000 and 20,000 draws: the ends of an interval differ by a few percent of its width.
	width := m.Across.VariantHigh - m.Across.VariantLow
	within(t, "variant, low", a.Variant.Low, m.Across.VariantLow, 0.03*width)
	within(t, "variant, high", a.Variant.High, m.Across.VariantHigh, 0.03*width)
	// rliable draws both arms apart, we draw pairs; with runs that do not correlate it is the same.
	width = m.Across.ImprovementHigh - m.Across.ImprovementLow
	within(t, "improvement, low", a.Improvement.Low, m.Across.ImprovementLow, 0.1*width)
	within(t, "improvement, high", a.Improvement.High, m.Across.ImprovementHigh, 0.1*width)

	none := inference.AcrossSets([][]inference.Pair{nil, {{math.NaN(), 1}}}, inference.Options{})
	one := inference.AcrossSets([][]inference.Pair{{{1, 2}}, {{1, 2}, {3, 4}}}, inference.Options{})
	if none.Sets != 0 || !math.IsNaN(none.Difference.Value) || one.Sets != 2 || math.Abs(one.Difference.Value-1) > 1e-12 || !math.IsNaN(one.Difference.Low) {
		t.Errorf("%+v, %+v", none, one)
	}
	if _, err := json.Marshal([]any{none, one}); err != nil {
		t.Error(err)
	}
}

func zip(x, y []float64) []inference.Pair {
	var out []inference.Pair
	for i := range x {
		out = append(out, inference.Pair{Reference: x[i], Variant: y[i]})
	}
	return out
}

// Whatever is called better or worse has an interval with two ends, and it excludes zero: by both rules, by e-BH or by shares,
// also with variants that are not here, that lag behind, and with a margin.
func TestTogetherIntervals(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 9))
	found, early := map[string]int{}, 0
	for study := range 300 {
		base := map[int]float64{}
		variants := make([]map[int]float64, 4)
		for i := range variants {
			variants[i] = map[int]float64{}
		}
		size := 5 * rng.Float64()
		for r := range 12 {
			base[r] = rng.NormFloat64()
			for i := range variants {
				if v := base[r] + size*float64(i%3-study%2) + rng.NormFloat64(); r < 12-study%5*i {
					variants[i][r] = v
				}
			}
		}
		o := inference.Options{Margin: float64(study % 3), Minimize: study%4 < 2}
		for name, q := range map[string]inference.Sequence{
			"looks":      {Options: o, Rule: inference.Looks, Looks: []int{3, 5, 8, 12}, Max: 12, Last: study%7 == 0},
			"anytime":    {Options: o, Rule: inference.Anytime, Max: 12},
			"one absent": {Options: o, Rule: inference.Anytime, Max: 12, Arms: 5},
			"shares":     {Options: o, Rule: inference.Anytime, Max: 12, Correction: inference.ByShares},
		} {
			all := inference.Together(against(base, variants...), q)
			for _, v := range variants {
				all = append(all, inference.Sequential(base, v, q))
			}
			for i, c := range all {
				if c.Verdict != inference.Better && c.Verdict != inference.Worse {
					continue
				}
				found[name]++
				if !(c.Low < c.High) || math.IsInf(c.Low, 0) || math.IsInf(c.High, 0) || c.Low <= 0 && c.High >= 0 ||
					c.Low > c.Mean || c.High < c.Mean || c.WideLow != c.Low || c.WideHigh != c.High || (c.Mean > 0) == (o.Minimize == (c.Verdict == inference.Better)) {
					t.Errorf("%s, variant %d, %d pairs: %s with [%g, %g] about %g", name, i, c.N, c.Verdict, c.Low, c.High, c.Mean)
				}
				if s := c.Steps[len(c.Steps)-1]; s.SoFarLow <= 0 && s.SoFarHigh >= 0 {
					early++
				}
			}
		}
	}
	for _, name := range []string{"looks", "anytime", "one absent", "shares"} {
		if found[name] < 300 {
			t.Errorf("%s: only %d verdicts were seen", name, found[name])
		}
	}
	if early < 30 { // that e-BH gives before the share of alpha does
		t.Errorf("only %d verdicts were e-BH's own", early)
	}
}

// Two looks whose intervals have nothing in common: the verdict stands with the later one's own.
func TestEmptyIntersection(t *testing.T) {
	d := []float64{-0.10, -0.13, -0.07, 0.3, 0.31, 0.29, 0.3, 0.31, 0.29, 0.3, 0.31, 0.29}
	q := looks(0)
	q.Looks, q.Paired = []int{3, 12}, true
	reference, variant := arms(d...)
	c := inference.Sequential(reference, variant, q)
	if len(c.Steps) != 2 || c.Verdict != inference.Better || c.Steps[0].High >= c.Steps[1].Low || c.Low != c.Steps[1].Low || c.High != c.Steps[1].High {
		t.Errorf("%s [%g, %g], %+v", c.Verdict, c.Low, c.High, c.Steps)
	}
}
