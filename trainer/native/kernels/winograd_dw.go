package kernels

/*
#include "kernels.h"
*/
import "C"

// gradientPays says whether the gradient of the weights is faster by a tenth or more in Winograd's form, by what was measured
// of it with AVX-512: a tile takes 16 multiplications, each of 16 output lanes, for every input lane, and about 55 times as long
// as one of them to transform a block of its input or output; the direct form takes 9 for each pixel.
func (s ConvSpec) gradientPays() bool {
	const transform, lanes = 55, Lanes
	in, out := usedLanes(s.ILanes, s.IC), max(lanes, usedLanes(s.OLanes, s.OC)) // half a block alone is no faster than a whole one
	direct := 9 * s.Y.H * s.Y.W * in * out / lanes
	winograd := s.tiles() * (16*in*out/lanes + transform*(s.X.CB+s.Y.CB))
	return 10*direct >= 11*winograd
}

// usedLanes is how many lanes are multiplied: those of the halves of blocks that hold any of the given ones, or of the
// first n where none are given.
func usedLanes(lanes []int, n int) int {
	const half = Lanes / 2
	if lanes == nil {
		return (n + half - 1) / half * half
	}
	used, last := 0, -1
	for _, l := range lanes { // rising
		if l/half != last {
			used, last = used+half, l/half
		}
	}
	return used
}

// tiles is how many tiles of 2x2 pixels an image of the output falls into.
func (s ConvSpec) tiles() int { return (s.Y.H + 1) / 2 * ((s.Y.W + 1) / 2) }

// imagesOfGradient is how many images fill what the gradient of the weights transforms at once.
func (s ConvSpec) imagesOfGradient() int {
	return max(1, int(C.ms_winograd_dw_tiles(C.int(s.Y.CB)))/s.tiles())
}
