package layers

import (
	"errors"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
)

// Fused is a convolution of inference, y = f(conv(x) + bias) + add, f SiLU where Active: batch normalisation is folded
// into weights and bias. Its parameters are these two, NAME.weight and NAME.bias. What is added is the second input, of
// the output's shape and segments, if there is one.
type Fused struct {
	graph.Base
	Name           string
	Kernel, Stride int
	Groups         int
	Active         bool
}

// Kind returns "fused".
func (*Fused) Kind() string { return "fused" }

// MultiplyAdds is the number of multiply-adds for one image, padding of the border included.
func (c *Fused) MultiplyAdds() int64 {
	x, y := c.In[0], c.Out
	return int64(c.Kernel*c.Kernel*x.C/c.Groups) * int64(y.C*y.H*y.W)
}

// Folded adds such a convolution of x, without addition. Of the form Channels, Kernel, Stride, Groups and Segments count.
func Folded(b *graph.Builder, name string, x *graph.Tensor, f Form, active bool) *Fused {
	c := newConv(b, name, x, f)
	c.Learn = append(c.Learn, &graph.Param{Name: name + ".bias", Shape: []int{c.Out.C}, Group: graph.Bias, Out: c.Out.Segments})
	o := &Fused{Base: c.Base, Name: name, Kernel: c.Kernel, Stride: c.Stride, Groups: c.Groups, Active: active}
	b.Apply(o)
	return o
}

// Accept makes x the second input, if the output is x's equal in shape and segments. It must be called before anything
// reads the output.
func (c *Fused) Accept(x *graph.Tensor) bool {
	if len(c.In) > 1 || x.Image || x.Shape != c.Out.Shape || !x.Segments.Same(c.Out.Segments) {
		return false
	}
	c.In = append(c.In, x)
	return true
}

// Plan refuses: there is no way back.
func (*Fused) Plan(*graph.Planner) error {
	return errors.New("a convolution of inference has no gradient")
}
