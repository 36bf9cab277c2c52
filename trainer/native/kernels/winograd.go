package kernels

/*
#include "kernels.h"

static void winograd_transform(const struct ms_kernels *k, const float *w, float *u, int64_t pairs) { k->winograd_transform(w, u, pairs); }

#cgo noescape winograd_transform
#cgo nocallback winograd_transform
*/
import "C"

import "fmt"

// Form says how 3x3 convolutions with stride 1 are computed. The results of the two forms differ by rounding.
type Form int

const (
	Direct   Form = iota // products of pixels and weights
	Auto                 // Winograd's form in those directions in which it is faster for the layer's shape
	Winograd             // Winograd's form in every direction
)

const narrowMost = 20 * 20 // pixels of an image for which a block of 8 channels at either end gains 10 %

// winograd is the set of directions that use Winograd's form. It depends on the shape of one image alone, so that
// results do not depend on the batch, on threads or on the machine.
func (s ConvSpec) winograd() (directions int) {
	if s.Form == Direct || s.K != 3 || s.S != 1 || s.Image {
		return 0
	}
	if s.Form == Winograd || s.gains() {
		directions = C.MS_WINOGRAD_FORWARD
		if s.HasDX && !s.BF16 {
			directions |= C.MS_WINOGRAD_DX
		}
	}
	if s.DA.P != nil && !s.BF16 && (s.Form == Winograd || s.gradientPays()) {
		directions |= C.MS_WINOGRAD_DW
	}
	return directions
}

// gains tells whether Winograd's form is faster by 10 % at least, forward and for the gradient of the input: see
// BenchmarkWinograd and docs/BENCHMARKS.md. A layer that gains with its input and output exchanged gains as it is.
func (s ConvSpec) gains() bool {
	pixels := s.Y.H * s.Y.W
	narrow := max(s.X.CB, s.Y.CB) == 1 && min(usedLanes(s.ILanes, s.IC), usedLanes(s.OLanes, s.OC)) <= Lanes/2
	return pixels > 1 && (!narrow || pixels <= narrowMost)
}

// transformed is how many floats transformed weights take, or their gradient, if there are any: 16 blocks for each pair of channel blocks.
func (s ConvSpec) transformed() int {
	if s.winograd() == 0 {
		return 0
	}
	return TransformedLen(s.WeightLen())
}

// TransformedLen is the length of so many weights of a 3x3 convolution in Winograd's form.
func TransformedLen(weights int) int { return weights / 9 * 16 }

// TransformWeights brings w, all weights of a 3x3 convolution in blocked form, into Winograd's form: u has TransformedLen floats.
func TransformWeights(u, w []float32) {
	if len(w)%(9*Lanes*Lanes) != 0 || len(u) != TransformedLen(len(w)) {
		panic(fmt.Sprintf("kernels: %d weights to %d transformed ones", len(w), len(u)))
	}
	C.winograd_transform(current(), floats(w), floats(u), C.int64_t(len(w)/(9*Lanes*Lanes)))
}

// pieces is how many of those there are at a time: the weights in the forward pass, and in the backward pass the turned weights
// and the gradient, as far as these use Winograd's form.
func (s ConvSpec) pieces() (n int) {
	directions := s.winograd()
	for _, d := range []int{C.MS_WINOGRAD_DX, C.MS_WINOGRAD_DW} {
		if directions&d != 0 {
			n++
		}
	}
	if directions&C.MS_WINOGRAD_FORWARD != 0 {
		n = max(n, 1)
	}
	return n
}
