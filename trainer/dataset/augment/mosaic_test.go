package augment_test

import (
	"image"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/dataset/augment"
)

// A mosaic of nine is a grid of three by three crops at native scale, the middle one of the image itself, and boxes lie
// where their crop has them.
func TestMosaicOfNine(t *testing.T) {
	images := coded(40)
	sample := maker(t, images, augment.Settings{Mosaic: 1, Mosaic9: 1})
	for pos := range 200 {
		out, boxes := sample(0, 0, pos, pos%40)
		pix := bytesOf(out)
		if im, _, _ := at(pix, size/2, size/2-1); !middleIs(pix, pos%40) {
			t.Fatalf("position %d: no part of the middle is image %d (the centre is %d)", pos, pos%40, im)
		}
		columns, rows := limits(pix, true), limits(pix, false)
		if len(columns) != 3 || len(rows) != 3 {
			continue // neighbouring crops happen to go on in each other
		}
		for _, b := range boxes {
			x, y := int(b.X0), int(b.Y0)
			im, sx, sy := at(pix, x, y)
			found := slices.ContainsFunc(images[im].Boxes, func(o dataset.Box) bool {
				inside := float32(sx)+b.X1-b.X0 <= o.X1 && float32(sy)+b.Y1-b.Y0 <= o.Y1
				return !o.Crowd && o.Class == b.Class && float32(sx) >= o.X0 && float32(sy) >= o.Y0 && inside
			})
			if !found {
				t.Errorf("position %d: box %v is not over an object of image %d", pos, b, im)
			}
		}
	}
}

// middleIs says whether some pixel of the middle sixth belongs to an image.
func middleIs(pix []uint8, index int) bool {
	for y := size / 3; y < 2*size/3; y++ {
		for x := size / 3; x < 2*size/3; x++ {
			if im, _, _ := at(pix, x, y); im == index {
				return true
			}
		}
	}
	return false
}

// limits are where the columns (or rows) of crops begin, read along the upper (or left) edge.
func limits(pix []uint8, along bool) []int {
	begin := []int{0}
	for i := 1; i < size; i++ {
		m0, x0, y0 := at(pix, i-1, 0)
		m1, x1, y1 := at(pix, i, 0)
		x0++
		if !along {
			m0, x0, y0 = at(pix, 0, i-1)
			m1, x1, y1 = at(pix, 0, i)
			y0++
		}
		if m0 != m1 || x0 != x1 || y0 != y1 {
			begin = append(begin, i)
		}
	}
	return begin
}

// Whole pictures lie without their grey borders, touch the mosaic's centre, and show at native scale.
func TestWholeMosaic(t *testing.T) {
	images := coded(12)
	for i := range images { // letterboxed: 12 grey rows above and below
		m := &images[i]
		m.Inner = image.Rect(0, 12, size, size-12)
		for y := range size {
			if y < 12 || y >= size-12 {
				for x := range size * 3 {
					m.Pix[y*size*3+x] = 114
				}
			}
		}
		m.Boxes = []dataset.Box{{Class: 1, X0: 10, Y0: 20, X1: 30, Y1: 40}}
	}
	for name, s := range map[string]augment.Settings{
		"four": {Mosaic: 1, MosaicLayout: augment.Whole}, "nine": {Mosaic: 1, Mosaic9: 1, MosaicLayout: augment.Whole},
	} {
		sample := maker(t, images, s)
		native, all, boxes := 0, 0, 0
		for pos := range 60 {
			out, got := sample(0, 0, pos, pos%12)
			pix := bytesOf(out)
			for y := range size {
				for x := 1; x < size; x++ {
					m0, x0, y0 := at(pix, x-1, y)
					m1, x1, y1 := at(pix, x, y)
					if m0 == 114 || m1 == 114 {
						continue
					}
					all++
					if m0 == m1 && x1 == x0+1 && y1 == y0 {
						native++
					}
					if y0 < 12 || y0 >= size-12 {
						t.Fatalf("%s, position %d: row %d of an image is seen", name, pos, y0)
					}
				}
			}
			for _, b := range got {
				boxes++
				if _, sx, sy := at(pix, int(b.X0), int(b.Y0)); sx < 10 || sx >= 30 || sy < 20 || sy >= 40 {
					t.Errorf("%s, position %d: box %v begins at %d, %d of its image", name, pos, b, sx, sy)
				}
			}
		}
		if float64(native) < .96*float64(all) || boxes < 60 {
			t.Errorf("%s: %d of %d neighbours are neighbours in their image; %d boxes", name, native, all, boxes)
		}
	}
}

// The share of nines decides by a stream of its own: mosaics that stay of four are those without nines.
func TestMosaic9LeavesFours(t *testing.T) {
	images := coded(20)
	four, nine, some := maker(t, images, augment.Settings{Mosaic: 1}), maker(t, images, augment.Settings{Mosaic: 1, Mosaic9: 1}), maker(t, images, augment.Settings{Mosaic: 1, Mosaic9: .5})
	fours := 0
	for pos := range 200 {
		out, _ := some(0, 0, pos, 0)
		a, _ := four(0, 0, pos, 0)
		b, _ := nine(0, 0, pos, 0)
		switch {
		case slices.Equal(out, a):
			fours++
		case !slices.Equal(out, b):
			t.Fatalf("position %d is neither the mosaic of four nor that of nine", pos)
		}
	}
	if fours < 70 || fours > 130 {
		t.Errorf("%d of 200 are of four, want about half", fours)
	}
}

// Outlined objects are pasted once more, mirrored, where they cover little.
func TestMirroredPolygons(t *testing.T) {
	images := diamonds(12, true)
	plain := maker(t, images, augment.Settings{Mosaic: 1, MosaicLayout: augment.Whole})
	for share, least := range map[float64]float64{1: 1.3, .5: 1.1} {
		sample := maker(t, images, augment.Settings{Mosaic: 1, MosaicLayout: augment.Whole, CopyPastePolygons: share})
		before, after := 0, 0
		for pos := range 150 {
			_, a := plain(0, 0, pos, pos%12)
			out, b := sample(0, 0, pos, pos%12)
			if !slices.Equal(a, b[:len(a)]) {
				t.Fatalf("share %v, position %d: %v does not begin with %v", share, pos, b, a)
			}
			before, after = before+len(a), after+len(b)
			for _, o := range b[len(a):] {
				if x0, y0, x1, y1 := bright(bytesOf(out), o); max(x0-o.X0, y0-o.Y0, o.X1-x1, o.Y1-y1) > 3 {
					t.Errorf("share %v, position %d: the pasted box %v is around %v %v %v %v", share, pos, o, x0, y0, x1, y1)
				}
			}
		}
		if float64(after) < least*float64(before) {
			t.Errorf("share %v: %d boxes became %d", share, before, after)
		}
	}
	boxed := maker(t, diamonds(12, false), augment.Settings{Mosaic: 1, MosaicLayout: augment.Whole, CopyPastePolygons: 1})
	for pos := range 20 {
		x, _ := plain(0, 0, pos, 0)
		if y, _ := boxed(0, 0, pos, 0); !slices.Equal(x, y) {
			t.Fatal("boxes without outlines are pasted")
		}
	}
}
