package dataset_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/dataset"
)

// tree writes files below a new directory. A name that ends in .png takes "WxH" as its content, or else bytes.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		at := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		var w, h int
		if n, _ := fmt.Sscanf(content, "%dx%d", &w, &h); n == 2 && strings.HasSuffix(name, ".png") {
			content = string(picture(t, w, h))
		}
		if err := os.WriteFile(at, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// picture is a PNG whose pixels differ: red x, green y, blue x*y.
func picture(t *testing.T, w, h int) []byte {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.Set(x, y, color.NRGBA{uint8(x), uint8(y), uint8(x * y), 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func hasNote(d *dataset.Dataset, parts ...string) bool {
	for _, n := range d.Notes {
		all := true
		for _, p := range parts {
			all = all && strings.Contains(n, p)
		}
		if all {
			return true
		}
	}
	return false
}

// wantNotes checks that each finding is told, and nothing else is.
func wantNotes(t *testing.T, d *dataset.Dataset, want ...[]string) {
	t.Helper()
	for _, parts := range want {
		if !hasNote(d, parts...) {
			t.Errorf("no note with %q", parts)
		}
	}
	if len(d.Notes) != len(want) {
		t.Errorf("%d notes, want %d:\n%s", len(d.Notes), len(want), strings.Join(d.Notes, "\n"))
	}
}

func TestUnusable(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		ref   string
		want  string
	}{
		"missing path":      {nil, "nowhere", "does not exist"},
		"unknown directory": {map[string]string{"a.txt": ""}, ".", "no data.yaml (YOLO)"},
		"unknown file":      {map[string]string{"a.txt": ""}, "a.txt", "neither a data.yaml nor a COCO"},
		"broken yaml":       {map[string]string{"data.yaml": "train: ["}, ".", "is no data.yaml"},
		"no classes":        {map[string]string{"data.yaml": "train: images\nval: images", "images/a.png": "8x8"}, ".", "names no classes"},
		"empty names":       {map[string]string{"data.yaml": "train: images\nnames: []", "images/a.png": "8x8"}, ".", "names no classes"},
		"names of no kind":  {map[string]string{"data.yaml": "train: images\nnames: cat", "images/a.png": "8x8"}, ".", "names must be a list"},
		"names of no number": {map[string]string{"data.yaml": "train: images\nnames: {cat: 0}", "images/a.png": "8x8"}, ".",
			`"cat", which is no class number`},
		"no train":      {map[string]string{"data.yaml": "names: [a]\nval: images", "images/a.png": "8x8"}, ".", "has no train"},
		"train missing": {map[string]string{"data.yaml": "names: [a]\ntrain: images/train"}, ".", filepath.Join("images", "train") + " does not exist"},
		"train empty":   {map[string]string{"data.yaml": "names: [a]\ntrain: images", "images/a.txt": ""}, ".", "is empty: 0 images are listed"},
		"train broken": {map[string]string{"data.yaml": "names: [a]\ntrain: images", "images/a.png": "no picture", "labels/a.txt": "0 .5 .5 .5 .5"}, ".",
			"1 images are listed, none can be read; first finding: "},
		"no boxes": {map[string]string{"data.yaml": "names: [a]\ntrain: images", "images/a.png": "8x8", "labels/a.txt": "3 .5 .5 .5 .5"}, ".",
			"class 3 is out of range"},
		"voc without list":   {map[string]string{"Annotations/a.xml": "<annotation/>", "JPEGImages/a.png": "8x8"}, ".", "train.txt is missing or empty"},
		"voc without names":  {map[string]string{"ImageSets/Main/train.txt": "a", "Annotations/a.xml": "<annotation/>", "JPEGImages/a.png": "8x8"}, ".", "names no classes"},
		"coco without train": {map[string]string{"annotations/instances_val.json": "{}", "annotations/x.json": "{}"}, ".", "no annotation file of a training split"},
		"coco broken":        {map[string]string{"annotations/instances_train.json": "{\n\n]"}, ".", "line 3"},
		"coco empty":         {map[string]string{"annotations/instances_train.json": "{}"}, ".", "lists no images"},
		"coco, no class":     {map[string]string{"t.json": `{"images": [{"id": 1, "file_name": "a.png"}]}`, "a.png": "8x8"}, "t.json", "names no classes"},
	} {
		t.Run(name, func(t *testing.T) {
			ref := filepath.Join(tree(t, c.files), c.ref)
			_, err := dataset.Load(t.Context(), ref, dataset.Options{Size: 16})
			if !errors.Is(err, trainer.ErrNoData) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), ref) {
				t.Errorf("error %v, want ErrNoData with %q and the path", err, c.want)
			}
		})
	}
}

func TestPathLoadStops(t *testing.T) {
	root := tree(t, map[string]string{"data.yaml": "names: [a]\ntrain: images\nval: images", "images/a.png": "8x8", "labels/a.txt": "0 .5 .5 .5 .5"})
	reason := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(reason)
	if _, err := dataset.Load(ctx, root, dataset.Options{}); !errors.Is(err, reason) {
		t.Error(err)
	}
}

// The pictures of testdata/formats.py: those without loss give the pixels it wrote, and turned ones stand upright.
func TestFormats(t *testing.T) {
	names, err := filepath.Glob("testdata/*/*.*")
	if err != nil || len(names) != 18 {
		t.Fatalf("%d files, %v", len(names), err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		base := strings.ReplaceAll(filepath.ToSlash(name[len("testdata/"):]), "/", "-")
		d := load(t, tree(t, map[string]string{"data.yaml": "names: [a]\ntrain: images\nval: images", "images/" + base: string(b),
			"images/b.png": "6x6", "labels/" + strings.TrimSuffix(base, filepath.Ext(base)) + ".txt": "0 .5 .5 .5 .5", "labels/b.txt": "0 .5 .5 .5 .5"}), 6)
		trait := ""
		for part, words := range map[string]string{"alpha": "transparent parts", "grey": "are grey", "cmyk": "are CMYK", "oriented": "EXIF orientation"} {
			if strings.Contains(base, part) {
				trait = words
			}
		}
		deep := strings.Contains(base, "16") && hasNote(d, "16 bits")
		if len(d.Notes) > 1 && !deep || (len(d.Notes) > 0) != (trait != "") || !hasNote(d, trait) && trait != "" {
			t.Errorf("%s: %v, want %q", base, d.Notes, trait)
			continue
		}
		var m dataset.Image
		for _, x := range d.Train {
			if x.Name == "images/"+base {
				m = x
			}
		}
		tolerance := 0
		if strings.HasSuffix(base, ".jpg") {
			tolerance = 3
		}
		for y := range 4 {
			for x := range 6 {
				want := [3]int{40 * x, 60 * y, 20 * (x + y)}
				if strings.Contains(base, "grey") {
					v := 40*x + 5*y
					want = [3]int{v, v, v}
				}
				p := m.Pix[((y+1)*6+x)*3:] // letterboxed: one grey row above
				for c, w := range want {
					if diff := int(p[c]) - w; diff > tolerance || diff < -tolerance {
						t.Errorf("%s: pixel %d, %d is %v, want %v", base, x, y, p[:3], want)
						break
					}
				}
			}
		}
	}
}

// At most 20 findings of a kind are told, the rest is counted, and the log hears the same.
func TestNotesAreCapped(t *testing.T) {
	var labels strings.Builder
	labels.WriteString("0 .5 .5 .5 .5\n")
	for range 33 {
		labels.WriteString("7 .5 .5 .5 .5\n")
	}
	root := tree(t, map[string]string{"data.yaml": "names: [a]\ntrain: images\nval: images", "images/a.png": "8x8", "labels/a.txt": labels.String()})
	var log bytes.Buffer
	d, err := dataset.Load(t.Context(), root, dataset.Options{Size: 8, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Notes) != 21 || !hasNote(d, "class out of range: 46 more like these") || strings.Count(log.String(), "class 7") != 20 {
		t.Errorf("%d notes, last %q, %d in the log", len(d.Notes), d.Notes[len(d.Notes)-1], strings.Count(log.String(), "class 7"))
	}
}
