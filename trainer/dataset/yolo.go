package dataset

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
)

// yoloFile is a data.yaml. train, val and test are a path or a list of paths: directories of pictures, or text files
// that list pictures. names is a list, or a map from class number to name.
type yoloFile struct {
	Path  string `yaml:"path"`
	Train any    `yaml:"train"`
	Val   any    `yaml:"val"`
	Test  any    `yaml:"test"`
	Names any    `yaml:"names"`
	NC    *int   `yaml:"nc"`
}

// readYOLO reads a YOLO data set from its data.yaml. Labels lie in text files beside the pictures, where "images" as
// a part of the path is "labels".
func readYOLO(ctx context.Context, at string, n *notes) (listing, error) {
	b, err := readText(at)
	if err != nil {
		return listing{}, noData("read %s: %v", at, err)
	}
	var y yoloFile
	if err := yaml.Unmarshal(b, &y); err != nil {
		return listing{}, noData("%s is no data.yaml: %v", at, err)
	}
	var l listing
	if l.classes, err = y.classes(at, n); err != nil {
		return listing{}, err
	}
	r := yoloReader{ctx: ctx, classes: len(l.classes), roots: y.roots(at), notes: n}
	for s, v := range [splitCount]any{y.Train, y.Val, y.Test} {
		paths, err := yoloPaths(v)
		if err != nil {
			return listing{}, noData("%s: %s %v", at, splitNames[s], err)
		}
		if len(paths) == 0 && s == splitTrain {
			return listing{}, noData("%s has no train: add the directory of the training images", at)
		}
		for _, p := range paths {
			found, err := r.resolve(p)
			if err != nil {
				if s == splitTest {
					n.add("missing split", "%s: test: %v", at, err)
					continue
				}
				return listing{}, noData("%s: %s: %v", at, splitNames[s], err)
			}
			items, err := r.items(found)
			if err != nil {
				return listing{}, err
			}
			l.splits[s] = append(l.splits[s], items...)
		}
	}
	return l, nil
}

// classes returns the class names by number.
func (y yoloFile) classes(at string, n *notes) ([]string, error) {
	var names []string
	switch v := y.Names.(type) {
	case nil:
		if y.NC == nil || *y.NC < 1 {
			return nil, noData("%s names no classes: add names, a list or a map from number to name", at)
		}
		for k := range *y.NC {
			names = append(names, strconv.Itoa(k))
		}
	case []any:
		for _, x := range v {
			names = append(names, fmt.Sprint(x))
		}
	case map[string]any:
		const most = 1 << 16 // a guard: numbers above are typing errors
		for key, x := range v {
			k, err := strconv.Atoi(key)
			if err != nil || k < 0 || k > most {
				return nil, noData("%s: names has %q, which is no class number", at, key)
			}
			for len(names) <= k {
				names = append(names, strconv.Itoa(len(names)))
			}
			names[k] = fmt.Sprint(x)
		}
	default:
		return nil, noData("%s: names must be a list or a map from number to name", at)
	}
	if y.NC != nil && *y.NC != len(names) {
		n.add("class count", "%s: nc is %d, but names has %d classes; names counts", at, *y.NC, len(names))
	}
	return names, nil
}

// roots are the directories that paths of the data.yaml may be relative to.
func (y yoloFile) roots(at string) []string {
	dir := filepath.Dir(at)
	if y.Path == "" {
		return []string{dir}
	}
	root := y.Path
	if !filepath.IsAbs(root) {
		root = filepath.Join(dir, root)
	}
	return []string{root, dir} // the second helps data sets that were moved
}

// yoloPaths returns the paths of one split.
func yoloPaths(v any) ([]string, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		if v == "" {
			return nil, nil
		}
		return []string{v}, nil
	case []any:
		var paths []string
		for _, x := range v {
			s, ok := x.(string)
			if !ok {
				return nil, fmt.Errorf("has %v in its list, which is no path", x)
			}
			paths = append(paths, s)
		}
		return paths, nil
	}
	return nil, errors.New("must be a path or a list of paths")
}

// yoloReader reads pictures' labels.
type yoloReader struct {
	ctx     context.Context
	classes int
	roots   []string
	notes   *notes
}

// resolve finds a path of the data.yaml on disk: as it is, below the roots, and there also without leading "../".
func (r yoloReader) resolve(p string) (string, error) {
	p = filepath.FromSlash(p)
	if filepath.IsAbs(p) {
		if _, err := os.Stat(p); err == nil {
			return p, nil
		}
		return "", fmt.Errorf("%s does not exist", p)
	}
	bare := p
	for strings.HasPrefix(bare, ".."+string(filepath.Separator)) {
		bare = bare[3:]
	}
	var tried []string
	for _, root := range r.roots {
		for _, q := range slices.Compact([]string{p, bare}) {
			full := filepath.Join(root, q)
			if _, err := os.Stat(full); err == nil {
				return full, nil
			}
			tried = append(tried, full)
		}
	}
	return "", fmt.Errorf("%s does not exist", strings.Join(slices.Compact(tried), ", nor "))
}

// items lists the pictures of a directory (and those below it) or of a text file, with their labels.
func (r yoloReader) items(at string) ([]item, error) {
	files, err := r.pictures(at)
	if err != nil {
		return nil, noData("list images of %s: %v", at, err)
	}
	var items []item
	for _, f := range files {
		if err := context.Cause(r.ctx); err != nil {
			return nil, err
		}
		label := labelPath(f)
		it := item{name: r.short(f), file: f, relative: true, source: label + ":"}
		switch text, err := readText(label); {
		case err == nil:
			it.boxes = parseYOLO(bytes.NewReader(text), r.classes, func(kind string, line int, what string) {
				r.notes.add(kind, "%s:%d left out: %s", label, line, what)
			})
		case errors.Is(err, fs.ErrNotExist):
			r.notes.add("missing labels", "%s does not exist: %s counts as a picture without objects", label, f)
		default:
			r.notes.add("missing labels", "%s cannot be read: %v: picture %s left out", label, err, f)
			continue
		}
		items = append(items, it)
	}
	return items, nil
}

// short is a file's path below the first root that holds it.
func (r yoloReader) short(file string) string {
	for _, root := range r.roots {
		if rel, err := filepath.Rel(root, file); err == nil && !strings.HasPrefix(rel, "..") {
			return filepath.ToSlash(rel)
		}
	}
	return filepath.Base(file)
}

func (r yoloReader) pictures(at string) ([]string, error) {
	var files []string
	if isDir(at) {
		err := filepath.WalkDir(at, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && isPicture(path) {
				files = append(files, path)
			}
			return err
		})
		return files, err
	}
	if isPicture(at) {
		return []string{at}, nil
	}
	b, err := readText(at)
	if err != nil {
		return nil, err
	}
	for l := range strings.Lines(string(b)) {
		l = filepath.FromSlash(strings.TrimSpace(l))
		if l == "" {
			continue
		}
		if rest, ok := strings.CutPrefix(l, "."+string(filepath.Separator)); ok {
			l = filepath.Join(filepath.Dir(at), rest)
		} else if !filepath.IsAbs(l) {
			if full, err := r.resolve(l); err == nil {
				l = full
			} else {
				l = filepath.Join(filepath.Dir(at), l)
			}
		}
		files = append(files, l)
	}
	return files, nil
}

// labelPath is where the labels of a picture lie: the last "images" of its path replaced by "labels", with .txt.
func labelPath(file string) string {
	sep := string(filepath.Separator)
	if i := strings.LastIndex(file, sep+"images"+sep); i >= 0 {
		file = file[:i] + sep + "labels" + sep + file[i+len(sep+"images"+sep):]
	} else if rest, ok := strings.CutPrefix(file, "images"+sep); ok {
		file = filepath.Join("labels", rest)
	}
	return strings.TrimSuffix(file, filepath.Ext(file)) + ".txt"
}

// slack is how far beyond 0..1 a label may lie before it counts as broken.
const slack = 1e-3

// parseYOLO reads label rows, "class cx cy w h" or "class x y x y x y ..." (a polygon, with its bounds as the box), all
// in shares of the picture's sides. report is called for each row that cannot be used.
func parseYOLO(text io.Reader, classes int, report func(kind string, line int, what string)) []rawBox {
	var boxes []rawBox
	seen := map[Box]bool{}
	scan := bufio.NewScanner(text)
	scan.Buffer(nil, 1<<24)
	line := 0
	for scan.Scan() {
		line++
		fields := strings.Fields(scan.Text())
		if len(fields) == 0 {
			continue
		}
		b, kind, err := parseRow(fields, classes)
		if err == nil && seen[b.Box] {
			kind, err = "duplicate label", errors.New("the same box again")
		}
		if err != nil {
			report(kind, line, err.Error())
			continue
		}
		seen[b.Box] = true
		b.number = line
		boxes = append(boxes, b)
	}
	if err := scan.Err(); err != nil {
		report("broken label", line+1, err.Error())
	}
	return boxes
}

// parseRow reads the fields of one row; an error comes with its kind.
func parseRow(fields []string, classes int) (rawBox, string, error) {
	if n := len(fields); n != 5 && (n < 7 || n%2 == 0) {
		return rawBox{}, "broken label", fmt.Errorf("%d values: want class cx cy w h, or class and the x y of 3 or more points", n)
	}
	v := make([]float64, len(fields))
	for i, f := range fields {
		x, err := strconv.ParseFloat(f, 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return rawBox{}, "broken label", fmt.Errorf("%q is no number", f)
		}
		v[i] = x
	}
	if v[0] != math.Trunc(v[0]) || v[0] < 0 || v[0] >= float64(classes) {
		return rawBox{}, "class out of range", fmt.Errorf("class %s is out of range: the data set has %d classes, from 0", fields[0], classes)
	}
	for i, x := range v[1:] {
		if x < -slack || x > 1+slack {
			return rawBox{}, "label out of range", fmt.Errorf("%s is out of range: want shares of the picture's sides, 0 to 1", fields[i+1])
		}
	}
	var outline Outline
	x0, y0, x1, y1 := v[1]-v[3]/2, v[2]-v[4]/2, v[1]+v[3]/2, v[2]+v[4]/2
	if len(v) > 5 {
		x0, y0, x1, y1 = v[1], v[2], v[1], v[2]
		for i := 3; i < len(v); i += 2 {
			x0, y0, x1, y1 = min(x0, v[i]), min(y0, v[i+1]), max(x1, v[i]), max(y1, v[i+1])
		}
		outline = Outline{narrow(v[1:])}
	}
	b := Box{Class: int(v[0]), X0: float32(x0), Y0: float32(y0), X1: float32(x1), Y1: float32(y1)}
	if !(b.X1 > b.X0 && b.Y1 > b.Y0) {
		return rawBox{}, "empty box", errors.New("the box has no area")
	}
	return rawBox{Box: b, outline: outline}, "", nil
}
