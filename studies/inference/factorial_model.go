package inference

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// Legend: n trials with a score, p columns. A column is centred within every block, which takes the mean and the seeds
// out of the model (Frisch and Waugh 1933). A factor of L levels has for each level k but the baseline's a column
// [level = k] - 1/L, and zeros where the factor does not matter; its coefficient is the mean at k minus that at
// the baseline. An interaction's column is the product; its coefficient is a difference of differences.

// zero is the relative size under which a number counts as zero in the algebra of columns.
const zero = 1e-9

// mostColumns bounds the algebra: with more contrasts than that, interactions are left out.
const mostColumns = 400

// model is a factorial before and after the fit.
type model struct {
	settings []Setting
	obs      []observation
	y        []float64 // centred within blocks
	raw      []float64
	cells    int     // different points with a score
	blocks   int     // seeds with a score
	present  [][]int // by factor: levels that occur
	columns  []column
	chosen   []int // columns of the fit, in order
	coef     []float64
	unit     []float64 // standard error of coef for a residual of 1
	notes    []string
}

// observation is a trial with a score.
type observation struct {
	levels      []int
	cell, block int
}

// column is a candidate term.
type column struct {
	factors []int
	levels  []int     // that it goes to
	x       []float64 // n, centred within blocks
	length  float64   // of x
	alias   []int     // columns that are the alike but for their sign
	partial []weight  // columns outside the fit that lean on it
}

type weight struct {
	column int
	w      float64
}

func newModel(settings []Setting, runs []Run) (*model, error) {
	m := &model{settings: settings}
	cells, blocks := map[string]int{}, map[int]int{}
	for _, r := range runs {
		for _, s := range slices.Sorted(maps.Keys(r.Scores)) {
			if !isFinite(r.Scores[s]) {
				continue
			}
			c := enumerate(cells, fmt.Sprint(r.Levels))
			m.obs = append(m.obs, observation{r.Levels, c, enumerate(blocks, s)})
			m.raw = append(m.raw, r.Scores[s])
		}
	}
	m.cells, m.blocks = len(cells), len(blocks)
	switch {
	case len(m.obs) == 0:
		return nil, Nothing("no trial of the design has a score")
	case m.cells == 1:
		return nil, Nothing("only one point of the design has a score: there is nothing to compare")
	}
	m.y = m.centred(m.raw)
	m.levels()
	m.mains()
	m.interactions()
	if len(m.columns) == 0 {
		return nil, Nothing("no factor has scores at two levels under the alike seed")
	}
	return m, nil
}

func enumerate[K comparable](m map[K]int, key K) int {
	i, ok := m[key]
	if !ok {
		i = len(m)
		m[key] = i
	}
	return i
}

// centred subtracts from x its mean in each block.
func (m *model) centred(x []float64) []float64 {
	return center(x, m.blocks, func(i int) int { return m.obs[i].block })
}

// center subtracts from x the mean of each of the groups.
func center(x []float64, groups int, group func(int) int) []float64 {
	sum, n := make([]float64, groups), make([]float64, groups)
	for i, v := range x {
		sum[group(i)] += v
		n[group(i)]++
	}
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = v - sum[group(i)]/n[group(i)]
	}
	return out
}

// levels finds the levels that have scores.
func (m *model) levels() {
	m.present = make([][]int, len(m.settings))
	for f, s := range m.settings {
		seen := map[int]bool{}
		for _, o := range m.obs {
			if l := o.levels[f]; l != Absent {
				seen[l] = true
			}
		}
		m.present[f] = slices.Sorted(maps.Keys(seen))
		switch {
		case len(seen) == 1 && len(s.Levels) > 1:
			m.note("%s has scores at one level only (%s): nothing can be said about it.", s.Name, s.Levels[m.present[f][0]])
		case len(seen) > 1 && len(seen) < len(s.Levels):
			m.note("%s has no scores at %s.", s.Name, strings.Join(m.missing(f), ", "))
		}
	}
}

func (m *model) missing(f int) []string {
	var out []string
	for l, name := range m.settings[f].Levels {
		if !slices.Contains(m.present[f], l) {
			out = append(out, name)
		}
	}
	return out
}

func (m *model) note(format string, args ...any) {
	m.notes = append(m.notes, fmt.Sprintf(format, args...))
}

// origin is the level that effects of a factor go from: the baseline's, or the first that has scores.
func (m *model) origin(f int) int {
	if b := m.settings[f].Baseline; slices.Contains(m.present[f], b) {
		return b
	}
	return m.present[f][0]
}

// steps are the levels that effects of a factor go to.
func (m *model) steps(f int) []int {
	if len(m.present[f]) < 2 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(m.present[f]), func(l int) bool { return l == m.origin(f) })
}

// plain is the column of a factor's step before centring.
func (m *model) plain(f, level int) []float64 {
	x := make([]float64, len(m.obs))
	for i, o := range m.obs {
		if o.levels[f] == Absent {
			continue
		}
		x[i] = -1 / float64(len(m.present[f]))
		if o.levels[f] == level {
			x[i]++
		}
	}
	return x
}

// add takes a candidate unless it is constant within every block.
func (m *model) add(factors, levels []int, plain []float64) bool {
	x := m.centred(plain)
	if dot(x, x) <= zero*zero*float64(len(x)) {
		return false
	}
	m.columns = append(m.columns, column{factors: factors, levels: levels, x: x, length: norm(x)})
	return true
}

func (m *model) mains() {
	for f := range m.settings {
		for _, l := range m.steps(f) {
			if !m.add([]int{f}, []int{l}, m.plain(f, l)) {
				m.note("%s cannot be told from the seeds.", m.settings[f].Name)
			}
		}
	}
}

// interactions adds all of two factors. A factor has none with one that it requires: where that is off it does not matter.
func (m *model) interactions() {
	n := len(m.columns)
	for f := range m.settings {
		for g := range f {
			n += len(m.steps(f)) * len(m.steps(g))
		}
	}
	if n > mostColumns {
		m.note("Interactions are left out: with these levels there would be %d contrasts.", n)
		return
	}
	for f := range m.settings {
		for g := f + 1; g < len(m.settings); g++ {
			if m.descends(f, g, len(m.settings)) || m.descends(g, f, len(m.settings)) {
				continue
			}
			for _, a := range m.steps(f) {
				for _, b := range m.steps(g) {
					m.add([]int{f, g}, []int{a, b}, times(m.plain(f, a), m.plain(g, b)))
				}
			}
		}
	}
}

// descends says that factor f requires g, itself or through others; depth ends circles.
func (m *model) descends(f, g, depth int) bool {
	for _, p := range m.settings[f].Parents {
		if p == g || depth > 0 && m.descends(p, g, depth-1) {
			return true
		}
	}
	return false
}

func dot(a, b []float64) float64 {
	s := 0.0
	for i := range a {
		s += a[i] * b[i]
	}
	return s
}

func times(a, b []float64) []float64 {
	out := make([]float64, len(a))
	for i := range a {
		out[i] = a[i] * b[i]
	}
	return out
}

func norm(a []float64) float64 { return math.Sqrt(dot(a, a)) }
