package kernel

import (
	"math/bits"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// divisor is Divisor of conv16_weights.cu.
type divisor struct {
	by, magic uint32
	shift     int32
}

func newDivisor(by int32) divisor {
	shift := bits.Len32(uint32(by - 1))
	magic := (uint64(1)<<shift-uint64(by))<<32/uint64(by) + 1
	return divisor{by: uint32(by), magic: uint32(magic), shift: int32(shift)}
}

// slicing16 is how a gradient of weights is divided: over tiles of weights, and over slices of pixels.
type slicing16 struct {
	tile    tile16
	blocks  int64 // tiles
	columns int64 // tiles side by side
	count   int64 // slices
	each    int64 // pixels of a slice
	weights int64
}

// leastStages is how many stages a slice has at least: fewer, and starting a block and adding its sums takes longer than the
// products.
const leastStages = 8

// slices16 takes the shape that multiplies fewest zeros and reads least, the largest first of equals, and as many slices as
// fill a GPU.
func slices16(c Conv) slicing16 {
	c.check16()
	var best slicing16
	var least int64
	for _, t := range c.weightTiles16() {
		s := sliceTile16(c, t)
		cost := s.blocks * max(int64(t.m*t.n)*64/clockProducts, int64(t.m+t.n)*64*2/clockBytes)
		if best.blocks == 0 || cost < least {
			best, least = s, cost
		}
	}
	return best
}

func (c Conv) weightTiles16() []tile16 {
	if c.X.C == 4 {
		return imageWeights16
	}
	return weights16
}

func sliceTile16(c Conv, t tile16) slicing16 {
	lanes, terms, pixels, stage := int64(c.Y.C), c.taps()*int64(c.X.C), c.Y.Pixels(), int64(t.k)
	s := slicing16{tile: t, columns: ceil(terms, int64(t.n)), weights: lanes * terms}
	s.blocks = ceil(lanes, int64(t.m)) * s.columns
	count := max(1, min(ceil(3*int64(c.fill()), s.blocks), pixels/(leastStages*stage)))
	s.each = ceil(ceil(pixels, count), stage) * stage
	s.count = ceil(pixels, s.each)
	return s
}

// scratch16 is the memory in bytes that weightGrad16 needs: the sums of the slices.
func scratch16(c Conv) int64 { return slices16(c).scratch() }

func (s slicing16) scratch() int64 {
	if s.count == 1 {
		return 0
	}
	return s.count * s.weights * 4
}

// weightGrad16 writes the gradient of the weights.
func weightGrad16(c Conv, dY View, dW, scratch cuda.Ptr) []cuda.Launch {
	return weightGradTile16(c, dY, dW, scratch, slices16(c))
}

func weightGradTile16(c Conv, dY View, dW, scratch cuda.Ptr, s slicing16) []cuda.Launch {
	same("gradient of a product", c.Y, dY)
	args := struct {
		x, dy          View
		dw             cuda.Ptr
		width, height  divisor
		kernel, stride int32
		columns, each  int32
	}{c.X, dY, scratch, newDivisor(dY.W), newDivisor(dY.H), int32(c.Kernel), int32(c.Stride), int32(s.columns), int32(s.each)}
	if s.count == 1 {
		args.dw = dW
	}
	kernel := "conv16_weights_" + s.tile.String()
	if c.X.C == 4 {
		kernel = "conv16_image_weights_" + s.tile.String()
	}
	launches := []cuda.Launch{{Kernel: kernel, Grid: [3]int{int(s.blocks), int(s.count)}, Block: [3]int{s.tile.threads}, Shared: s.tile.shared(), Args: cuda.Args(args)}}
	if s.count == 1 {
		return launches
	}
	add := struct {
		slices, sum cuda.Ptr
		n           int64
		count, _    int32
	}{slices: scratch, sum: dW, n: s.weights, count: int32(s.count)}
	return append(launches, cuda.Launch{Kernel: "conv16_add", Grid: [3]int{int(ceil(s.weights, 64))}, Block: [3]int{256}, Args: cuda.Args(add)})
}
