package inference_test

import (
	_ "embed"
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/studies/inference"
)

// The numbers of testdata/tuned.json were computed by NumPy, SciPy and statsmodels (testdata/tuned_gen.py).
//
//go:embed testdata/tuned.json
var tunedJSON []byte

type tunedFixture struct {
	Draws int
	Cases []struct {
		Name               string
		Reference, Variant [][]float64
		Mean               float64
		P, Low, High       *float64
		Between, Within    *float64
		Boot               [2]float64
		Scipy              *[2]float64
	}
	Curves []struct{ Values, Max, Min []float64 }
}

func loadTuned(t *testing.T) tunedFixture {
	t.Helper()
	var f tunedFixture
	if err := json.Unmarshal(tunedJSON, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// byTuning makes maps of lists: tuning, then replicate.
func byTuning(lists [][]float64) map[int]map[int]float64 {
	m := map[int]map[int]float64{}
	for r, l := range lists {
		m[r] = bySeed(l)
	}
	return m
}

// congruential is the generator of testdata/tuned_gen.py.
func congruential() func(n int) int {
	x := uint64(1)
	return func(n int) int {
		x = x*6364136223846793005 + 1442695040888963407
		return int((x >> 33) % uint64(n))
	}
}

// beside wants two intervals' ends to differ by no more than tol.
func beside(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s: %v, want %v within %v", what, got, want, tol)
	}
}

func TestCompareTuned(t *testing.T) {
	f := loadTuned(t)
	for _, c := range f.Cases {
		t.Run(c.Name, func(t *testing.T) {
			e := inference.CompareTuned(byTuning(c.Reference), byTuning(c.Variant), inference.Options{})
			near(t, "mean", e.Mean, c.Mean, 1e-9)
			if c.P != nil {
				near(t, "p", e.P, *c.P, 1e-9)
				near(t, "low", e.Low, *c.Low, 1e-9)
				near(t, "high", e.High, *c.High, 1e-9)
			}
			if c.Between != nil { // an optimiser's REML against the closed form
				near(t, "between", e.Between, *c.Between, 1e-5)
				near(t, "within", e.Within, *c.Within, 1e-5)
			}
			diffs := make([][]float64, len(c.Reference))
			for r := range diffs {
				for s := range c.Reference[r] {
					diffs[r] = append(diffs[r], c.Variant[r][s]-c.Reference[r][s])
				}
			}
			low, high := inference.Nested(diffs, f.Draws, 0.05, congruential())
			near(t, "bootstrap, low", low, c.Boot[0], 1e-9)
			near(t, "bootstrap, high", high, c.Boot[1], 1e-9)
			// Other draws of the same distribution: 10,000 leave a standard error of about 1 % of the interval's width.
			width := c.Boot[1] - c.Boot[0]
			beside(t, "own draws, low", e.BootLow, c.Boot[0], 0.06*width)
			beside(t, "own draws, high", e.BootHigh, c.Boot[1], 0.06*width)
			if c.Scipy != nil {
				beside(t, "scipy, low", e.BootLow, c.Scipy[0], 0.03*width)
				beside(t, "scipy, high", e.BootHigh, c.Scipy[1], 0.03*width)
			}
			again := inference.CompareTuned(byTuning(c.Reference), byTuning(c.Variant), inference.Options{})
			if again.BootLow != e.BootLow || again.BootHigh != e.BootHigh {
				t.Error("the same numbers gave another interval")
			}
		})
	}
}

func TestTunedVerdicts(t *testing.T) {
	base := [][]float64{{0.60, 0.61}, {0.59, 0.60}, {0.61, 0.60}}
	add := func(x ...float64) [][]float64 {
		var out [][]float64
		for r, d := range x {
			out = append(out, []float64{base[r][0] + d, base[r][1] + d})
		}
		return out
	}
	nan := math.NaN()
	for _, c := range []struct {
		name               string
		reference, variant [][]float64
		want               inference.Verdict
		reason             string
	}{
		{"better", base, add(0.10, 0.101, 0.099), inference.Better, "clear"},
		{"worse", base, add(-0.10, -0.101, -0.099), inference.Worse, "clear"},
		{"room for both", base, add(0.1, -0.1, 0.05), inference.NotShown, "3 tunings leave room"},
		{"one tuning", base[:1], add(0.1), inference.NotTested, "HPO variance not estimated"},
		{"no tuning in common", base[:0], add(0.1), inference.NotTested, "no tuning has a finished trial in both arms"},
		{"all failed", base, [][]float64{{nan}, {nan, nan}, {}}, inference.NotTested, "no tuning has a finished trial in both arms"},
		{"the same", base, base, inference.NotTested, "seems to do nothing"},
		{"without spread", [][]float64{{0.5}, {0.5}}, [][]float64{{0.75}, {0.75}}, inference.NotTested, "needs spread"},
	} {
		e := inference.CompareTuned(byTuning(c.reference), byTuning(c.variant), inference.Options{})
		if e.Verdict != c.want || !strings.Contains(e.Reason, c.reason) {
			t.Errorf("%s: %s (%s), want %s (%s)", c.name, e.Verdict, e.Reason, c.want, c.reason)
		}
		if c.want == inference.NotTested && !math.IsNaN(e.P) {
			t.Errorf("%s: p is %v", c.name, e.P)
		}
		b, err := json.Marshal(e)
		if err != nil || !strings.Contains(string(b), `"boot_low"`) || !strings.Contains(string(b), `"verdict"`) {
			t.Errorf("%s: %s, %v", c.name, b, err)
		}
	}
	lost := [][]float64{{0.70, nan}, {0.69, 0.70}, {0.71, 0.71}}
	e := inference.CompareTuned(byTuning(base), byTuning(lost), inference.Options{})
	near(t, "tunings weigh alike", e.Mean, (0.10+0.10+0.105)/3, 1e-12)
	if e.Tunings != 3 || e.Pairs != 5 {
		t.Errorf("%d tunings, %d pairs", e.Tunings, e.Pairs)
	}
}

// A tuning whose variance is unknown must not dilute the correction of others.
func TestFamilyTunedCountsTested(t *testing.T) {
	base := [][]float64{{0.60}, {0.59}, {0.61}}
	full := inference.CompareTuned(byTuning(base), byTuning([][]float64{{0.62}, {0.60}, {0.635}}), inference.Options{})
	one := inference.CompareTuned(byTuning([][]float64{{0.6, 0.61, 0.59}}), byTuning([][]float64{{0.7, 0.72, 0.69}}), inference.Options{})
	if !(one.Low > 0) || one.N != 3 {
		t.Errorf("one tuning keeps its interval over seeds: %v", one)
	}
	fs := inference.FamilyTuned([]inference.Tuned{one, full, full})
	if fs[1].Comparisons != 2 || fs[1].PHolm != 2*fs[1].P || fs[0].Verdict != inference.NotTested {
		t.Errorf("%d comparisons, p %v corrected to %v; one tuning: %s", fs[1].Comparisons, fs[1].P, fs[1].PHolm, fs[0].Verdict)
	}
}

func TestExpectedBest(t *testing.T) {
	for _, c := range loadTuned(t).Curves {
		up, down := inference.ExpectedBest(c.Values, false), inference.ExpectedBest(c.Values, true)
		for n := range c.Values {
			near(t, "best of n", up[n], c.Max[n], 1e-12)
			near(t, "least of n", down[n], c.Min[n], 1e-12)
		}
	}
	if got := inference.ExpectedBest([]float64{math.NaN(), math.Inf(1)}, false); len(got) != 0 {
		t.Errorf("without a number: %v", got)
	}
	many := make([]float64, 1000)
	for i := range many {
		many[i] = float64(i)
	}
	got := inference.ExpectedBest(many, false)
	near(t, "best of all", got[999], 999, 1e-9)
	near(t, "mean", got[0], 499.5, 1e-9)
}

// coverage is how often the t interval over tunings and the bootstrap cover a true effect of zero, where tunings differ
// by between and pairs of trials within one by within.
func coverage(studies, tunings, seeds int, between, within float64, draws int) (t, boot float64) {
	rng := rand.New(rand.NewPCG(1, 2))
	hits, bootHits := 0, 0
	for range studies {
		ref, vary := make([][]float64, tunings), make([][]float64, tunings)
		diffs := make([][]float64, tunings)
		for r := range ref {
			at := between * rng.NormFloat64()
			for range seeds {
				d := at + within*rng.NormFloat64()
				ref[r], vary[r], diffs[r] = append(ref[r], 0), append(vary[r], d), append(diffs[r], d)
			}
		}
		means := map[int]float64{}
		zero := map[int]float64{}
		for r := range diffs {
			for _, d := range diffs[r] {
				means[r] += d / float64(seeds)
			}
			zero[r] = 0
		}
		e := inference.Compare(zero, means, inference.Options{})
		if e.Low <= 0 && e.High >= 0 {
			hits++
		}
		low, high := inference.Nested(diffs, draws, 0.05, rng.IntN)
		if low <= 0 && high >= 0 {
			bootHits++
		}
	}
	return float64(hits) / float64(studies), float64(bootHits) / float64(studies)
}

// With three tunings the t interval covers as often as it says, and the bootstrap does not: the reason for the headline.
func TestTunedCoverage(t *testing.T) {
	covers, boot := coverage(1500, 3, 3, 1, 1, 200)
	if covers < 0.93 || covers > 0.97 {
		t.Errorf("the t interval covers %.3f, want 0.95", covers)
	}
	if boot > 0.90 {
		t.Errorf("the bootstrap covers %.3f with three tunings: then it could be the headline", boot)
	}
}
