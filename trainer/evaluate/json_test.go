package evaluate_test

import (
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/evaluate"
)

const truthJSON = `{"images": [{"id": 9}, {"id": 2}],
 "categories": [{"id": 7, "name": "cat"}, {"id": 3, "name": "ant"}],
 "annotations": [{"id": 1, "image_id": 9, "category_id": 7, "bbox": [1, 2, 3, 4]},
  {"id": 2, "image_id": 2, "category_id": 3, "bbox": [1, 2, 3, 4], "area": 5, "iscrowd": 1},
  {"id": 3, "image_id": 4, "category_id": 3, "bbox": [1, 2, 3, 4]},
  {"id": 4, "image_id": 2, "category_id": 5, "bbox": [1, 2, 3, 4]}]}`

func TestLoadCOCO(t *testing.T) {
	task, err := evaluate.LoadCOCO(strings.NewReader(truthJSON), strings.NewReader(
		`[{"image_id": 9, "category_id": 3, "bbox": [5, 6, 7, 8], "score": 0.25}, {"image_id": 9, "category_id": 99, "bbox": [5, 6, 7, 8], "score": 0.5}]`))
	if err != nil {
		t.Fatal(err)
	}
	if len(task.Truths) != 2 || task.Truths[0] != (evaluate.GroundTruth{Image: 1, Class: 1, Box: evaluate.Box{X: 1, Y: 2, W: 3, H: 4}, Area: 12}) ||
		task.Truths[1] != (evaluate.GroundTruth{Image: 0, Class: 0, Box: evaluate.Box{X: 1, Y: 2, W: 3, H: 4}, Area: 5, Crowd: true}) {
		t.Errorf("truths %+v", task.Truths)
	}
	if len(task.Detections) != 1 || task.Detections[0] != (evaluate.Detection{Image: 1, Class: 0, Box: evaluate.Box{X: 5, Y: 6, W: 7, H: 8}, Score: .25}) {
		t.Errorf("detections %+v", task.Detections)
	}
	if strings.Join(task.ClassNames, " ") != "ant cat" {
		t.Errorf("class names %v", task.ClassNames)
	}
}

func TestLoadCOCOErrors(t *testing.T) {
	for _, c := range []struct{ gt, dt, want string }{
		{"{\"images\": [\n{]}", "[]", "annotations: line 2"},
		{`{"images": "x"}`, "[]", "annotations: line 1"},
		{"[]", "[]", "annotations"},
		{"{}", "[]", `no "images"`},
		{`{"images": [{}]}`, "[]", "image 0 has no id"},
		{`{"images": [{"id": 1}], "categories": [{}]}`, "[]", "category 0 has no id"},
		{`{"images": [{"id": 1}], "annotations": [{"id": 6, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3]}]}`, "[]", "annotation 0 (id 6)"},
		{truthJSON, "\n\n[1]", "results: line 3"},
		{truthJSON, "{}", "results"},
		{truthJSON, `[{"image_id": 9, "category_id": 3, "bbox": [5, 6, 7, 8]}]`, "entry 0 lacks"},
		{truthJSON, `[{"image_id": 8, "category_id": 3, "bbox": [5, 6, 7, 8], "score": 1}]`, "image 8"},
	} {
		_, err := evaluate.LoadCOCO(strings.NewReader(c.gt), strings.NewReader(c.dt))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s with %s: error %v, want one with %q", c.gt, c.dt, err, c.want)
		}
	}
}

func FuzzLoadCOCO(f *testing.F) {
	f.Add(truthJSON, `[{"image_id": 9, "category_id": 3, "bbox": [5, 6, 7, 8], "score": 0.25}]`)
	f.Add("{}", "[]")
	f.Fuzz(func(t *testing.T, gt, dt string) {
		if task, err := evaluate.LoadCOCO(strings.NewReader(gt), strings.NewReader(dt)); err == nil {
			r := task.Score()
			for i, v := range r.List() {
				if !(v == evaluate.Undefined || v >= 0 && v <= 1) {
					t.Errorf("number %d is %v", i, v)
				}
			}
		}
	})
}
