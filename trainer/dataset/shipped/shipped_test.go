package shipped_test

import (
	"testing"

	"github.com/mapsweep/mapsweep/trainer/dataset/shipped"
)

// Sizes and counts as make.py printed them.
func TestPictures(t *testing.T) {
	for _, c := range []struct {
		name         string
		w, h, crowns int
	}{{shipped.Big, 2299, 2472, 574}, {shipped.Side, 1249, 1035, 279}, {shipped.Small, 400, 400, 61}} {
		m, err := shipped.Picture(c.name)
		if err != nil {
			t.Fatal(err)
		}
		if s := m.Bounds().Size(); s.X != c.w || s.Y != c.h {
			t.Errorf("%s: %v, want %dx%d", c.name, s, c.w, c.h)
		}
		boxes, err := shipped.Crowns(c.name)
		if err != nil {
			t.Fatal(err)
		}
		if len(boxes) != c.crowns {
			t.Errorf("%s: %d crowns, want %d", c.name, len(boxes), c.crowns)
		}
		for _, b := range boxes {
			if b[0] < 0 || b[1] < 0 || b[2] > float32(c.w) || b[3] > float32(c.h) || b[2] <= b[0] || b[3] <= b[1] {
				t.Errorf("%s: box %v", c.name, b)
			}
		}
	}
	if _, err := shipped.Picture("none"); err == nil {
		t.Error("no error for an unknown picture")
	}
	if _, err := shipped.Crowns("none"); err == nil {
		t.Error("no error for the boxes of an unknown picture")
	}
}

// Class counts as sklearn.datasets.load_digits gives them: numpy.bincount(load_digits().target).
func TestDigits(t *testing.T) {
	d, err := shipped.Digits()
	if err != nil {
		t.Fatal(err)
	}
	var got [10]int
	for _, x := range d {
		got[x.Class]++
	}
	if want := [10]int{178, 182, 177, 183, 181, 182, 181, 179, 174, 180}; got != want {
		t.Errorf("class counts %v, want %v", got, want)
	}
	if want := [8]uint8{0, 0, 5, 13, 9, 1, 0, 0}; [8]uint8(d[0].Ink[:8]) != want { // load_digits().images[0][0]
		t.Errorf("first row %v, want %v", d[0].Ink[:8], want)
	}
}
