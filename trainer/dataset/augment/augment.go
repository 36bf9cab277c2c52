package augment

import (
	"errors"
	"fmt"
	"image"
	"math"
	"math/rand/v2"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/dataset/internal/raster"
	"github.com/mapsweep/mapsweep/trainer/dataset/stream"
)

// Streams of one sample. The partner of a mixup has its own ones, opPartner higher.
const (
	opMosaic = 1 + iota
	opCopyPaste
	opAffine
	opMixUp
	opRandAugment
	opHSV
	opFlip
	opNine
	opPolygons
	opTurn
	opShear
	opPerspective
	opAutoAugment
	opPartner = 100
)

// opOrder keys Order's stream, at position 0.
const opOrder = 0

// Order is the order of n images in an epoch, a permutation drawn from a stream of its own.
func Order(seed int64, epoch, n int) []int { return stream.New(seed, epoch, 0, opOrder).Perm(n) }

// Augmenter makes samples. It only reads the images, which any number of augmenters may share, but keeps scratch
// memory: one goroutine at a time.
type Augmenter struct {
	settings Settings
	size     int
	images   []source
	outlines bool // some operation needs them
	closed   bool

	source  stream.Source
	rand    *rand.Rand
	recipe  Recipe        // of the sample at hand
	canvas  [2]raster.Pic // the sample, and the partner of a mixup
	scratch raster.Pic
	lens    raster.Lens
	wide    raster.Pic // twice the side, for mosaics of whole pictures; empty without them
	full    []float32  // a sample that is to be resized
	before  []uint8    // a mosaic before objects are mirrored into it
	objects [2][]object
	level   [256]float32 // 0..255 as 0..1
}

// source is an image with those objects that are trained on.
type source struct {
	index   int
	image   *dataset.Image
	objects []object
}

// object is a box with its outline, where that is known and needed.
type object struct {
	dataset.Box
	outline dataset.Outline
}

// New makes an augmenter of images, all size x size. Crowds are left out: they are never trained on.
func New(images []dataset.Image, size int, s Settings) (*Augmenter, error) {
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("set up augmentation: %w", err)
	}
	if len(images) == 0 {
		return nil, errors.New("set up augmentation: no images")
	}
	a := &Augmenter{settings: s.filled(), size: size, images: make([]source, len(images)), closed: s.CloseMosaic, scratch: raster.New(size, size, 3),
		outlines: s.turns() || s.CopyPastePolygons > 0}
	for i := range images {
		m := &images[i]
		if m.W != size || m.H != size || m.Pix != nil && len(m.Pix) != size*size*3 {
			return nil, fmt.Errorf("set up augmentation: image %q is %dx%d, not %dx%d", m.Name, m.W, m.H, size, size)
		}
		a.images[i] = a.sourceOf(i, m)
	}
	a.rand = rand.New(&a.source)
	a.recipe.Layers = make([]Layer, 0, len(a.canvas))
	for i := range a.canvas {
		a.canvas[i] = raster.New(size, size, 3)
	}
	if s.Mosaic > 0 && s.MosaicLayout == Whole {
		a.wide = raster.New(2*size, 2*size, 3)
	}
	for i := range a.level {
		a.level[i] = float32(i) / 255
	}
	return a, nil
}

func (a *Augmenter) sourceOf(index int, m *dataset.Image) source {
	s := source{index: index, image: m}
	for j, b := range m.Boxes {
		if b.Crowd {
			continue
		}
		b.Area = 0
		o := object{Box: b}
		if a.outlines && j < len(m.Outlines) {
			o.outline = m.Outlines[j]
		}
		s.objects = append(s.objects, o)
	}
	return s
}

// inner is where the picture of an image lies in it.
func (s *source) inner() image.Rectangle {
	if s.image.Inner.Empty() {
		return image.Rect(0, 0, s.image.W, s.image.H)
	}
	return s.image.Inner
}

// CloseMosaic switches mosaics, and mixup with them, off (true) or on again, for the samples to come.
func (a *Augmenter) CloseMosaic(closed bool) { a.closed = closed }

// Sample makes the sample at a position of an epoch from the image of the given index. out receives its pixels:
// side*side*3 values 0..1, rows of RGB. Where that is not the images' side, the finished sample is resized. The boxes,
// in pixels of the sample, are the caller's. Same arguments, same sample. An error names the picture that could not be read; it happens only to pictures that are not kept in RAM.
func (a *Augmenter) Sample(seed int64, epoch, position, index int, out []float32) ([]dataset.Box, error) {
	r, boxes := a.Recipe(seed, epoch, position, index, int(math.Sqrt(float64(len(out)/3))))
	if err := a.Render(r, out); err != nil {
		return nil, fmt.Errorf("make sample %d of epoch %d: %w", position, epoch+1, err)
	}
	return boxes, nil
}

// Recipe decides what Sample makes, and reads no pixels: the boxes are those of the sample, the recipe says how its picture
// is made, of the given side. It is valid until the next call of Recipe or Sample.
func (a *Augmenter) Recipe(seed int64, epoch, position, index, side int) (*Recipe, []dataset.Box) {
	key := key{seed, epoch, position}
	r := &a.recipe
	r.Side, r.Layers, r.Changes = side, r.Layers[:0], r.Changes[:0]
	a.compose(0, key, 0, index)
	if !a.closed && a.settings.Mosaic > 0 {
		a.mix(key)
	}
	switch a.settings.AutoAugment {
	case RandAugment:
		a.randAugment(a.at(key, opRandAugment))
	case AutoAugment:
		a.autoAugment(a.at(key, opAutoAugment))
	}
	a.colours(key)
	a.flips(a.at(key, opFlip))
	return r, a.boxes(side)
}

// boxes are those of the sample, scaled to its side.
func (a *Augmenter) boxes(side int) []dataset.Box {
	if len(a.objects[0]) == 0 {
		return nil
	}
	boxes := make([]dataset.Box, len(a.objects[0]))
	for i := range boxes {
		boxes[i] = a.objects[0][i].Box
	}
	if side != a.size {
		scale(boxes, float32(side)/float32(a.size))
	}
	return boxes
}

// key addresses a sample.
type key struct {
	seed            int64
	epoch, position int
}

// at is the stream of one operation. It ends the one that was asked for before.
func (a *Augmenter) at(k key, op int) *rand.Rand {
	a.source.Reset(k.seed, k.epoch, k.position, op)
	return a.rand
}

func uniform(r *rand.Rand, lo, hi float64) float64 { return lo + float64((hi-lo)*r.Float64()) }
