package kernels

/*
#include "kernels.h"
*/
import "C"

// Form says how 3x3 convolutions with stride 1 are computed. The results of the two forms differ by rounding.
type Form int

const (
	Direct   Form = iota // products of pixels and weights
	Auto                 // Winograd's form in those directions in which it is faster for the layer's shape
	Winograd             // Winograd's form in every direction
)

const forwardOnly = C.MS_WINOGRAD_FORWARD

// winograd is the set of directions that use Winograd's form. It depends on the shape of one image alone, so that
// results do not depend on the batch, on threads or on the machine.
func (s ConvSpec) winograd() int {
	if s.Form == Direct || s.K != 3 || s.S != 1 || s.Image {
		return 0
	}
	all := C.MS_WINOGRAD_FORWARD | C.MS_WINOGRAD_DX
	if s.BF16 {
		all = forwardOnly
	}
	return all
}

// transformed is how many floats the transformed weights take, if there are any: 16 blocks for each pair of channel blocks.
func (s ConvSpec) transformed() int {
	if s.winograd() == 0 {
		return 0
	}
	return s.WeightLen() / (s.K * s.K) * 16
}
