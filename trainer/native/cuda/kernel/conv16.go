package kernel

import (
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// tiles16 is the number of tiles of pixels that forward16 writes partial sums of.
func tiles16(c Conv) int { return int(ceil(c.Y.Pixels(), int64(tile16Of(c).m))) }

func tile16Of(c Conv) tile16 {
	c.check16()
	if c.X.C == 4 {
		return c.choose16(image16, c.Y.Pixels(), int64(c.Y.C), imageTerms)
	}
	return c.choose16(gather16, c.Y.Pixels(), int64(c.Y.C), c.taps()*int64(c.X.C))
}

func (c Conv) taps() int64 { return int64(c.Kernel) * int64(c.Kernel) }

// mostLanes is how many a window that is read by bf16 convolutions may have (Groups of conv16.cu).
const mostLanes = 2720

// check16 panics where the kernels would compute something else: a mistake of the caller.
func (c Conv) check16() {
	x, y := c.X, c.Y
	s := int32(c.Stride)
	switch {
	case c.Kernel != 1 && c.Kernel != 3, c.Stride != 1 && (c.Stride != 2 || c.Kernel != 3),
		x.N != y.N, y.H != (x.H+s-1)/s, y.W != (x.W+s-1)/s,
		y.C%16 != 0, y.Stride%8 != 0, x.C != 4 && (x.C%16 != 0 || x.Stride%8 != 0), x.C > mostLanes, y.C > mostLanes, x.C == 4 && x.Stride%4 != 0,
		c.Bias != 0 && c.Partial != 0:
		panic(fmt.Sprintf("convolution in bf16: kernel %d, stride %d, from %d x %d x %d x %d to %d x %d x %d x %d", c.Kernel, c.Stride, x.N, x.H, x.W, x.C, y.N, y.H, y.W, y.C))
	}
}

// gatherArgs is GatherArgs of conv16.cu.
type gatherArgs struct {
	x, y             View
	w, bias, partial cuda.Ptr
	kernel, stride   int32
	columns, add     int32
}

// forward16 writes the product, and with it the partial sums or the bias.
func forward16(c Conv) []cuda.Launch { return forwardTile16(c, tile16Of(c)) }

func forwardTile16(c Conv, t tile16) []cuda.Launch {
	kernel := "conv16_forward_"
	if c.X.C == 4 {
		kernel = "conv16_image_"
	}
	args := gatherArgs{x: c.X, y: c.Y, w: c.W16, bias: c.Bias, partial: c.Partial, kernel: int32(c.Kernel), stride: int32(c.Stride)}
	return []cuda.Launch{t.launch(kernel+t.String(), args, c.Y.Pixels(), 1)}
}

// inputGrad16 writes the gradient of the input, or adds it there.
func inputGrad16(c Conv, dY, dX View, add bool) []cuda.Launch {
	c.check16()
	rows, parities := c.rowsBack()
	terms := c.taps() * int64(c.Y.C) / int64(parities) // on average of parities, about
	return inputGradTile16(c, dY, dX, add, c.choose16(gather16, rows*int64(parities), int64(dX.C), terms))
}

// rowsBack is the number of pixels of the input of one parity, at most, and the number of parities.
func (c Conv) rowsBack() (rows int64, parities int) {
	if c.Stride == 2 {
		return int64(c.X.N) * int64((c.X.H+1)/2) * int64((c.X.W+1)/2), 4
	}
	return c.X.Pixels(), 1
}

func inputGradTile16(c Conv, dY, dX View, add bool, t tile16) []cuda.Launch {
	same("gradient of a product", c.Y, dY)
	same("gradient of an input", c.X, dX)
	if c.X.C == 4 {
		panic("convolution in bf16: an image has no gradient")
	}
	rows, parities := c.rowsBack()
	args := gatherArgs{x: dY, y: dX, w: c.W16, kernel: int32(c.Kernel), stride: int32(c.Stride), add: flag(add)}
	return []cuda.Launch{t.launch("conv16_back_"+t.String(), args, rows, parities)}
}

func (t tile16) launch(kernel string, args gatherArgs, rows int64, parities int) cuda.Launch {
	args.columns = int32(ceil(int64(args.y.C), int64(t.n)))
	return cuda.Launch{Kernel: kernel, Grid: [3]int{int(ceil(rows, int64(t.m))) * int(args.columns), parities}, Block: [3]int{t.threads},
		Shared: t.shared(), Args: cuda.Args(args)}
}
