package layers

import (
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
)

// Fuse is the sum of tensors of equal depth, each brought to the last one's extent by nearest neighbour: output pixel i
// of n takes input pixel floor(i m / n) of m, computed in float32 as PyTorch does.
type Fuse struct{ graph.Base }

// Kind returns "fuse".
func (*Fuse) Kind() string { return "fuse" }

// Merge adds the sum of xs at the extent of the last one.
func Merge(b *graph.Builder, name string, xs ...*graph.Tensor) *graph.Tensor {
	if len(xs) == 0 {
		b.Fail(fmt.Errorf("fuse %s: no inputs", name))
		return b.Tensor(name, graph.Block, 1, 1)
	}
	last := xs[len(xs)-1]
	o := &Fuse{Base: graph.Base{Out: b.Segmented(name, last.Segments, last.H, last.W)}}
	for _, x := range xs {
		if x.C != last.C || x.Image {
			b.Fail(fmt.Errorf("fuse %s: %s has %d channels, %s %d: equal numbers are needed, and no image", name, x.Name, x.C, last.Name, last.C))
		}
		o.In = append(o.In, as(b, x, last.Segments))
	}
	return b.Apply(o)
}

// Plan gives the output's gradient as it stands to the last input of the output's extent to which nobody wrote yet, and
// sends contributions to the others.
func (o *Fuse) Plan(p *graph.Planner) error {
	o.Gaps = p.Complete(o.Out)
	placed := -1
	for i := len(o.In) - 1; i >= 0 && placed < 0; i-- {
		if x := o.In[i]; x.Shape == o.Out.Shape && once(o.In, x) && p.PlaceGrad(x, o.Out, 0) {
			placed = i
		}
	}
	for i, x := range o.In {
		if i != placed {
			o.Sends = append(o.Sends, p.Contribute(x))
		}
	}
	return nil
}

// once tells whether x stands once in the list.
func once(xs []*graph.Tensor, x *graph.Tensor) bool {
	n := 0
	for _, y := range xs {
		if x == y {
			n++
		}
	}
	return n == 1
}
