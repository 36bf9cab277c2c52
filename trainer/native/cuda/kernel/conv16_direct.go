package kernel

import "github.com/mapsweep/mapsweep/trainer/native/cuda"

// direct16 are the shapes of conv16_direct.cu: m pixels, n lanes, 16 terms of each of 9 taps at a time.
var direct16 = []tile16{{128, 128, 2, 4, 1, 16, 2}, {128, 64, 2, 2, 1, 16, 2}, {128, 32, 4, 1, 1, 16, 2}, {128, 16, 4, 1, 1, 16, 2}, {64, 32, 2, 2, 1, 16, 2}}

// directStageClocks is what a stage of nine taps takes where nothing else runs: the copies are waited for, and the products
// follow each other.
const directStageClocks = 700

// ground16 is how tiles of conv16_ground.cuh cover the pixels of images: 16 pixels wide within one image, or as runs of pixels.
type ground16 struct {
	lay16
	tiles int64
}

// lay16 is Lay of conv16_ground.cuh.
type lay16 struct {
	across, down int32 // tiles in an image, or 0
	pitch        int32 // pixels from line to line of what a tile reads
	around       int32 // pixels that a tile reads
}

// mostAround is MOST_AROUND of conv16_ground.cuh: with more, shared memory would not suffice on GPUs of capability 8.6 and 8.9.
const mostAround = 352

// layPixels16 lays tiles of m pixels the way in which fewest are read and computed.
func layPixels16(pixels View, m int64) ground16 {
	const wide = 16
	h, w := int64(pixels.H), int64(pixels.W)
	across, down := ceil(w, wide), ceil(h, m/wide)
	image := ground16{lay16{int32(across), int32(down), wide + 2, int32((m/wide + 2) * (wide + 2))}, int64(pixels.N) * across * down}
	run := ground16{lay16{pitch: pixels.W, around: int32(m + 2*w + 2)}, ceil(pixels.Pixels(), m)}
	if run.tiles*(int64(run.around)+m) < image.tiles*(int64(image.around)+m) && run.around <= mostAround {
		return run
	}
	return image
}

// directForms are the ways to compute a product of `lanes` directly, where the convolution is of 3 x 3 and stride 1.
func (c Conv) directForms(kernel string, pixels View, lanes int64) (forms []form16) {
	if c.Kernel != 3 || c.Stride != 1 {
		return nil
	}
	for _, t := range direct16 {
		g := layPixels16(pixels, int64(t.m))
		weights, depth, steps := 9*int64(t.n), int64(t.k), lanes/int64(t.k)
		shared := max(min(int64(t.stages), steps)*(int64(g.around)+weights)*depth*2, int64(t.m*(t.n+8)*2))
		forms = append(forms, form16{kernel: kernel + t.String(), tile: t, tiles: g.tiles, shared: int(shared), ground: g,
			clocks: g.clocks(t, c.groups()*ceil(int64(pixels.C), int64(t.n)), steps, int64(c.fill()))})
	}
	return forms
}

// clocks is an estimate as of tile16.
func (g ground16) clocks(t tile16, columns, steps, fill int64) int64 {
	m, n, depth := int64(t.m), int64(t.n), int64(t.k)
	most := ceil(g.tiles*columns, fill)
	copied := (int64(g.around) + 9*n) * depth * 2 // bytes of a stage
	block := max(t.products(9*depth*steps, copied/(9*depth)), (copied*steps+2*m*n)/clockBytes) + blockClocks
	return max(inTurn(most, block), steps*directStageClocks)
}

// directArgs is DirectArgs of conv16_direct.cu.
type directArgs struct {
	x, y             View
	w, bias, partial cuda.Ptr
	columns, add     int32
	lay              lay16
	lanes, _         int32
	statistics       statistics
}

func (g ground16) args(a gatherArgs) directArgs {
	return directArgs{x: a.x, y: a.y, w: a.w, bias: a.bias, partial: a.partial, columns: a.columns, add: a.add, lay: g.lay16, lanes: a.lanes, statistics: a.statistics}
}
