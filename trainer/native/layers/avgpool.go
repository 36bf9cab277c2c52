package layers

import (
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
)

// AvgPool is the mean of 2x2 pixels with stride 1 and without padding: each extent shrinks by one.
type AvgPool struct{ graph.Base }

// Kind returns "avgpool".
func (*AvgPool) Kind() string { return "avgpool" }

// Average adds the 2x2 mean of x, which has at least 2x2 pixels. A 3x3 convolution with stride 2 that follows halves the
// original extent, rounded down.
func Average(b *graph.Builder, name string, x *graph.Tensor) *graph.Tensor {
	if x.Image || x.H < 2 || x.W < 2 {
		b.Fail(fmt.Errorf("avgpool %s: of %s with %d x %d pixels: at least 2 x 2 are needed, and no image", name, x.Name, x.W, x.H))
	}
	return b.Apply(&AvgPool{graph.Base{In: []*graph.Tensor{x}, Out: b.Segmented(name, x.Segments, x.H-1, x.W-1)}})
}

// Plan sends one contribution to the input.
func (o *AvgPool) Plan(p *graph.Planner) error {
	o.Gaps = p.Complete(o.Out)
	o.Sends = []graph.Contribution{p.Contribute(o.In[0])}
	return nil
}
