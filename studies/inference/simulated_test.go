package inference_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/studies/inference"
)

// world is where simulated scores come from: normal, arms that correlate by rho over replicates.
type world struct {
	n       int
	effect  float64 // of the variant, in units of the differences' standard deviation
	rho     float64
	ratio   float64 // standard deviation of the variant over that of the reference; 0: 1
	missing float64 // chance that a trial failed
	arms    int     // variants against one reference; 0: 1
	real    int     // the first of them that have the effect; 0: 1
}

// draw is one study: the reference and its variants, differences scaled to standard deviation 1.
func (w world) draw(rng *rand.Rand) (reference map[int]float64, variants []map[int]float64) {
	ratio := w.ratio
	if ratio == 0 {
		ratio = 1
	}
	scale := 1 / math.Sqrt(1+ratio*ratio-2*w.rho*ratio)
	reference = map[int]float64{}
	variants = make([]map[int]float64, max(1, w.arms))
	base := make([]float64, w.n)
	for i := range base {
		base[i] = rng.NormFloat64()
		if rng.Float64() >= w.missing {
			reference[i] = scale * base[i]
		}
	}
	for j := range variants {
		variants[j] = map[int]float64{}
		for i := range base {
			v := scale * ratio * (w.rho*base[i] + math.Sqrt(1-w.rho*w.rho)*rng.NormFloat64())
			if j < max(1, w.real) {
				v += w.effect
			}
			if rng.Float64() >= w.missing {
				variants[j][i] = v
			}
		}
	}
	return reference, variants
}

// share is the part of simulated studies for which f holds.
func share(w world, f func(reference map[int]float64, variants []map[int]float64) bool) float64 {
	rng, n := rand.New(rand.NewPCG(20261127, 5)), 0
	for range simulated {
		if f(w.draw(rng)) {
			n++
		}
	}
	return float64(n) / simulated
}

// noise is how far a simulated share that is p in truth may lie from it.
func noise(p float64) float64 { return deviations * math.Sqrt(p*(1-p)/simulated) }

func decided(e inference.Effect) bool {
	return e.Verdict == inference.Better || e.Verdict == inference.Worse
}

// With a fixed number of replicates the choice between pairing and Welch's test by the data must not raise the error
// rate, and the interval must cover. The plain Welch test in its place is logged: it does raise it.
func TestSimulatedChoice(t *testing.T) {
	for _, w := range []world{
		{n: 3}, {n: 4}, {n: 5}, {n: 8}, {n: 12}, {n: 4, rho: -0.5}, {n: 12, rho: -0.5}, {n: 5, rho: 0.1}, {n: 5, rho: 0.3}, {n: 5, rho: 0.6}, {n: 5, rho: 0.9},
		{n: 4, ratio: 3}, {n: 8, ratio: 3}, {n: 8, rho: -0.5, ratio: 3},
		{n: 5, missing: 0.2}, {n: 8, missing: 0.2}, {n: 12, missing: 0.4}, {n: 8, rho: -0.5, missing: 0.2}, {n: 8, rho: 0.3, missing: 0.2, ratio: 3}, {n: 12, rho: 0.1, ratio: 3, missing: 0.4},
	} {
		var plain, unpaired, covered, wrong, tested float64
		share(w, func(reference map[int]float64, variants []map[int]float64) bool {
			e := inference.Compare(reference, variants[0], inference.Options{})
			if math.IsNaN(e.P) {
				return false
			}
			tested++
			p := e.P
			if e.Correlation <= inference.NoHelp {
				p = inference.Compare(reference, variants[0], inference.Options{Unpaired: true}).P
				unpaired++
			}
			if p < 0.05 {
				plain++
			}
			if decided(e) {
				wrong++
			}
			if e.Low <= 0 && e.High >= 0 {
				covered++
			}
			return true
		})
		t.Logf("%+v: unpaired %.3f; false verdicts %.4f (with the plain Welch test %.4f)", w, unpaired/tested, wrong/tested, plain/tested)
		if wrong/tested > 0.05+noise(0.05) {
			t.Errorf("%+v: %.4f false verdicts", w, wrong/tested)
		}
		if math.Abs(covered/tested-0.95) > 0.01+noise(0.05) {
			t.Errorf("%+v: the interval covers with %.4f", w, covered/tested)
		}
	}
}

// Sequences: false verdicts at most alpha, intervals that all cover at once with 1 - alpha at least.
func TestSimulatedNull(t *testing.T) {
	for _, rule := range []inference.Rule{inference.Looks, inference.Anytime} {
		for _, w := range []world{{n: 12, rho: 0.5}, {n: 12}, {n: 12, rho: -0.5}, {n: 12, ratio: 3}, {n: 12, rho: 0.9}, {n: 14, missing: 0.15}, {n: 14, missing: 0.15, ratio: 3}, {n: 12, rho: 0.5, effect: 1}} {
			q := looks(0)
			q.Rule, q.Patient, q.Last = rule, true, w.missing > 0
			missed, wrong := 0.0, 0.0
			share(w, func(reference map[int]float64, variants []map[int]float64) bool {
				c := inference.Sequential(reference, variants[0], q)
				out := slices.ContainsFunc(c.Steps, func(s inference.Step) bool { return s.Low > w.effect || s.High < w.effect })
				if out {
					missed++
				}
				if decided(c.Effect) && (w.effect == 0 || c.Mean*w.effect < 0) {
					wrong++
				}
				return out
			})
			t.Logf("%s %+v: false verdicts %.4f, an interval misses %.4f", rule, w, wrong/simulated, missed/simulated)
			if wrong/simulated > 0.05+noise(0.05) || missed/simulated > 0.05+noise(0.05) {
				t.Errorf("%s %+v: false verdicts %.4f, an interval misses %.4f", rule, w, wrong/simulated, missed/simulated)
			}
		}
	}
}

// Many arms: with a fixed number of replicates and with looks the chance of any false verdict is bounded, with e-BH the mean share of
// false ones among the verdicts of a study. Dunnett's pooled deviation is for arms that scatter alike.
func TestSimulatedArms(t *testing.T) {
	fixed := func(by inference.Correction) func(map[int]float64, []map[int]float64) []inference.Effect {
		return func(reference map[int]float64, variants []map[int]float64) []inference.Effect {
			var es []inference.Effect
			for _, v := range variants {
				es = append(es, inference.Compare(reference, v, inference.Options{}))
			}
			return inference.FamilyBy(es, by)
		}
	}
	sequence := func(rule inference.Rule, by inference.Correction) func(map[int]float64, []map[int]float64) []inference.Effect {
		q := looks(0)
		q.Rule, q.Correction = rule, by
		return func(reference map[int]float64, variants []map[int]float64) []inference.Effect {
			var es []inference.Effect
			for _, c := range inference.Together(against(reference, variants...), q) {
				es = append(es, c.Effect)
			}
			return es
		}
	}
	for _, c := range []struct {
		name  string
		judge func(map[int]float64, []map[int]float64) []inference.Effect
		any   bool // the chance of any false verdict is bounded
		n     int
	}{
		{"Holm", fixed(inference.ByHolm), true, 5}, {"Dunnett", fixed(inference.ByDunnett), true, 5},
		{"looks, shares", sequence(inference.Looks, ""), true, 12}, {"anytime, shares", sequence(inference.Anytime, inference.ByShares), true, 12},
		{"anytime, e-BH", sequence(inference.Anytime, ""), false, 12},
	} {
		for _, w := range []world{{n: c.n, arms: 4}, {n: c.n, arms: 4, rho: 0.5}, {n: c.n, arms: 4, real: 2, effect: 2, rho: 0.5}, {n: c.n, arms: 8, real: 4, effect: 1.5}} {
			if c.name == "Dunnett" && simulated < 1000 {
				continue
			}
			var some, rate, found, used float64
			share(w, func(reference map[int]float64, variants []map[int]float64) bool {
				wrong, right := 0.0, 0.0
				for j, e := range c.judge(reference, variants) {
					used += float64(e.N) / float64(len(variants))
					switch {
					case !decided(e):
					case w.effect != 0 && j < max(1, w.real) && e.Mean*w.effect > 0:
						right++
					default:
						wrong++
					}
				}
				rate += wrong / max(1, wrong+right)
				found += right
				if wrong > 0 {
					some++
				}
				return true
			})
			t.Logf("%s %+v: any false verdict %.4f, share of false ones %.4f, found %.3f, mean replicates %.2f", c.name, w,
				some/simulated, rate/simulated, found/simulated/float64(max(1, w.real)), used/simulated)
			bounded := rate
			if c.any {
				bounded = some
			}
			if bounded/simulated > 0.05+noise(0.05) {
				t.Errorf("%s %+v: %.4f", c.name, w, bounded/simulated)
			}
		}
	}
}

// Power within 2 points of an independent simulation (testdata/gen_sequences.py), with and without giving up where the rest is
// futile: that costs next to nothing.
func TestSimulatedPower(t *testing.T) {
	for _, c := range loadSequences(t).Rows {
		for _, patient := range []bool{true, false} {
			q, used := looks(0), 0.0
			q.Rule, q.Patient = c.Rule, patient
			got := share(world{n: 12, effect: c.Effect, rho: 0.5}, func(reference map[int]float64, variants []map[int]float64) bool {
				e := inference.Sequential(reference, variants[0], q)
				used += float64(e.Steps[len(e.Steps)-1].N)
				return decided(e.Effect)
			})
			t.Logf("%s, effect %.1f sd, patient %v: settled %.3f, mean replicates %.2f", c.Rule, c.Effect, patient, got, used/simulated)
			if math.Abs(got-c.Settled) > 0.02+noise(c.Settled) {
				t.Errorf("%s, effect %v, patient %v: settled %.3f, want %.3f", c.Rule, c.Effect, patient, got, c.Settled)
			}
			if mean := used / simulated; patient && math.Abs(mean-c.Mean) > 0.1+9/math.Sqrt(simulated) || mean > c.Mean+0.1+9/math.Sqrt(simulated) {
				t.Errorf("%s, effect %v, patient %v: %.2f replicates, want %.2f", c.Rule, c.Effect, patient, mean, c.Mean)
			}
		}
	}
}

// Planted effects: 2 sd are settled early; nothing is rarely called something; and with little noise the margin is shown.
func TestSimulatedPlanted(t *testing.T) {
	for _, rho := range []float64{0, 0.5} {
		var used []float64
		share(world{n: 12, effect: 2, rho: rho}, func(reference map[int]float64, variants []map[int]float64) bool {
			used = append(used, float64(inference.Sequential(reference, variants[0], looks(0.5)).N))
			return true
		})
		slices.Sort(used)
		sum := 0.0
		for _, n := range used {
			sum += n
		}
		t.Logf("rho %v: 2 sd need %v replicates in the median and %.2f in the mean", rho, used[len(used)/2], sum/simulated)
		if median, mean := used[len(used)/2], sum/simulated; median > 6 || mean > 7.2 {
			t.Errorf("rho %v: 2 sd need %v replicates in the median and %.2f in the mean", rho, median, mean)
		}
		same := share(world{n: 12, rho: rho}, func(reference map[int]float64, variants []map[int]float64) bool {
			return inference.Sequential(reference, variants[0], looks(10)).Verdict == inference.Equivalent
		})
		t.Logf("rho %v: %.4f equivalent with a margin of 10 sd", rho, same)
		if same < 0.95-noise(0.95) {
			t.Errorf("rho %v: %.3f equivalent with a margin of 10 sd", rho, same)
		}
	}
}
