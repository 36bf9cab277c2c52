package kernel

import "github.com/mapsweep/mapsweep/trainer/native/cuda"

// split says how a gradient of weights is shared out: the tile of its rows (out lanes) and columns (taps times in lanes), and
// slices of pixels.
type split struct {
	tile
	slices, pixels int
}

// leastSlice is the number of pixels that a slice has at least, where there are as many: below, adding slices costs more than
// they save.
const leastSlice = 256

func (c Conv) split32() split {
	s := split{tile: tile{64, 64, 128}}
	switch {
	case c.Y.C == 16:
		s.tile = tile{16, 128, 128}
	case c.Y.C == 32:
		s.tile = tile{32, 64, 128}
	}
	blocks := tilesOf(c.Y.C, s.rows) * tilesOf(c.weights()/int(c.Y.C), s.columns)
	s.slices, s.pixels = pixelSlices(c.Y.Pixels(), tilesOf(2*c.fill(), blocks))
	return s
}

// pixelSlices cuts pixels into as many slices as wanted, or fewer; each has a multiple of 16.
func pixelSlices(pixels int64, wanted int) (count, each int) {
	count = max(1, min(wanted, tilesOf(pixels, leastSlice)))
	each = (tilesOf(pixels, count) + 15) / 16 * 16
	return tilesOf(pixels, each), each
}

// weights is the number of weights of the group.
func (c Conv) weights() int { return int(c.Y.C) * c.Kernel * c.Kernel * int(c.X.C) }

func (c Conv) scratch32() int64 {
	if s := c.split32(); s.slices > 1 {
		return int64(s.slices) * int64(c.weights()) * 4
	}
	return 0
}

func (c Conv) weightGrad32(dY View, dW, scratch cuda.Ptr) []cuda.Launch {
	s := c.split32()
	args := struct {
		x, dy          View
		sums           cuda.Ptr
		kernel, stride int32
		slice, _       int32
	}{x: c.X, dy: dY, sums: scratch, kernel: int32(c.Kernel), stride: int32(c.Stride), slice: int32(s.pixels)}
	if s.slices == 1 {
		args.sums = dW
	}
	l := []cuda.Launch{{
		Kernel: c.Type.named("conv32_weight_" + s.tile.String()),
		Grid:   [3]int{tilesOf(c.weights()/int(c.Y.C), s.columns), tilesOf(c.Y.C, s.rows), s.slices},
		Block:  [3]int{s.threads},
		Args:   cuda.Args(args),
	}}
	if s.slices > 1 {
		l = append(l, sumSlices(scratch, dW, int64(c.weights()), s.slices))
	}
	return l
}

// sumSlices adds slices of n FP32 values each, in order.
func sumSlices(from, to cuda.Ptr, n int64, slices int) cuda.Launch {
	args := struct {
		from, to  cuda.Ptr
		n         int64
		slices, _ int32
	}{from: from, to: to, n: n, slices: int32(slices)}
	return flat("sum_slices", n, cuda.Args(args))
}

// biasSlices is at most how many slices a gradient of biases is made of.
const biasSlices = 1024

func (c Conv) biasSplit() (count, each int) {
	each = (max(tilesOf(c.Y.Pixels(), biasSlices), 16) + 15) / 16 * 16
	return tilesOf(c.Y.Pixels(), each), each
}

func (c Conv) biasScratch() int64 {
	count, _ := c.biasSplit()
	return int64(count) * int64(c.Y.C) * 4
}

func (c Conv) biasGrad(dY View, dB, scratch cuda.Ptr) []cuda.Launch {
	count, each := c.biasSplit()
	args := struct {
		dy            View
		sums          cuda.Ptr
		slices, slice int32
	}{dY, scratch, int32(count), int32(each)}
	first := flat(c.Type.named("conv32_bias"), int64(count)*int64(dY.C/8), cuda.Args(args))
	return []cuda.Launch{first, sumSlices(scratch, dB, int64(dY.C), count)}
}
