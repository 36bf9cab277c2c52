package kernel

import (
	"cmp"
	"slices"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// split says how a gradient of weights is shared out: by tiles, and in slices of so many pixels each.
type split struct {
	tile
	slices, pixels int64
}

// leastSlice is the number of pixels that a slice has at least, where there are as many: below, adding slices costs more than
// they save.
const leastSlice = 256

// splitTile cuts the pixels so that there are two blocks for each multiprocessor, where that leaves slices long enough. A
// slice has a multiple of 16 pixels.
func (c Conv) splitTile(t tile) split {
	pixels, blocks := c.Y.Pixels(), c.groups()*t.blocks(c.out(), c.columns())
	count := max(1, min(ceil(2*int64(c.fill()), blocks), ceil(pixels, leastSlice)))
	each := ceil(ceil(pixels, count), 16) * 16
	return split{t, ceil(pixels, each), each}
}

// columns is the number of weights of a lane of the product.
func (c Conv) columns() int64 { return c.taps() * c.in() }

// clocks is an estimate of the time: that of the tiles of all slices, as if they lay side by side, and of adding slices.
func (s split) clocks(c Conv) int64 {
	rows, columns := ceil(c.out(), int64(s.rows))*int64(s.rows), c.columns()
	adding := (s.slices - 1) * c.weights() * 4 / (int64(c.fill()) * clockBytes)
	return s.tile.clocks(c.groups(), rows*s.slices, columns, s.pixels, int64(c.fill())) + adding
}

// split32 is the split of least estimated time; of equals, that which computes least beside the gradient.
func (c Conv) split32() split {
	var splits []split
	for _, t := range weightTiles {
		splits = append(splits, c.splitTile(t))
	}
	return slices.MinFunc(splits, func(s, t split) int {
		rows, columns := c.out(), c.columns()
		return cmp.Or(cmp.Compare(s.clocks(c), t.clocks(c)), cmp.Compare(s.sums(rows, columns), t.sums(rows, columns)))
	})
}

func (c Conv) weightGrad32(dY View, dW, scratch cuda.Ptr, s split) (cuda.Launch, Slices) {
	args := struct {
		x, dy          View
		sums           cuda.Ptr
		kernel, stride int32
		slice, groups  int32
	}{x: c.first(c.X), dy: c.first(dY), sums: scratch, kernel: int32(c.Kernel), stride: int32(c.Stride), slice: int32(s.pixels), groups: int32(c.groups())}
	if s.slices == 1 {
		args.sums = dW
	}
	l := cuda.Launch{
		Kernel: "conv32_weight_" + s.String(),
		Grid:   [3]int{int(ceil(c.columns(), int64(s.columns))), int(ceil(c.out(), int64(s.rows))), int(s.slices * c.groups())},
		Block:  [3]int{s.threads()},
		Args:   cuda.Args(args),
	}
	return l, Slices{From: scratch, To: dW, Floats: c.weights(), Count: s.slices}
}

// What the launch of a gradient of biases is shaped by, as in convweight32.cu.
const (
	biasThreads = 256
	biasGroups  = 32  // of 8 lanes
	biasPixels  = 4   // a thread, at least
	biasSlices  = 264 // at most
)

func (c Conv) biasSplit() (slices, pixels int64) {
	rows := int64(biasThreads / min(c.Y.C/8, biasGroups))
	pixels = max(ceil(c.Y.Pixels(), biasSlices), rows*biasPixels)
	return ceil(c.Y.Pixels(), pixels), pixels
}

func (c Conv) biasGrad(dY View, dB, scratch cuda.Ptr) (cuda.Launch, Slices) {
	slices, pixels := c.biasSplit()
	args := struct {
		dy       View
		sums     cuda.Ptr
		slice, _ int32
	}{dy: dY, sums: scratch, slice: int32(pixels)}
	if slices == 1 {
		args.sums = dB
	}
	l := cuda.Launch{
		Kernel: c.Type.named("conv32_bias"),
		Grid:   [3]int{int(slices), int(ceil(int64(dY.C/8), biasGroups))},
		Block:  [3]int{biasThreads},
		Args:   cuda.Args(args),
	}
	return l, Slices{From: scratch, To: dB, Floats: int64(dY.C), Count: slices}
}
