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
	size := graph.Block
	if n < 1 || x.C%(n*graph.Block) != 0 {
		b.Fail(fmt.Errorf("split %s: %d channels into %d parts: every part must be a multiple of %d", x.Name, x.C, n, graph.Block))
		n = max(n, 1)
	} else {
		size = x.C / n
	}
	parts := make([]*graph.Tensor, n)
	for i := range parts {
		out := b.Part(fmt.Sprintf("%s.%d", x.Name, i), x, i*size/graph.Block, size)
		parts[i] = b.Apply(&Part{graph.Base{In: []*graph.Tensor{x}, Out: out}})
	}
	return parts
}

// Plan completes the part's gradient, which is a piece of its parent's.
func (o *Part) Plan(p *graph.Planner) error {
	o.Gaps = p.Complete(o.Out)
	return nil
}
