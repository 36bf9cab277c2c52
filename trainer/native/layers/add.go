package layers

import (
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
)

// Add is the sum of two tensors of equal shape.
type Add struct{ graph.Base }

// Kind returns "add".
func (*Add) Kind() string { return "add" }

// Sum adds the sum of x and y, which may be the same tensor.
func Sum(b *graph.Builder, name string, x, y *graph.Tensor) *graph.Tensor {
	if x.Shape != y.Shape || x.Image || y.Image {
		b.Fail(fmt.Errorf("add %s: %s is %v, %s %v: equal shapes are needed, and no image", name, x.Name, x.Shape, y.Name, y.Shape))
	}
	y = as(b, y, x.Segments)
	return b.Apply(&Add{graph.Base{In: []*graph.Tensor{x, y}, Out: b.Segmented(name, x.Segments, x.H, x.W)}})
}

// Plan gives the output's gradient to one input as it stands, if nobody wrote to that input yet, and copies it to
// the other.
func (o *Add) Plan(p *graph.Planner) error {
	o.Gaps = p.Complete(o.Out)
	placed := -1
	if o.In[0] != o.In[1] {
		for i := len(o.In) - 1; i >= 0 && placed < 0; i-- {
			if p.PlaceGrad(o.In[i], o.Out, 0) {
				placed = i
			}
		}
	}
	for i, x := range o.In {
		if i != placed {
			o.Sends = append(o.Sends, p.Contribute(x))
		}
	}
	return nil
}
