package dataset_test

import (
	"bytes"
	"image"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/dataset"
)

// sound checks that what a reader let through can be trained on: finite boxes with an area inside the picture.
func sound(t *testing.T, m dataset.Image, classes, size int) {
	t.Helper()
	side := float32(size)
	for i, b := range m.Boxes {
		if b.Class < 0 || b.Class >= classes || !(b.X0 >= 0 && b.Y0 >= 0 && b.X1 <= side+1e-3 && b.Y1 <= side+1e-3 && b.X1 >= b.X0 && b.Y1 >= b.Y0) {
			t.Errorf("box %+v", b)
		}
		if a := float64(b.Area); math.IsNaN(a) || math.IsInf(a, 0) || a < 0 {
			t.Errorf("area %v", b.Area)
		}
		if len(m.Outlines) == 0 {
			continue
		}
		for _, part := range m.Outlines[i] {
			for _, v := range part {
				if !(v >= 0 && v <= side+1e-3) {
					t.Errorf("outline %v", part)
				}
			}
		}
	}
	if n := len(m.Outlines); n != 0 && n != len(m.Boxes) {
		t.Errorf("%d outlines of %d boxes", n, len(m.Boxes))
	}
}

func FuzzYOLOBoxes(f *testing.F) {
	for _, s := range []string{"", "0 .5 .5 .5 .5\n1 0.1 0.1 0.2 0.1 0.2 0.2", "\ufeff0 .5 .5 1 1\r\n", "0 nan 1e999 -1 .5", "1 1.0009 .5 .002 1e-40", "0 0x1p-2 .5 1_0 .5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, _ := dataset.Read("yolo", text, 3, 17, 9, 32)
		sound(t, m, 3, 32)
		if rows := strings.Count(text, "\n") + 1; len(m.Boxes) > rows {
			t.Errorf("%d boxes of %d rows", len(m.Boxes), rows)
		}
	})
}

func FuzzVOCBoxes(f *testing.F) {
	f.Add(`<annotation><object><name>a</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>6</xmax><ymax>6</ymax></bndbox></object></annotation>`)
	f.Add(`<?xml version="1.0" encoding="GBK"?><annotation><object><difficult>1</difficult><bndbox><xmin>NaN</xmin></bndbox></object></annotation>`)
	f.Fuzz(func(t *testing.T, text string) {
		m, _ := dataset.Read("voc", text, 1, 17, 9, 32)
		sound(t, m, 1, 32)
	})
}

func FuzzCOCOBoxes(f *testing.F) {
	f.Add(`{"images": [{"id": 1, "file_name": "a.png"}], "categories": [{"id": 3, "name": "a"}], "annotations": [{"id": 1, "image_id": 1, "category_id": 3, "area": 4, "iscrowd": 1, "bbox": [1, 1, 5, 5], "segmentation": [[1, 1, 6, 1, 3, 6]]}]}`)
	f.Add(`{"images": [{}], "categories": [{"id": 1}, {"id": 2}], "annotations": [{"category_id": 2, "area": 1e300, "bbox": [-1e300, 1, 2e300, 1e-300], "segmentation": {"counts": []}}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		m, _ := dataset.Read("coco", text, 1<<20, 17, 9, 32)
		sound(t, m, 1<<20, 32)
	})
}

// A picture file is decoded to as many pixels as it says, or refused; EXIF orientation is read on the way.
func FuzzPicture(f *testing.F) {
	names, err := filepath.Glob("testdata/*/*.*")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(claims(20000, 20000)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if head, _, err := image.DecodeConfig(bytes.NewReader(b)); err == nil && head.Width*head.Height > 1<<16 && head.Width*head.Height < 1<<28 {
			t.Skip("takes too much memory for many at a time")
		}
		w, h, n, err := dataset.Decode(b)
		if err == nil && (w < 1 || h < 1 || n != w*h*3) {
			t.Errorf("%d x %d pixels, %d bytes", w, h, n)
		}
	})
}
