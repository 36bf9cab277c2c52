package kernels

/*
#include <stdlib.h>
#include "kernels.h"
*/
import "C"

import (
	"fmt"
	"unsafe"
)

// Lanes is the number of channels in a block.
const Lanes = 16

// Blocks is the number of channel blocks that hold c channels.
func Blocks(c int) int { return (c + Lanes - 1) / Lanes }

// View is a window of CB channel blocks in a buffer of [N][TCB][H+2][W+2][PS] float32, the halo of one pixel included
// in the buffer and not in H and W. PS is 16, or 4 for an input image. The buffer must be C memory (see Alloc) and its
// halo and padding lanes zero; kernels keep them so.
type View struct {
	P          unsafe.Pointer // first float of the window in image 0
	N, CB, TCB int
	H, W, PS   int
	Team       *Team // threads that kernels on the view use
}

// NewView allocates a zeroed buffer for n images of c channels and h x w pixels and returns the view of all of it.
// Release it with FreeView.
func NewView(n, c, h, w int) View {
	v := View{N: n, CB: Blocks(c), TCB: Blocks(c), H: h, W: w, PS: Lanes}
	v.P = unsafe.Pointer(unsafe.SliceData(Alloc(v.Floats())))
	return v
}

// NewImage allocates a zeroed buffer for n input images of h x w pixels: three colours, pixel stride 4.
func NewImage(n, h, w int) View {
	v := View{N: n, CB: 1, TCB: 1, H: h, W: w, PS: 4}
	v.P = unsafe.Pointer(unsafe.SliceData(Alloc(v.Floats())))
	return v
}

// FreeView releases the buffer of a view made by NewView or NewImage (not of a part of one).
func FreeView(v View) { C.free(v.P) }

// Floats is the number of float32 in the whole buffer behind v.
func (v View) Floats() int { return v.N * v.TCB * v.plane() }

func (v View) plane() int { return (v.H + 2) * (v.W + 2) * v.PS }

// Part is the view of count blocks of v from block first on.
func (v View) Part(first, count int) View {
	if first < 0 || count < 1 || first+count > v.CB {
		panic(fmt.Sprintf("kernels: part %d+%d of a view of %d blocks", first, count, v.CB))
	}
	if v.P != nil { // a shape without memory has parts too
		v.P = unsafe.Add(v.P, first*v.plane()*4)
	}
	v.CB = count
	return v
}

// Buffer is the memory behind v from its first block on, halo and padding included, for as far as v's images reach.
func (v View) Buffer() []float32 {
	return unsafe.Slice((*float32)(v.P), ((v.N-1)*v.TCB+v.CB)*v.plane())
}

// At is the value of channel c at row h and column w of image n; for tests and debugging.
func (v View) At(n, c, h, w int) float32 { return v.Buffer()[v.index(n, c, h, w)] }

// Set writes one value; for tests and debugging.
func (v View) Set(n, c, h, w int, f float32) { v.Buffer()[v.index(n, c, h, w)] = f }

func (v View) index(n, c, h, w int) int {
	lane := Lanes
	if v.PS < Lanes {
		lane = v.PS
	}
	return (n*v.TCB+c/lane)*v.plane() + ((h+1)*(v.W+2)+w+1)*v.PS + c%lane
}

func (v View) c() C.struct_ms_view {
	return C.struct_ms_view{p: (*C.float)(v.P), n: C.int(v.N), cb: C.int(v.CB), tcb: C.int(v.TCB), h: C.int(v.H), w: C.int(v.W), ps: C.int(v.PS),
		team: v.Team.pointer()}
}

// same says whether two views have one shape (buffers may differ).
func (v View) same(o View) bool {
	return v.N == o.N && v.CB == o.CB && v.H == o.H && v.W == o.W && v.PS == o.PS
}

func (v View) String() string {
	return fmt.Sprintf("%dx%d/%dx%dx%d", v.N, v.CB, v.TCB, v.H, v.W)
}

// Alloc returns n zeroed floats of C memory, 64-byte aligned. Only such memory may be bound into a Conv. It panics
// where memory is exhausted, as make does.
func Alloc(n int) []float32 {
	p := C.ms_alloc(C.int64_t(n))
	if p == nil {
		panic(fmt.Sprintf("kernels: no memory for %d floats", n))
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(p)), n)
}

// Free releases memory from Alloc. b must begin where that slice began.
func Free(b []float32) { C.free(unsafe.Pointer(unsafe.SliceData(b))) }

// ThreadSeconds is the processor time that the calling thread has used; lock the goroutine to its thread to compare two.
func ThreadSeconds() float64 { return float64(C.ms_thread_seconds()) }
