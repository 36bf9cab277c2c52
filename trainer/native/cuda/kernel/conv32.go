package kernel

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// tile is a shape of a block's part of a product in conv32.cu or convweight32.cu. Each thread holds high x wide sums.
type tile struct{ rows, columns, high, wide int }

// pixelTiles are those of products and gradients of inputs (rows are pixels, columns lanes), imageTiles those of products of
// the network's image, weightTiles those of gradients of weights (rows are lanes of the product, columns taps times lanes).
var (
	pixelTiles  = []tile{{128, 64, 8, 8}, {64, 64, 8, 4}, {128, 32, 8, 4}, {32, 32, 4, 4}, {128, 16, 4, 4}, {64, 16, 4, 4}}
	imageTiles  = []tile{{128, 32, 8, 4}, {128, 16, 4, 4}}
	weightTiles = []tile{{64, 64, 8, 4}, {32, 64, 4, 4}, {16, 128, 4, 4}}
)

func (t tile) String() string { return fmt.Sprintf("%dx%d", t.rows, t.columns) }

func (t tile) threads() int { return t.rows / t.high * (t.columns / t.wide) }

// blocks is the number of tiles that a product takes.
func (t tile) blocks(rows, columns int64) int64 {
	return ceil(rows, int64(t.rows)) * ceil(columns, int64(t.columns))
}

// What a multiprocessor does in a clock in FP32, about (sm_80, sm_90): multiply-adds. The other figures are clocks for a warp
// to read 16 bytes a thread from shared memory, where threads share what they read, and from barrier to barrier (16 terms)
// where nothing else runs, which is the latency of memory. Bytes in a clock and clocks to start are those of bf16.
const (
	clockProducts32 = 128
	quadClocks      = 3
	roundClocks     = 500
)

// clocks is an estimate of the time of products of so many groups on so many multiprocessors, as that of tile16 is: a block is bound by its
// multiply-adds, by reading shared memory, or by what it loads.
func (t tile) clocks(groups, rows, columns, terms, fill int64) int64 {
	most := ceil(groups*t.blocks(rows, columns), fill)
	products := int64(t.rows*t.columns) / clockProducts32
	shared := int64(t.threads()/32*(t.high+t.wide)/4) * quadClocks
	loaded := int64(t.rows+t.columns) * 4 / clockBytes
	return max(most*terms*max(products, shared, loaded), ceil(terms, 16)*roundClocks) + startClocks*ceil(most, 4)
}

// choose32 is the shape of least estimated time; of equals, that which computes least beside the product, or the first.
func (c Conv) choose32(shapes []tile, rows, columns, terms int64) tile {
	return slices.MinFunc(shapes, func(s, t tile) int {
		return cmp.Or(cmp.Compare(s.clocks(c.groups(), rows, columns, terms, int64(c.fill())), t.clocks(c.groups(), rows, columns, terms, int64(c.fill()))),
			cmp.Compare(s.sums(rows, columns), t.sums(rows, columns)))
	})
}

// sums is the number of sums that the tiles of a product have, those beside it too.
func (t tile) sums(rows, columns int64) int64 {
	return t.blocks(rows, columns) * int64(t.rows*t.columns)
}

type convArgs struct {
	from, to         View
	w, bias, partial cuda.Ptr
	kernel, stride   int32
	add, lanes       int32
}

// forwardTiles are the shapes that Forward may take.
func (c Conv) forwardTiles() []tile {
	if c.X.C == 4 {
		return imageTiles
	}
	return pixelTiles
}

func (c Conv) forwardTile() tile {
	return c.choose32(c.forwardTiles(), c.Y.Pixels(), c.out(), c.columns())
}

func (c Conv) tiles32(t tile) int { return int(ceil(c.Y.Pixels(), int64(t.rows))) }

func (c Conv) forward32(t tile) []cuda.Launch {
	kind := "conv32_forward_"
	if c.X.C == 4 {
		kind = "conv32_image_"
	}
	args := convArgs{from: c.first(c.X), to: c.first(c.Y), w: c.W, bias: c.Bias, partial: c.Partial, kernel: int32(c.Kernel), stride: int32(c.Stride), lanes: c.Y.C}
	return []cuda.Launch{{
		Kernel: kind + t.String(),
		Grid:   [3]int{c.tiles32(t), int(ceil(c.out(), int64(t.columns))), int(c.groups())},
		Block:  [3]int{t.threads()},
		Args: cuda.Args(struct {
			conv       convArgs
			statistics statistics
		}{args, c.Norm.statistics(c.Partial, c.tiles32(t))}),
	}}
}

// quarters is, of the gradient of the input, the number of kinds of pixels that differ in the taps they receive from, and the
// most pixels of one: with stride 2 even and odd rows and columns, else one.
func (c Conv) quarters() (count int, pixels int64) {
	if c.Stride == 1 {
		return 1, c.X.Pixels()
	}
	return 4, int64(c.X.N) * int64((c.X.H+1)/2) * int64((c.X.W+1)/2)
}

// inputTile is chosen as if parities were one product: they run side by side, and a pixel has a quarter of the taps, on the
// average.
func (c Conv) inputTile() tile {
	count, pixels := c.quarters()
	taps := int64(c.Kernel*c.Kernel) / int64(count)
	return c.choose32(pixelTiles, pixels*int64(count), c.in(), taps*c.out())
}

func (c Conv) inputGrad32(dY, dX View, add bool, t tile) []cuda.Launch {
	count, pixels := c.quarters()
	return []cuda.Launch{{
		Kernel: "conv32_back_" + t.String(),
		Grid:   [3]int{int(ceil(pixels, int64(t.rows))), int(ceil(c.in(), int64(t.columns))), count * int(c.groups())},
		Block:  [3]int{t.threads()},
		Args:   cuda.Args(convArgs{from: c.first(dY), to: c.first(dX), w: c.W, kernel: int32(c.Kernel), stride: int32(c.Stride), add: flag(add), lanes: dX.C}),
	}}
}
