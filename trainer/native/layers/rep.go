package layers

import (
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
)

// Rep is a convolution with two arms that inference can melt into one: the sum of a 3x3 and a 1x1 convolution of the same
// input, each with its own batch normalisation, followed by SiLU. There is no arm without weights.
//
// Parameters are weight, scale and shift of the 3x3 arm and then those of the 1x1 arm; statistics likewise, two each.
type Rep struct {
	graph.Base
	Name string
}

// Kind returns "rep".
func (*Rep) Kind() string { return "rep" }

// MultiplyAdds is the number of multiply-adds of one forward pass for one image in training, where both arms run.
func (o *Rep) MultiplyAdds() int64 {
	x, y := o.In[0], o.Out
	return int64(10*x.C) * int64(y.C*y.H*y.W)
}

// RepConv adds such a convolution of x. The form's Channels, Segments and Torch count; kernel, stride and groups are
// always 3, 1 and 1. The arms are named NAME.conv1 (3x3) and NAME.conv2 (1x1).
func RepConv(b *graph.Builder, name string, x *graph.Tensor, f Form) *graph.Tensor {
	if x.Image || f.Stride > 1 || f.Groups > 1 || f.Linear {
		b.Fail(fmt.Errorf("rep %s: only stride 1, one group and SiLU exist, and no image as input", name))
	}
	f = Form{Channels: f.Channels, Segments: f.Segments, Torch: f.Torch}
	point := newConv(b, name, x, f) // for its checks and shapes
	o := &Rep{Base: graph.Base{In: point.In, Out: point.Out}, Name: name}
	for i, kernel := range []int{3, 1} {
		arm := fmt.Sprintf("%s.conv%d", name, i+1)
		w := *point.Learn[0]
		w.Name, w.Shape = arm+".weight", []int{w.Shape[0], w.Shape[1], kernel, kernel}
		learn, run := normalised(b, arm, o.Out, &w, f.Torch)
		o.Learn, o.Run = append(o.Learn, learn...), append(o.Run, run...)
	}
	return b.Apply(o)
}

// Plan sends one contribution to the input, which both arms make. The backward kernel destroys the output's gradient.
func (o *Rep) Plan(p *graph.Planner) error {
	o.Gaps = p.Complete(o.Out)
	o.Sends = []graph.Contribution{p.Contribute(o.In[0])}
	return nil
}
