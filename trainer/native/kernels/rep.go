package kernels

/*
#include "kernels.h"

static void rep_forward(const struct ms_kernels *k, const struct ms_conv *c, const struct ms_conv *d, int train) { k->rep_forward(c, d, train); }
static void rep_backward(const struct ms_kernels *k, const struct ms_conv *c, const struct ms_conv *d) { k->rep_backward(c, d); }

#cgo noescape rep_forward
#cgo nocallback rep_forward
#cgo noescape rep_backward
#cgo nocallback rep_backward
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"
)

// Rep is a layer of two convolutions of one input, A = SiLU(BN(conv3x3(x)) + BN(conv1x1(x))), bound to its memory. It is
// not safe for concurrent use.
type Rep struct {
	wide, point *Conv
	room        []float32 // without bfloat16, the 1x1 arm's gradient of a group of images
	lent        bool      // room is another layer's
}

// NewRep binds a layer: wide describes the 3x3 arm with stride 1, and point the 1x1 arm by its parameters (W to Var),
// Y and Room alone; the rest is the same. Close the result.
func NewRep(wide, point ConvSpec) (*Rep, error) { return newRep(wide, point, &Rep{}) }

// Resized binds the same layer to views of another size; see [Conv.Resized]. r may be nil: see NewRep.
func (r *Rep) Resized(wide, point ConvSpec) (*Rep, error) {
	if r == nil {
		r = &Rep{}
	}
	return newRep(wide, point, r)
}

func newRep(wide, point ConvSpec, like *Rep) (*Rep, error) {
	if wide.K != 3 || wide.S != 1 || !wide.BN || wide.Linear || wide.Image {
		return nil, errors.New("bind convolution of two arms: the first is not 3x3 with stride 1, normalised and active")
	}
	r := &Rep{}
	p := wide
	p.K, p.Y, p.Room = 1, point.Y, point.Room
	p.W, p.DW, p.Gamma, p.DGamma, p.Beta, p.DBeta = point.W, point.DW, point.Gamma, point.DGamma, point.Beta, point.DBeta
	p.Mean, p.Var = point.Mean, point.Var
	p.AccDX = true
	if p.DA.P != nil && !p.BF16 {
		p.daRoom = wide.group()
		p.DA = p.Y
		p.DA.TCB = p.Y.CB
		if n := p.daRoom * p.Y.CB * p.Y.plane(); len(like.room) >= n {
			r.room, r.lent = like.room, true
		} else {
			r.room = Alloc(n)
		}
		p.DA.P = unsafe.Pointer(unsafe.SliceData(r.room))
	}
	var err error
	if r.wide, err = like.wide.Resized(wide); err == nil {
		r.point, err = like.point.Resized(p)
	}
	if err != nil {
		r.Close()
		return nil, fmt.Errorf("bind convolution of two arms: %w", err)
	}
	return r, nil
}

// Forward computes both Y and A. With train the normalisations use the batch's statistics and move the running ones;
// otherwise they use the running ones.
func (r *Rep) Forward(train bool) { C.rep_forward(r.wide.k, r.wide.c, r.point.c, cbool(train)) }

// Backward turns DA into the gradients of the parameters and, where asked, of X. It needs the X and Y of the last
// Forward(true). It overwrites DA.
func (r *Rep) Backward() {
	if !r.wide.backwards {
		panic("kernels: Backward of a convolution bound without DA")
	}
	C.rep_backward(r.wide.k, r.wide.c, r.point.c)
}

// Floats is how much memory the layer holds by itself; see [Conv.Floats].
func (r *Rep) Floats() int {
	n := r.wide.Floats() + r.point.Floats()
	if !r.lent {
		n += len(r.room)
	}
	return n
}

// Close releases the layer's scratch memory, not the caller's buffers.
func (r *Rep) Close() {
	for _, c := range []*Conv{r.wide, r.point} {
		if c != nil {
			c.Close()
		}
	}
	if r.room != nil && !r.lent {
		Free(r.room)
	}
	r.room = nil
}
