package kernel

import (
	"github.com/mapsweep/mapsweep/trainer/native/assign"
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// Loss is the detection loss of a head and its gradient, as loss.Loss computes it. The number of objects and the settings may
// change from one launch to the next, the rest may not.
type Loss struct {
	Heads   Heads
	Truths  Truths
	Targets Targets
	Method  assign.Method // zero: assign.Usual. Of it TopK and All count here
	Over    *Ranks        // that have the rest of the batch, or nil: the result is this GPU's part, and the normaliser that of all

	Settings     cuda.Ptr // LossSettings
	DBox, DClass cuda.Ptr // FP32, as Heads.Box and Class, overwritten; at multiples of 16 bytes, as those
	Result       cuda.Ptr // a LossResult
	Scratch      cuda.Ptr // ScratchBytes, at a multiple of 16 bytes; nothing in it is kept from Assign to Evaluate
}

// LossResult is what Evaluate leaves in Loss.Result.
type LossResult struct {
	Box, Class, DFL float64 // before gains
	Value           float64 // Weight times their sum with gains
	Normaliser      float64 // what each was divided by
	Points          int32   // that have an object
	_               int32
}

// LossResultBytes is the size of a LossResult.
const LossResultBytes = 48

func (l Loss) method() assign.Method {
	m := usual(l.Method)
	m.TopK = min(m.TopK, l.Heads.A)
	return m
}

// claimBytes is the size of Claim in assign.cu.
const claimBytes = 24

// assignArgs is AssignArgs of assign.cu.
type assignArgs struct {
	box, class, points, strides              cuda.Ptr
	first, truthClass, truthBox              cuda.Ptr
	owner, score, normaliser                 cuda.Ptr
	boxes, held, claims, best, sums          cuda.Ptr
	kept, count, done                        cuda.Ptr
	settings                                 cuda.Ptr
	images, anchors, classes, bins, top, all int32
	part, _                                  int32
}

// assign lays out the scratch; it returns the arguments and the bytes that they take.
func (l Loss) assign() (assignArgs, int64) {
	h, m := l.Heads, l.method()
	at := l.Scratch
	take := func(bytes int64) cuda.Ptr {
		p := at
		at = at.Add((bytes + 15) / 16 * 16)
		return p
	}
	points, capacity := int64(h.N)*int64(h.A), int64(l.Truths.Capacity)
	a := assignArgs{
		box: h.Box, class: h.Class, points: h.Points, strides: h.Strides,
		first: l.Truths.First, truthClass: l.Truths.Class, truthBox: l.Truths.Box,
		owner: l.Targets.Truth, score: l.Targets.Score, normaliser: l.Targets.Normaliser,
		boxes: take(16 * points), held: take(8 * points), claims: take(claimBytes * capacity * int64(m.TopK)),
		best: take(16 * capacity), sums: take(8 * int64(h.N)), kept: take(4 * int64(h.N)), count: take(4 * capacity), done: take(4),
		settings: l.Settings,
		images:   int32(h.N), anchors: int32(h.A), classes: int32(h.K), bins: int32(h.R), top: int32(m.TopK), all: flag(m.All), part: flag(l.Over != nil),
	}
	return a, int64(at - l.Scratch)
}

// ScratchBytes is the room that Assign and Evaluate need.
func (l Loss) ScratchBytes() int64 {
	_, n := l.assign()
	classes, boxes := l.blocks()
	return max(n, 8*int64(classes+2*boxes))
}

// Assign makes the targets of the batch, in three launches, or with other GPUs five.
func (l Loss) Assign() []cuda.Launch {
	const threads, most = 128, 132 * 8
	a, _ := l.assign()
	args := cuda.Args(a)
	all := []cuda.Launch{
		flat("assign_boxes", 4*int64(l.Heads.N)*int64(l.Heads.A), args),
		{Kernel: "assign_claims", Grid: [3]int{max(1, min(l.Truths.Capacity, most))}, Block: [3]int{threads}, Shared: (2*int(a.top) + threads) * 20, Args: args},
		{Kernel: "assign_targets", Grid: [3]int{l.Heads.N}, Block: [3]int{threads}, Args: args},
	}
	if l.Over != nil {
		all = append(all, l.Over.sumDoubles(l.Targets.Normaliser, 1), flat("assign_total", 1, args))
	}
	return all
}

// batch is the number of images on all GPUs.
func (l Loss) batch() int {
	if l.Over == nil {
		return l.Heads.N
	}
	return l.Heads.N * l.Over.Count
}

// lossArgs is LossArgs of loss.cu.
type lossArgs struct {
	box, class, points, strides    cuda.Ptr
	truthClass, truthBox           cuda.Ptr
	owner, score, normaliser       cuda.Ptr
	dBox, dClass, result, partial  cuda.Ptr
	settings                       cuda.Ptr
	images, anchors, classes, bins int32
	classBlocks, boxBlocks         int32
	batch, _                       int32
}

const classThreads, boxThreads = 256, 128

// blocks that class and box losses are computed in. They do not depend on the GPU, so that its sums do not.
func (l Loss) blocks() (classes, boxes int) {
	const most = 132 * 8
	points := int64(l.Heads.N) * int64(l.Heads.A)
	classes = int(min((points*int64(l.Heads.K)+4*classThreads-1)/(4*classThreads), most))
	return classes, int(min((points*4+boxThreads-1)/boxThreads, most))
}

// Evaluate computes the parts and the gradient for the targets, in three launches.
func (l Loss) Evaluate() []cuda.Launch {
	h := l.Heads
	classes, boxes := l.blocks()
	args := cuda.Args(lossArgs{
		box: h.Box, class: h.Class, points: h.Points, strides: h.Strides, truthClass: l.Truths.Class, truthBox: l.Truths.Box,
		owner: l.Targets.Truth, score: l.Targets.Score, normaliser: l.Targets.Normaliser,
		dBox: l.DBox, dClass: l.DClass, result: l.Result, partial: l.Scratch,
		settings: l.Settings,
		images:   int32(h.N), anchors: int32(h.A), classes: int32(h.K), bins: int32(h.R), classBlocks: int32(classes), boxBlocks: int32(boxes), batch: int32(l.batch()),
	})
	return []cuda.Launch{
		{Kernel: "loss_classes", Grid: [3]int{classes}, Block: [3]int{classThreads}, Args: args},
		{Kernel: "loss_boxes", Grid: [3]int{boxes}, Block: [3]int{boxThreads}, Args: args},
		{Kernel: "loss_parts", Grid: [3]int{1}, Block: [3]int{classThreads}, Args: args},
	}
}
