package layers

import (
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
)

// Part is one part of a split tensor: a view, for data and gradient alike, that costs nothing.
type Part struct{ graph.Base }

// Kind returns "part".
func (*Part) Kind() string { return "part" }

// Split divides x into n parts of equal size along the channels. Parts that nobody reads are allowed.
func Split(b *graph.Builder, x *graph.Tensor, n int) []*graph.Tensor {
	if n < 1 || x.C%n != 0 {
		b.Fail(fmt.Errorf("split %s: %d channels into %d parts: they must be of equal size", x.Name, x.C, n))
		n = 1
	}
	sizes := make([]int, n)
	for i := range sizes {
		sizes[i] = x.C / n
	}
	return Cut(b, x, sizes...)
}

// Cut divides x into parts of the given numbers of channels, which add up to x's. Parts that nobody reads are allowed.
// Parts are views of x, or of a copy where x does not store them in whole blocks.
func Cut(b *graph.Builder, x *graph.Tensor, sizes ...int) []*graph.Tensor {
	parts := make([]*graph.Tensor, len(sizes))
	if got := graph.Segments(sizes).Channels(); got != x.C || x.Image {
		b.Fail(fmt.Errorf("split %s: %d channels into parts of %v: all of them must be used once, and no image", x.Name, x.C, sizes))
	}
	first, whole := 0, true
	for _, c := range sizes {
		_, _, ok := x.Segments.Cut(first, c)
		whole = whole && ok
		first += c
	}
	if !whole {
		x = as(b, x, sizes)
	}
	first = 0
	for i, c := range sizes {
		out := b.Part(fmt.Sprintf("%s.%d", x.Name, i), x, first, c)
		parts[i] = b.Apply(&Part{graph.Base{In: []*graph.Tensor{x}, Out: out}})
		first += c
	}
	return parts
}

// Plan completes the part's gradient, which is a piece of its parent's.
func (o *Part) Plan(p *graph.Planner) error {
	o.Gaps = p.Complete(o.Out)
	return nil
}
