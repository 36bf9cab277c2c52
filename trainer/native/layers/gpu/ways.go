package gpu

import (
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/cudnn"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
)

// pass is one direction of one convolution.
type pass struct {
	direction cudnn.Direction
	conv      kernel.Conv
	x, y      kernel.View // the input, or its gradient; the product or output, or its gradient
	dW        cuda.Ptr    // of Filter
	add       bool        // of Data
}

// kind is what passes have in common that one way is chosen for: direction and shapes.
type kind struct {
	cudnn.Direction
	cudnn.Shape
}

// String names the kind: direction, batch x height x width, lanes of pixels of so many, and the kernel.
func (k kind) String() string {
	in, out := k.In, k.Out
	text := fmt.Sprintf("%s %dx%d %dx%dx%d %d/%d to %d/%d", k.Direction, k.Size, k.Size, in.N, in.H, in.W, in.C, in.Stride, out.C, out.Stride)
	if k.Groups > 1 {
		text += fmt.Sprintf(" in %d groups", k.Groups)
	}
	if k.Step > 1 {
		text += fmt.Sprintf(" step %d", k.Step)
	}
	return text
}

func (p pass) kind() kind {
	view := func(v kernel.View) cudnn.View {
		return cudnn.View{N: int(v.N), H: int(v.H), W: int(v.W), C: int(v.C), Stride: int(v.Stride)}
	}
	c := p.conv
	return kind{p.direction, cudnn.Shape{In: view(p.x), Out: view(p.y), Size: c.Kernel, Step: c.Stride, Pad: c.Kernel / 2, Groups: max(c.Groups, 1), BF16: c.Type == kernel.BFloat16}}
}

// launches of a pass: our kernels', or those of the way that was chosen for it.
func (d *Device) launches(p pass) []cuda.Launch {
	if !p.free() {
		return d.ours(p)
	}
	if d.met != nil {
		d.met(p)
	}
	if w, ok := d.ways[p.kind()]; ok {
		return d.theirs(p, w)
	}
	return d.ours(p)
}

// free says whether there is a choice. Our kernels add a bias to what they make; outputs with one are few and small.
func (p pass) free() bool { return p.direction != cudnn.Forward || p.conv.Bias == 0 }

func (d *Device) ours(p pass) []cuda.Launch {
	switch p.direction {
	case cudnn.Forward:
		return p.conv.Forward()
	case cudnn.Data:
		return p.conv.InputGrad(p.y, p.x, p.add)
	default:
		return d.summed(p.dW, p.slices)
	}
}

// way is one of cuDNN's algorithms for the shapes of a plan.
type way struct {
	plan      *cudnn.Plan
	algorithm cudnn.Algorithm
}

// theirs are the launches of a pass that cuDNN computes. What our kernels make beside the product, statistics for the normalisation,
// a kernel makes afterwards; gradients of weights, which cuDNN writes in bf16 where activations are, come to float32.
func (d *Device) theirs(p pass, w way) []cuda.Launch {
	c := &p.conv
	weights := c.W
	if c.Type == kernel.BFloat16 {
		weights = c.W16
	}
	var after []cuda.Launch
	switch p.direction {
	case cudnn.Forward:
		if c.Partial != 0 {
			after = append(after, kernel.ProductSums(c.Type, c.Y, c.Partial, c.Norm))
		}
	case cudnn.Filter:
		if weights = p.dW; c.Type == kernel.BFloat16 {
			weights = d.rounded.p
			after = append(after, kernel.Widen(weights, p.dW, weightsOf(c)))
		}
	}
	m := cudnn.Memory{In: uint64(p.x.P), Weights: uint64(weights), Out: uint64(p.y.P)}
	if w.algorithm.Workspace > 0 {
		m.Workspace = uint64(d.foreign[p.direction == cudnn.Filter].workspace.p)
	}
	call := cuda.Launch{Kernel: w.algorithm.String(), Call: func(s *cuda.Stream) error { return w.plan.RunOn(s, w.algorithm, m, p.add) }}
	return append([]cuda.Launch{call}, after...)
}

// weightsOf is the number of weights of a convolution.
func weightsOf(c *kernel.Conv) int64 {
	return int64(c.Y.C) * int64(c.Kernel*c.Kernel) * int64(c.X.C) / int64(max(c.Groups, 1))
}
