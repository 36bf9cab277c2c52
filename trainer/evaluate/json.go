package evaluate

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Task is a COCO evaluation read from JSON: ids are replaced by indices in ascending order of id.
type Task struct {
	ImageIDs   []int64
	ClassIDs   []int64
	ClassNames []string // by class
	Truths     []GroundTruth
	Detections []Detection
}

// Score is COCO of the task.
func (t *Task) Score() *Result {
	return COCO(t.Truths, t.Detections, len(t.ImageIDs), len(t.ClassIDs))
}

// instances is the part of COCO's annotation file that matters here.
type instances struct {
	Images     []struct{ ID *int64 }
	Categories []struct {
		ID   *int64
		Name string
	}
	Annotations []struct {
		ID       int64
		ImageID  *int64    `json:"image_id"`
		Category *int64    `json:"category_id"`
		Box      []float64 `json:"bbox"`
		Area     *float64
		Crowd    int `json:"iscrowd"`
	}
}

// result is one entry of COCO's results file.
type result struct {
	ImageID  *int64    `json:"image_id"`
	Category *int64    `json:"category_id"`
	Box      []float64 `json:"bbox"`
	Score    *float64
}

// LoadCOCO reads COCO's two files: gt, the annotations ("instances"), and dt, the results, a list of image_id,
// category_id, bbox and score. As in pycocotools annotations of unknown images or categories and results of unknown
// categories do not count, while a result of an unknown image is an error. An annotation without area has its box's.
func LoadCOCO(gt, dt io.Reader) (*Task, error) {
	var in instances
	if err := decode(gt, &in); err != nil {
		return nil, fmt.Errorf("read COCO annotations: %w", err)
	}
	if len(in.Images) == 0 {
		return nil, errors.New(`read COCO annotations: no "images": want COCO's instances file, an object with images, categories and annotations`)
	}
	var found []result
	if err := decode(dt, &found); err != nil {
		return nil, fmt.Errorf("read COCO results: %w", err)
	}
	t := &Task{}
	if err := t.index(&in); err != nil {
		return nil, fmt.Errorf("read COCO annotations: %w", err)
	}
	for i, a := range in.Annotations {
		if a.ImageID == nil || a.Category == nil || len(a.Box) != 4 {
			return nil, fmt.Errorf("read COCO annotations: annotation %d (id %d) lacks image_id, category_id or a bbox of 4 numbers", i, a.ID)
		}
		image, known := slices.BinarySearch(t.ImageIDs, *a.ImageID)
		class, named := slices.BinarySearch(t.ClassIDs, *a.Category)
		if !known || !named {
			continue
		}
		g := Truth(image, class, Box{a.Box[0], a.Box[1], a.Box[2], a.Box[3]})
		g.Crowd = a.Crowd != 0
		if a.Area != nil {
			g.Area = *a.Area
		}
		t.Truths = append(t.Truths, g)
	}
	for i, r := range found {
		if r.ImageID == nil || r.Category == nil || r.Score == nil || len(r.Box) != 4 {
			return nil, fmt.Errorf("read COCO results: entry %d lacks image_id, category_id, score or a bbox of 4 numbers", i)
		}
		image, known := slices.BinarySearch(t.ImageIDs, *r.ImageID)
		if !known {
			return nil, fmt.Errorf("read COCO results: entry %d is of image %d, which the annotations do not have: are these results of another data set?", i, *r.ImageID)
		}
		if class, named := slices.BinarySearch(t.ClassIDs, *r.Category); named {
			t.Detections = append(t.Detections, Detection{image, class, Box{r.Box[0], r.Box[1], r.Box[2], r.Box[3]}, *r.Score})
		}
	}
	return t, nil
}

// index sorts the ids of images and categories.
func (t *Task) index(in *instances) error {
	for i, m := range in.Images {
		if m.ID == nil {
			return fmt.Errorf("image %d has no id", i)
		}
		t.ImageIDs = append(t.ImageIDs, *m.ID)
	}
	names := map[int64]string{}
	for i, c := range in.Categories {
		if c.ID == nil {
			return fmt.Errorf("category %d has no id", i)
		}
		t.ClassIDs = append(t.ClassIDs, *c.ID)
		names[*c.ID] = c.Name
	}
	slices.Sort(t.ImageIDs)
	slices.Sort(t.ClassIDs)
	t.ImageIDs, t.ClassIDs = slices.Compact(t.ImageIDs), slices.Compact(t.ClassIDs)
	for _, id := range t.ClassIDs {
		t.ClassNames = append(t.ClassNames, names[id])
	}
	return nil
}

// decode reads one JSON value; its errors name the line.
func decode(r io.Reader, v any) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	err = json.Unmarshal(b, v)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("line %d: %w", line(b, syntax.Offset), err)
	case errors.As(err, &kind):
		return fmt.Errorf("line %d: %w", line(b, kind.Offset), err)
	}
	return err
}

func line(b []byte, offset int64) int {
	n := 1
	for _, c := range b[:min(max(offset, 0), int64(len(b)))] {
		if c == '\n' {
			n++
		}
	}
	return n
}
