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

// Conv is a square convolution with zero padding of Kernel/2, followed by batch normalisation (Norm) and SiLU (unless
// Linear), or with a bias and nothing else. With Groups above 1 output channels are divided into as many runs, each of
// which reads one run of the input's.
//
// With Norm the parameters are weight (OIHW), scale gamma and shift beta (O), and the statistics mean and var (O): the
// output is z sigmoid(z), or z itself if Linear, z = gamma (y - mean) / sqrt(var + NormEps) + beta. In training mean and
// var are the batch's, with the biased variance; running statistics take the unbiased one. Without Norm they are weight
// and bias.
type Conv struct {
	graph.Base
	Name           string
	Kernel, Stride int
	Groups         int
	Norm           bool
	Linear         bool
}

// Form says what a convolution is like. A field that is not set means the ordinary case; only Channels is needed.
type Form struct {
	Channels       int            // of the output
	Kernel, Stride int            // 0: 1
	Groups         int            // 0: 1
	Linear         bool           // no SiLU after the normalisation
	Segments       graph.Segments // of the output; nil: one segment, or one a group where groups do not fill blocks
	// Torch gives parameters and statistics the names that PyTorch's modules have: NAME.conv.weight, NAME.bn.weight,
	// NAME.bn.bias, NAME.bn.running_mean, NAME.bn.running_var. Without it they are NAME.weight, .gamma, .beta, .mean, .var.
	// The names of a convolution with bias are NAME.weight and NAME.bias in both.
	Torch bool
}

// Kind returns "conv" or "head".
func (c *Conv) Kind() string {
	if c.Norm {
		return "conv"
	}
	return "head"
}

// MultiplyAdds is the number of multiply-adds of one forward pass for one image, padding of the border included.
func (c *Conv) MultiplyAdds() int64 {
	x, y := c.In[0], c.Out
	return int64(c.Kernel*c.Kernel*x.C/c.Groups) * int64(y.C*y.H*y.W)
}

// FanIn is the number of inputs of one output of a convolution with the given weights.
func FanIn(weights *graph.Param) int {
	n := 1
	for _, s := range weights.Shape[1:] {
		n *= s
	}
	return n
}

// ConvBNSiLU adds a convolution of x to channels, with batch normalisation and SiLU. kernel is 1 or 3, stride 1 or 2
// (with kernel 3; extents are rounded up).
func ConvBNSiLU(b *graph.Builder, name string, x *graph.Tensor, channels, kernel, stride int) *graph.Tensor {
	return Convolve(b, name, x, Form{Channels: channels, Kernel: kernel, Stride: stride})
}

// HeadConv adds a 1x1 convolution of x to any number of channels, with bias and without activation.
func HeadConv(b *graph.Builder, name string, x *graph.Tensor, channels int) *graph.Tensor {
	return Biased(b, name, x, Form{Channels: channels})
}

// Convolve adds a convolution of x with batch normalisation. Kernels are 1x1 and, at stride 1 or 2, 3x3; a stride of 2
// rounds extents up. An image is read by 3x3 kernels in one group only.
func Convolve(b *graph.Builder, name string, x *graph.Tensor, f Form) *graph.Tensor {
	c := newConv(b, name, x, f)
	c.Norm, c.Linear = true, f.Linear
	c.Learn, c.Run = normalised(b, name, c.Out, c.Learn[0], f.Torch)
	return b.Apply(c)
}

// Biased adds a convolution of x with bias, without normalisation or activation.
func Biased(b *graph.Builder, name string, x *graph.Tensor, f Form) *graph.Tensor {
	c := newConv(b, name, x, f)
	if x.Image {
		b.Fail(fmt.Errorf("head %s: reads the image", name))
	}
	c.Learn = append(c.Learn, &graph.Param{Name: name + ".bias", Shape: []int{c.Out.C}, Group: graph.Bias, Out: c.Out.Segments})
	return b.Apply(c)
}

func newConv(b *graph.Builder, name string, x *graph.Tensor, f Form) *Conv {
	kernel, stride, groups := max(f.Kernel, 1), max(f.Stride, 1), max(f.Groups, 1)
	switch {
	case kernel == 1 && stride == 1, kernel == 3 && stride == 1, kernel == 3 && stride == 2:
	default:
		b.Fail(fmt.Errorf("conv %s: kernel %d, stride %d: only 1/1, 3/1 and 3/2 exist", name, kernel, stride))
		kernel, stride = 1, 1
	}
	if x.Image && (x.C != 3 || kernel != 3 || groups != 1) {
		b.Fail(fmt.Errorf("conv %s: on an image only kernel 3, 3 channels and one group exist", name))
	}
	if x.C%groups != 0 || f.Channels%groups != 0 {
		b.Fail(fmt.Errorf("conv %s: %d to %d channels in %d groups: groups must be of equal size", name, x.C, f.Channels, groups))
		groups = 1
	}
	segments := f.Segments
	if segments == nil {
		segments = divided(graph.Segments{f.Channels}, groups)
	}
	if f.Channels < 1 || segments.Channels() != f.Channels || !divisible(segments, groups) {
		b.Fail(fmt.Errorf("conv %s: %d channels in %d groups stored as %v: they do not fit", name, f.Channels, groups, []int(segments)))
	}
	x = as(b, x, divided(x.Segments, groups))
	weight := &graph.Param{
		Name: name + ".weight", Shape: []int{f.Channels, x.C / groups, kernel, kernel}, Group: graph.Decay,
		Groups: groups, Out: segments, In: x.Segments, Image: x.Image,
	}
	return &Conv{
		Base: graph.Base{
			In:    []*graph.Tensor{x},
			Out:   b.Segmented(name, segments, (x.H-1)/stride+1, (x.W-1)/stride+1),
			Learn: []*graph.Param{weight},
		},
		Name: name, Kernel: kernel, Stride: stride, Groups: groups,
	}
}

// divisible tells whether n runs of equal length are made of whole blocks each.
func divisible(s graph.Segments, n int) bool {
	c := s.Channels() / n
	for i := range n {
		if _, _, ok := s.Cut(i*c, c); !ok {
			return false
		}
	}
	return true
}

// divided is s itself where it is divisible by n, and otherwise one segment for each of n runs.
func divided(s graph.Segments, n int) graph.Segments {
	if divisible(s, n) {
		return s
	}
	var out graph.Segments
	for range n {
		out = append(out, s.Channels()/n)
	}
	return out
}

// normalised returns the parameters and statistics of a convolution that ends in batch normalisation; weight takes its
// name here too.
func normalised(b *graph.Builder, name string, out *graph.Tensor, weight *graph.Param, torch bool) ([]*graph.Param, []*graph.Stat) {
	if out.N*out.H*out.W < 2 {
		b.Fail(fmt.Errorf("conv %s: batch normalisation over one value: use a larger batch or image", name))
	}
	gamma, beta, mean, variance := ".gamma", ".beta", ".mean", ".var"
	if torch {
		weight.Name = name + ".conv.weight"
		gamma, beta, mean, variance = ".bn.weight", ".bn.bias", ".bn.running_mean", ".bn.running_var"
	}
	return []*graph.Param{
			weight,
			{Name: name + gamma, Shape: []int{out.C}, Group: graph.Norm, Out: out.Segments},
			{Name: name + beta, Shape: []int{out.C}, Group: graph.Bias, Out: out.Segments},
		}, []*graph.Stat{
			{Name: name + mean, Channels: out.C, Segments: out.Segments},
			{Name: name + variance, Channels: out.C, Segments: out.Segments, Initial: 1},
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
