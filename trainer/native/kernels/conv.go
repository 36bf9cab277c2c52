package kernels

/*
#cgo CFLAGS: -O3 -std=gnu11 -Wno-psabi
#cgo LDFLAGS: -lm
#include <stdlib.h>
#include "kernels.h"

static void conv_forward(const struct ms_kernels *k, const struct ms_conv *c, int train) { k->conv_forward(c, train); }
static void conv_backward(const struct ms_kernels *k, const struct ms_conv *c) { k->conv_backward(c); }

#cgo noescape conv_forward
#cgo nocallback conv_forward
#cgo noescape conv_backward
#cgo nocallback conv_backward
*/
import "C"

import (
	"fmt"
	"unsafe"
)

// ConvSpec describes one convolution layer and where its data lies. Legend: IC, OC input and output channels, of which
// the blocks may hold up to 15 more (padding lanes, zero); K kernel size; S stride. All memory is C memory (Alloc) and
// belongs to the caller.
type ConvSpec struct {
	K, S   int // 3 with stride 1 or 2 (zero padding 1), or 1 with stride 1 (no padding)
	IC, OC int
	ILanes []int // stored lanes of the real input channels where others lie between them, IC counting all; nil: all IC
	OLanes []int // the same of the output channels and OC
	Image  bool  // X is an image (NewImage): IC is 3, there is no DX
	BN     bool  // a = SiLU(BN(conv(x))) without bias; otherwise y = conv(x) + Bias
	Linear bool  // with BN: a = BN(conv(x))
	HasDX  bool  // Backward makes DX too
	AccDX  bool  // Backward adds to DX; otherwise it overwrites it
	AccW   bool  // Backward adds to the parameter gradients; otherwise it overwrites them
	BF16   bool  // Forward(true) and Backward multiply numbers rounded to bfloat16; BN only, and not of an image
	Form   Form  // Winograd's form, or the direct one, of 3x3 convolutions with stride 1
	Room   *Room // of BF16 and Winograd's form: what layers share that never run at the same time; nil: the layer's own

	X  View // input, N x IC x H x W
	DX View // gradient of X, where HasDX
	Y  View // conv(x), kept for Backward; the layer's output without BN
	A  View // output with BN
	DA View // gradient of A (of Y without BN); Backward uses it up and leaves something else in it

	W, DW       []float32 // WeightLen floats, [OC blocks][IC blocks][K][K][16 in][16 out]; PackWeights fills W
	Gamma, Beta []float32 // 16 floats per OC block; without BN only Beta, the bias
	DGamma      []float32
	DBeta       []float32
	Mean, Var   []float32 // running statistics of BN: written by Forward(true), used by Forward(false)

	daRoom int // images that DA has memory for; 0: all

	Momentum float32 // running = running + Momentum*(batch - running); Var takes the unbiased variance
	Eps      float32 // added to the variance
}

// WeightLen is the length of W and DW.
func (s ConvSpec) WeightLen() int { return WeightLen(s.OC, s.IC, s.K) }

// WeightLen is the number of floats in blocked weights of oc x ic x k x k.
func WeightLen(oc, ic, k int) int { return Blocks(oc) * Blocks(ic) * k * k * Lanes * Lanes }

// Row returns the lanes 0 to n-1: those of n channels without gaps.
func Row(n int) []int {
	lanes := make([]int, n)
	for i := range lanes {
		lanes[i] = i
	}
	return lanes
}

// PackWeights writes logical weights src, [oc][ic][k][k], into blocked form, padding lanes zero. oc and ic are the lanes
// of the channels, rising: see Row.
func PackWeights(dst, src []float32, oc, ic []int, k int) {
	clear(dst)
	eachWeight(oc, ic, k, func(blocked, logical int) { dst[blocked] = src[logical] })
}

// UnpackWeights is the inverse of PackWeights.
func UnpackWeights(dst, src []float32, oc, ic []int, k int) {
	eachWeight(oc, ic, k, func(blocked, logical int) { dst[logical] = src[blocked] })
}

func eachWeight(oc, ic []int, k int, f func(blocked, logical int)) {
	logical, blocks := 0, Blocks(ic[len(ic)-1]+1)
	for _, o := range oc {
		for _, i := range ic {
			for p := range k * k {
				block := (o/Lanes*blocks+i/Lanes)*k*k + p
				f((block*Lanes+i%Lanes)*Lanes+o%Lanes, logical)
				logical++
			}
		}
	}
}

// group is how many images go through the backward pass together: alone one by one, or what fills a group of tiles in Winograd's
// form; with more threads, so many that each has as many, and more while what they read and write fits about half of a
// second-level cache of each thread.
func (s ConvSpec) group() int {
	const cache = 512 << 10
	threads, least := s.Y.Team.Threads(), 1
	if s.winograd()&C.MS_WINOGRAD_DX != 0 {
		least = int(C.ms_winograd_images(C.int(s.Y.H), C.int(s.Y.W), C.int(max(s.X.CB, s.Y.CB))))
	}
	if s.winograd()&C.MS_WINOGRAD_DW != 0 {
		least = max(least, s.imagesOfGradient())
	}
	if threads == 1 {
		return min(s.Y.N, least)
	}
	image := 4 * (s.X.CB*s.X.plane() + s.Y.CB*s.Y.plane())
	return min(s.Y.N, max(least, cache/image)*threads)
}

// check says what is wrong with the specification, if anything.
func (s ConvSpec) check() error {
	switch {
	case !(s.K == 3 && (s.S == 1 || s.S == 2)) && !(s.K == 1 && s.S == 1):
		return fmt.Errorf("kernel %d with stride %d does not exist, use 3/1, 3/2 or 1/1", s.K, s.S)
	case s.Image && (s.K != 3 || s.IC != 3 || s.HasDX || s.X.PS != 4):
		return fmt.Errorf("image input needs a 3x3 kernel, 3 channels, pixel stride 4 and no DX")
	case !s.Image && s.X.PS != Lanes:
		return fmt.Errorf("pixel stride %d of X, want %d", s.X.PS, Lanes)
	case s.X.CB != Blocks(s.IC) || s.Y.CB != Blocks(s.OC):
		return fmt.Errorf("%d and %d blocks for %d and %d channels", s.X.CB, s.Y.CB, s.IC, s.OC)
	case s.X.N != s.Y.N || s.Y.PS != Lanes || s.Y.H != (s.X.H-1)/s.S+1 || s.Y.W != (s.X.W-1)/s.S+1:
		return fmt.Errorf("output %v of input %v at stride %d", s.Y, s.X, s.S)
	case s.BF16 && (s.Image || !s.BN):
		return fmt.Errorf("bfloat16 exists for convolutions with batch normalisation and not of an image")
	case s.BN && !s.A.same(s.Y):
		return fmt.Errorf("activation %v of output %v", s.A, s.Y)
	case s.DA.P != nil && !s.DA.same(s.Y):
		return fmt.Errorf("gradient %v of output %v", s.DA, s.Y)
	case s.HasDX && !s.DX.same(s.X):
		return fmt.Errorf("gradient %v of input %v", s.DX, s.X)
	case s.HasDX && s.DA.P == nil:
		return fmt.Errorf("DX without DA")
	case len(s.W) != s.WeightLen() || (s.DA.P != nil && len(s.DW) != len(s.W)):
		return fmt.Errorf("%d weights and %d gradients, want %d", len(s.W), len(s.DW), s.WeightLen())
	}
	n := Blocks(s.OC) * Lanes
	for _, o := range s.OLanes {
		if o < 0 || o >= n {
			return fmt.Errorf("output lane %d of %d", o, n)
		}
	}
	for _, i := range s.ILanes {
		if i < 0 || i >= Blocks(s.IC)*Lanes {
			return fmt.Errorf("input lane %d of %d", i, Blocks(s.IC)*Lanes)
		}
	}
	for _, p := range []struct {
		name string
		p    []float32
		need bool
	}{
		{"Beta", s.Beta, true}, {"DBeta", s.DBeta, s.DA.P != nil},
		{"Gamma", s.Gamma, s.BN}, {"DGamma", s.DGamma, s.BN && s.DA.P != nil},
		{"Mean", s.Mean, s.BN}, {"Var", s.Var, s.BN},
	} {
		if p.need && len(p.p) != n {
			return fmt.Errorf("%d floats in %s, want %d", len(p.p), p.name, n)
		}
	}
	return nil
}

// Conv is a layer bound to its memory. It is not safe for concurrent use; two Convs over different buffers are.
type Conv struct {
	k         table
	c         *C.struct_ms_conv
	scratch   []float32
	lent      bool  // scratch is another layer's
	room      *Room // nil: it needs none
	alone     bool  // the room is this layer's own
	needs     needs
	backwards bool
}

// NewConv binds a layer. The error says which part of the specification does not fit, or that MAPSWEEP_ISA names a
// set of kernels that this processor does not have. A specification without DA can only go forward. Close the result.
func NewConv(s ConvSpec) (*Conv, error) { return newConv(s, nil) }

// Resized binds the same layer to views of another size. The two share scratch memory as far as it suffices: one may run
// forward and backward only while the other is between steps, and k must be closed last. One for fewer images may go without DA. k may be nil: see NewConv.
func (k *Conv) Resized(s ConvSpec) (*Conv, error) { return newConv(s, k) }

func newConv(s ConvSpec, like *Conv) (*Conv, error) {
	if _, err := chosen(); err != nil && forced.Load() == nil {
		return nil, err
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("bind convolution %d->%d %dx%d/%d: %w", s.IC, s.OC, s.K, s.K, s.S, err)
	}
	lanes := Blocks(s.OC) * Lanes
	// Scratch in one piece, all that a layer keeps at the same place for every number of images: per channel which lanes are
	// real, totals (2, float64), and seven coefficients; a byte a block; then sums of each image (2, float64), and turned weights
	// (with BF16 both ways round, at half the size).
	turned := 0
	if s.HasDX || s.BF16 {
		turned = len(s.W)
	}
	inputs, outputs := s.ILanes, s.OLanes
	if inputs == nil {
		inputs = Row(s.IC)
	}
	if outputs == nil {
		outputs = Row(s.OC)
	}
	used := (Blocks(s.IC) + Blocks(s.OC) + Lanes - 1) / Lanes * Lanes
	scratch, lent := like.lend(lanes*(1+4+7+4*s.Y.N) + used + turned)
	next := func(n int) *C.float {
		p := floats(scratch)
		scratch = scratch[n:]
		return p
	}
	k := &Conv{k: current(), scratch: scratch, lent: lent, backwards: s.DA.P != nil}
	k.c = (*C.struct_ms_conv)(C.calloc(1, C.sizeof_struct_ms_conv))
	*k.c = C.struct_ms_conv{
		k: C.int(s.K), s: C.int(s.S), image: cbool(s.Image), bn: cbool(s.BN), linear: cbool(s.Linear),
		has_dx: cbool(s.HasDX), acc_dx: cbool(s.AccDX), acc_w: cbool(s.AccW),
		icb: C.int(Blocks(s.IC)), ocb: C.int(Blocks(s.OC)),
		x: s.X.c(), dx: s.DX.c(), y: s.Y.c(), a: s.A.c(), da: s.DA.c(),
		w: floats(s.W), dw: floats(s.DW), gamma: floats(s.Gamma), beta: floats(s.Beta), dgamma: floats(s.DGamma), dbeta: floats(s.DBeta),
		mean: floats(s.Mean), _var: floats(s.Var), momentum: C.float(s.Momentum), eps: C.float(s.Eps),
		real: next(lanes), totals: (*C.double)(unsafe.Pointer(next(4 * lanes))),
		scale: next(lanes), shift: next(lanes), mu: next(lanes), rstd: next(lanes), g1: next(lanes), g2: next(lanes), g3: next(lanes),
		ihalves: halves(next(Blocks(s.IC)), inputs, Blocks(s.IC)), ohalves: halves(next(Blocks(s.OC)), outputs, Blocks(s.OC)),
	}
	scratch = scratch[used-Blocks(s.IC)-Blocks(s.OC):] // to the next aligned float
	k.c.sums, k.c.wt = (*C.double)(unsafe.Pointer(next(4*s.Y.N*lanes))), next(turned)
	k.c.group, k.c.da_room = C.int(s.group()), C.int(s.Y.N)
	if s.daRoom > 0 {
		k.c.da_room = C.int(s.daRoom)
	}
	k.c.winograd = C.int(s.winograd())
	if s.BF16 {
		k.round(turned)
	}
	k.share(s)
	for _, o := range outputs {
		unsafe.Slice((*float32)(k.c.real), lanes)[o] = 1
	}
	return k, nil
}

// lend is scratch memory of so many floats: k's own, or new where k is nil or has less.
func (k *Conv) lend(floats int) (scratch []float32, lent bool) {
	if k == nil || len(k.scratch) < floats {
		return Alloc(floats), false
	}
	return k.scratch, true
}

// halves writes into p, for each of n blocks, how many of its halves must be looked at for all the given lanes.
func halves(p *C.float, lanes []int, n int) *C.uint8_t {
	b := unsafe.Slice((*uint8)(unsafe.Pointer(p)), n)
	for i := range b {
		b[i] = 1
	}
	for _, l := range lanes {
		if l%Lanes >= Lanes/2 {
			b[l/Lanes] = 2
		}
	}
	return (*C.uint8_t)(unsafe.Pointer(p))
}

// Forward computes Y and, with BN, A. With train BN uses the batch's statistics and moves the running ones; otherwise
// it uses the running ones.
func (k *Conv) Forward(train bool) { C.conv_forward(k.k, k.c, cbool(train)) }

// Backward turns DA into the gradients of the parameters and, where asked, of X. It needs the X and Y of the last
// Forward(true). It overwrites DA.
func (k *Conv) Backward() {
	if !k.backwards {
		panic("kernels: Backward of a convolution bound without DA")
	}
	C.conv_backward(k.k, k.c)
}

// round makes the layer's training use bfloat16. The place of its turned weights, so many floats, is divided in two.
func (k *Conv) round(turned int) {
	k.c.bf = bf16Of(k.k)
	k.c.wb = (*C.uint32_t)(unsafe.Pointer(k.c.wt))
	k.c.wtb = (*C.uint32_t)(unsafe.Add(unsafe.Pointer(k.c.wt), 2*turned))
}

// share makes the layer a user of its room, if it needs one.
func (k *Conv) share(s ConvSpec) {
	var words int64
	if s.BF16 {
		var dy, x C.int64_t
		words, k.c.slot_words = int64(C.ms_bf16_room(k.c)), C.ms_bf16_slot(k.c, &dy, &x)
		k.needs.images = int(k.c.group) * int(k.c.slot_words)
	}
	words = (max(words, int64(C.ms_winograd_room(k.c))) + Lanes - 1) / Lanes * Lanes
	k.c.room_words = C.int64_t(words)
	k.needs.threads = s.Y.Team.Threads() * int(words)
	k.needs.transformed, k.needs.pieces = s.transformed(), s.pieces()
	if k.needs.floats() == 0 {
		return
	}
	k.room = s.Room
	if k.room == nil {
		k.room, k.alone = &Room{}, true
	}
	k.room.join(k)
}

func (k *Conv) floats() int { return k.needs.floats() }

// settle tells the layer where its room is. What is transformed for one pass lies where that for the other does.
func (k *Conv) settle(room []float32) {
	k.c.room = (*C.uint32_t)(unsafe.Pointer(unsafe.SliceData(room)))
	if k.needs.transformed == 0 {
		return
	}
	first := room[k.needs.threads:]
	k.c.wu, k.c.wtu, k.c.du = floats(first), floats(first), floats(first)
	if k.c.winograd&C.MS_WINOGRAD_DX != 0 {
		k.c.du = floats(first[k.needs.transformed:])
	}
}

// Floats is how much memory the layer holds by itself, its part of a shared room not counted.
func (k *Conv) Floats() (n int) {
	if !k.lent {
		n = len(k.scratch)
	}
	if k.alone {
		n += k.room.Floats()
	}
	return n
}

// Close releases the layer's scratch memory, not the caller's buffers.
func (k *Conv) Close() {
	if k.c == nil {
		return
	}
	if !k.lent {
		Free(k.scratch)
	}
	if k.room != nil {
		k.room.leave(k)
	}
	if k.alone {
		k.room.Close()
	}
	C.free(unsafe.Pointer(k.c))
	k.c = nil
}

func floats(s []float32) *C.float { return (*C.float)(unsafe.Pointer(unsafe.SliceData(s))) }

func cbool(b bool) C.int {
	if b {
		return 1
	}
	return 0
}
