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

// run leaves the slices of the gradient of the weights in scratch, or, where there is one, the gradient in dW.
func (s slicing16) run(c Conv, dY View, dW, scratch cuda.Ptr) (cuda.Launch, Slices) {
	to := scratch
	if s.count == 1 {
		to = dW
	}
	l := cuda.Launch{Kernel: s.kernel, Grid: [3]int{int(s.blocks), int(s.count), int(c.groups())}, Block: [3]int{s.threads}, Shared: s.shared}
	if s.ground.around > 0 {
		l.Args = s.directArgs(c, dY, to)
	} else {
		l.Args = s.args(c, dY, to)
	}
	return l, Slices{From: scratch, To: dW, Floats: s.weights, Count: s.count}
}

func (s slicing16) args(c Conv, dY View, to cuda.Ptr) []byte {
	return cuda.Args(struct {
		x, dy          View
		dw             cuda.Ptr
		width, height  divisor
		kernel, stride int32
		columns, each  int32
	}{c.first(c.X), c.first(dY), to, newDivisor(dY.W), newDivisor(dY.H), int32(c.Kernel), int32(c.Stride), int32(s.columns), int32(s.each)})
}

func (s slicing16) directArgs(c Conv, dY View, to cuda.Ptr) []byte {
	return cuda.Args(struct {
		x, dy       View
		dw          cuda.Ptr
		lay         lay16
		tiles, each int32
	}{c.first(c.X), c.first(dY), to, s.ground.lay16, int32(s.ground.tiles), int32(s.each)})
}
