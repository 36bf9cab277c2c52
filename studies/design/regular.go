package design

import (
	"cmp"
	"math/bits"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/studies"
)

// regular is a regular fraction of the two-level factorial of k factors in 2^p runs. Factor f's coded level is
// sign[f] times the product of the basic columns that are set in cols[f]; basic column i is -1 or 1 as bit i of the
// run's number is 0 or 1. The bit folded, if it is not 0, is the column that is 1 in the first half of the runs and -1
// in the second, in which every factor is turned.
type regular struct {
	cols   []uint32
	sign   []int
	folded uint32
	p      int // of runs, fold-over included
}

// fraction lays out a fractional factorial by given generators, or by the catalogue.
func fraction(factors []studies.Factor, l studies.Layout) (regular, []studies.Generator, error) {
	p, err := studies.FractionExponent(factors, l)
	if err != nil {
		return regular{}, nil, err
	}
	gs, err := studies.Generators(factors, l.Generators)
	if err != nil {
		return regular{}, nil, err
	}
	if len(l.Generators) == 0 {
		gs = seated(factors, p)
	}
	r := newRegular(len(factors), gs)
	if l.FoldOver {
		r.fold()
	}
	return r, gs, nil
}

// newRegular gives the factors that are not generated a basic column each.
func newRegular(k int, gs []studies.Generator) regular {
	r := regular{cols: make([]uint32, k), sign: make([]int, k), p: k - len(gs)}
	for _, g := range gs {
		r.sign[g.Factor] = 1
		if g.Negative {
			r.sign[g.Factor] = -1
		}
	}
	basic := 0
	for f := range k {
		if r.sign[f] == 0 {
			r.cols[f], r.sign[f] = 1<<basic, 1
			basic++
		}
	}
	for _, g := range gs {
		for _, f := range g.Of {
			r.cols[g.Factor] ^= r.cols[f]
		}
	}
	return r
}

// fold adds every run once more with all factors turned.
func (r *regular) fold() {
	r.folded = 1 << r.p
	r.p++
	for f := range r.cols {
		r.cols[f] |= r.folded
	}
}

// rows are the runs, a coded level per factor, in standard order.
func (r regular) rows() [][]float64 {
	rows := make([][]float64, 1<<r.p)
	for i := range rows {
		rows[i] = make([]float64, len(r.cols))
		for f, c := range r.cols {
			v := r.sign[f]
			if bits.OnesCount32(c&^r.folded&^uint32(i))%2 == 1 {
				v = -v
			}
			if uint32(i)&r.folded&c != 0 {
				v = -v
			}
			rows[i][f] = float64(v)
		}
	}
	return rows
}

// word is a set of factors whose product is the same in all runs.
type word struct {
	factors uint32 // bits
	sign    int
}

func (w word) length() int { return bits.OnesCount32(w.factors) }

// String writes a word as the sides of a defining relation: "-ABCE".
func (w word) String() string {
	var b strings.Builder
	if w.sign < 0 {
		b.WriteByte('-')
	}
	for f := range studies.MostLetters {
		if w.factors>>f&1 == 1 {
			b.WriteString(studies.Letter(f))
		}
	}
	return b.String()
}

// independent finds words from which all others follow, by elimination over the columns.
func (r regular) independent() []word {
	type pivot struct {
		col  uint32
		word uint32
	}
	var pivots []pivot
	var out []word
	for f, c := range r.cols {
		w := uint32(1) << f
		for _, p := range pivots {
			if c&(1<<(bits.Len32(p.col)-1)) != 0 {
				c, w = c^p.col, w^p.word
			}
		}
		if c == 0 {
			out = append(out, r.signed(w))
			continue
		}
		pivots = append(pivots, pivot{c, w})
		slices.SortFunc(pivots, func(a, b pivot) int { return cmp.Compare(b.col, a.col) })
	}
	return out
}

func (r regular) signed(factors uint32) word {
	w := word{factors, 1}
	for f, s := range r.sign {
		if factors>>f&1 == 1 {
			w.sign *= s
		}
	}
	return w
}

// each visits the words of the defining relation, in no order that means anything.
func (r regular) each(visit func(factors uint32)) (all int) {
	base := r.independent()
	sum := uint32(0)
	for i := uint32(1); i < 1<<len(base); i++ { // in the order of a Gray code
		sum ^= base[bits.TrailingZeros32(i)].factors
		visit(sum)
	}
	return 1<<len(base) - 1
}

// relation is the defining relation: its words by length and then by letters. Of many only the shortest are given: at
// least so many as asked for, and no length in part.
func (r regular) relation(least int) (words []word, all int) {
	var lengths [33]int
	all = r.each(func(factors uint32) { lengths[bits.OnesCount32(factors)]++ })
	longest := 0
	for n := 0; n < least && longest < len(lengths)-1; n += lengths[longest] {
		longest++
	}
	r.each(func(factors uint32) {
		if bits.OnesCount32(factors) <= longest {
			words = append(words, r.signed(factors))
		}
	})
	slices.SortFunc(words, func(a, b word) int {
		return cmp.Or(cmp.Compare(a.length(), b.length()), cmp.Compare(bits.Reverse32(b.factors), bits.Reverse32(a.factors)))
	})
	return words, all
}

// aliases is the alias table from the defining relation: terms with the same column cannot be told apart.
// Columns are products of basic ones, so that none are aliased in part.
func (r regular) aliases(factors []string, order int) []Alias {
	type effect struct {
		term []int
		sign int
	}
	alike := map[uint32][]effect{}
	var all []effect
	col := func(term []int) (c uint32, sign int) {
		sign = 1
		for _, f := range term {
			c, sign = c^r.cols[f], sign*r.sign[f]
		}
		return c, sign
	}
	for n := 1; n <= order; n++ {
		subsets(len(factors), n, func(term []int) {
			c, sign := col(term)
			e := effect{slices.Clone(term), sign}
			alike[c] = append(alike[c], e)
			if n <= 2 {
				all = append(all, e)
			}
		})
	}
	var table []Alias
	for _, e := range all {
		c, _ := col(e.term)
		a := Alias{Term: names(factors, e.term)}
		for _, o := range alike[c] {
			if !slices.Equal(o.term, e.term) {
				a.mix(names(factors, o.term), float64(e.sign*o.sign))
			}
		}
		if len(a.With) > 0 {
			table = append(table, a)
		}
	}
	return table
}
