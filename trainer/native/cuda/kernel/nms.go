package kernel

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/mapsweep/mapsweep/trainer/evaluate"
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// NMS finds the objects of a batch in a head's output: every class of every anchor point with a score above the limit is a
// candidate, corners are clipped to the picture, and evaluate.NMS decides who stays.
type NMS struct {
	Heads    Heads
	Size     int // pixels a side of the pictures
	Options  evaluate.NMSOptions
	Capacity int // candidates of an image that there is room for

	Found   cuda.Ptr // FoundBytes
	Scratch cuda.Ptr // ScratchBytes, at a multiple of 8 bytes
}

// MostEntering is the largest NMSOptions.Top, and the smallest is 1: what a block can hold of an image.
const MostEntering = 512

// sizes of FoundCount and Found in nms.cu
const foundCountBytes, foundBytes = 8, 24

func (s NMS) keep() int {
	if s.Options.Keep == 0 {
		return s.Options.Top
	}
	return min(s.Options.Keep, s.Options.Top)
}

// ScratchBytes is the room that Launches needs.
func (s NMS) ScratchBytes() int64 { return int64(s.Heads.N) * (8*int64(s.Capacity) + 4) }

// FoundBytes is the size of what is found, in one piece for one copy to the host.
func (s NMS) FoundBytes() int64 {
	return int64(s.Heads.N) * (foundCountBytes + foundBytes*int64(s.keep()))
}

// nmsArgs is NmsArgs of nms.cu.
type nmsArgs struct {
	box, class, points, strides    cuda.Ptr
	keys, count, counts, found     cuda.Ptr
	iou                            float64
	logit, score                   float32
	images, anchors, classes, bins int32
	capacity, top, keep, size      int32
}

// Launches are three. They panic where Options.Top is not 1 to MostEntering, or an image's logits are 2^31 or more: mistakes of
// the caller.
func (s NMS) Launches() []cuda.Launch {
	h, top := s.Heads, s.Options.Top
	logits := int64(h.A) * int64(h.K)
	if top < 1 || top > MostEntering || logits > math.MaxInt32 {
		panic(fmt.Sprintf("NMS: %d of an image's %d candidates enter; the GPU takes 1 to %d of %d", top, logits, MostEntering, math.MaxInt32))
	}
	args := cuda.Args(nmsArgs{
		box: h.Box, class: h.Class, points: h.Points, strides: h.Strides,
		keys: s.Scratch, count: s.Scratch.Add(8 * int64(h.N) * int64(s.Capacity)), counts: s.Found, found: s.Found.Add(foundCountBytes * int64(h.N)),
		iou: s.Options.IoU, logit: float32(-math.Log(1/float64(s.Options.Score)-1)) - 1e-3, score: s.Options.Score,
		images: int32(h.N), anchors: int32(h.A), classes: int32(h.K), bins: int32(h.R),
		capacity: int32(s.Capacity), top: int32(top), keep: int32(s.keep()), size: int32(s.Size),
	})
	const threads = 256
	collect := flat("nms_candidates", logits, args)
	collect.Grid[0], collect.Grid[1] = min(collect.Grid[0], 132*4), h.N
	shared := top * (8 + 8 + 16 + (top+31)/32*4 + 4)
	return []cuda.Launch{
		flat("nms_start", int64(h.N), args), collect,
		{Kernel: "nms_keep", Grid: [3]int{h.N}, Block: [3]int{threads}, Shared: shared + 4*threads, Args: args},
	}
}

// Read appends what was found in an image to a list, given a copy of Found. It is false where the image had more candidates
// than the capacity: then the list is as it was, and the host must look for itself.
func (s NMS) Read(found []byte, image int, to []evaluate.Candidate) ([]evaluate.Candidate, bool) {
	e := binary.LittleEndian
	head := found[foundCountBytes*image:]
	if e.Uint32(head[4:]) != 0 {
		return to, false
	}
	rows := found[foundCountBytes*s.Heads.N+foundBytes*s.keep()*image:]
	for i := range int(e.Uint32(head)) {
		number := func(j int) float32 { return math.Float32frombits(e.Uint32(rows[foundBytes*i+4*j:])) }
		to = append(to, evaluate.Candidate{Class: int(int32(e.Uint32(rows[foundBytes*i:]))),
			Score: number(1), X0: number(2), Y0: number(3), X1: number(4), Y1: number(5)})
	}
	return to, true
}
