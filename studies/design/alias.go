package design

import (
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"
)

// Alias says that the estimate of a term, a main effect or an interaction of two factors, has shares of other
// terms in it: the design cannot tell them apart, or not wholly.
type Alias struct {
	Term    []string   `json:"term"`    // factors, in the study's order
	With    [][]string `json:"with"`    // the other terms
	Weights []float64  `json:"weights"` // of With: 1 or -1 if it cannot be told from Term at all, between them in part
}

// Whole says that some other term cannot be told from the alias's at all.
func (a Alias) Whole() bool {
	return slices.ContainsFunc(a.Weights, whole)
}

// tiny is what rounding leaves of a weight that is zero, or of a share of a variance.
const tiny = 1e-9

func whole(weight float64) bool { return math.Abs(weight) > 1-tiny }

// Clear says that an alias table mixes no other main effect or interaction of two into a term. Interactions of three
// or more factors are taken to be nothing, as everywhere in the analysis of such designs.
func Clear(table []Alias, term ...string) bool {
	for _, a := range table {
		own := sameTerm(a.Term, term)
		for _, w := range a.With {
			if own && len(w) <= 2 || sameTerm(w, term) {
				return false
			}
		}
	}
	return true
}

func sameTerm(a, b []string) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(f string) bool { return !slices.Contains(b, f) })
}

// column is a term with its values over the runs, their mean taken off.
type column struct {
	term   []int // factors, rising
	values []float64
	square float64 // sum of squares
}

// AliasesOf computes the alias table of any two-level design from its runs. rows are the runs, a value per factor:
// -1 and 1 for its levels, 0 where the factor changes nothing. A run that is made twice stands there twice. The table
// has an entry for each main effect and each interaction of two factors that is not clear, with other terms of up to
// order factors (2 or 3).
//
// For a main effect the weights are its row of the alias matrix (X1'X1)^-1 X1'X2 (Box and Wilson 1951), X1 being all
// main effects and X2 the interactions: what each interaction adds to a least-squares estimate that leaves
// interactions out. For an interaction they are the regressions of the other terms on it alone. An interaction that
// cannot exist has no entry: of a factor with one that it requires, or of factors that are never on together.
func AliasesOf(factors []string, rows [][]float64, order int) []Alias {
	mains := terms(rows, len(factors), 1, nil)
	pairs := terms(rows, len(factors), 2, mains)
	var triples []column
	if order > 2 {
		triples = terms(rows, len(factors), 3, append(slices.Clone(mains), pairs...))
	}
	var table []Alias
	keep := func(a Alias) {
		if len(a.With) > 0 {
			table = append(table, a)
		}
	}
	higher := append(slices.Clone(pairs), triples...)
	joint := regress(mains, higher)
	for i, t := range mains {
		if joint == nil { // main effects are not all told apart: each by itself
			keep(alone(factors, t, append(slices.Clone(mains), higher...)))
			continue
		}
		a := Alias{Term: names(factors, t.term)}
		for j, o := range higher {
			a.mix(names(factors, o.term), joint.At(i, j))
		}
		keep(a)
	}
	others := append(slices.Clone(mains), higher...)
	for _, t := range pairs {
		keep(alone(factors, t, others))
	}
	return table
}

// mix adds a term unless nothing of it is in the estimate.
func (a *Alias) mix(term []string, weight float64) {
	if math.Abs(weight) <= tiny {
		return
	}
	if r := math.Round(weight); math.Abs(weight-r) <= tiny {
		weight = r
	}
	a.With, a.Weights = append(a.With, term), append(a.Weights, weight)
}

// alone regresses every other term on t by itself.
func alone(factors []string, t column, others []column) Alias {
	a := Alias{Term: names(factors, t.term)}
	for _, o := range others {
		if !slices.Equal(o.term, t.term) {
			a.mix(names(factors, o.term), dot(t.values, o.values)/t.square)
		}
	}
	return a
}

// regress is the matrix of least-squares coefficients of the others on all main effects together; nil if main
// effects depend on one another.
func regress(mains, others []column) *mat.Dense {
	if len(mains) == 0 {
		return &mat.Dense{}
	}
	gram := mat.NewSymDense(len(mains), nil)
	for i := range mains {
		for j := i; j < len(mains); j++ {
			gram.SetSym(i, j, dot(mains[i].values, mains[j].values))
		}
	}
	var chol mat.Cholesky
	if !chol.Factorize(gram) || chol.Cond() > 1/tiny {
		return nil
	}
	if len(others) == 0 {
		return &mat.Dense{}
	}
	cross := mat.NewDense(len(mains), len(others), nil)
	for i := range mains {
		for j := range others {
			cross.Set(i, j, dot(mains[i].values, others[j].values))
		}
	}
	var out mat.Dense
	if err := chol.SolveTo(&out, cross); err != nil {
		return nil
	}
	return &out
}

// terms makes the columns of all terms of a given order. One that never changes is left out, and one that is what
// a lower term of the same factors is, but for its sign: that interaction does not exist.
func terms(rows [][]float64, factors, order int, lower []column) []column {
	var out []column
	subsets(factors, order, func(term []int) {
		c := column{term: slices.Clone(term), values: make([]float64, len(rows))}
		mean := 0.0
		for r, row := range rows {
			v := 1.0
			for _, f := range term {
				v *= row[f]
			}
			c.values[r] = v
			mean += v / float64(len(rows))
		}
		for r := range c.values {
			c.values[r] -= mean
		}
		c.square = dot(c.values, c.values)
		if c.square <= tiny*float64(len(rows)) || slices.ContainsFunc(lower, func(l column) bool { return c.within(l) }) {
			return
		}
		out = append(out, c)
	})
	return out
}

// within says that the column is that of a term of some of its own factors, up to the sign.
func (c column) within(l column) bool {
	if slices.ContainsFunc(l.term, func(f int) bool { return !slices.Contains(c.term, f) }) {
		return false
	}
	d := dot(c.values, l.values)
	return d*d >= (1-tiny)*c.square*l.square
}

// subsets visits the subsets of 0..n-1 of one size, in lexical order.
func subsets(n, size int, visit func([]int)) {
	set := make([]int, 0, size)
	var grow func(from int)
	grow = func(from int) {
		if len(set) == size {
			visit(set)
			return
		}
		for i := from; i < n; i++ {
			set = append(set, i)
			grow(i + 1)
			set = set[:len(set)-1]
		}
	}
	grow(0)
}

func names(factors []string, term []int) []string {
	out := make([]string, len(term))
	for i, f := range term {
		out[i] = factors[f]
	}
	return out
}

func dot(a, b []float64) float64 {
	s := 0.0
	for i := range a {
		s += a[i] * b[i]
	}
	return s
}

// termName writes a term for people: "mosaic × mixup".
func termName(term []string) string { return strings.Join(term, " × ") }
