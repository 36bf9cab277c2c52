package kernel

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
)

// Heads is the raw output of a detection head for a batch, dense, anchors of all levels in a row.
// Legend: N images, A anchor points, K classes, R bins per side.
type Heads struct {
	N, A, K, R int
	Box        cuda.Ptr // FP32 [N][A][4 R] logits; sides left, top, right, bottom
	Class      cuda.Ptr // FP32 [N][A][K] logits
	Points     cuda.Ptr // FP32 [A][2] anchor centres, x then y, pixels
	Strides    cuda.Ptr // FP32 [A], pixels
}

// Truths are the objects of a batch, ordered by image, in room for Capacity of them.
type Truths struct {
	Capacity int
	First    cuda.Ptr // int32 [N + 1]: the first object of each image
	Class    cuda.Ptr // int32 [Capacity]
	Box      cuda.Ptr // FP32 [Capacity][4], corners in pixels of the network's input
}

// TruthBytes is the room that PlaceTruths divides.
func TruthBytes(images, capacity int) int64 { return 16*int64(capacity) + 4*int64(capacity+images+1) }

// PlaceTruths divides one room, which PackTruths fills as a whole.
func PlaceTruths(p cuda.Ptr, images, capacity int) Truths {
	class := p.Add(16 * int64(capacity))
	return Truths{Capacity: capacity, Box: p, Class: class, First: class.Add(4 * int64(capacity))}
}

// PackTruths writes a batch's objects as the room of PlaceTruths holds them; to has TruthBytes bytes. Objects that are out of
// order, of no image or no class, or more than the capacity are an error.
func PackTruths(to []byte, truths []loss.Truth, images, classes, capacity int) error {
	if len(truths) > capacity {
		return fmt.Errorf("pack truths: %d objects in a batch, and the GPU has room for %d", len(truths), capacity)
	}
	e := binary.LittleEndian
	class, first := to[16*capacity:], to[20*capacity:]
	image := -1
	for i, t := range truths {
		switch {
		case t.Image < max(image, 0) || t.Image >= images:
			return fmt.Errorf("pack truths: truth %d of %d is out of order or of image %d of %d", i, len(truths), t.Image, images)
		case t.Class < 0 || t.Class >= classes:
			return fmt.Errorf("pack truths: class %d of %d in image %d", t.Class, classes, t.Image)
		}
		for ; image < t.Image; image++ {
			e.PutUint32(first[4*(image+1):], uint32(i))
		}
		e.PutUint32(class[4*i:], uint32(t.Class))
		for j, v := range [4]float32{t.X0, t.Y0, t.X1, t.Y1} {
			e.PutUint32(to[16*i+4*j:], math.Float32bits(v))
		}
	}
	for ; image < images; image++ {
		e.PutUint32(first[4*(image+1):], uint32(len(truths)))
	}
	return nil
}

// Targets say what every anchor point of a batch learns. They may be of another head over the same points and truths.
type Targets struct {
	Truth      cuda.Ptr // int32 [N][A]: place among the truths, -1 background
	Score      cuda.Ptr // FP32 [N][A]: target score of the truth's class, 0..1; 0 for background
	Normaliser cuda.Ptr // NormaliserBytes: what every component is divided by, max(sum of scores, 1), and the number of points with an object
}

// NormaliserBytes is the size of Targets.Normaliser.
const NormaliserBytes = 16

// TargetBytes is the room that PlaceTargets divides.
func TargetBytes(images, anchors int) int64 {
	return 8*int64(images)*int64(anchors) + NormaliserBytes
}

// PlaceTargets divides one room.
func PlaceTargets(p cuda.Ptr, images, anchors int) Targets {
	truth := p.Add(NormaliserBytes)
	return Targets{Normaliser: p, Truth: truth, Score: truth.Add(4 * int64(images) * int64(anchors))}
}
