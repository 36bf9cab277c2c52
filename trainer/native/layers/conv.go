package layers

import (
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
)

// Constants of batch normalisation, as the YOLO family has them.
const (
	NormEps      = 1e-3
	NormMomentum = 0.03 // weight of the new batch in the running statistics
)

// Conv is a square convolution with zero padding of Kernel/2, followed by batch normalisation and SiLU (Norm), or
// with a bias and nothing else.
//
// With Norm the parameters are weight (OIHW), gamma and beta (O), and the statistics mean and var (O): the output is
// z sigmoid(z), z = gamma (y - mean) / sqrt(var + NormEps) + beta. In training mean and var are the batch's, with the
// biased variance; running statistics take the unbiased one. Without Norm they are weight and bias.
type Conv struct {
	graph.Base
	Name           string
	Kernel, Stride int
	Norm           bool
}

// Kind returns "conv" or "head".
func (c *Conv) Kind() string {
	if c.Norm {
		return "conv"
	}
	return "head"
}

// MultiplyAdds is the number of multiply-adds of one forward pass for one image, padding included.
func (c *Conv) MultiplyAdds() int64 {
	x, y := c.In[0], c.Out
	return int64(c.Kernel*c.Kernel*x.C) * int64(y.C*y.H*y.W)
}

// FanIn is the number of inputs of one output.
func (c *Conv) FanIn() int { return c.Kernel * c.Kernel * c.In[0].C }

// ConvBNSiLU adds a convolution of x to channels, with batch normalisation and SiLU. kernel is 1 or 3, stride 1 or 2
// (with kernel 3; extents are rounded up). channels is a multiple of [graph.Block].
func ConvBNSiLU(b *graph.Builder, name string, x *graph.Tensor, channels, kernel, stride int) *graph.Tensor {
	c := newConv(b, name, x, channels, kernel, stride)
	c.Norm = true
	if channels%graph.Block != 0 {
		b.Fail(fmt.Errorf("conv %s: %d output channels: a multiple of %d is needed", name, channels, graph.Block))
	}
	if o := c.Out; o.N*o.H*o.W < 2 {
		b.Fail(fmt.Errorf("conv %s: batch normalisation over one value: use a larger batch or image", name))
	}
	c.Learn = append(c.Learn,
		&graph.Param{Name: name + ".gamma", Shape: []int{channels}, Group: graph.Norm},
		&graph.Param{Name: name + ".beta", Shape: []int{channels}, Group: graph.Bias})
	c.Run = []*graph.Stat{
		{Name: name + ".mean", Channels: channels},
		{Name: name + ".var", Channels: channels, Initial: 1},
	}
	return b.Apply(c)
}

// HeadConv adds a 1x1 convolution of x to any number of channels, with bias and without activation.
func HeadConv(b *graph.Builder, name string, x *graph.Tensor, channels int) *graph.Tensor {
	c := newConv(b, name, x, channels, 1, 1)
	if x.Image {
		b.Fail(fmt.Errorf("head %s: reads the image", name))
	}
	c.Learn = append(c.Learn, &graph.Param{Name: name + ".bias", Shape: []int{channels}, Group: graph.Bias})
	return b.Apply(c)
}

func newConv(b *graph.Builder, name string, x *graph.Tensor, channels, kernel, stride int) *Conv {
	switch {
	case kernel == 1 && stride == 1, kernel == 3 && stride == 1, kernel == 3 && stride == 2:
	default:
		b.Fail(fmt.Errorf("conv %s: kernel %d, stride %d: only 1/1, 3/1 and 3/2 exist", name, kernel, stride))
		stride = 1
	}
	if x.Image && (x.C != 3 || kernel != 3) {
		b.Fail(fmt.Errorf("conv %s: on an image only kernel 3 and 3 channels exist", name))
	}
	if !x.Image && x.C%graph.Block != 0 {
		b.Fail(fmt.Errorf("conv %s: %d input channels: a multiple of %d is needed", name, x.C, graph.Block))
	}
	return &Conv{
		Base: graph.Base{
			In:    []*graph.Tensor{x},
			Out:   b.Tensor(name, channels, (x.H-1)/stride+1, (x.W-1)/stride+1),
			Learn: []*graph.Param{{Name: name + ".weight", Shape: []int{channels, x.C, kernel, kernel}, Group: graph.Decay}},
		},
		Name: name, Kernel: kernel, Stride: stride,
	}
}

// Plan sends one contribution to the input. The backward kernel destroys the gradient of the output.
func (c *Conv) Plan(p *graph.Planner) error {
	c.Gaps = p.Complete(c.Out)
	if !c.In[0].Image {
		c.Sends = []graph.Contribution{p.Contribute(c.In[0])}
	}
	return nil
}
