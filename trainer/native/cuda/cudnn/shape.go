package cudnn

import (
	"errors"
	"fmt"
)

// ErrNone is what Open's error wraps where there is no usable cuDNN.
var ErrNone = errors.New("no cuDNN")

// Stream is what cuDNN needs of a stream: the driver's handle, and a thread on which the stream's context is current.
type Stream interface {
	Handle() uintptr
	Within(f func() error) error
}

// View is a block of channels in a buffer of pixels: N images of H x W pixels, C stored channels from its first one on, and
// Stride elements from one pixel to the next.
type View struct{ N, H, W, C, Stride int }

// Shape is a convolution: Out = In by weights of [Out.C][Size][Size][In.C/Groups], with steps of Step and a border of Pad zeros.
type Shape struct {
	In, Out                 View
	Size, Step, Pad, Groups int
	BF16                    bool // activations and weights are bf16, sums float32; otherwise everything is float32
}

// check says what is wrong with a shape, before the library reads outside of a buffer.
func (s Shape) check() error {
	for _, v := range []View{s.In, s.Out} {
		if v.N < 1 || v.H < 1 || v.W < 1 || v.C < 1 || v.Stride < v.C {
			return fmt.Errorf("plan convolution: view %+v is empty or narrower than its channels", v)
		}
	}
	if s.Size < 1 || s.Step < 1 || s.Pad < 0 || s.Groups < 1 || s.In.C%s.Groups != 0 || s.Out.C%s.Groups != 0 {
		return fmt.Errorf("plan convolution: size %d, step %d, pad %d and %d groups do not fit %d to %d channels", s.Size, s.Step, s.Pad, s.Groups, s.In.C, s.Out.C)
	}
	after := func(side int) int { return (side+2*s.Pad-s.Size)/s.Step + 1 }
	if s.Out.N != s.In.N || s.In.H+2*s.Pad < s.Size || s.In.W+2*s.Pad < s.Size || s.Out.H != after(s.In.H) || s.Out.W != after(s.In.W) {
		return fmt.Errorf("plan convolution: %d x %d pixels do not become %d x %d with size %d, step %d and pad %d", s.In.H, s.In.W, s.Out.H, s.Out.W, s.Size, s.Step, s.Pad)
	}
	return nil
}

// Direction is what a convolution computes.
type Direction int

// Directions, each with what it writes.
const (
	Forward Direction = iota // the output, of input and weights
	Data                     // the gradient of the input, of the weights and the output's gradient
	Filter                   // the gradient of the weights, of the input and the output's gradient
)

// String names the direction, as in choices that are kept.
func (d Direction) String() string { return [...]string{"forward", "data", "filter"}[d] }

// Algorithm is one of cuDNN's ways to compute a direction, always in the same order of sums.
type Algorithm struct {
	Direction Direction
	Number    int   // cuDNN's
	Math      int   // cuDNN's: whether tensor cores are used
	Workspace int64 // bytes of device memory it needs while it runs
}

// String names the algorithm, so that a choice can be kept.
func (a Algorithm) String() string {
	return fmt.Sprintf("cudnn/%s/%d/%d", a.Direction, a.Number, a.Math)
}

// Memory is where a convolution's tensors lie, as addresses in device memory, and a workspace of as many bytes as the algorithm takes.
type Memory struct{ In, Weights, Out, Workspace uint64 }
