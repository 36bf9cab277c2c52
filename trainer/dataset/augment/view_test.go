package augment_test

import (
	"math"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/dataset/augment"
)

// diamonds are pictures of the border's grey with one white diamond each, with or without its outline.
func diamonds(n int, outlined bool) []dataset.Image {
	images := make([]dataset.Image, n)
	for i := range images {
		m := dataset.Image{W: size, H: size, Pix: make([]uint8, size*size*3)}
		cx, cy, rx, ry := float64(24+i%16), float64(30+i%7), float64(9+i%8), float64(14-i%6)
		for y := range size {
			for x := range size {
				ink := uint8(114)
				if math.Abs(float64(x)+.5-cx)/rx+math.Abs(float64(y)+.5-cy)/ry <= 1 {
					ink = 255
				}
				copy(m.Pix[(y*size+x)*3:], []uint8{ink, ink, ink})
			}
		}
		b := dataset.Box{Class: i % 3, X0: float32(cx - rx), Y0: float32(cy - ry), X1: float32(cx + rx), Y1: float32(cy + ry)}
		m.Boxes = []dataset.Box{b}
		if outlined {
			m.Outlines = []dataset.Outline{{{float32(cx), b.Y0, b.X1, float32(cy), float32(cx), b.Y1, b.X0, float32(cy)}}}
		}
		images[i] = m
	}
	return images
}

// bright are the bounds of what differs much from the picture's commonest value, inside a box that is one pixel larger;
// empty (x0 > x1): nothing does.
func bright(pix []uint8, b dataset.Box) (x0, y0, x1, y1 float32) {
	var count [256]int
	for i := 0; i < len(pix); i += 3 {
		count[pix[i]]++
	}
	ground := 0
	for v, n := range count {
		if n > count[ground] {
			ground = v
		}
	}
	x0, y0 = size, size
	for y := max(0, int(b.Y0)-1); y < min(size, int(b.Y1)+2); y++ {
		for x := max(0, int(b.X0)-1); x < min(size, int(b.X1)+2); x++ {
			if d := int(pix[(y*size+x)*3]) - ground; d > 45 || d < -45 {
				x0, y0, x1, y1 = min(x0, float32(x)), min(y0, float32(y)), max(x1, float32(x+1)), max(y1, float32(y+1))
			}
		}
	}
	return x0, y0, x1, y1
}

// Boxes are where the objects are: with outlines the box of a turned object touches it on all sides, and without it
// holds it.
func TestBoxesFollow(t *testing.T) {
	long(t)
	for name, s := range map[string]augment.Settings{
		"degrees":       {Degrees: 60},
		"shear":         {Shear: 25},
		"perspective":   {Perspective: .002},
		"all":           {Degrees: 30, Shear: 10, Perspective: .002, Scale: .3, Translate: .2},
		"geometry":      {AutoAugment: augment.RandAugment, RandN: 1, RandM: 20, Geometry: true},
		"mosaic":        {Mosaic: 1, Degrees: 20},
		"whole":         {Mosaic: 1, MosaicLayout: augment.Whole, Scale: .3},
		"whole, turned": {Mosaic: 1, MosaicLayout: augment.Whole, Scale: .3, Degrees: 40, FlipLR: .5, FlipUD: .5},
		"nine":          {Mosaic: 1, Mosaic9: 1, Shear: 15},
		"nine, whole":   {Mosaic: 1, Mosaic9: 1, MosaicLayout: augment.Whole, Degrees: 20},
	} {
		for _, outlined := range []bool{true, false} {
			sample := maker(t, diamonds(16, outlined), s)
			seen, loose := 0, 0
			for pos := range 150 {
				out, boxes := sample(0, 0, pos, pos%16)
				pix := bytesOf(out)
				for _, b := range boxes {
					seen++
					x0, y0, x1, y1 := bright(pix, b)
					worst := max(x0-b.X0, y0-b.Y0, b.X1-x1, b.Y1-y1)             // air between box and object
					if out := max(b.X0-x0, b.Y0-y0, x1-b.X1, y1-b.Y1); out > 2 { // object beyond its box
						loose++
					} else if outlined && worst > 3 {
						loose++
					}
				}
			}
			// In mosaics a neighbour reaches into a box now and then, or lies over it: a few per cent.
			if seen < 100 || float64(loose) > .04*float64(seen) || s.Mosaic == 0 && loose > seen/100 {
				t.Errorf("%s, outlines %v: %d of %d boxes do not fit what they are around", name, outlined, loose, seen)
			}
		}
	}
}

// A turn that is none gives what zoom and translation alone give, and each part draws from a stream of its own.
func TestViewAgreesWithAffine(t *testing.T) {
	images := coded(10)
	plain := maker(t, images, augment.Settings{Mosaic: 1, Scale: .4, Translate: .2})
	for name, s := range map[string]augment.Settings{
		"degrees":     {Mosaic: 1, Scale: .4, Translate: .2, Degrees: 1e-9},
		"shear":       {Mosaic: 1, Scale: .4, Translate: .2, Shear: 1e-9},
		"perspective": {Mosaic: 1, Scale: .4, Translate: .2, Perspective: 1e-12},
	} {
		sample := maker(t, images, s)
		for pos := range 40 {
			a, ab := plain(2, 0, pos, pos%10)
			b, bb := sample(2, 0, pos, pos%10)
			far := 0
			for i := range a {
				if d := a[i] - b[i]; d > 2./255 || d < -2./255 {
					far++
				}
			}
			if len(ab) != len(bb) || far > len(a)/500 {
				t.Fatalf("%s, position %d: %d and %d boxes, %d of %d values differ", name, pos, len(ab), len(bb), far, len(a))
			}
			for i := range ab {
				if math.Abs(float64(ab[i].X0-bb[i].X0))+math.Abs(float64(ab[i].Y1-bb[i].Y1)) > 1e-3 {
					t.Fatalf("%s, position %d: box %v, want %v", name, pos, bb[i], ab[i])
				}
			}
		}
	}
}

// keep_area says how much of a cut box must be left.
func TestKeepArea(t *testing.T) {
	images := coded(20)
	count := func(keep float64) (n int) {
		sample := maker(t, images, augment.Settings{Mosaic: 1, KeepArea: keep})
		for pos := range 100 {
			_, boxes := sample(0, 0, pos, pos%20)
			n += len(boxes)
		}
		return n
	}
	few, usual, same, many := count(1), count(0), count(augment.DefaultKeepArea), count(.05)
	if !(few < usual && usual == same && usual < many) {
		t.Errorf("boxes with all, the default, .4 and .05 of the area: %d, %d, %d, %d", few, usual, same, many)
	}
}

// keep_side says how many pixels of each of its sides.
func TestKeepSide(t *testing.T) {
	images := coded(20)
	least := func(keep float64) (n int, least float32) {
		sample := maker(t, images, augment.Settings{Mosaic: 1, KeepArea: .05, KeepSide: keep})
		least = size
		for pos := range 100 {
			_, boxes := sample(0, 0, pos, pos%20)
			n += len(boxes)
			for _, b := range boxes {
				least = min(least, b.X1-b.X0, b.Y1-b.Y0)
			}
		}
		return n, least
	}
	few, long := least(8)
	usual, same := least(0)
	many, short := least(1)
	if !(few < usual && usual < many && long >= 8 && same >= augment.DefaultKeepSide && short < augment.DefaultKeepSide) {
		t.Errorf("boxes with sides of 8, the default and 1: %d, %d, %d; the shortest side is %g, %g, %g", few, usual, many, long, same, short)
	}
	if _, err := augment.New(images, size, augment.Settings{KeepSide: 65}); err == nil {
		t.Error("a side of 65 is taken")
	}
}
