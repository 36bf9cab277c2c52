package layers

import (
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
)

// MaxPool is the maximum over Kernel x Kernel pixels; pixels outside the image do not count. The window's centre stands
// at every Stride-th pixel, so that extents are divided by the stride and rounded up. The gradient goes to the first
// maximum in row order. NaN is larger than everything, and of several the last one counts, as in PyTorch.
type MaxPool struct {
	graph.Base
	Kernel, Stride int
}

// Kind returns "maxpool".
func (*MaxPool) Kind() string { return "maxpool" }

// Pool adds the 5x5 maximum of x with stride 1.
func Pool(b *graph.Builder, name string, x *graph.Tensor) *graph.Tensor {
	return pool(b, name, x, 5, 1)
}

// PoolDown adds the 3x3 maximum of x with stride 2.
func PoolDown(b *graph.Builder, name string, x *graph.Tensor) *graph.Tensor {
	return pool(b, name, x, 3, 2)
}

func pool(b *graph.Builder, name string, x *graph.Tensor, kernel, stride int) *graph.Tensor {
	if x.Image {
		b.Fail(fmt.Errorf("maxpool %s: reads the image", name))
	}
	out := b.Segmented(name, x.Segments, (x.H-1)/stride+1, (x.W-1)/stride+1)
	return b.Apply(&MaxPool{Base: graph.Base{In: []*graph.Tensor{x}, Out: out}, Kernel: kernel, Stride: stride})
}

// Plan sends one contribution to the input.
func (o *MaxPool) Plan(p *graph.Planner) error {
	o.Gaps = p.Complete(o.Out)
	o.Sends = []graph.Contribution{p.Contribute(o.In[0])}
	return nil
}
