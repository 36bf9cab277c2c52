package dataset_test

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/dataset"
)

// A 128 px PNG with whole-pixel boxes comes through at Size 128 exactly: not resampled, boxes whole again.
func TestYOLOLossless(t *testing.T) {
	root := tree(t, map[string]string{
		"data.yaml":          "path: .\ntrain: images/train\nval: images/val\nnames: {0: cat, 1: dog}\n",
		"images/train/a.png": "128x128", "labels/train/a.txt": "1 0.199219 0.347656 0.148438 0.273438\n",
		"images/val/b.png": "128x128", "labels/val/b.txt": "",
	})
	d := load(t, root, 128)
	wantNotes(t, d, []string{"the 1 images of the val split have no usable box"})
	if d.Name != root || d.Size != 128 || d.Native != 1 || !slices.Equal(d.Classes, []string{"cat", "dog"}) || len(d.Val) != 1 || len(d.Val[0].Boxes) != 0 {
		t.Errorf("%q, size %d, native %v, classes %v, val %v", d.Name, d.Size, d.Native, d.Classes, len(d.Val))
	}
	m := d.Train[0]
	for y := range 128 {
		for x := range 128 {
			if p := m.Pix[(y*128+x)*3:]; p[0] != uint8(x) || p[1] != uint8(y) || p[2] != uint8(x*y) {
				t.Fatalf("pixel %d, %d is %v", x, y, p[:3])
			}
		}
	}
	// (25.5 +- 9.5, 44.5 +- 17.5) / 128, written with six decimals
	if want := (dataset.Box{Class: 1, X0: 16, Y0: 27, X1: 35, Y1: 62}); len(m.Boxes) != 1 || m.Boxes[0] != want {
		t.Errorf("boxes %v, want %v", m.Boxes, want)
	}
	if m.Name != "images/train/a.png" {
		t.Errorf("name %q", m.Name)
	}
}

// Pictures of another shape are letterboxed, and their boxes with them.
func TestYOLOLetterbox(t *testing.T) {
	d := load(t, tree(t, map[string]string{
		"data.yaml": "train: images\nval: images\nnames: [a]", "images/a.png": "200x100", "labels/a.txt": "0 0.5 0.5 0.2 0.4\n0 .1 .1 .2 .1 .2 .3 .1 .35",
	}), 64)
	want := []dataset.Box{{X0: 25.6, Y0: 16 + 9.6, X1: 38.4, Y1: 16 + 22.4}, {X0: 6.4, Y0: 16 + 3.2, X1: 12.8, Y1: 16 + 11.2}}
	got := d.Train[0].Boxes
	if len(got) != 2 || d.Native != 200./64 {
		t.Fatalf("boxes %v, native %v", got, d.Native)
	}
	for i := range want {
		for j, v := range []float32{got[i].X0 - want[i].X0, got[i].Y0 - want[i].Y0, got[i].X1 - want[i].X1, got[i].Y1 - want[i].Y1} {
			if math.Abs(float64(v)) > 1e-3 {
				t.Errorf("box %d side %d: %v, want %v", i, j, got[i], want[i])
			}
		}
	}
	if p := d.Train[0].Pix; p[0] != 114 || p[(16*64+32)*3] < 90 || p[(16*64+32)*3] > 110 {
		t.Errorf("border %d, middle of the first row %d", p[0], p[(16*64+32)*3])
	}
}

func TestYOLOFindings(t *testing.T) {
	root := tree(t, map[string]string{
		"data.yaml":          "train: images/train\nval: images/val\ntest: images/gone\nnames: [a, b]\nnc: 3",
		"images/train/a.png": "100x100", "images/train/broken.png": "not a picture", "images/train/empty.png": "", "images/train/bare.png": "100x100",
		"images/train/sub/deep.png": "100x100", "labels/train/sub/deep.txt": "1 .5 .5 .1 .1",
		"images/val/v.png": "100x100", "labels/val/v.txt": "0 .5 .5 .1 .1",
		"labels/train/broken.txt": "", "labels/train/empty.txt": "",
		"labels/train/a.txt": strings.Join([]string{
			"0 .5 .5 .2 .2", "2 .5 .5 .1 .1", "0 .5 .5 .1", "0 .5 nan .1 .1", "0 1.5 .5 .1 .1", "0 .5 .5 0 .1", "-1 .5 .5 .1 .1",
			"0 .5 .5 .2 .2", "1 .5 .5 .1 .1 .9", "1 .02 .5 .2 .2", "", "0.5 .5 .5 .1 .1"}, "\n"),
	})
	d := load(t, root, 100)
	wantNotes(t, d,
		[]string{"nc is 3", "2 classes"},
		[]string{"test", "gone does not exist"},
		[]string{"a.txt:2 left out", "class 2 is out of range", "2 classes"},
		[]string{"a.txt:3 left out", "4 values"},
		[]string{"a.txt:4 left out", `"nan" is no number`},
		[]string{"a.txt:5 left out", "1.5 is out of range"},
		[]string{"a.txt:6 left out", "no area"},
		[]string{"a.txt:7 left out", "class -1 is out of range"},
		[]string{"a.txt:8 left out", "the same box again"},
		[]string{"a.txt:9 left out", "6 values"},
		[]string{"a.txt:10 cut", "8 pixels out of"},
		[]string{"a.txt:12 left out", "class 0.5 is out of range"},
		[]string{"bare.txt does not exist", "without objects"},
		[]string{"broken.png left out", "unknown format"},
		[]string{"empty.png left out", "empty"},
	)
	if len(d.Train) != 3 || boxes(d.Train) != 3 || len(d.Val) != 1 {
		t.Errorf("%d images with %d boxes in train, %d in val", len(d.Train), boxes(d.Train), len(d.Val))
	}
	if b := d.Train[0].Boxes[1]; b.X0 != 0 || b.X1 != 12 {
		t.Errorf("cut box %v", b)
	}
}

// The ways in which a data.yaml names its splits.
func TestYOLOPaths(t *testing.T) {
	base := map[string]string{
		"set/images/one/a.png": "8x8", "set/labels/one/a.txt": "0 .5 .5 .5 .5",
		"set/images/two/b.png": "8x8", "set/labels/two/b.txt": "1 .5 .5 .5 .5",
		"set/beside/c.png": "8x8", "set/beside/c.txt": "1 .5 .5 .5 .5",
		"set/list.txt": "./images/one/a.png\n\nimages/two/b.png\n",
	}
	for name, c := range map[string]struct{ at, yaml, ref string }{
		"list":               {"set/data.yaml", "train: [images/one, images/two]\nval: beside\nnames: [x, y]", "set"},
		"text file":          {"set/data.yaml", "train: list.txt\nval: beside\nnames: [x, y]", "set"},
		"path and map":       {"data.yaml", "path: set\ntrain: images\nval: beside\nnames: {1: y, 0: x}", "data.yaml"},
		"path moved":         {"set/data.yaml", "path: /nowhere/set\ntrain: images\nval: beside\nnames: [x, y]", "set"},
		"dots in front":      {"set/data.yaml", "train: ../images\nval: ../beside\nnames: [x, y]", "set"},
		"numbers for names":  {"set/data.yaml", "train: images\nval: beside\nnc: 2", "set/data.yaml"},
		"other name":         {"set/coco.yml", "train: images\nval: beside\nnames: [x, y]", "set/coco.yml"},
		"dataset.yaml found": {"set/dataset.yaml", "train: images\nval: beside\nnames: [x, y]", "set"},
	} {
		t.Run(name, func(t *testing.T) {
			root := tree(t, base)
			if err := os.WriteFile(filepath.Join(root, c.at), []byte(c.yaml), 0o644); err != nil {
				t.Fatal(err)
			}
			d := load(t, filepath.Join(root, c.ref), 8)
			wantNotes(t, d)
			if len(d.Train) != 2 || boxes(d.Train) != 2 || d.Train[0].Boxes[0].Class != 0 || d.Train[1].Boxes[0].Class != 1 || len(d.Val) != 1 || boxes(d.Val) != 1 || len(d.Classes) != 2 {
				t.Errorf("train %d with %d boxes, val %d with %d, classes %v", len(d.Train), boxes(d.Train), len(d.Val), boxes(d.Val), d.Classes)
			}
		})
	}
}

// Hash depends on pixels and boxes, and not on where the data lies.
func TestHashOfFiles(t *testing.T) {
	files := map[string]string{"data.yaml": "train: images\nval: images\nnames: [x]", "images/a.png": "8x8", "labels/a.txt": "0 .5 .5 .5 .5"}
	a, b := load(t, tree(t, files), 8), load(t, tree(t, files), 8)
	if a.Hash != b.Hash {
		t.Error("the same files elsewhere have another hash")
	}
	files["labels/a.txt"] = "0 .5 .5 .5 .25"
	if load(t, tree(t, files), 8).Hash == a.Hash {
		t.Error("another box, the same hash")
	}
	files["labels/a.txt"], files["images/a.png"] = "0 .5 .5 .5 .5", "8x7"
	if load(t, tree(t, files), 8).Hash == a.Hash {
		t.Error("another picture, the same hash")
	}
}

func FuzzYOLOLabels(f *testing.F) {
	f.Add("0 .5 .5 .2 .2\n1 .1 .1 .2 .1 .2 .3")
	f.Add("9 nan 1e999 -1 0x1p-2\n\n\x00")
	png := []byte(nil)
	f.Fuzz(func(t *testing.T, labels string) {
		if png == nil {
			png = picture(t, 8, 8)
		}
		root := tree(t, map[string]string{"data.yaml": "train: images\nval: images\nnames: [a, b]", "images/a.png": string(png), "labels/a.txt": labels,
			"images/b.png": string(png), "labels/b.txt": "0 .5 .5 .5 .5"})
		checkBoxes(t, load(t, root, 8))
	})
}

func checkBoxes(t *testing.T, d *dataset.Dataset) {
	t.Helper()
	for _, m := range d.Train {
		for _, b := range m.Boxes {
			if !(b.X0 >= 0 && b.Y0 >= 0 && b.X1 <= float32(d.Size) && b.Y1 <= float32(d.Size) && b.X1 > b.X0 && b.Y1 > b.Y0 && b.Class >= 0 && b.Class < len(d.Classes)) {
				t.Errorf("box %+v", b)
			}
		}
	}
}
