package dataset

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// vocFile is an annotation of Pascal VOC: corners in pixels, taken as written (not shifted by one).
type vocFile struct {
	Filename string      `xml:"filename"`
	Objects  []vocObject `xml:"object"`
}

type vocObject struct {
	Name      string   `xml:"name"`
	Difficult int      `xml:"difficult"`
	X0        *float64 `xml:"bndbox>xmin"`
	Y0        *float64 `xml:"bndbox>ymin"`
	X1        *float64 `xml:"bndbox>xmax"`
	Y1        *float64 `xml:"bndbox>ymax"`
}

// readVOC reads a Pascal VOC directory: the splits from ImageSets/Main, one id a line, the boxes from Annotations.
// Classes are the names that occur, in alphabetical order. Objects marked difficult are objects like others.
func readVOC(ctx context.Context, at string, n *notes) (listing, error) {
	var l listing
	named := map[string][]vocObject{} // by id, of all splits
	difficult := 0
	ids := [splitCount][]string{}
	for s := range ids {
		var err error
		if ids[s], err = vocIDs(filepath.Join(at, "ImageSets", "Main", splitNames[s]+".txt")); err != nil {
			return l, err
		}
	}
	if len(ids[splitTrain]) == 0 {
		return l, noData("%s is missing or empty: list the ids of the training images there, one a line", filepath.Join(at, "ImageSets", "Main", "train.txt"))
	}
	for s, split := range ids {
		for _, id := range split {
			if err := context.Cause(ctx); err != nil {
				return l, err
			}
			file := filepath.Join(at, "Annotations", id+".xml")
			v, err := readVOCFile(file)
			if err != nil {
				n.add("broken annotation", "%s: %v: image %s left out", file, err, id)
				continue
			}
			picture, ok := vocPicture(at, id, v.Filename)
			if !ok {
				n.add("missing image", "%s has no picture in JPEGImages: left out", file)
				continue
			}
			named[id] = v.Objects
			l.splits[s] = append(l.splits[s], item{name: id, file: picture, source: file + ": object "})
		}
	}
	l.classes = vocClasses(named)
	for s := range l.splits {
		for i := range l.splits[s] {
			it := &l.splits[s][i]
			for j, o := range named[it.name] {
				b, err := o.box(l.classes)
				if err != nil {
					n.add("broken label", "%s%d left out: %v", it.source, j+1, err)
					continue
				}
				if o.Difficult != 0 {
					difficult++
				}
				it.boxes = append(it.boxes, rawBox{Box: b, number: j + 1})
			}
		}
	}
	if difficult > 0 {
		n.add("difficult", "%d objects are marked difficult; they are trained on and scored like others", difficult)
	}
	return l, nil
}

// vocIDs reads a list of ids, or none if it does not exist. Only the first word of a line counts.
func vocIDs(file string) ([]string, error) {
	b, err := readText(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, noData("read %s: %v", file, err)
	}
	var ids []string
	for l := range strings.Lines(string(b)) {
		if f := strings.Fields(l); len(f) > 0 {
			ids = append(ids, f[0])
		}
	}
	return ids, nil
}

func readVOCFile(file string) (v vocFile, err error) {
	b, err := readText(file)
	if err != nil {
		return v, err
	}
	return parseVOC(b)
}

// parseVOC reads an annotation. It may declare any encoding as long as what is in it is UTF-8 all the same.
func parseVOC(b []byte) (v vocFile, err error) {
	d := xml.NewDecoder(bytes.NewReader(b))
	d.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		if !utf8.Valid(b) {
			return nil, fmt.Errorf("it is in %s: save it as UTF-8", label)
		}
		return in, nil
	}
	return v, d.Decode(&v)
}

// vocPicture finds the picture of an id.
func vocPicture(at, id, filename string) (string, bool) {
	dir := filepath.Join(at, "JPEGImages")
	for _, ext := range extensions {
		for _, e := range []string{ext, strings.ToUpper(ext)} {
			if f := filepath.Join(dir, id+e); isFile(f) {
				return f, true
			}
		}
	}
	if filename == "" {
		return "", false
	}
	f := filepath.Join(dir, filepath.Base(filename))
	return f, isFile(f)
}

// vocClasses are the names of all objects, sorted.
func vocClasses(named map[string][]vocObject) []string {
	var names []string
	for _, objects := range named {
		for _, o := range objects {
			if o.Name != "" {
				names = append(names, o.Name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// box checks an object.
func (o vocObject) box(classes []string) (Box, error) {
	if o.Name == "" {
		return Box{}, errors.New("it has no name")
	}
	if o.X0 == nil || o.Y0 == nil || o.X1 == nil || o.Y1 == nil {
		return Box{}, errors.New("its bndbox lacks a corner")
	}
	for _, v := range []float64{*o.X0, *o.Y0, *o.X1, *o.Y1} {
		if math.IsNaN(v) || math.Abs(v) > math.MaxInt32 {
			return Box{}, fmt.Errorf("%v is no coordinate", v)
		}
	}
	if *o.X1 <= *o.X0 || *o.Y1 <= *o.Y0 {
		return Box{}, fmt.Errorf("the box has no area: x %v to %v, y %v to %v", *o.X0, *o.X1, *o.Y0, *o.Y1)
	}
	k, _ := slices.BinarySearch(classes, o.Name)
	return Box{Class: k, X0: float32(*o.X0), Y0: float32(*o.Y0), X1: float32(*o.X1), Y1: float32(*o.Y1)}, nil
}
