package claims_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/studies/claims"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

var points = claims.Claim{Unit: claims.Points, Direction: trials.Maximize, Margin: 0.2, Alpha: 0.05}

func TestVerdicts(t *testing.T) {
	expected := &claims.Interval{Low: 0.9, High: 1.4}
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		low, high float64
		expected  *claims.Interval
		want      claims.Verdict
	}{
		{0.5, 1.2, expected, claims.Supported},
		{0.1, 0.9, expected, claims.Supported}, // touches e1
		{1.4, 3, expected, claims.Supported},   // touches e2
		{0.05, 5, expected, claims.Supported},  // holds all of it
		{1, 1.1, expected, claims.Supported},   // inside
		{0.1, 0.89, expected, claims.Smaller},  //
		{0.01, 0.19, expected, claims.Smaller}, // better, within the margin
		{1.41, 2, expected, claims.Larger},     //
		{-2, -0.01, expected, claims.Contradicted},
		{-0.1, -0.01, expected, claims.Contradicted}, // worse, within the margin
		{-0.2, 0.2, expected, claims.NoRelevantEffect},
		{-0.1, 0, expected, claims.NoRelevantEffect}, // U = 0 is not below 0
		{0, 0.2, expected, claims.NoRelevantEffect},  // L = 0 is not above 0
		{0, 0.21, expected, claims.Inconclusive},
		{-0.21, 0.1, expected, claims.Inconclusive},
		{-3, 3, expected, claims.Inconclusive},
		{-inf, inf, expected, claims.Inconclusive},
		{nan, nan, expected, claims.Inconclusive},
		{1, 0.5, expected, claims.Inconclusive}, // intervals that contradict each other
		{0.1, 0.2, nil, claims.Supported},
		{0.01, 9, nil, claims.Supported},
		{-9, -0.01, nil, claims.Contradicted},
		{-0.1, 0.1, nil, claims.NoRelevantEffect},
		{-0.1, 9, nil, claims.Inconclusive},
		{1.3, 1.3, &claims.Interval{Low: 1.3, High: 1.3}, claims.Supported},
	} {
		got := points.Judge(claims.Evidence{N: 5, Effect: (c.low + c.high) / 2, SD: 0.5, Low: c.low, High: c.high}, c.expected, 1)
		if got.Verdict != c.want || got.Sentence == "" || !strings.HasSuffix(got.Sentence, ".") {
			t.Errorf("[%g, %g]: %s (%s), want %s", c.low, c.high, got.Verdict, got.Sentence, c.want)
		}
		if (got.Needs > 0) != (c.want == claims.Inconclusive) {
			t.Errorf("[%g, %g]: needs %d replicates", c.low, c.high, got.Needs)
		}
		if _, err := json.Marshal(got); err != nil {
			t.Errorf("[%g, %g]: %v", c.low, c.high, err)
		}
	}
	void := points.Judge(claims.Evidence{N: 5, SD: 1, Low: 1, High: 2, Void: true, Reason: "it has not learned"}, expected, 1)
	if void.Verdict != claims.Inconclusive || void.Needs != 0 || void.Sentence != "Nothing can be concluded: it has not learned." {
		t.Errorf("%+v", void)
	}
}

// Exactly one of the conditions that the documents give for the verdicts holds, taken in their order, and the verdict
// says which; better effects never give a worse verdict of direction.
func TestVerdictsAreExclusive(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 7))
	seen := map[claims.Verdict]int{}
	for range 200000 {
		e1 := 0.05 + 2*rng.Float64()
		e := claims.Interval{Low: e1, High: e1 + rng.Float64()*float64(rng.IntN(2))}
		l := 4*rng.Float64() - 2
		u := l + rng.ExpFloat64()*0.5
		c := points
		c.Margin = 0.05 + 0.5*rng.Float64()
		meets := l <= e.High && u >= e.Low
		inside := l >= -c.Margin && u <= c.Margin
		is := map[claims.Verdict]bool{
			claims.Supported: l > 0 && meets, claims.Smaller: l > 0 && u < e.Low, claims.Larger: l > e.High,
			claims.Contradicted: u < 0, claims.NoRelevantEffect: inside && l <= 0 && u >= 0, claims.Inconclusive: l <= 0 && u >= 0 && !inside,
		}
		n := 0
		for _, holds := range is {
			if holds {
				n++
			}
		}
		got := c.Judge(claims.Evidence{N: 4, SD: 1, Effect: (l + u) / 2, Low: l, High: u}, &e, 1).Verdict
		if seen[got]++; n != 1 || !is[got] {
			t.Fatalf("[%g, %g] against %+v, margin %g: %s, of %v", l, u, e, c.Margin, got, is)
		}
	}
	if len(seen) != 6 {
		t.Errorf("seen %v", seen)
	}
}

func TestGain(t *testing.T) {
	ratio := claims.Claim{Unit: claims.Ratio, Direction: trials.Minimize, Margin: 0.05, Alpha: 0.05}
	got := ratio.Judge(claims.Evidence{N: 5, Effect: 0.29, SD: 0.01, Low: 0.28, High: 0.31}, &claims.Interval{Low: 0.7, High: 0.7}, 1)
	if got.Verdict != claims.Supported || math.Abs(got.Expected.Low-0.3) > 1e-15 {
		t.Errorf("%+v", got)
	}
	more := ratio
	more.Direction = trials.Maximize
	less := points
	less.Direction = trials.Minimize
	for _, c := range []struct {
		claim claims.Claim
		x, y  float64
	}{{points, 1.3, 1.3}, {less, -1.3, 1.3}, {ratio, 0.7, 0.3}, {more, 1.25, 0.25}} {
		if got := c.claim.Gain(c.x); math.Abs(got-c.y) > 1e-15 {
			t.Errorf("gain of %g: %g, want %g", c.x, got, c.y)
		}
	}
	if s := ratio.Range(0.28, 0.3); s != "+28.0 to +30.0 %" {
		t.Error(s)
	}
	if s := points.Range(1.3, 1.3); s != "+1.30 points" {
		t.Error(s)
	}
}

func TestWorst(t *testing.T) {
	order := []claims.Verdict{claims.Contradicted, claims.NoRelevantEffect, claims.Inconclusive, claims.Smaller, claims.Larger, claims.Supported}
	for i, a := range order {
		for k, b := range order {
			if got := claims.Worst([]claims.Judged{{Verdict: a}, {Verdict: b}}); got != order[min(i, k)] {
				t.Errorf("%s and %s: %s", a, b, got)
			}
		}
	}
	if claims.Worst(nil) != claims.Inconclusive {
		t.Error("nothing was judged")
	}
}

// judge.json: testdata/gen.py, with numpy, scipy and statsmodels; its versions are in it.
func TestAgainstStatsmodels(t *testing.T) {
	var want struct {
		Margin, Alpha float64
		Pairs         []struct {
			From, To            []float64
			Mean, SD, Low, High float64
			Inside              bool
		}
		Needed []struct {
			Effect, SD, Alpha, Formula, Exact float64
			Needed                            int
		}
	}
	text, err := os.ReadFile("testdata/judge.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	inside := 0
	for i, p := range want.Pairs {
		from, to := map[int]float64{}, map[int]float64{}
		for k := range p.From {
			from[k], to[k] = p.From[k], p.To[k]
		}
		e := inference.Compare(from, to, inference.Options{Alpha: want.Alpha})
		for what, d := range map[string]float64{"mean": e.Mean - p.Mean, "sd": e.SD - p.SD, "low": e.Low - p.Low, "high": e.High - p.High} {
			if math.Abs(d) > 1e-9 {
				t.Errorf("pair %d: %s is off by %g", i, what, d)
			}
		}
		got := points.Judge(claims.Evidence{N: e.N, Effect: e.Mean, SD: e.SD, Low: e.Low, High: e.High}, &claims.Interval{Low: 0.9, High: 1.4}, 1)
		// An interval inside the margin that excludes zero has a verdict of direction.
		if equal := got.Verdict == claims.NoRelevantEffect; equal != (p.Inside && e.Low <= 0 && e.High >= 0) {
			t.Errorf("pair %d: %s, the two one-sided tests say %v", i, got.Verdict, p.Inside)
		}
		if p.Inside {
			inside++
		}
	}
	if inside < 2 || inside == len(want.Pairs) {
		t.Errorf("%d of %d are inside: the cases show nothing", inside, len(want.Pairs))
	}
	for _, n := range want.Needed {
		got := claims.Needed(n.Effect, n.SD, n.Alpha)
		if got != n.Needed || math.Abs(n.Formula-n.Exact) > 0.5 { // the formula is Guenther's approximation of the exact power
			t.Errorf("effect %g, sd %g, alpha %g: %d, want %d (exact %g)", n.Effect, n.SD, n.Alpha, got, n.Needed, n.Exact)
		}
	}
}

func TestNeeds(t *testing.T) {
	expected := &claims.Interval{Low: 0.9, High: 1.4}
	for _, c := range []struct {
		n        int
		sd       float64
		expected *claims.Interval
		pairs    int
		needs    int
		effect   float64
		words    string
	}{
		{3, 0.9, expected, 1, 10, 0.9, "About 10 replicates would show an effect of 0.90 points"},
		{3, 0.9, expected, 2, 13, 0.9, "About 13 replicates"},
		{12, 0.9, expected, 1, 161, 0.2, "it is probably smaller. About 161 replicates would show one of 0.20 points"},
		{3, 0.9, nil, 1, 161, 0.2, "About 161 replicates would show an effect of 0.20 points"},
		{1, math.NaN(), expected, 1, 0, math.NaN(), "there is no interval"},
		{3, 0, expected, 1, 0, math.NaN(), "there is no interval"},
	} {
		got := points.Judge(claims.Evidence{N: c.n, SD: c.sd, Low: -2, High: 3}, c.expected, c.pairs)
		if got.Needs != c.needs || c.needs > 0 && got.NeedsFor != c.effect || !strings.Contains(got.Sentence, c.words) {
			t.Errorf("%d pairs, sd %g: needs %d for %g: %s", c.n, c.sd, got.Needs, got.NeedsFor, got.Sentence)
		}
	}
}

// Where replicates were added by looks, what they would have shown is asked of the looks: 8 pairs of one look show 1.2
// standard deviations in four cases of five, 8 pairs at the third of four looks do not.
func TestNeedsOfASequence(t *testing.T) {
	q := &inference.Sequence{Rule: inference.Looks, Looks: []int{3, 5, 8, 12}, Max: 12}
	two := *q
	two.Arms = 2
	for _, c := range []struct {
		n     int
		low   float64
		rule  *inference.Sequence
		pairs int
		needs int
		words string
	}{
		{8, 1.2, nil, 1, 199, "would have shown the claimed effect"},
		{8, 1.2, q, 1, 12, "About 12 replicates would show an effect of 1.20 points in four cases of five"},
		{8, 1.5, q, 1, 282, "would have shown the claimed effect"},
		{8, 1.5, &two, 2, 12, "About 12 replicates would show an effect of 1.50 points"},
		{12, 1.2, q, 1, 282, "so it is probably smaller. About 282 replicates would show one of 0.20 points"},
		{3, 0.2, q, 1, 282, "leaves room for an improvement and for none. About 282 replicates would show an effect of 0.20 points"},
	} {
		e := claims.Evidence{N: c.n, SD: 1, Low: -2, High: 3, Sequence: c.rule}
		got := points.Judge(e, &claims.Interval{Low: c.low, High: 2}, c.pairs)
		if got.Needs != c.needs || !strings.Contains(got.Sentence, c.words) {
			t.Errorf("%d pairs, %g claimed: needs %d for %g: %s", c.n, c.low, got.Needs, got.NeedsFor, got.Sentence)
		}
	}
	small := points
	small.Margin = 1e-6
	for _, low := range []float64{1e-5, 1.5} {
		got := small.Judge(claims.Evidence{N: 8, SD: 1, Low: -2, High: 3, Sequence: q}, &claims.Interval{Low: low, High: 2}, 1)
		if got.Needs != 0 || !strings.Contains(got.Sentence, "is too small beside the noise to be shown.") {
			t.Errorf("%g claimed: needs %d: %s", low, got.Needs, got.Sentence)
		}
	}
}

// The standard deviation of a ratio's differences is one of logarithms, and so is the effect that it is held against:
// half of the time is log 2 saved, and half as much again is log 1.5 gained.
func TestNeedsOfARatio(t *testing.T) {
	for _, c := range []struct {
		direction trials.Direction
		ratio     float64
		log       float64
	}{{trials.Minimize, 0.5, math.Ln2}, {trials.Minimize, 0.2, math.Log(5)}, {trials.Maximize, 1.5, math.Log(1.5)}, {trials.Maximize, 4, math.Log(4)}} {
		claim := claims.Claim{Unit: claims.Ratio, Direction: c.direction, Margin: 0.05, Alpha: 0.05}
		for _, q := range []*inference.Sequence{nil, {Rule: inference.Looks, Looks: []int{3, 5, 8, 12}, Max: 12}} {
			e := claims.Evidence{N: 3, SD: 2, Low: -0.5, High: 0.9, Sequence: q}
			want := claims.Needed(c.log, 2, 0.05)
			if q != nil {
				want = q.NeededFor(c.log, 2, claims.Power)
			}
			if got := claim.Judge(e, &claims.Interval{Low: c.ratio, High: c.ratio}, 1); got.Needs != want || math.Abs(got.NeedsFor-claim.Gain(c.ratio)) > 1e-15 {
				t.Errorf("%s to %g: needs %d for %g, want %d", c.direction, c.ratio, got.Needs, got.NeedsFor, want)
			}
		}
	}
}
