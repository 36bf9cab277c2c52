package inference

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Method is how an effect was tested.
type Method string

// The methods. Pairing by seed is the rule; Welch's test compares arms that share no seed, or whose seeds do not pair them.
const (
	Paired Method = "paired t"
	Welch  Method = "Welch t"
	Pooled Method = "pooled t" // Dunnett's correction: one standard deviation from all arms
)

// NoHelp is the correlation of the arms over seeds up to which pairing does not help. It is looked at from
// three pairs on: two always give 1 or -1.
const NoHelp = 0.1

// Defaults of Options.
const (
	DefaultAlpha = 0.05
	DefaultPower = 0.8
)

// Options say how effects are tested and judged. The zero value is a paired 95 %
// interval, larger is better, and no margin.
type Options struct {
	Alpha    float64 // level of tests; 1-Alpha is that of intervals; 0: DefaultAlpha
	Margin   float64 // differences up to this are irrelevant, in the metric's unit; 0: none declared
	Minimize bool    // smaller is better
	Unpaired bool    // Welch's test even where seeds are shared
	Paired   bool    // the paired test even where pairing does not help
}

func (o Options) alpha() float64 {
	if o.Alpha > 0 && o.Alpha < 1 {
		return o.Alpha
	}
	return DefaultAlpha
}

// Summary describes one arm. Mean is NaN without values, SD with fewer than two.
type Summary struct {
	N    int     `json:"n"`
	Mean float64 `json:"mean"`
	SD   float64 `json:"sd"` // divisor N-1
}

// Summarize describes values; NaN and infinities are left out.
func Summarize(values []float64) Summary {
	vs := finite(values)
	s := Summary{N: len(vs), Mean: math.NaN(), SD: math.NaN()}
	if s.N > 0 {
		s.Mean = stat.Mean(vs, nil)
	}
	if s.N > 1 {
		s.SD = stat.StdDev(vs, nil)
		if s.SD <= tiny*math.Abs(s.Mean) { // equal but for rounding
			s.SD = 0
		}
	}
	return s
}

// Effect is a variant against its reference: variant minus reference, in the metric's unit.
type Effect struct {
	Method      Method  `json:"method"`
	Reference   Summary `json:"reference"` // all values of the reference arm
	Variant     Summary `json:"variant"`
	N           int     `json:"n"`           // pairs; for Welch the smaller arm
	Alone       int     `json:"alone"`       // values without a partner, not used by the paired test
	Mean        float64 `json:"mean"`        // mean difference; the estimate
	SD          float64 `json:"sd"`          // of the differences; for Welch SE*sqrt(N)
	SE          float64 `json:"se"`          // standard error of Mean
	DF          float64 `json:"df"`          // degrees of freedom
	Low         float64 `json:"low"`         // own t interval at level 1-alpha
	High        float64 `json:"high"`        //
	P           float64 `json:"p"`           // two-sided, uncorrected
	Correlation float64 `json:"correlation"` // of the two arms over seeds; NaN where it cannot be told

	Comparisons int        `json:"comparisons"`          // size of the family that the next three are corrected for
	Correction  Correction `json:"correction,omitempty"` // how
	PHolm       float64    `json:"p_holm"`               // corrected p value, whatever the correction
	WideLow     float64    `json:"wide_low"`             // Bonferroni interval at level 1-alpha/Comparisons
	WideHigh    float64    `json:"wide_high"`

	Verdict Verdict `json:"verdict"`
	Reason  string  `json:"reason"` // one sentence for people

	Options Options `json:"-"`
}

// tiny is the relative size under which a spread is rounding and not noise.
const tiny = 1e-12

// Compare tests a variant against its reference. Both map a seed (or any key of a
// pair: data set and replicate, say) to the metric; values that are not finite are left
// out. The paired t test uses the keys that both have. If they share none, or
// Options.Unpaired is set, it is Welch's test; where the arms correlate by NoHelp at most,
// Welch's as in unpair. The effect comes as a family of its own.
func Compare[K cmp.Ordered](reference, variant map[K]float64, o Options) Effect {
	var x, y, alone []float64 // pairs, and the rest
	for _, k := range slices.Sorted(maps.Keys(reference)) {
		switch v, both := variant[k]; {
		case !isFinite(reference[k]):
		case both && isFinite(v):
			x, y = append(x, reference[k]), append(y, v)
		default:
			alone = append(alone, reference[k])
		}
	}
	all := Summarize(sortedValues(variant))
	e := Effect{Reference: Summarize(sortedValues(reference)), Variant: all, Options: o,
		Alone: len(alone) + all.N - len(x), Correlation: correlation(x, y)}
	if len(x) == 0 && e.Reference.N > 0 && e.Variant.N > 0 || o.Unpaired {
		e.welch()
	} else {
		e.paired(x, y)
		if e.Correlation <= NoHelp && !o.Paired {
			e.unpair()
		}
	}
	return Family([]Effect{e})[0]
}

// paired is Student's t test of the differences.
func (e *Effect) paired(x, y []float64) {
	e.Method, e.N = Paired, len(x)
	d := make([]float64, len(x))
	scale := 0.0
	for i := range x {
		d[i] = y[i] - x[i]
		scale = max(scale, math.Abs(x[i]), math.Abs(y[i]))
	}
	s := Summarize(d)
	e.Mean, e.SD, e.DF = s.Mean, s.SD, float64(s.N-1)
	if e.SD <= tiny*scale {
		e.SD = 0
		if math.Abs(e.Mean) <= tiny*scale {
			e.Mean = 0
		}
	}
	e.SE = e.SD / math.Sqrt(float64(s.N))
	e.test()
}

// welch is the t test for unequal variances with the Welch-Satterthwaite degrees of freedom.
func (e *Effect) welch() {
	a, b := e.Reference, e.Variant
	e.Method, e.N, e.Alone = Welch, min(a.N, b.N), 0
	e.Mean = b.Mean - a.Mean
	va, vb := a.SD*a.SD/float64(a.N), b.SD*b.SD/float64(b.N)
	e.SE = math.Sqrt(va + vb)
	e.SD = e.SE * math.Sqrt(float64(e.N))
	e.DF = (va + vb) * (va + vb) / (va*va/float64(a.N-1) + vb*vb/float64(b.N-1))
	e.test()
}

// unpair is Welch's test for arms whose seeds turned out not to pair them: all values of both arms count, and what
// they have in common is not subtracted. Choosing by the data must not raise the error rate, as the plain Welch test
// would (docs/STATISTICS.md has the measured rates). So a negative covariance is kept in the standard error,
//
//	SE² = s_a²/n_a + s_b²/n_b - 2 min(0, r s_a s_b) n/(n_a n_b)	with n pairs
//
// and the degrees of freedom stay those of the pairs, n-1, no more than the least that two variances can have (Hsu's
// min(n_a, n_b) - 1). Where every value has its partner, p is then never below that of the paired test, and the
// interval holds it.
func (e *Effect) unpair() {
	a, b, pairs := e.Reference, e.Variant, float64(e.N)
	e.Method, e.N, e.Alone = Welch, min(a.N, b.N), 0
	e.Mean = b.Mean - a.Mean
	na, nb := float64(a.N), float64(b.N)
	shared := min(0, e.Correlation*a.SD*b.SD) * pairs / (na * nb)
	e.SE = math.Sqrt(a.SD*a.SD/na + b.SD*b.SD/nb - 2*shared)
	e.SD = e.SE * math.Sqrt(float64(e.N))
	e.DF = pairs - 1
	e.test()
}

// test fills in P and the effect's own interval from Mean, SE and DF.
func (e *Effect) test() {
	e.P = math.NaN()
	e.Low, e.High = e.interval(e.Options.alpha())
	if !e.measured() {
		return
	}
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: e.DF}
	e.P = 2 * t.CDF(-math.Abs(e.Mean)/e.SE)
}

// measured says that there is a standard error. A pooled one can come from other arms than these two.
func (e *Effect) measured() bool { return e.SE > 0 && (e.N > 1 || e.Method == Pooled) }

// interval is the t interval at level 1-alpha; NaN where the data give none.
func (e *Effect) interval(alpha float64) (low, high float64) {
	if !e.measured() {
		return math.NaN(), math.NaN()
	}
	h := quantile(1-alpha/2, e.DF) * e.SE
	return e.Mean - h, e.Mean + h
}

// quantiles remembers those with whole degrees of freedom: few, used over and over, and slow to compute.
var quantiles sync.Map // [2]float64{p, df} -> float64

// quantile of Student's t distribution.
func quantile(p, df float64) float64 {
	key := [2]float64{p, df}
	if q, ok := quantiles.Load(key); ok {
		return q.(float64)
	}
	q := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Quantile(p)
	if df == math.Trunc(df) {
		quantiles.Store(key, q)
	}
	return q
}

// correlation is Pearson's; NaN with fewer than three pairs (two always give 1 or -1) or without spread.
func correlation(x, y []float64) float64 {
	if len(x) < 3 || Summarize(x).SD == 0 || Summarize(y).SD == 0 {
		return math.NaN()
	}
	return stat.Correlation(x, y, nil)
}

// String prints the effect and its own interval, for logs: "-0.052 [-0.061, -0.044], n=4".
func (e Effect) String() string {
	return fmt.Sprintf("%+.4g [%+.4g, %+.4g], n=%d: %s", e.Mean, e.Low, e.High, e.N, e.Verdict)
}

func sortedValues[K cmp.Ordered](m map[K]float64) []float64 {
	var vs []float64
	for _, k := range slices.Sorted(maps.Keys(m)) {
		vs = append(vs, m[k])
	}
	return vs
}

func isFinite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

func finite(vs []float64) []float64 {
	return slices.DeleteFunc(slices.Clone(vs), func(x float64) bool { return !isFinite(x) })
}
