package importance

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// Model is a forest that predicts scores from parameters.
type Model struct {
	*encoded
	problem Problem
	trees   []tree
	boxes   []*boxes
	fit     float64
}

// Fit grows a forest on a problem. The error is inference.Nothing where the data cannot carry one.
func Fit(p Problem, o Options) (*Model, error) {
	e, err := encode(p)
	if err != nil {
		return nil, err
	}
	o = o.filled(len(e.y))
	trees, drawn := grow(e, o)
	m := newModel(e, trees)
	m.problem, m.fit = p, fitted(e, trees, drawn)
	e.conditional("elsewhere the model takes it at the baseline's value")
	if !(m.fit > 0) {
		return nil, inference.Nothing(fmt.Sprintf("a model of the %d configurations predicts those that it has not seen no better than their mean: "+
			"which parameters mattered cannot be told from noise", len(e.y)))
	}
	return m, nil
}

func newModel(e *encoded, trees []tree) *Model {
	m := &Model{encoded: e, trees: trees, boxes: make([]*boxes, len(trees))}
	parallel(len(trees), func(t int) { m.boxes[t] = newBoxes(trees[t], e.dims) })
	return m
}

// weakFit is the share of variance below which a forest's shares are mostly noise.
const weakFit = 0.3

// FANOVA is the functional analysis of variance of the forest (Hutter, Hoos and Leyton-Brown 2014). In each tree the
// marginal a(U) of parameters U is its mean over all others, exactly, from the boxes of its leaves, all values of the
// space weighing the same on their scale; V(U) = Var a(U) less the V of all parts of U; the share is V(U) / V.
// Results are means over the trees. pairs adds the shares of two.
func (m *Model) FANOVA(pairs bool) Result {
	r := Result{Method: FANOVA, N: len(m.y), Fit: m.fit, Notes: slices.Clone(m.notes)}
	single := make([][]float64, len(m.trees)) // by tree
	double := make([][]float64, len(m.trees))
	parallel(len(m.trees), func(t int) { single[t], double[t] = m.boxes[t].shares(pairs) })
	single, double = varied(single), varied(double)
	for d := range m.dims {
		mean, sd := over(single, d)
		r.Single = append(r.Single, Share{m.dims[d].Name, mean, sd})
	}
	if pairs {
		k := 0
		for d := range m.dims {
			for e := d + 1; e < len(m.dims); e++ {
				mean, sd := over(double, k)
				r.Pairs = append(r.Pairs, Pair{m.dims[d].Name, m.dims[e].Name, mean, sd})
				k++
			}
		}
	}
	slices.SortStableFunc(r.Single, func(a, b Share) int { return cmp.Compare(b.Value, a.Value) })
	slices.SortStableFunc(r.Pairs, func(a, b Pair) int { return cmp.Compare(b.Value, a.Value) })
	if m.fit < weakFit {
		r.Notes = append(r.Notes, fmt.Sprintf("The model predicts only %.0f %% of the variance of configurations that it has not seen: the rest is noise, or more than these show.", 100*m.fit))
	}
	return r
}

// shares are V(U) / V of all parameters, and of all pairs; nil for a tree without variance.
func (b *boxes) shares(pairs bool) (single, double []float64) {
	if !(b.total > 0) {
		return nil, nil
	}
	v := make([]float64, len(b.dims))
	for d := range b.dims {
		v[d] = b.variance(d, b.marginal(d))
		single = append(single, v[d]/b.total)
	}
	var scratch []float64
	for d := 0; pairs && d < len(b.dims); d++ {
		for e := d + 1; e < len(b.dims); e++ {
			double = append(double, b.together(d, e, v[d], v[e], &scratch)/b.total)
		}
	}
	return single, double
}

func varied(rows [][]float64) [][]float64 {
	return slices.DeleteFunc(rows, func(r []float64) bool { return r == nil })
}

// over is the mean and standard deviation (divisor n) of column k.
func over(rows [][]float64, k int) (mean, sd float64) {
	for _, r := range rows {
		mean += r[k]
	}
	mean /= float64(len(rows))
	for _, r := range rows {
		sd += (r[k] - mean) * (r[k] - mean)
	}
	return mean, math.Sqrt(sd / float64(len(rows)))
}

// marginalPoints is how many places a number's marginal has.
const marginalPoints = 41

// Marginals are the mean predicted score along each parameter, averaged over all others, in the order of the space.
func (m *Model) Marginals() []Marginal {
	out := make([]Marginal, len(m.dims))
	parallel(len(m.dims), func(d int) { out[d] = m.marginal(d) })
	return out
}

func (m *Model) marginal(d int) Marginal {
	q := m.dims[d]
	g := Marginal{Name: q.Name, Log: q.Log}
	var at []float64 // where: a unit place, or a choice
	switch {
	case q.Kind == trials.Categorical:
		for k, c := range q.Choices {
			g.Labels, g.X = append(g.Labels, trials.FormatValue(c)), append(g.X, float64(k))
			u, _ := q.unit(c)
			at = append(at, u)
		}
	case q.Kind == trials.Int && q.Step <= 1 && q.High-q.Low < marginalPoints:
		for x := q.Low; x <= q.High; x++ {
			u, _ := q.unit(x)
			at, g.X = append(at, u), append(g.X, x)
		}
	default:
		for k := range marginalPoints {
			u := (float64(k)) / (marginalPoints - 1)
			at, g.X = append(at, u), append(g.X, q.value(u))
		}
	}
	rows := make([][]float64, len(m.trees))
	for t, b := range m.boxes {
		curve := b.marginal(d)
		for _, u := range at {
			rows[t] = append(rows[t], b.mean+curve[b.cell(d, u)])
		}
	}
	for k := range at {
		mean, sd := over(rows, k)
		g.Mean, g.SD = append(g.Mean, mean), append(g.SD, sd)
	}
	return g
}

// cell finds the piece of dimension d that holds a place.
func (b *boxes) cell(d int, u float64) int {
	if b.dims[d].choices > 0 {
		return int(u)
	}
	at, _ := slices.BinarySearch(b.cuts[d], u)
	return min(max(at-1, 0), len(b.cuts[d])-2)
}

// Scores are what each tree predicts for a configuration; none for one that the space does not hold.
func (m *Model) Scores(p trials.Params) map[int]float64 {
	row, gone := make([]float64, len(m.dims)), make([]bool, len(m.dims))
	if !m.place(Point{Params: p}, m.problem.Baseline, row, gone) {
		return nil
	}
	out := make(map[int]float64, len(m.trees))
	for t := range m.trees {
		out[t] = m.trees[t].predict(m.dims, func(d int) float64 { return row[d] })
	}
	return out
}
