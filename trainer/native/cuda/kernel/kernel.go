// Package kernel holds the kernels of the CUDA trainer: their sources in CUDA C, and functions that make launches of them
// ([cuda.Launch]). It knows windows of activations ([View]) and numbers, neither graphs nor what a model is. Each family has
// a .cu file and the .go file of the same name beside it.
//
// The sources are compiled by nvcc, and for tests by a C++ compiler over the emulator (../emulator). Start reading at
// port.cuh, which says what they are written in, then copy.cu and copy.go, the simplest family.
package kernel

import (
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// Type is the type of activations and their gradients.
type Type int

// The types. Sums, statistics, weights and gradients of weights are Float32 in both.
const (
	Float32 Type = iota
	BFloat16
)

// Bytes of one value.
func (t Type) Bytes() int64 {
	if t == BFloat16 {
		return 2
	}
	return 4
}

// named is a kernel's name for a type.
func (t Type) named(kernel string) string {
	if t == BFloat16 {
		return kernel + "_bf16"
	}
	return kernel + "_f32"
}

// String returns the type's name.
func (t Type) String() string {
	if t == BFloat16 {
		return "bf16"
	}
	return "float32"
}

// View is a window of stored lanes of an activation: pixel (n, y, x) begins at P + ((n H + y) W + x) Stride values. C is a
// multiple of 16, and 4 for the network's image. It is View of port.cuh.
type View struct {
	P       cuda.Ptr
	N, H, W int32
	C       int32 // lanes of the window
	Stride  int32 // values from pixel to pixel
	_       int32
}

// Pixels is the number of pixels of all images.
func (v View) Pixels() int64 { return int64(v.N) * int64(v.H) * int64(v.W) }

// Part is the window of count lanes from first on.
func (v View) Part(t Type, first, count int) View {
	v.P = v.P.Add(int64(first) * t.Bytes())
	v.C = int32(count)
	return v
}

// flat launches a kernel in which each thread takes items in turn: one dimension, blocks of 256, and no more blocks than keep
// a large GPU busy.
func flat(kernel string, items int64, args []byte) cuda.Launch {
	const block, most = 256, 132 * 16
	return cuda.Launch{Kernel: kernel, Grid: [3]int{int(min(max((items+block-1)/block, 1), most))}, Block: [3]int{block}, Args: args}
}

// same panics where two windows that must have one shape have not: a mistake of the caller.
func same(what string, a, b View) {
	if a.N != b.N || a.H != b.H || a.W != b.W || a.C != b.C {
		panic(fmt.Sprintf("%s: windows of %d x %d x %d x %d and %d x %d x %d x %d", what, a.N, a.H, a.W, a.C, b.N, b.H, b.W, b.C))
	}
}
