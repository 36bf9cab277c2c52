package dataset

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/mapsweep/mapsweep/trainer"
)

// Splits of a data set, in the order of listing.splits.
const (
	splitTrain = iota
	splitVal
	splitTest
	splitCount
)

var splitNames = [splitCount]string{"train", "val", "test"}

// listing is a data set on disk, read but for its pictures.
type listing struct {
	classes []string
	splits  [splitCount][]item
}

// item is one picture that is to be read.
type item struct {
	name     string // for Image.Name: short and the same on every machine
	file     string
	boxes    []rawBox
	relative bool   // boxes are in shares of the picture's sides, not pixels
	source   string // begins the names of its boxes in notes; their number follows
}

// rawBox is a box as annotated, with its number (line, object, id) in its source.
type rawBox struct {
	Box
	number  int
	outline Outline // nil: none is known
}

// loadPath reads a data set from disk.
func loadPath(ctx context.Context, ref string, opts Options) (*Dataset, error) {
	read, at, err := reader(ref)
	if err != nil {
		return nil, err
	}
	n := &notes{log: opts.Log}
	l, err := read(ctx, at, n)
	if err != nil {
		return nil, err
	}
	if len(l.classes) == 0 {
		return nil, noData("%s names no classes: add them", at)
	}
	d := &Dataset{Classes: l.classes}
	in := intake{size: opts.Size, room: opts.room(), digest: newDigest(opts.Size, l.classes), whole: true, notes: n}
	for s, split := range [splitCount]*[]Image{&d.Train, &d.Val, &d.Test} {
		if *split, err = in.split(ctx, l.splits[s]); err != nil {
			return nil, err
		}
	}
	if in.whole {
		d.Hash = in.digest.end()
	}
	d.Notes, d.Native = n.all(), median(in.sides)/float32(opts.Size)
	return d, d.usable(at, l, n)
}

// usable refuses a data set that cannot train, and notes splits that are empty or have no object.
func (d *Dataset) usable(at string, l listing, n *notes) error {
	first := ""
	if len(d.Notes) > 0 {
		first = "; first finding: " + d.Notes[0]
	}
	if len(d.Train) == 0 {
		return noData("the training set of %s is empty: %d images are listed, none can be read%s", at, len(l.splits[splitTrain]), first)
	}
	if objects(d.Train) == 0 {
		return noData("the %d training images of %s have no usable box: check where the labels lie%s", len(d.Train), at, first)
	}
	for s, split := range [splitCount][]Image{nil, d.Val, d.Test} {
		switch {
		case len(split) == 0 && s == splitVal:
			n.add("empty", "the val split has no images")
		case len(split) > 0 && objects(split) == 0:
			n.add("empty", "the %d images of the %s split have no usable box: there is nothing to score on them", len(split), splitNames[s])
		default:
			continue
		}
		d.Notes = n.all()
	}
	return nil
}

// objects counts those that count as such: crowds do not.
func objects(images []Image) (n int) {
	for _, m := range images {
		for _, b := range m.Boxes {
			if !b.Crowd {
				n++
			}
		}
	}
	return n
}

// noData makes an error that wraps trainer.ErrNoData.
func noData(format string, args ...any) error {
	return fmt.Errorf("%w: %s", trainer.ErrNoData, fmt.Sprintf(format, args...))
}

// readFunc reads the listing of the data set at a path.
type readFunc = func(ctx context.Context, at string, n *notes) (listing, error)

// reader finds out what kind of data set lies at a path, and where its reader has to begin.
func reader(ref string) (readFunc, string, error) {
	info, err := os.Stat(ref)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", noData("%s does not exist: give a path, or one of %s", ref, strings.Join(Builtins(), ", "))
	}
	if err != nil {
		return nil, "", noData("%v", err)
	}
	if !info.IsDir() {
		switch strings.ToLower(filepath.Ext(ref)) {
		case ".yaml", ".yml":
			return readYOLO, ref, nil
		case ".json":
			return readCOCO, ref, nil
		}
		return nil, "", noData("%s is neither a data.yaml nor a COCO .json file", ref)
	}
	for _, name := range []string{"data.yaml", "data.yml", "dataset.yaml", "dataset.yml"} {
		if at := filepath.Join(ref, name); isFile(at) {
			return readYOLO, at, nil
		}
	}
	if isDir(filepath.Join(ref, "Annotations")) && isDir(filepath.Join(ref, "JPEGImages")) {
		return readVOC, ref, nil
	}
	if found, _ := cocoFiles(ref); len(found) > 0 {
		return readCOCO, ref, nil
	}
	return nil, "", noData("%s has no data.yaml (YOLO), no Annotations beside JPEGImages (Pascal VOC), and no annotations/*.json (COCO)", ref)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
