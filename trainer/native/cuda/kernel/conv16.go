package kernel

import "github.com/mapsweep/mapsweep/trainer/native/cuda"

// Convolutions of bf16 activations are computed in FP32 arithmetic, with the FP32 weights.

func tiles16(c Conv) int { return c.tiles32() }

func forward16(c Conv) []cuda.Launch { return c.forward32() }

func inputGrad16(c Conv, dY, dX View, add bool) []cuda.Launch { return c.inputGrad32(dY, dX, add) }

func weightGrad16(c Conv, dY View, dW, scratch cuda.Ptr) []cuda.Launch {
	return c.weightGrad32(dY, dW, scratch)
}

func scratch16(c Conv) int64 { return c.scratch32() }
