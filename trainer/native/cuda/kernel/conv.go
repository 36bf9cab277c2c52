package kernel

import (
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// Conv is a convolution: Y = W * X, or of as many pieces of their lanes as there are groups, equal and side by side. The kernel is 1 or 3 wide and padded by half its width, the stride 1, or 2
// with kernel 3; Y has the pixels that follow. X.C is 4 for the network's image, of which no gradient is taken.
type Conv struct {
	Type           Type
	X, Y           View // input; product before normalisation, or with Bias the output
	Kernel, Stride int
	Groups         int      // 0 stands for 1, of which the image has no more
	W              cuda.Ptr // FP32 [Groups][lanes of Y's][Kernel Kernel][lanes of X's]
	W16            cuda.Ptr // a copy in bf16, of BFloat16 only
	Bias           cuda.Ptr // FP32 [Y.C], or 0
	Partial        cuda.Ptr // or 0: SumsBytes, FP32 [Tiles()][2][Y.C], which Forward writes: sums and sums of squares of stored products over tiles of pixels
	Norm           *Norm    // or nil: of Y, whose statistics in training Forward makes of Partial
	Fill           int      // multiprocessors that there is to be work for; 0 stands for 132, those of an H100. Another number may sum in another order
	Wgmma          bool     // of BFloat16: many lanes go by warpgroups. For GPUs of capability 9.0 alone, and not tried on one
}

func (c Conv) fill() int {
	if c.Fill == 0 {
		return 132
	}
	return c.Fill
}

// groups is Groups, in and out the lanes that one of them reads and writes.
func (c Conv) groups() int64 { return int64(max(c.Groups, 1)) }
func (c Conv) in() int64     { return int64(c.X.C) / c.groups() }
func (c Conv) out() int64    { return int64(c.Y.C) / c.groups() }

// first is the window of the first group of X's or Y's lanes.
func (c Conv) first(v View) View {
	v.C /= int32(c.groups())
	return v
}

// weights is the number of stored values of W.
func (c Conv) weights() int64 { return c.groups() * c.out() * c.columns() }

// Tiles is the number of tiles of pixels that Forward leaves sums of.
func (c Conv) Tiles() int {
	if c.Type == BFloat16 {
		return tiles16(c)
	}
	return c.tiles32(c.forwardTile())
}

// Forward computes Y, and Partial where wanted.
func (c Conv) Forward() []cuda.Launch {
	c.check()
	if c.Type == BFloat16 {
		return forward16(c)
	}
	return c.forward32(c.forwardTile())
}

// InputGrad computes the gradient of the input, or adds it to dX. dX has X's shape, dY that of Y.
func (c Conv) InputGrad(dY, dX View, add bool) []cuda.Launch {
	c.check()
	same("gradient of a convolution's input", c.X, dX)
	same("gradient of a convolution's product", c.Y, dY)
	if c.X.C == 4 {
		panic("gradient of a convolution's input: the image has none")
	}
	if c.Type == BFloat16 {
		return inputGrad16(c, dY, dX, add)
	}
	return c.inputGrad32(dY, dX, add, c.inputTile())
}

// WeightSlices is the launch that computes the gradient of W, FP32 in its layout, in dW, or leaves slices of it in scratch memory, of
// Slices.Bytes, that are still to be added up: SumSlices.
func (c Conv) WeightSlices(dY View, dW, scratch cuda.Ptr) (cuda.Launch, Slices) {
	c.check()
	same("gradient of a convolution's product", c.Y, dY)
	if c.Type == BFloat16 {
		return slices16(c).run(c, dY, dW, scratch)
	}
	return c.weightGrad32(dY, dW, scratch, c.split32())
}

// BiasSlices is for the gradient of Bias, FP32 [Y.C], sums of dY over pixels, what WeightSlices is for that of W.
func (c Conv) BiasSlices(dY View, dB, scratch cuda.Ptr) (cuda.Launch, Slices) {
	same("gradient of a convolution's output", c.Y, dY)
	return c.biasGrad(dY, dB, scratch)
}

// check panics at a convolution that kernels cannot compute: a mistake of the caller.
func (c Conv) check() {
	pad := int32(c.Kernel / 2)
	out := func(n int32) int32 { return (n+2*pad-int32(c.Kernel))/int32(c.Stride) + 1 }
	switch {
	case c.Kernel != 1 && c.Kernel != 3, c.Stride != 1 && (c.Stride != 2 || c.Kernel != 3):
		panic(fmt.Sprintf("convolution: kernel %d with stride %d", c.Kernel, c.Stride))
	case c.X.C != 4 && int64(c.X.C)%(16*c.groups()) != 0, c.X.C == 4 && c.groups() > 1, int64(c.Y.C)%(16*c.groups()) != 0, c.X.Stride%4 != 0, c.Y.Stride%8 != 0:
		panic(fmt.Sprintf("convolution: %d lanes of %d to %d of %d in %d groups", c.X.C, c.X.Stride, c.Y.C, c.Y.Stride, c.groups()))
	case c.Y.N != c.X.N || c.Y.H != out(c.X.H) || c.Y.W != out(c.X.W):
		panic(fmt.Sprintf("convolution: %d x %d x %d pixels to %d x %d x %d", c.X.N, c.X.H, c.X.W, c.Y.N, c.Y.H, c.Y.W))
	}
	if c.Norm != nil {
		same("statistics of a convolution's product", c.Y, c.Norm.Y)
	}
}
