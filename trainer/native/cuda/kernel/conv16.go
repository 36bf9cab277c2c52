package kernel

import (
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// form16 is one way to compute a product or the gradient of an input: a kernel, a shape of its tiles, and how they cover the
// pixels that are written.
type form16 struct {
	kernel string
	tile   tile16
	tiles  int64 // of pixels; of those of one parity
	shared int   // bytes
	clocks int64 // estimated
	ground ground16
	group  bool // by warpgroups
}

func (f form16) groups() bool { return f.group }

// least16 is the form of least estimated time; of equals, the first.
func least16(forms []form16) form16 {
	best := forms[0]
	for _, f := range forms[1:] {
		if f.clocks < best.clocks {
			best = f
		}
	}
	return best
}

// forwardForms are the ways to compute the product.
func (c Conv) forwardForms() []form16 {
	c.check16()
	if c.X.C == 4 {
		return c.gatherForms("conv16_image_", image16, c.Y.Pixels(), 1, c.out(), imageTerms)
	}
	forms := c.gatherForms("conv16_forward_", gather16, c.Y.Pixels(), 1, c.out(), c.columns())
	forms = append(forms, c.directForms("conv16_direct_", c.first(c.Y), c.in())...)
	return append(forms, c.groupForms("conv16_wgmma_forward_", c.Y.Pixels(), 1, c.out(), c.columns())...)
}

// backForms are the ways to compute the gradient of the input. With stride 2 each parity of pixels is a product of its own.
func (c Conv) backForms() []form16 {
	c.check16()
	rows := c.X.Pixels()
	if c.Stride == 2 {
		rows = int64(c.X.N) * int64((c.X.H+1)/2) * int64((c.X.W+1)/2)
	}
	parities := c.parities()
	forms := c.gatherForms("conv16_back_", gather16, rows, parities, c.in(), c.taps()*c.out()/parities)
	forms = append(forms, c.directForms("conv16_direct_back_", c.first(c.X), c.out())...)
	return append(forms, c.groupForms("conv16_wgmma_back_", rows, parities, c.in(), c.taps()*c.out()/parities)...)
}

func (c Conv) parities() int64 { return int64(c.Stride) * int64(c.Stride) }

func (c Conv) gatherForms(kernel string, shapes []tile16, rows, parities, columns, terms int64) []form16 {
	forms := make([]form16, 0, 2*len(shapes))
	for _, t := range shapes {
		tiles := ceil(rows, int64(t.m))
		forms = append(forms, form16{kernel: kernel + t.String(), tile: t, tiles: tiles, shared: t.shared(), clocks: t.clocks(tiles*parities*c.groups(), columns, terms, int64(c.fill()))})
	}
	return forms
}

// tiles16 is the number of tiles of pixels that forward16 writes partial sums of.
func tiles16(c Conv) int { return int(least16(among16(c, c.forwardForms())).tiles) }

func (c Conv) taps() int64 { return int64(c.Kernel) * int64(c.Kernel) }

// mostLanes is how many a group of a window that is read by bf16 convolutions may have (Groups of conv16.cu).
const mostLanes = 2720

// check16 panics where the kernels would compute something else: a mistake of the caller.
func (c Conv) check16() {
	x, y := c.X, c.Y
	s := int32(c.Stride)
	switch {
	case c.Kernel != 1 && c.Kernel != 3, c.Stride != 1 && (c.Stride != 2 || c.Kernel != 3),
		x.N != y.N, y.H != (x.H+s-1)/s, y.W != (x.W+s-1)/s,
		y.C%16 != 0, y.Stride%8 != 0, x.C != 4 && (x.C%16 != 0 || x.Stride%8 != 0), c.in() > mostLanes, c.out() > mostLanes, x.C == 4 && x.Stride%4 != 0,
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
	lanes, _         int32
	statistics       statistics
}

// forward16 writes the product, and with it the partial sums or the bias.
func forward16(c Conv) []cuda.Launch { return least16(among16(c, c.forwardForms())).forward(c) }

func (f form16) forward(c Conv) []cuda.Launch {
	return f.launch(c, gatherArgs{x: c.X, y: c.Y, w: c.W16, bias: c.Bias, partial: c.Partial, statistics: c.Norm.statistics(c.Partial, int(f.tiles))}, 1)
}

// inputGrad16 writes the gradient of the input, or adds it there.
func inputGrad16(c Conv, dY, dX View, add bool) []cuda.Launch {
	return least16(among16(c, c.backForms())).back(c, dY, dX, add)
}

func (f form16) back(c Conv, dY, dX View, add bool) []cuda.Launch {
	return f.launch(c, gatherArgs{x: dY, y: dX, w: c.W16, add: flag(add)}, int(c.parities()))
}

func (f form16) launch(c Conv, args gatherArgs, parities int) []cuda.Launch {
	args.kernel, args.stride, args.lanes = int32(c.Kernel), int32(c.Stride), args.y.C
	args.x, args.y = c.first(args.x), c.first(args.y)
	args.columns = int32(ceil(int64(args.y.C), int64(f.tile.n)))
	l := cuda.Launch{Kernel: f.kernel, Grid: [3]int{int(f.tiles) * int(args.columns), parities, int(c.groups())}, Block: [3]int{f.tile.threads()}, Shared: f.shared}
	if f.ground.around > 0 {
		l.Args = cuda.Args(f.ground.args(args))
	} else {
		l.Args = cuda.Args(args)
	}
	return []cuda.Launch{l}
}
