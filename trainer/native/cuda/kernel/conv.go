package kernel

import "github.com/mapsweep/mapsweep/trainer/native/cuda"

// Conv is one group of a convolution: kernel 1 or 3, of stride 1 or 2, padded by half the kernel.
type Conv struct {
	Type           Type
	X, Y           View // input (4 lanes: the image); product or, with Bias, the output
	Kernel, Stride int
	W              cuda.Ptr // FP32 [Y.C][Kernel*Kernel][X.C]
	W16            cuda.Ptr // bf16 copy of the same layout; BFloat16 only
	Bias           cuda.Ptr // FP32 [Y.C] or 0
	Partial        cuda.Ptr // or 0: FP32 [Tiles()][2][Y.C], written by Forward: per tile of pixels the sum and the sum of squares of the stored (rounded) products
}

// Tiles is the number of tiles of pixels that Forward leaves sums of.
func (c Conv) Tiles() int { return tiles16(c) }

// Forward computes Y, and Partial where wanted.
func (c Conv) Forward() []cuda.Launch { return forward16(c) }

// InputGrad computes the gradient of the input, or adds it to dX.
func (c Conv) InputGrad(dY, dX View, add bool) []cuda.Launch { return inputGrad16(c, dY, dX, add) }

// WeightGrad computes the gradient of W.
func (c Conv) WeightGrad(dY View, dW, scratch cuda.Ptr) []cuda.Launch {
	return weightGrad16(c, dY, dW, scratch)
}

// ScratchBytes is what WeightGrad needs.
func (c Conv) ScratchBytes() int64 { return scratch16(c) }
