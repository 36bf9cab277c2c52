package kernel

import (
	"fmt"
	"slices"
)

// Convolutions by warpgroups, on GPUs of capability 9.0 alone: conv16_wgmma.cu and conv16_wgmma_weights.cu. A tile's row of warps
// has 16 of its rows; stages have 64 terms, in panels that begin at a multiple of panelBytes.
var (
	wgmma16        = []tile16{{128, 256, 8, 1, 1, 64, 3}, {128, 128, 8, 1, 1, 64, 4}, {64, 128, 4, 1, 1, 64, 4}, {128, 64, 8, 1, 1, 64, 4}}
	wgmmaWeights16 = []tile16{{128, 256, 8, 1, 1, 64, 3}, {128, 128, 8, 1, 1, 64, 3}, {64, 128, 4, 1, 1, 64, 4}}
)

const panelBytes = 1024

// groupLanes is how many a convolution has at least, read and written, that goes by warpgroups where it may.
const groupLanes = 128

// among16 are those of all ways of a convolution of which one is taken: by warpgroups, where they may be used and there are many
// lanes and stride 1, whatever others are estimated to take; nothing was measured yet. Otherwise the others.
func among16[W interface{ groups() bool }](c Conv, ways []W) []W {
	group := c.Wgmma && c.Stride == 1 && c.X.C >= groupLanes && c.Y.C >= groupLanes
	return slices.DeleteFunc(ways, func(w W) bool { return w.groups() != group })
}

// groupProducts is what a multiprocessor multiplies and adds in a clock with wgmma, about.
const groupProducts = 3000

// groupBlock is the clocks of products of so many terms in a block, and of what it writes at the end: bound by products, by shared
// memory, from which each 64 rows read their own operand and all columns, or by the L2 cache.
func (t tile16) groupBlock(terms, written int64) int64 {
	m, n := int64(t.m), int64(t.n)
	read := (m + n*m/64) * 2
	return max(terms*m*n/groupProducts, terms*(read+2*(m+n))/clockShared, (2*(m+n)*terms+written)/clockBytes) + blockClocks
}

// groupForms are the ways to compute a product by warpgroups, where they may be used.
func (c Conv) groupForms(kernel string, rows, parities, columns, terms int64) (forms []form16) {
	if !c.Wgmma || c.X.C == 4 {
		return nil
	}
	for _, t := range wgmma16 {
		tiles := ceil(rows, int64(t.m))
		most := ceil(c.groups()*tiles*parities*ceil(columns, int64(t.n)), int64(c.fill()))
		f := form16{kernel: kernel + t.String(), tile: t, tiles: tiles, shared: t.shared() + panelBytes, group: true}
		steps := ceil(terms, int64(t.k))
		f.clocks = max(inTurn(most, t.groupBlock(steps*int64(t.k), 2*int64(t.m*t.n))), steps*stageClocks)
		forms = append(forms, f)
	}
	return forms
}

// groupSlicings are the ways to compute a gradient of weights by warpgroups, where they may be used.
func (c Conv) groupSlicings(wanted int64) (ways []slicing16) {
	if !c.Wgmma || c.X.C == 4 {
		return nil
	}
	lanes, terms, pixels := c.out(), c.columns(), c.Y.Pixels()
	for _, t := range wgmmaWeights16 {
		s := slicing16{kernel: fmt.Sprintf("conv16_wgmma_weights_%v", t), threads: t.threads(), shared: t.shared() + panelBytes, columns: ceil(terms, int64(t.n)), weights: c.weights(), group: true}
		s.blocks = ceil(lanes, int64(t.m)) * s.columns
		stage := int64(t.k)
		s.each = ceil(ceil(pixels, wanted), stage) * stage
		s.count = ceil(pixels, s.each)
		s.estimate(c, t.groupBlock(s.each, 4*int64(t.m*t.n)), s.each/stage*stageClocks)
		ways = append(ways, s)
	}
	return ways
}
