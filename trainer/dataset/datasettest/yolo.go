// Package datasettest writes data sets for tests, as files.
package datasettest

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/dataset"
)

// WriteYOLO writes a YOLO data set of these images: PNG pictures images/train/00.png and on with their labels, and the
// same below val, named by their places in all. It returns its folder.
func WriteYOLO(t testing.TB, classes []string, train, val []dataset.Image) (root string) {
	t.Helper()
	root = t.TempDir()
	write := func(name string, b []byte) {
		at := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("data.yaml", []byte("train: images/train\nval: images/val\nnames: ["+strings.Join(classes, ", ")+"]\n"))
	for i, m := range append(append([]dataset.Image(nil), train...), val...) {
		split := "train"
		if i >= len(train) {
			split = "val"
		}
		write(fmt.Sprintf("images/%s/%02d.png", split, i), picture(t, m))
		write(fmt.Sprintf("labels/%s/%02d.txt", split, i), labels(m))
	}
	return root
}

// picture is an image as PNG.
func picture(t testing.TB, m dataset.Image) []byte {
	t.Helper()
	p := image.NewNRGBA(image.Rect(0, 0, m.W, m.H))
	for j := range m.W * m.H {
		copy(p.Pix[4*j:], m.Pix[3*j:3*j+3])
		p.Pix[4*j+3] = 255
	}
	var b bytes.Buffer
	if err := png.Encode(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// labels are the boxes of an image: class, centre, width and height in fractions of the picture, a line each.
func labels(m dataset.Image) (rows []byte) {
	w, h := float32(m.W), float32(m.H)
	for _, o := range m.Boxes {
		rows = fmt.Appendf(rows, "%d %v %v %v %v\n", o.Class, (o.X0+o.X1)/2/w, (o.Y0+o.Y1)/2/h, (o.X1-o.X0)/w, (o.Y1-o.Y0)/h)
	}
	return rows
}
