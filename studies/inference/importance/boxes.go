package importance

import (
	"math"
	"slices"
	"sort"
)

// boxes are the leaves of a tree as boxes of the unit cube, and the cuts between them.
type boxes struct {
	dims   []dim
	cuts   [][]float64 // of a number: 0, thresholds, 1; nil for choices
	leaves []box
	mean   float64 // over the cube
	total  float64 // variance over the cube
}

// box is one leaf. A side is, of a number, the range low to high of its cuts; of a choice, a mask.
type box struct {
	sides []side
	value float64
	size  float64 // volume
}

type side struct {
	low, high int
	mask      uint64
	length    float64 // 0..1
}

func newBoxes(t tree, dims []dim) *boxes {
	b := &boxes{dims: dims, cuts: make([][]float64, len(dims))}
	for d := range dims {
		if dims[d].choices == 0 {
			b.cuts[d] = append(b.cuts[d], 0, 1)
		}
	}
	for _, n := range t {
		if n.feature >= 0 && dims[n.feature].choices == 0 {
			b.cuts[n.feature] = append(b.cuts[n.feature], n.threshold)
		}
	}
	for d := range b.cuts {
		slices.Sort(b.cuts[d])
		b.cuts[d] = slices.Compact(b.cuts[d])
	}
	whole := make([]side, len(dims))
	for d := range dims {
		whole[d] = side{high: len(b.cuts[d]) - 1, length: 1}
		if n := dims[d].choices; n > 0 {
			whole[d] = side{mask: ^uint64(0) >> (64 - n), length: 1}
		}
	}
	b.descend(t, 0, whole)
	b.sum()
	return b
}

// descend collects the leaves below a node; sides is the node's own box.
func (b *boxes) descend(t tree, at int, sides []side) {
	n := t[at]
	if n.feature < 0 {
		leaf := box{sides: sides, value: n.value, size: 1}
		for _, s := range sides {
			leaf.size *= s.length
		}
		b.leaves = append(b.leaves, leaf)
		return
	}
	low, high := slices.Clone(sides), slices.Clone(sides)
	l, h := &low[n.feature], &high[n.feature]
	if k := b.dims[n.feature].choices; k > 0 {
		l.mask &= n.mask
		h.mask &^= n.mask
		l.length, h.length = float64(members(l.mask))/float64(k), float64(members(h.mask))/float64(k)
	} else {
		cuts := b.cuts[n.feature]
		at := sort.SearchFloat64s(cuts, n.threshold)
		l.high, h.low = at, at
		l.length, h.length = cuts[at]-cuts[l.low], cuts[h.high]-cuts[at]
	}
	b.descend(t, n.low, low)
	b.descend(t, n.high, high)
}

func (b *boxes) sum() {
	weight := 0.0
	for _, l := range b.leaves {
		weight += l.size
		b.mean += l.size * l.value
	}
	b.mean /= weight
	for _, l := range b.leaves {
		b.total += l.size * (l.value - b.mean) * (l.value - b.mean)
	}
	b.total /= weight
}

// cells is the number of pieces of dimension d on which the tree is constant.
func (b *boxes) cells(d int) int {
	if n := b.dims[d].choices; n > 0 {
		return n
	}
	return len(b.cuts[d]) - 1
}

// length is the width of a cell, 0..1.
func (b *boxes) length(d, cell int) float64 {
	if n := b.dims[d].choices; n > 0 {
		return 1 / float64(n)
	}
	return b.cuts[d][cell+1] - b.cuts[d][cell]
}

// marginal is the tree's mean over all other dimensions, less its mean, by cell of dimension d.
func (b *boxes) marginal(d int) []float64 {
	m := make([]float64, b.cells(d)+1)
	for i := range b.leaves {
		l := &b.leaves[i]
		s := &l.sides[d]
		if s.length == 0 {
			continue
		}
		b.put(d, s, func(at int, sign float64) { m[at] += sign * (l.value - b.mean) * l.size / s.length })
	}
	b.settle(d, m, 1)
	return m[:len(m)-1]
}

// put visits where a side starts (+1) and ends (-1); of a choice, each of its members.
func (b *boxes) put(d int, s *side, visit func(at int, sign float64)) {
	if b.dims[d].choices == 0 {
		visit(s.low, 1)
		visit(s.high, -1)
		return
	}
	for k := range b.dims[d].choices {
		if s.mask>>k&1 == 1 {
			visit(k, 1)
		}
	}
}

// settle turns starts and ends along dimension d into values: m holds numbers that lie stride apart.
func (b *boxes) settle(d int, m []float64, stride int) {
	if b.dims[d].choices > 0 {
		return
	}
	for i := stride; i < len(m); i += stride {
		m[i] += m[i-stride]
	}
}

// variance of a marginal.
func (b *boxes) variance(d int, m []float64) float64 {
	v := 0.0
	for k, x := range m {
		v += b.length(d, k) * x * x
	}
	return v
}

// together is the variance of the marginal of two dimensions less those of each alone, which are v and w. It is never
// below 0. scratch is reused between calls.
func (b *boxes) together(d, e int, v, w float64, scratch *[]float64) float64 {
	rows, cols := b.cells(d)+1, b.cells(e)+1
	if cap(*scratch) < rows*cols {
		*scratch = make([]float64, rows*cols)
	}
	m := (*scratch)[:rows*cols]
	clear(m)
	for i := range b.leaves {
		l := &b.leaves[i]
		s, t := &l.sides[d], &l.sides[e]
		area := s.length * t.length
		if area == 0 {
			continue
		}
		x := (l.value - b.mean) * l.size / area
		b.put(d, s, func(r int, p float64) {
			b.put(e, t, func(c int, q float64) { m[r*cols+c] += p * q * x })
		})
	}
	for r := range rows {
		b.settle(e, m[r*cols:(r+1)*cols], 1)
	}
	if b.dims[d].choices == 0 {
		for i := cols; i < len(m); i++ {
			m[i] += m[i-cols]
		}
	}
	both := 0.0
	for r := range rows - 1 {
		row := 0.0
		for c := range cols - 1 {
			row += b.length(e, c) * m[r*cols+c] * m[r*cols+c]
		}
		both += b.length(d, r) * row
	}
	return math.Max(0, both-v-w)
}
