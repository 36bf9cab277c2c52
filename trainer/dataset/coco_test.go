package dataset_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/dataset"
)

const (
	cocoTrain = `{"images": [{"id": 9, "file_name": "a.png"}, {"id": 3, "file_name": "b.png"}, {"id": 4, "file_name": "gone.png"}, {"id": 9, "file_name": "b.png"}],
 "categories": [{"id": 18, "name": "dog"}, {"id": 2, "name": "ant"}],
 "annotations": [
  {"id": 1, "image_id": 9, "category_id": 18, "bbox": [4, 6, 10, 8], "area": 60},
  {"id": 2, "image_id": 9, "category_id": 2, "bbox": [1, 1, 20, 20], "area": 400, "iscrowd": 1},
  {"id": 3, "image_id": 9, "category_id": 5, "bbox": [1, 1, 20, 20]},
  {"id": 4, "image_id": 9, "category_id": 2, "bbox": [1, 1, 0, 20]},
  {"id": 5, "image_id": 3, "category_id": 2, "bbox": [1, 1, 20]},
  {"id": 6, "image_id": 77, "category_id": 2, "bbox": [1, 1, 5, 5]},
  {"id": 7, "image_id": 3, "category_id": 2, "bbox": [30, 30, 20, 20]}]}`
	cocoVal = `{"images": [{"id": 1, "file_name": "v.png"}], "categories": [], "annotations": [{"id": 1, "image_id": 1, "category_id": 2, "bbox": [0, 0, 40, 40]}]}`
)

func checkCOCO(t *testing.T, d *dataset.Dataset) {
	t.Helper()
	wantNotes(t, d,
		[]string{"annotation 3 left out", "category 5"},
		[]string{"annotation 4 left out", "no area"},
		[]string{"annotation 5 left out", "4 numbers"},
		[]string{"annotation 6 left out", "no image 77"},
		[]string{"annotation 7 cut", "10 pixels"},
		[]string{"gone.png", "left out"},
		[]string{"image id 9 is there twice"},
	)
	if !slices.Equal(d.Classes, []string{"ant", "dog"}) || len(d.Train) != 2 || len(d.Val) != 1 {
		t.Fatalf("classes %v, %d train, %d val", d.Classes, len(d.Train), len(d.Val))
	}
	// at half the size areas are a quarter
	want := []dataset.Box{{Class: 1, X0: 2, Y0: 3, X1: 7, Y1: 7, Area: 15}, {Class: 0, X0: .5, Y0: .5, X1: 10.5, Y1: 10.5, Area: 100, Crowd: true}}
	if !slices.Equal(d.Train[0].Boxes, want) {
		t.Errorf("boxes %v, want %v", d.Train[0].Boxes, want)
	}
	if want := []dataset.Box{{X0: 15, Y0: 15, X1: 20, Y1: 20}}; !slices.Equal(d.Train[1].Boxes, want) {
		t.Errorf("boxes %v, want %v", d.Train[1].Boxes, want)
	}
}

// The layouts in which COCO data sets come.
func TestCOCO(t *testing.T) {
	for name, c := range map[string]struct{ train, val, trainDir, valDir, ref string }{
		"as distributed":  {"annotations/instances_train2017.json", "annotations/instances_val2017.json", "train2017", "val2017", "."},
		"by its file":     {"annotations/instances_train2017.json", "annotations/instances_val2017.json", "images/train2017", "images/val2017", "annotations/instances_train2017.json"},
		"one image dir":   {"annotations/train.json", "annotations/val.json", "images", "images", "."},
		"split dirs":      {"annotations/my_train.json", "annotations/my_val.json", "train", "val", "."},
		"one dir a split": {"train/_annotations.coco.json", "valid/_annotations.coco.json", "train", "valid", "."},
	} {
		t.Run(name, func(t *testing.T) {
			root := tree(t, map[string]string{c.train: cocoTrain, c.val: cocoVal, "annotations/captions_train.json": "{}", "annotations/a_train.json.bak": "",
				c.trainDir + "/a.png": "40x40", c.trainDir + "/b.png": "40x40", c.valDir + "/v.png": "40x40"})
			checkCOCO(t, load(t, filepath.Join(root, c.ref), 20))
		})
	}
}

// A lone file has no other splits.
func TestCOCOAlone(t *testing.T) {
	d := load(t, filepath.Join(tree(t, map[string]string{"x.json": cocoTrain, "a.png": "40x40", "images/b.png": "40x40"}), "x.json"), 20)
	if len(d.Train) != 2 || len(d.Val) != 0 || !hasNote(d, "val split has no images") {
		t.Errorf("%d train, %d val, notes %v", len(d.Train), len(d.Val), d.Notes)
	}
}

func FuzzCOCO(f *testing.F) {
	f.Add(cocoTrain)
	f.Add(`{"images": [{"id": 1, "file_name": "../a.png"}], "categories": [{"id": 1}], "annotations": [{"image_id": 1, "category_id": 1, "bbox": [-1e308, 0, 1e308, 1e400]}]}`)
	png := []byte(nil)
	f.Fuzz(func(t *testing.T, text string) {
		if png == nil {
			png = picture(t, 8, 8)
		}
		root := tree(t, map[string]string{"x.json": text, "a.png": string(png)})
		if d, err := dataset.Load(t.Context(), filepath.Join(root, "x.json"), dataset.Options{Size: 8}); err == nil {
			checkBoxes(t, d)
		}
	})
}
