package kernels

/*
#include "kernels.h"

static void fused_forward(const struct ms_kernels *k, const struct ms_fused *f, int images) { k->fused_forward(f, images); }
static void pool_only(const struct ms_kernels *k, struct ms_view x, struct ms_view y) { k->pool_only(x, y); }
static void pool_down_only(const struct ms_kernels *k, struct ms_view x, struct ms_view y) { k->pool_down_only(x, y); }

#cgo noescape fused_forward
#cgo nocallback fused_forward
*/
import "C"

import (
	"fmt"
	"unsafe"
)

// FusedSpec describes one convolution of inference and where its data lies: y = f(conv(x) + bias) + add, f SiLU or
// nothing. Fields mean what they mean in ConvSpec; all memory is C memory and belongs to the caller.
type FusedSpec struct {
	K, S   int // 3 with stride 1 or 2 (zero padding 1), or 1 with stride 1 (no padding)
	IC, OC int
	ILanes []int // stored lanes of the real channels where others lie between them, IC and OC counting all; nil: all
	OLanes []int
	Image  bool // X is an image (NewImage): IC is 3
	Active bool // SiLU

	X, Y View
	Add  View // as Y, other memory; without P nothing is added

	W, Bias []float32 // WeightLen floats, or TransformedLen of these; 16 floats per OC block

	Winograd bool  // W is in Winograd's form (TransformWeights), of a 3x3 convolution with stride 1, not of an image
	Room     *Room // of Winograd's form, as in ConvSpec
}

// conv is what a convolution of training has in common with this one.
func (s FusedSpec) conv() ConvSpec {
	return ConvSpec{K: s.K, S: s.S, IC: s.IC, OC: s.OC, ILanes: s.ILanes, OLanes: s.OLanes, Image: s.Image, X: s.X, Y: s.Y, W: s.W, Beta: s.Bias, Form: Auto}
}

// Gains tells whether Winograd's form is faster, by the rule of training: by the shapes of X, Y and W alone.
func (s FusedSpec) Gains() bool { return s.conv().winograd() != 0 }

func (s FusedSpec) check() error {
	c := s.conv()
	if s.Winograd {
		if s.K != 3 || s.S != 1 || s.Image {
			return fmt.Errorf("kernel %d with stride %d, image %t, in Winograd's form", s.K, s.S, s.Image)
		}
		if want := TransformedLen(c.WeightLen()); len(s.W) != want {
			return fmt.Errorf("%d transformed weights, want %d", len(s.W), want)
		}
		c.W = s.W[:c.WeightLen()]
	}
	if err := c.check(); err != nil {
		return err
	}
	if s.Add.P != nil && !s.Add.same(s.Y) {
		return fmt.Errorf("addition of %v to output %v", s.Add, s.Y)
	}
	return nil
}

// Fused is a convolution of inference bound to its memory. It is not safe for concurrent use; two over different
// outputs are. Close it.
type Fused struct {
	k      table
	f      C.struct_ms_fused
	halves []float32
	room   *Room // nil: it needs none
	alone  bool  // the room is its own
	needs  int   // floats of it
}

// NewFused binds a convolution. The error says which part of the specification does not fit, or that MAPSWEEP_ISA names
// a set of kernels that this processor does not have.
func NewFused(s FusedSpec) (*Fused, error) {
	if _, err := chosen(); err != nil && forced.Load() == nil {
		return nil, err
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("bind convolution %d->%d %dx%d/%d of inference: %w", s.IC, s.OC, s.K, s.K, s.S, err)
	}
	inputs, outputs := s.ILanes, s.OLanes
	if inputs == nil {
		inputs = Row(s.IC)
	}
	if outputs == nil {
		outputs = Row(s.OC)
	}
	in, out := Blocks(s.IC), Blocks(s.OC)
	room := Alloc(in + out)
	f := &Fused{k: current(), halves: room, f: C.struct_ms_fused{
		k: C.int(s.K), s: C.int(s.S), image: cbool(s.Image), active: cbool(s.Active),
		icb: C.int(Blocks(s.IC)), ocb: C.int(Blocks(s.OC)),
		x: s.X.c(), y: s.Y.c(), add: s.Add.c(), w: floats(s.W), bias: floats(s.Bias),
		ihalves: halves(floats(room), inputs, in), ohalves: halves(floats(room[in:]), outputs, out),
	}}
	if s.Winograd {
		f.share(s)
	}
	return f, nil
}

// share makes the convolution a user of its room, for scratch of each thread.
func (f *Fused) share(s FusedSpec) {
	f.room = s.Room
	if f.room == nil {
		f.room, f.alone = &Room{}, true
	}
	f.f.winograd, f.f.room_floats = 1, C.ms_winograd_group(f.f.icb)
	f.needs = s.Y.Team.Threads() * int(f.f.room_floats)
	f.room.join(f)
}

func (f *Fused) floats() int           { return f.needs }
func (f *Fused) settle(room []float32) { f.f.room = floats(room) }

// Forward computes Y for the first images of the batch.
func (f *Fused) Forward(images int) { C.fused_forward(f.k, &f.f, C.int(images)) }

// Close releases what the convolution holds beside the caller's memory.
func (f *Fused) Close() {
	if f.halves != nil {
		Free(f.halves)
		f.halves = nil
	}
	switch {
	case f.room == nil:
	case f.alone:
		f.room.Close()
	default:
		f.room.leave(f)
	}
	f.room = nil
}

// Max computes the 5x5 maximum of x with stride 1, as MaxPoolForward does, without what a backward pass needs.
func Max(x, y View) {
	must(x.same(y) && x.PS == Lanes, "pooling", x, y)
	C.pool_only(current(), x.c(), y.c())
}

// MaxDown computes the 3x3 maximum of x with stride 2, as PoolDownForward does, without what a backward pass needs.
func MaxDown(x, y View) {
	must(y.sized(x, (x.H-1)/2+1, (x.W-1)/2+1), "pooling", x, y)
	C.pool_down_only(current(), x.c(), y.c())
}

// On is v in the memory that begins with b.
func (v View) On(b []float32) View {
	v.P = unsafe.Pointer(unsafe.SliceData(b))
	return v
}
