package inference

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"
)

// group puts columns that are the same but for their sign under the first of them, and chooses the columns of the fit:
// all that are left if they are independent; else the main effects, and of the interactions those that no dependence
// touches. What stays out is noted with the bias that it would bring.
func (m *model) group() {
	var own []int // one per group
	for j := range m.columns {
		at := slices.IndexFunc(own, func(i int) bool { return m.alike(i, j) })
		if at >= 0 {
			m.columns[own[at]].alias = append(m.columns[own[at]].alias, j)
			continue
		}
		own = append(own, j)
	}
	if m.rank(own) == len(own) {
		m.chosen = own
		return
	}
	touched := m.touched(own)
	var b basis
	var out []int
	for _, j := range own { // main effects come first
		main := len(m.columns[j].factors) == 1
		switch {
		case (main || !touched[j]) && b.extend(m.columns[j].x):
			m.chosen = append(m.chosen, j)
		case main:
			m.note("%s is left out: these points cannot tell it from the other main effects.", m.label(j))
		default:
			out = append(out, j)
		}
	}
	m.leave(out)
}

// basis is an orthonormal one of the columns that extended it (Gram and Schmidt, twice over for rounding).
type basis [][]float64

// extend adds what is new in x; it says whether there is anything.
func (b *basis) extend(x []float64) bool {
	r, length := slices.Clone(x), norm(x)
	for range 2 {
		for _, q := range *b {
			w := dot(q, r)
			for i := range r {
				r[i] -= w * q[i]
			}
		}
	}
	left := norm(r)
	if left*left <= zero*length*length {
		return false
	}
	for i := range r {
		r[i] /= left
	}
	*b = append(*b, r)
	return true
}

// alike says that two columns are the same but for their sign.
func (m *model) alike(i, j int) bool {
	a, b := m.columns[i], m.columns[j]
	return math.Abs(math.Abs(dot(a.x, b.x))/(a.length*b.length)-1) < zero
}

// scaled are columns of length 1, n x p.
func (m *model) scaled(cols []int) *mat.Dense {
	z := mat.NewDense(len(m.obs), len(cols), nil)
	for k, j := range cols {
		for i, v := range m.columns[j].x {
			z.Set(i, k, v/m.columns[j].length)
		}
	}
	return z
}

// spectrum is the eigendecomposition of the correlations of columns, rising.
func (m *model) spectrum(cols []int) (values []float64, vectors *mat.Dense) {
	z := m.scaled(cols)
	var gram mat.SymDense
	gram.SymOuterK(1, z.T())
	var e mat.EigenSym
	if !e.Factorize(&gram, true) {
		return nil, nil
	}
	vectors = new(mat.Dense)
	e.VectorsTo(vectors)
	return e.Values(nil), vectors
}

func (m *model) rank(cols []int) int {
	values, _ := m.spectrum(cols)
	n := 0
	for _, v := range values {
		if v > zero {
			n++
		}
	}
	return n
}

// touched are the columns that take part in a linear dependence.
func (m *model) touched(cols []int) map[int]bool {
	values, vectors := m.spectrum(cols)
	out := map[int]bool{}
	for k, v := range values {
		for i, j := range cols {
			if v <= zero && math.Abs(vectors.At(i, k)) > math.Sqrt(zero) {
				out[j] = true
			}
		}
	}
	return out
}

// leave notes interactions that stay out of the fit, and how much each would bias what is in it: the alias matrix
// (X'X)^-1 X'Z of the fit's columns X and an interaction's Z.
func (m *model) leave(out []int) {
	if len(out) == 0 || len(m.chosen) == 0 {
		return
	}
	var names []string
	qr, _ := m.qr()
	for _, j := range out {
		names = append(names, m.label(j))
		var bias mat.VecDense
		if qr.SolveVecTo(&bias, false, mat.NewVecDense(len(m.obs), m.columns[j].x)) != nil {
			continue
		}
		for k, i := range m.chosen {
			w := bias.AtVec(k) * m.size(i) / m.size(j) // both as estimates
			if math.Abs(w) > math.Sqrt(zero) {
				m.columns[i].partial = append(m.columns[i].partial, weight{j, w})
			}
		}
	}
	for _, i := range m.chosen {
		slices.SortStableFunc(m.columns[i].partial, func(a, b weight) int { return cmp.Compare(math.Abs(b.w), math.Abs(a.w)) })
	}
	which := strings.Join(names, ", ")
	if len(names) > 6 {
		which = strings.Join(names[:5], ", ") + " and " + counted(len(names)-5, "other")
	}
	m.note("These points cannot estimate %s. Main effects are read as if there were no such interactions.", which)
}

// size turns a coefficient into the estimate: an interaction's is half a difference of differences.
func (m *model) size(j int) float64 { return 1 / float64(len(m.columns[j].factors)) }

// qr factorizes the columns of the fit as they are.
func (m *model) qr() (*mat.QR, *mat.Dense) {
	z := mat.NewDense(len(m.obs), len(m.chosen), nil)
	for k, j := range m.chosen {
		z.SetCol(k, m.columns[j].x)
	}
	var qr mat.QR
	qr.Factorize(z)
	return &qr, z
}

// fit solves least squares.
func (m *model) fit() error {
	if len(m.chosen) == 0 {
		return Nothing("the points that have scores cannot tell any two factors apart")
	}
	qr, _ := m.qr()
	var b mat.VecDense
	if err := qr.SolveVecTo(&b, false, mat.NewVecDense(len(m.y), m.y)); err != nil {
		return Nothing("the points that have scores are too few for the main effects")
	}
	var r, inverse mat.Dense
	qr.RTo(&r)
	p := len(m.chosen)
	if err := inverse.Inverse(r.Slice(0, p, 0, p)); err != nil {
		return Nothing("the points that have scores are too few for the main effects")
	}
	m.coef, m.unit = make([]float64, p), make([]float64, p)
	for k := range p {
		m.coef[k] = b.AtVec(k)
		m.unit[k] = norm(mat.Row(nil, k, &inverse))
	}
	return nil
}

// terms are what the fit says, without tests.
func (m *model) terms() []Term {
	var ts []Term
	for k, j := range m.chosen {
		c := m.columns[j]
		t := Term{Factors: m.names(j), Levels: m.goals(j), Label: m.label(j), Estimate: m.coef[k] * m.size(j), Cells: m.means(j)}
		for _, a := range c.alias {
			t.Aliases = append(t.Aliases, m.names(a))
		}
		for _, w := range c.partial {
			t.Partial = append(t.Partial, Partial{m.names(w.column), m.label(w.column), w.w})
		}
		t.Clear = len(t.Aliases) == 0 && len(t.Partial) == 0
		ts = append(ts, t)
	}
	return ts
}

func (m *model) names(j int) []string {
	var out []string
	for _, f := range m.columns[j].factors {
		out = append(out, m.settings[f].Name)
	}
	return out
}

func (m *model) goals(j int) []string {
	var out []string
	for i, f := range m.columns[j].factors {
		out = append(out, m.settings[f].Levels[m.columns[j].levels[i]])
	}
	return out
}

// label names a term: "mosaic 1 → 0", "mosaic × mixup", "mosaic × lr0 (0.02 → 0.005)" where a factor has several steps.
func (m *model) label(j int) string {
	c := m.columns[j]
	if len(c.factors) == 1 {
		f := c.factors[0]
		return m.settings[f].Name + " " + m.change(f, c.levels[0])
	}
	var parts []string
	for i, f := range c.factors {
		p := m.settings[f].Name
		if len(m.steps(f)) > 1 {
			p += " (" + m.change(f, c.levels[i]) + ")"
		}
		parts = append(parts, p)
	}
	return strings.Join(parts, " × ")
}

func (m *model) change(f, level int) string {
	ls := m.settings[f].Levels
	return ls[m.origin(f)] + " → " + ls[level]
}

// means are the cells behind a term: its origin and goal, of both factors in an interaction.
func (m *model) means(j int) []Cell {
	c := m.columns[j]
	combos := [][]int{{}}
	for i, f := range c.factors {
		var next [][]int
		for _, head := range combos {
			for _, l := range []int{m.origin(f), c.levels[i]} {
				next = append(next, append(slices.Clone(head), l))
			}
		}
		combos = next
	}
	var out []Cell
	for _, ls := range combos {
		out = append(out, m.mean(c.factors, ls))
	}
	return out
}

func (m *model) mean(factors, levels []int) Cell {
	cell := Cell{Mean: math.NaN()}
	for i, f := range factors {
		cell.Levels = append(cell.Levels, m.settings[f].Levels[levels[i]])
	}
	sum := 0.0
	for i, o := range m.obs {
		hit := true
		for k, f := range factors {
			hit = hit && o.levels[f] == levels[k]
		}
		if hit {
			cell.N++
			sum += m.raw[i]
		}
	}
	if cell.N > 0 {
		cell.Mean = sum / float64(cell.N)
	}
	return cell
}
