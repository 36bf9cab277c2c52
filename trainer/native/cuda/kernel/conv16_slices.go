package kernel

import "fmt"

// weights16 are the shapes of gradients of weights: m lanes of the product, n of (tap, lane) of the input; imageWeights16
// those of the image. directWeights16 are those of conv16_direct_weights.cu, with nine taps of 16 lanes.
var (
	weights16       = []tile16{{128, 128, 2, 4, 1, 32, 4}, {64, 64, 2, 2, 1, 32, 5}, {32, 64, 1, 2, 2, 64, 4}, {16, 64, 1, 1, 4, 64, 4}, {32, 32, 1, 1, 4, 64, 5}}
	imageWeights16  = []tile16{{64, 64, 2, 2, 1, 32, 5}, {32, 64, 1, 2, 2, 64, 4}, {16, 64, 1, 1, 4, 64, 4}}
	directWeights16 = []tile16{{128, 144, 4, 2, 1, 128, 2}, {64, 144, 2, 2, 1, 128, 2}, {32, 144, 1, 2, 2, 128, 2}, {16, 144, 1, 2, 2, 128, 2}}
)

// slicing16 is one way to compute a gradient of weights: how it is divided over tiles of weights, and over slices of pixels.
type slicing16 struct {
	kernel  string
	threads int
	shared  int   // bytes
	blocks  int64 // tiles of weights of a group
	columns int64 // of them, side by side
	count   int64 // slices
	each    int64 // pixels of a slice; of direct ones, tiles of pixels
	weights int64 // of all groups
	clocks  int64 // estimated
	ground  ground16
	group   bool // by warpgroups
}

func (s slicing16) groups() bool { return s.group }

// slices16 is the way of least estimated time.
func slices16(c Conv) (best slicing16) {
	for wanted := int64(1); wanted <= 4*int64(c.fill()); wanted += max(1, wanted/4) {
		for _, s := range among16(c, c.slicings16(wanted)) {
			if best.count == 0 || s.clocks < best.clocks {
				best = s
			}
		}
	}
	return best
}

// slicings16 are the ways of so many slices, or fewer where there are few pixels.
func (c Conv) slicings16(wanted int64) (ways []slicing16) {
	c.check16()
	kernel, shapes := "conv16_weights_", weights16
	if c.X.C == 4 {
		kernel, shapes = "conv16_image_weights_", imageWeights16
	}
	for _, t := range shapes {
		ways = append(ways, c.sliced16(kernel, t, wanted))
	}
	ways = append(ways, c.groupSlicings(wanted)...)
	if c.Kernel != 3 || c.Stride != 1 || c.X.C == 4 {
		return ways
	}
	for _, t := range directWeights16 {
		ways = append(ways, c.slicedDirect16(t, wanted))
	}
	return ways
}

func (c Conv) sliced16(kernel string, t tile16, wanted int64) slicing16 {
	m, n, lanes, terms, pixels, stage := int64(t.m), int64(t.n), c.out(), c.columns(), c.Y.Pixels(), int64(t.k)
	s := slicing16{kernel: kernel + t.String(), threads: t.threads(), shared: t.shared(), columns: ceil(terms, n), weights: c.weights()}
	s.blocks = ceil(lanes, m) * s.columns
	s.each = ceil(ceil(pixels, wanted), stage) * stage
	s.count = ceil(pixels, s.each)
	block := max(t.products(s.each, 2*(m+n)), (2*(m+n)*s.each+4*m*n)/clockBytes) + blockClocks
	s.estimate(c, block, s.each/stage*stageClocks)
	return s
}

func (c Conv) slicedDirect16(t tile16, wanted int64) slicing16 {
	const deep = 16
	m, n, lanes, stage := int64(t.m), int64(t.n), c.out(), int64(t.k)
	s := slicing16{kernel: fmt.Sprintf("conv16_direct_weights_%v", t), threads: t.threads(), columns: c.in() / deep, weights: c.weights()}
	s.ground = layPixels16(c.Y, stage)
	s.blocks = ceil(lanes, m) * s.columns
	s.each = ceil(s.ground.tiles, wanted)
	s.count = ceil(s.ground.tiles, s.each)
	copied := (stage*m + int64(s.ground.around)*deep) * 2 // bytes of a stage
	s.shared = max(t.stages*int(copied), (t.parts-1)*t.m*t.n*4)
	block := max(t.products(s.each*stage, copied/stage), (copied*s.each+4*m*n)/clockBytes) + blockClocks
	s.estimate(c, block, s.each*directStageClocks)
	return s
}

// addClocks is what the second kernel takes beside what it reads.
const addClocks = 3000

// estimate is as of tile16, with the second kernel that adds the slices; alone is the clocks of a block that nothing bounds.
func (s *slicing16) estimate(c Conv, block, alone int64) {
	fill := int64(c.fill())
	s.clocks = max(inTurn(ceil(c.groups()*s.blocks*s.count, fill), block), alone)
	if s.count > 1 {
		s.clocks += addClocks + s.count*s.weights*4/(fill*clockBytes)
	}
}
