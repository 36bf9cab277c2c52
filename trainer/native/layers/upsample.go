package layers

import (
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
)

// Upsample doubles height and width by repeating pixels.
type Upsample struct{ graph.Base }

// Kind returns "upsample".
func (*Upsample) Kind() string { return "upsample" }

// Double adds x at twice the height and width, by nearest neighbour.
func Double(b *graph.Builder, name string, x *graph.Tensor) *graph.Tensor {
	if x.Image {
		b.Fail(fmt.Errorf("upsample %s: reads the image", name))
	}
	return b.Apply(&Upsample{graph.Base{In: []*graph.Tensor{x}, Out: b.Segmented(name, x.Segments, 2*x.H, 2*x.W)}})
}

// Plan sends one contribution to the input.
func (o *Upsample) Plan(p *graph.Planner) error {
	o.Gaps = p.Complete(o.Out)
	o.Sends = []graph.Contribution{p.Contribute(o.In[0])}
	return nil
}
