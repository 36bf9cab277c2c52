package kernel

import (
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// tile is a shape of a block's part of a product in conv32.cu: rows are pixels, columns lanes.
type tile struct{ rows, columns, threads int }

// fill is the number of blocks below which the GPU is not busy, one for each of its multiprocessors.
func (c Conv) fill() int {
	if c.Fill == 0 {
		return 132
	}
	return c.Fill
}

// pixelTile chooses the tile for a result of so many pixels and lanes: the largest that wastes no columns, and where there
// are few pixels a smaller one, so that more blocks share the work.
func (c Conv) pixelTile(pixels int64, lanes int) tile {
	blocks := func(t tile) int { return tilesOf(pixels, t.rows) * tilesOf(lanes, t.columns) }
	var large, small tile
	switch {
	case lanes <= 16:
		large, small = tile{128, 16, 128}, tile{64, 16, 64}
	case lanes <= 32:
		large, small = tile{128, 32, 128}, tile{32, 32, 64}
	default:
		large, small = tile{128, 64, 128}, tile{32, 32, 64}
		if middle := (tile{64, 64, 128}); blocks(large) < 2*c.fill() && blocks(middle) >= c.fill() {
			large = middle
		}
	}
	if blocks(large) >= c.fill() {
		return large
	}
	return small
}

// tilesOf is the number of tiles of size that n take.
func tilesOf[N int | int32 | int64](n N, size int) int { return (int(n) + size - 1) / size }

func (t tile) String() string { return fmt.Sprintf("%dx%d", t.rows, t.columns) }

type convArgs struct {
	from, to         View
	w, bias, partial cuda.Ptr
	kernel, stride   int32
	add, _           int32
}

func (c Conv) forwardTile() tile {
	t := c.pixelTile(c.Y.Pixels(), int(c.Y.C))
	if c.X.C == 4 { // few terms: the sums are soon made, whatever the tile
		t = tile{128, 32, 128}
		if c.Y.C == 16 {
			t = tile{128, 16, 128}
		}
	}
	return t
}

func (c Conv) tiles32() int { return tilesOf(c.Y.Pixels(), c.forwardTile().rows) }

func (c Conv) forward32() []cuda.Launch {
	t, kind := c.forwardTile(), "conv32_forward_"
	if c.X.C == 4 {
		kind = "conv32_image_"
	}
	return []cuda.Launch{{
		Kernel: c.Type.named(kind + t.String()),
		Grid:   [3]int{tilesOf(c.Y.Pixels(), t.rows), tilesOf(c.Y.C, t.columns)},
		Block:  [3]int{t.threads},
		Args:   cuda.Args(convArgs{from: c.X, to: c.Y, w: c.W, bias: c.Bias, partial: c.Partial, kernel: int32(c.Kernel), stride: int32(c.Stride)}),
	}}
}

// inputGrad32 makes, with stride 2, the four parities of rows and columns side by side, in grid z.
func (c Conv) inputGrad32(dY, dX View, add bool) []cuda.Launch {
	pixels, parities := dX.Pixels(), 1
	if c.Stride == 2 {
		pixels, parities = int64(dX.N)*int64((dX.H+1)/2)*int64((dX.W+1)/2), 4
	}
	t := c.pixelTile(pixels*int64(parities), int(dX.C))
	return []cuda.Launch{{
		Kernel: c.Type.named("conv32_back_" + t.String()),
		Grid:   [3]int{tilesOf(pixels, t.rows), tilesOf(dX.C, t.columns), parities},
		Block:  [3]int{t.threads},
		Args:   cuda.Args(convArgs{from: dY, to: dX, w: c.W, kernel: int32(c.Kernel), stride: int32(c.Stride), add: flag(add)}),
	}}
}
