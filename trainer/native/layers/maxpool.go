package layers

import (
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
)

// MaxPool is the maximum over 5x5 pixels with stride 1; pixels outside the image do not count.
type MaxPool struct{ graph.Base }

// Kind returns "maxpool".
func (*MaxPool) Kind() string { return "maxpool" }

// Pool adds the 5x5 maximum of x. The gradient goes to the first maximum in row order.
func Pool(b *graph.Builder, name string, x *graph.Tensor) *graph.Tensor {
	if x.Image {
		b.Fail(fmt.Errorf("maxpool %s: reads the image", name))
	}
	return b.Apply(&MaxPool{graph.Base{In: []*graph.Tensor{x}, Out: b.Tensor(name, x.C, x.H, x.W)}})
}

// Plan sends one contribution to the input.
func (o *MaxPool) Plan(p *graph.Planner) error {
	o.Gaps = p.Complete(o.Out)
	o.Sends = []graph.Contribution{p.Contribute(o.In[0])}
	return nil
}
