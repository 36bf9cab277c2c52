package dataset

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
)

// cocoInstances is the part of COCO's annotation file that matters here.
type cocoInstances struct {
	Images []struct {
		ID   int64  `json:"id"`
		File string `json:"file_name"`
	} `json:"images"`
	Categories []struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
	} `json:"categories"`
	Annotations []struct {
		ID       int64     `json:"id"`
		Image    int64     `json:"image_id"`
		Category int64     `json:"category_id"`
		Box      []float64 `json:"bbox"`
		Area     float64   `json:"area"`
		Crowd    int       `json:"iscrowd"`

		Outline json.RawMessage `json:"segmentation"` // polygons, or for crowds a run-length mask
	} `json:"annotations"`
}

// cocoSplits are the words by which the file of a split is known.
var cocoSplits = [splitCount][]string{{"train"}, {"val"}, {"test"}}

// cocoFiles finds the annotation files below a directory by split: annotations/*.json with train, val or test in
// their names (instances_* before others), or train, valid or val, and test directories with _annotations.coco.json.
func cocoFiles(root string) (map[int]string, error) {
	found := map[int]string{}
	names, err := filepath.Glob(filepath.Join(escape(root), "annotations", "*.json"))
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(f string) bool {
		b := strings.ToLower(filepath.Base(f))
		return slices.ContainsFunc([]string{"caption", "keypoint", "panoptic", "stuff", "image_info"}, func(w string) bool { return strings.Contains(b, w) })
	})
	slices.SortStableFunc(names, func(a, b string) int {
		first := func(f string) int {
			if strings.HasPrefix(filepath.Base(f), "instances") {
				return 0
			}
			return 1
		}
		return first(a) - first(b)
	})
	for s, words := range cocoSplits {
		for _, f := range names {
			if _, have := found[s]; !have && strings.Contains(strings.ToLower(filepath.Base(f)), words[0]) {
				found[s] = f
			}
		}
	}
	if len(found) == 0 && len(names) == 1 {
		found[splitTrain] = names[0]
	}
	if len(found) > 0 {
		return found, nil
	}
	for s, dirs := range [splitCount][]string{{"train"}, {"valid", "val"}, {"test"}} {
		for _, d := range dirs {
			if f := filepath.Join(root, d, "_annotations.coco.json"); isFile(f) {
				found[s] = f
			}
		}
	}
	return found, nil
}

// escape makes a path safe inside a glob pattern.
func escape(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// readCOCO reads COCO JSON: a directory, or the file of the training split, whose siblings are then the other splits.
// Classes are the training file's categories in ascending order of id.
func readCOCO(ctx context.Context, at string, n *notes) (listing, error) {
	root := at
	var files map[int]string
	var err error
	if isDir(at) {
		files, err = cocoFiles(at)
	} else {
		if root = filepath.Dir(at); filepath.Base(root) == "annotations" || filepath.Base(at) == "_annotations.coco.json" {
			root = filepath.Dir(root)
			files, err = cocoFiles(root)
		}
		if files == nil {
			files = map[int]string{}
		}
		for s, f := range files {
			if f == at && s != splitTrain {
				delete(files, s)
			}
		}
		files[splitTrain] = at
	}
	if err != nil {
		return listing{}, noData("%v", err)
	}
	if files[splitTrain] == "" {
		return listing{}, noData("%s has no annotation file of a training split: want annotations/*train*.json", at)
	}
	var l listing
	var ids []int64
	for s := range splitCount {
		file := files[s]
		if file == "" {
			continue
		}
		c, err := readCOCOFile(file)
		if err != nil {
			return l, noData("%s is no COCO annotation file: %v", file, err)
		}
		if s == splitTrain {
			ids, l.classes = c.classes()
		}
		if l.splits[s], err = c.items(ctx, root, file, splitNames[s], ids, n); err != nil {
			return l, err
		}
	}
	return l, nil
}

func readCOCOFile(file string) (*cocoInstances, error) {
	b, err := readText(file)
	if err != nil {
		return nil, err
	}
	return parseCOCO(b)
}

func parseCOCO(b []byte) (*cocoInstances, error) {
	c := new(cocoInstances)
	if err := json.Unmarshal(b, c); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			line := 1 + strings.Count(string(b[:min(syntax.Offset, int64(len(b)))]), "\n")
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		return nil, err
	}
	if len(c.Images) == 0 {
		return nil, errors.New("it lists no images")
	}
	return c, nil
}

// classes returns category ids in ascending order, and their names.
func (c *cocoInstances) classes() ([]int64, []string) {
	names := map[int64]string{}
	for _, k := range c.Categories {
		names[k.ID] = k.Name
	}
	var ids []int64
	for id := range names {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = names[id]
	}
	return ids, list
}

// boxes are the usable annotations by image; ids are the categories by class, source begins their names in notes.
func (c *cocoInstances) boxes(source string, ids []int64, n *notes) map[int64][]rawBox {
	boxes := map[int64][]rawBox{}
	for _, a := range c.Annotations {
		class, known := slices.BinarySearch(ids, a.Category)
		switch {
		case !known:
			n.add("class out of range", "%s%d left out: category %d is not among the categories of the training file", source, a.ID, a.Category)
			continue
		case len(a.Box) != 4 || !finite(a.Box):
			n.add("broken label", "%s%d left out: bbox is not 4 numbers", source, a.ID)
			continue
		case !(a.Box[2] > 0 && a.Box[3] > 0):
			n.add("empty box", "%s%d left out: the box has no area", source, a.ID)
			continue
		}
		x, y := a.Box[0], a.Box[1]
		boxes[a.Image] = append(boxes[a.Image], rawBox{Box{
			Class: class, Crowd: a.Crowd != 0, Area: plausible(a.Area),
			X0: float32(x), Y0: float32(y), X1: float32(x + a.Box[2]), Y1: float32(y + a.Box[3]),
		}, int(a.ID), polygons(a.Outline)})
	}
	return boxes
}

// items lists the pictures of one file with their boxes; ids are the categories by class.
func (c *cocoInstances) items(ctx context.Context, root, file, split string, ids []int64, n *notes) ([]item, error) {
	source := file + ": annotation "
	boxes := c.boxes(source, ids, n)
	dirs := cocoDirs(root, file, split)
	var items []item
	seen := map[int64]bool{}
	for _, m := range c.Images {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		if seen[m.ID] {
			n.add("duplicate image", "%s: image id %d is there twice; the first counts", file, m.ID)
			continue
		}
		seen[m.ID] = true
		picture := ""
		for i, d := range dirs {
			if f := filepath.Join(d, filepath.FromSlash(m.File)); m.File != "" && isFile(f) {
				picture = f
				dirs[0], dirs[i] = dirs[i], dirs[0] // the others will lie there too
				break
			}
		}
		if picture == "" {
			n.add("missing image", "%s: image %d (%q) is not below %s: left out", file, m.ID, m.File, root)
			continue
		}
		items = append(items, item{name: m.File, file: picture, boxes: boxes[m.ID], source: source})
		delete(boxes, m.ID)
	}
	for _, a := range c.Annotations {
		if len(boxes[a.Image]) > 0 && !seen[a.Image] {
			n.add("label without image", "%s%d left out: there is no image %d", source, a.ID, a.Image)
			delete(boxes, a.Image)
		}
	}
	return items, nil
}

// cocoDirs are the places where pictures may lie, the likeliest first.
func cocoDirs(root, file, split string) []string {
	name := strings.TrimSuffix(filepath.Base(file), ".json")
	name = strings.TrimPrefix(name, "instances_")
	return []string{
		filepath.Join(root, name), filepath.Join(root, "images", name), filepath.Join(root, split), filepath.Join(root, "images", split),
		filepath.Join(root, "images"), filepath.Dir(file), root,
	}
}

// polygons reads an annotation's polygons; nil if it has a mask, or none with three finite points.
func polygons(segmentation json.RawMessage) Outline {
	var parts [][]float64
	if len(segmentation) == 0 || json.Unmarshal(segmentation, &parts) != nil {
		return nil
	}
	var o Outline
	for _, p := range parts {
		if len(p) >= 6 && len(p)%2 == 0 && finite(p) {
			o = append(o, narrow(p))
		}
	}
	return o
}

// plausible is an annotated area, or 0 for one that is none: the box's then counts.
func plausible(area float64) float32 {
	if !(area > 0 && area < 1e30) {
		return 0
	}
	return float32(area)
}

func narrow(v []float64) []float32 {
	w := make([]float32, len(v))
	for i, x := range v {
		w[i] = float32(x)
	}
	return w
}

func finite(v []float64) bool {
	for _, x := range v {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return false
		}
	}
	return true
}
