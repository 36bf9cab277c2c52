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

// weights16 are the shapes of gradients of weights: m lanes of the product, n of (tap, lane) of the input; imageWeights16
// those of the image.
var (
	weights16      = []tile16{{128, 128, 2, 4, 1, 32, 4}, {64, 64, 2, 2, 1, 32, 5}, {32, 64, 1, 2, 2, 64, 4}, {16, 64, 1, 1, 4, 64, 4}, {32, 32, 1, 1, 4, 64, 5}}
	imageWeights16 = []tile16{{64, 64, 2, 2, 1, 32, 5}, {32, 64, 1, 2, 2, 64, 4}, {16, 64, 1, 1, 4, 64, 4}}
)

func (c Conv) weightTiles16() []tile16 {
	if c.X.C == 4 {
		return imageWeights16
	}
	return weights16
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

// slices16 takes the shape and the number of slices of least estimated time.
func slices16(c Conv) (best slicing16) {
	c.check16()
	var least int64
	for _, t := range c.weightTiles16() {
		for wanted := int64(1); wanted <= 4*int64(c.fill()); wanted += max(1, wanted/4) {
			s := sliceTile16(c, t, wanted)
			if v := s.clocks(int64(c.fill())); best.count == 0 || v < least {
				best, least = s, v
			}
			if s.each == int64(t.k) {
				break
			}
		}
	}
	return best
}

// sliceTile16 divides over tiles of a shape, and into so many slices or fewer.
func sliceTile16(c Conv, t tile16, wanted int64) slicing16 {
	lanes, terms, pixels, stage := int64(c.Y.C), c.taps()*int64(c.X.C), c.Y.Pixels(), int64(t.k)
	s := slicing16{tile: t, columns: ceil(terms, int64(t.n)), weights: lanes * terms}
	s.blocks = ceil(lanes, int64(t.m)) * s.columns
	s.each = ceil(ceil(pixels, wanted), stage) * stage
	s.count = ceil(pixels, s.each)
	return s
}

// clocks is an estimate as of tile16, with the second kernel that adds the slices.
func (s slicing16) clocks(fill int64) int64 {
	m, n := int64(s.tile.m), int64(s.tile.n)
	most := ceil(s.blocks*s.count, fill)
	block := max(s.tile.products(s.each, 2*(m+n)), (2*(m+n)*s.each+4*m*n)/clockBytes) + blockClocks
	all := max(inTurn(most, block), s.each/int64(s.tile.k)*stageClocks)
	if s.count > 1 {
		all += addClocks + s.count*s.weights*4/(fill*clockBytes)
	}
	return all
}

// addClocks is what the second kernel takes beside what it reads.
const addClocks = 3000

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
	launches := []cuda.Launch{{Kernel: kernel, Grid: [3]int{int(s.blocks), int(s.count)}, Block: [3]int{s.tile.threads()}, Shared: s.tile.shared(), Args: cuda.Args(args)}}
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
