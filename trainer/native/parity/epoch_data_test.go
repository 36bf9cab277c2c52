//go:build peers

package parity_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/dataset"
)

// picturesOf writes a Pascal VOC folder as a YOLO data set that both trainers read: links to the pictures as they are, and
// label files. It returns the path of data.yaml and the numbers of pictures.
func picturesOf(t *testing.T, voc string) (file string, train, val int) {
	t.Helper()
	d, err := dataset.Load(t.Context(), voc, dataset.Options{Cache: -1})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, images := range map[string][]dataset.Image{"train": d.Train, "val": d.Val} {
		for i := range images {
			writePicture(t, voc, dir, name, &images[i])
		}
	}
	file = filepath.Join(dir, "data.yaml")
	text := fmt.Sprintf("path: %s\ntrain: images/train\nval: images/val\nnames: [%s]\n", dir, strings.Join(d.Classes, ", "))
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return file, len(d.Train), len(d.Val)
}

// writePicture links a picture and writes its labels: class, centre and extent as shares of the picture, which lies in a
// letterbox.
func writePicture(t *testing.T, voc, dir, split string, m *dataset.Image) {
	t.Helper()
	stem := strings.TrimSuffix(filepath.Base(m.Name), filepath.Ext(m.Name))
	found, err := filepath.Glob(filepath.Join(voc, "JPEGImages", stem+".*"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%d pictures of %s in %s (%v)", len(found), m.Name, voc, err)
	}
	picture, err := filepath.Abs(found[0])
	if err != nil {
		t.Fatal(err)
	}
	images, labels := filepath.Join(dir, "images", split), filepath.Join(dir, "labels", split)
	for _, d := range []string{images, labels} {
		if err := os.MkdirAll(d, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(picture, filepath.Join(images, filepath.Base(picture))); err != nil {
		t.Fatal(err)
	}
	in := m.Inner
	if in.Empty() {
		in.Max.X, in.Max.Y = m.W, m.H
	}
	w, h := float64(in.Dx()), float64(in.Dy())
	var text strings.Builder
	for _, b := range m.Boxes {
		x0, y0, x1, y1 := float64(b.X0)-float64(in.Min.X), float64(b.Y0)-float64(in.Min.Y), float64(b.X1)-float64(in.Min.X), float64(b.Y1)-float64(in.Min.Y)
		fmt.Fprintf(&text, "%d %.6f %.6f %.6f %.6f\n", b.Class, (x0+x1)/2/w, (y0+y1)/2/h, (x1-x0)/w, (y1-y0)/h)
	}
	if err := os.WriteFile(filepath.Join(labels, stem+".txt"), []byte(text.String()), 0o666); err != nil {
		t.Fatal(err)
	}
}
