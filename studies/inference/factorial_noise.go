package inference

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// noise is what terms are held against.
type noise struct {
	method   string
	residual float64 // standard deviation of a trial; NaN where the method is not SeedBlocks
	df       float64 // of residual; with Lenth's method a third of the contrasts
	sigma    float64 // standard deviation that intervals use
	pse      float64
	me, sme  float64
	why      string // no interval: the reason
	lack     bool   // points do not follow the terms alone
	open     bool   // whether they do cannot be tested
	notes    []string
}

// fewDF is how many degrees of freedom replicates must leave to be preferred to Lenth's method.
const fewDF = 3

// noise takes the scatter about points and seeds, which effects of three and more factors do not enter. Where there
// are no or hardly any replicates, it is Lenth's pseudo standard error.
func (m *model) noise(o Options) noise {
	nan := math.NaN()
	e := noise{residual: nan, df: nan, sigma: nan, pse: nan, me: nan, sme: nan}
	square, df := m.pure()
	if df < fewDF && m.lenth(&e, o.alpha()) {
		return e
	}
	switch {
	case df == 0:
		e.why = "one trial at each point and too few points: nothing says how much seeds differ"
		return e
	case square <= tiny*tiny*dot(m.raw, m.raw):
		e.why = "trials of one point scored exactly alike: an interval needs spread"
		return e
	}
	e.method, e.df = SeedBlocks, float64(df)
	e.residual = math.Sqrt(square / e.df)
	e.sigma = e.residual
	m.lackOfFit(&e, square)
	return e
}

// pure is the sum of squares of scores about points and seeds, which add up, and its degrees of freedom.
func (m *model) pure() (square float64, df int) {
	cell := func(i int) int { return m.obs[i].cell }
	r := center(m.raw, m.cells, cell)
	var b basis
	for k := range m.blocks {
		x := make([]float64, len(m.obs))
		for i, o := range m.obs {
			if o.block == k {
				x[i] = 1
			}
		}
		if c := center(x, m.cells, cell); dot(c, c) > zero {
			b.extend(c)
		}
	}
	for _, q := range b {
		w := dot(q, r)
		for i := range r {
			r[i] -= w * q[i]
		}
	}
	return dot(r, r), len(m.obs) - m.cells - len(b)
}

// lackOfFit notes that points do not follow the terms alone: an F test of what the terms leave of them.
func (m *model) lackOfFit(e *noise, pure float64) {
	fit := slices.Clone(m.y)
	for k, j := range m.chosen {
		for i, v := range m.columns[j].x {
			fit[i] -= m.coef[k] * v
		}
	}
	df := float64(len(m.obs)-m.blocks-len(m.chosen)) - e.df
	if df < 1 {
		e.open = true
		return
	}
	f := (dot(fit, fit) - pure) / df / (pure / e.df)
	if p := (distuv.F{D1: df, D2: e.df}).Survival(f); f > 0 && p < DefaultAlpha {
		e.lack = true
		what := "three or more factors act together. Each effect is still the average over the others."
		if slices.ContainsFunc(m.columns, func(c column) bool { return len(c.partial) > 0 }) {
			what = "factors act together, in ways that these points cannot estimate."
		}
		e.notes = append(e.notes, fmt.Sprintf("The points do not follow these effects alone (lack of fit, p = %.2g): %s", p, what))
	}
}

// mostContrasts bounds the number of runs that Lenth's method orthogonalizes.
const mostContrasts = 512

// lenth estimates the error of a design that ran once (Lenth 1989): from the median of its contrasts, most of which
// are noise. Contrasts are the terms made orthogonal in order, then interactions of three and more factors. With
// contrasts c of the same standard deviation, s0 = 1.5 median |c|, PSE = 1.5 median {|c| : |c| < 2.5 s0}, m/3 degrees
// of freedom; ME covers one term, SME all m, both at level 1-alpha. Whether points follow the terms alone stays open.
func (m *model) lenth(e *noise, alpha float64) bool {
	c := m.contrasts()
	if len(c) < fewDF {
		return false
	}
	s0 := 1.5 * medianOf(c)
	small := slices.DeleteFunc(slices.Clone(c), func(x float64) bool { return x >= 2.5*s0 })
	if len(small) == 0 || s0 <= tiny*norm(m.raw) {
		return false
	}
	sigma := 1.5 * medianOf(small)
	df := float64(len(c)) / 3
	effect := 2 / math.Sqrt(float64(len(m.obs))) // standard error, in sigma, of an effect with half the runs on either side
	e.method, e.sigma, e.df, e.pse, e.open = Lenth, sigma, df, sigma*effect, true
	e.me = quantile(1-alpha/2, df) * e.pse
	e.sme = quantile((1+math.Pow(1-alpha, 1/float64(len(c))))/2, df) * e.pse
	repeats := "Every point ran once"
	if len(m.obs) > m.cells {
		repeats = "Hardly any point was repeated"
	}
	e.notes = append(e.notes, fmt.Sprintf("%s: the error is Lenth's, from the median of %s, which takes most of them for noise. Replicates would measure it.", repeats, counted(len(c), "contrast")))
	return true
}

// contrasts are |q'y| of an orthonormal basis of what the points can tell.
func (m *model) contrasts() []float64 {
	room := min(len(m.obs)-m.blocks, mostContrasts)
	var b basis
	for _, j := range m.chosen {
		b.extend(m.columns[j].x)
	}
	for j := 0; j < len(m.columns) && len(b) < room; j++ {
		b.extend(m.columns[j].x)
	}
	for size := 3; size <= len(m.settings) && len(b) < room; size++ {
		m.products(size, func(x []float64) bool {
			if c := m.centred(x); dot(c, c) > zero*zero*float64(len(c)) {
				b.extend(c)
			}
			return len(b) < room
		})
	}
	var out []float64
	for _, q := range b {
		out = append(out, math.Abs(dot(q, m.y)))
	}
	return out
}

// products visits the columns of interactions of that many factors while visit says so.
func (m *model) products(size int, visit func([]float64) bool) {
	tried := 0
	var walk func(from int, factors []int, x []float64) bool
	walk = func(from int, factors []int, x []float64) bool {
		if len(factors) == size {
			tried++
			return visit(x) && tried < 4*mostContrasts
		}
		for f := from; f < len(m.settings); f++ {
			if slices.ContainsFunc(factors, func(g int) bool {
				return m.descends(f, g, len(m.settings)) || m.descends(g, f, len(m.settings))
			}) {
				continue
			}
			for _, l := range m.steps(f) {
				p := m.plain(f, l)
				if x != nil {
					p = times(x, p)
				}
				if !walk(f+1, append(slices.Clone(factors), f), p) {
					return false
				}
			}
		}
		return true
	}
	walk(0, nil, nil)
}

func medianOf(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	n := len(s)
	if n%2 == 1 {
		return s[n/2]
	}
	return (s[n/2-1] + s[n/2]) / 2
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
