package augment

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/dataset/internal/raster"
	"github.com/mapsweep/mapsweep/trainer/dataset/stream"
)

// Names of Settings.AutoAugment; "" means None.
const (
	None        = "none"
	RandAugment = "randaugment"
)

// Settings are the knobs. The zero value changes nothing.
type Settings struct {
	Mosaic    float64 // probability of a mosaic of four pictures, 0..1
	MixUp     float64 // probability of blending with a second sample, 0..1; only where mosaics are made
	CopyPaste float64 // probability of pasting three boxes of other pictures, 0..1
	HSV       float64 // gain of hue +-.015, saturation +-.7 and value +-.4; 0: off, 1: these ranges
	FlipLR    float64 // probability of swapping left and right, 0..1
	FlipUD    float64 // probability of swapping up and down, 0..1
	Scale     float64 // zoom by 1 +- Scale, 0 to less than 1
	Translate float64 // move by +- Translate, share of the side, 0..1

	AutoAugment string // None or RandAugment
	RandN       int    // operations of RandAugment a sample; 0: DefaultRandN
	RandM       int    // their magnitude, 1 to 30; 0: DefaultRandM

	CloseMosaic bool // begin with mosaics (and mixup with them) closed: see Augmenter.CloseMosaic
}

// Defaults of RandAugment.
const (
	DefaultRandN = 2
	DefaultRandM = 9
	maxRandM     = 30
)

// check names the first setting out of its range.
func (s Settings) check() error {
	for _, p := range []struct {
		name   string
		v, max float64
	}{{"mosaic", s.Mosaic, 1}, {"mixup", s.MixUp, 1}, {"copy_paste", s.CopyPaste, 1}, {"hsv", s.HSV, 1},
		{"fliplr", s.FlipLR, 1}, {"flipud", s.FlipUD, 1}, {"scale", s.Scale, .99}, {"translate", s.Translate, 1}} {
		if !(p.v >= 0 && p.v <= p.max) {
			return fmt.Errorf("%s is %v: want 0 to %v", p.name, p.v, p.max)
		}
	}
	if s.AutoAugment != "" && s.AutoAugment != None && s.AutoAugment != RandAugment {
		return fmt.Errorf("autoaugment is %q: want %s or %s", s.AutoAugment, None, RandAugment)
	}
	if s.RandN < 0 || s.RandM < 0 || s.RandM > maxRandM {
		return fmt.Errorf("randaugment has %d operations of magnitude %d: want 0 or more, of 0 to %d", s.RandN, s.RandM, maxRandM)
	}
	return nil
}

// Streams of one sample. The partner of a mixup has its own ones, opPartner higher.
const (
	opMosaic = 1 + iota
	opCopyPaste
	opAffine
	opMixUp
	opRandAugment
	opHSV
	opFlip
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
	closed   bool

	source  stream.Source
	rand    *rand.Rand
	canvas  [2]raster.Pic // the sample, and the partner of a mixup
	scratch raster.Pic
	boxes   [2][]dataset.Box
	level   [256]float32 // 0..255 as 0..1
}

// source is a picture with those boxes that are trained on.
type source struct {
	pix   raster.Pic
	boxes []dataset.Box
}

// New makes an augmenter of images, all size x size. Crowds are left out: they are never trained on.
func New(images []dataset.Image, size int, s Settings) (*Augmenter, error) {
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("set up augmentation: %w", err)
	}
	if len(images) == 0 {
		return nil, errors.New("set up augmentation: no images")
	}
	if s.RandN == 0 {
		s.RandN = DefaultRandN
	}
	if s.RandM == 0 {
		s.RandM = DefaultRandM
	}
	a := &Augmenter{settings: s, size: size, images: make([]source, len(images)), closed: s.CloseMosaic, scratch: raster.New(size, size, 3)}
	for i, m := range images {
		if m.W != size || m.H != size || len(m.Pix) != size*size*3 {
			return nil, fmt.Errorf("set up augmentation: image %q is %dx%d, not %dx%d", m.Name, m.W, m.H, size, size)
		}
		a.images[i].pix = raster.Pic{W: size, H: size, C: 3, Pix: m.Pix}
		for _, b := range m.Boxes {
			if !b.Crowd {
				b.Area = 0
				a.images[i].boxes = append(a.images[i].boxes, b)
			}
		}
	}
	a.rand = rand.New(&a.source)
	for i := range a.canvas {
		a.canvas[i] = raster.New(size, size, 3)
	}
	for i := range a.level {
		a.level[i] = float32(i) / 255
	}
	return a, nil
}

// CloseMosaic switches mosaics, and mixup with them, off (true) or on again, for the samples to come.
func (a *Augmenter) CloseMosaic(closed bool) { a.closed = closed }

// Sample makes the sample at a position of an epoch from the image of the given index. out receives its pixels:
// size*size*3 values 0..1, rows of RGB. The boxes, in pixels of the sample, are the caller's. Same arguments, same sample.
func (a *Augmenter) Sample(seed int64, epoch, position, index int, out []float32) []dataset.Box {
	key := key{seed, epoch, position}
	a.compose(0, key, 0, index)
	if !a.closed && a.settings.Mosaic > 0 {
		a.mix(key)
	}
	if a.settings.AutoAugment == RandAugment {
		a.randAugment(a.canvas[0], a.at(key, opRandAugment))
	}
	a.finish(key, out)
	if len(a.boxes[0]) == 0 {
		return nil
	}
	return append(make([]dataset.Box, 0, len(a.boxes[0])), a.boxes[0]...)
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
