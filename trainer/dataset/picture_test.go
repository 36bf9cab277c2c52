package dataset_test

import (
	"errors"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/dataset"
)

func TestReadPicture(t *testing.T) {
	dir := t.TempDir()
	m := image.NewNRGBA(image.Rect(0, 0, 100, 50))
	m.Set(99, 49, color.NRGBA{200, 100, 50, 255})
	f, err := os.Create(filepath.Join(dir, "a.png"))
	if err == nil {
		err = errors.Join(png.Encode(f, m), f.Close(), os.WriteFile(filepath.Join(dir, "broken.jpg"), []byte("no picture"), 0o666))
	}
	if err != nil {
		t.Fatal(err)
	}
	p, err := dataset.ReadPicture(filepath.Join(dir, "a.png"))
	if err != nil || p.W != 100 || p.H != 50 || len(p.Pix) != 15000 || p.Pix[14997] != 200 || p.Pix[14999] != 50 {
		t.Fatalf("%d x %d, %d bytes, %v", p.W, p.H, len(p.Pix), err)
	}
	if _, err := dataset.ReadPicture(filepath.Join(dir, "broken.jpg")); err == nil {
		t.Error("a broken file was read")
	}
	if _, err := dataset.ReadPicture(filepath.Join(dir, "none.png")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	for name, want := range map[string]bool{"a.PNG": true, "b.jpeg": true, "c.txt": false, "png": false} {
		if dataset.IsPicture(name) != want {
			t.Errorf("IsPicture(%q) is %v", name, !want)
		}
	}
}

// What goes into the letterbox comes back, and boxes are cut at the picture's edges.
func TestPlaceBack(t *testing.T) {
	for _, c := range []struct{ w, h, size int }{{100, 50, 64}, {50, 100, 64}, {64, 64, 64}, {20, 10, 64}, {1000, 1, 64}, {1, 1, 32}} {
		p := dataset.Picture{W: c.w, H: c.h, Pix: make([]uint8, c.w*c.h*3)}
		m, at := p.Letterbox(c.size)
		if m.W != c.size || m.H != c.size || len(m.Pix) != c.size*c.size*3 {
			t.Fatalf("letterbox of %d x %d", m.W, m.H)
		}
		w, h := float64(c.w), float64(c.h)
		x0, y0, x1, y1 := at.Back(.25*w*at.Scale+at.X, .5*h*at.Scale+at.Y, .75*w*at.Scale+at.X, h*at.Scale+at.Y, c.w, c.h)
		for i, d := range []float64{x0 - .25*w, y0 - .5*h, x1 - .75*w, y1 - h} {
			if math.Abs(d) > 1e-9 {
				t.Errorf("%v: corner %d is off by %v", c, i, d)
			}
		}
		if x0, y0, x1, y1 := at.Back(-5, -5, 1e4, 1e4, c.w, c.h); x0 != 0 || y0 != 0 || x1 != w || y1 != h {
			t.Errorf("%v: cut to %v %v %v %v", c, x0, y0, x1, y1)
		}
	}
}
