package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/trainer/native"
)

// filesHelp says what val and predict take beside.
const filesHelp = `A file of safetensors, or a checkpoint of PyTorch (.pt) with a model of the family, will do, too. Its model is the one that it
names, or the built-in one whose tensors it has; --model names a model file of your own. Class names and image size are those in
the file, where it has them (exports of mapsweep, and .pt files as the official YOLOv9 saves them), else of --names and --image-size.`

// open opens the detector that the flags describe.
func (o *detectOptions) open(path string) (*native.Detector, error) {
	classes, err := classNames(o.names)
	if err != nil {
		return nil, err
	}
	d, err := native.OpenDetector(path, native.DetectorOptions{Size: o.size, Model: o.model, Classes: classes})
	if errors.Is(err, native.ErrNoSize) {
		return nil, usagef("%w: give it with --image-size (640 if the official YOLOv9 trained it with its defaults)", err)
	}
	return d, err
}

// classNames reads --names: names between commas, or a file with a name a line; nil for none.
func classNames(given string) ([]string, error) {
	if given == "" {
		return nil, nil
	}
	names := strings.Split(given, ",")
	if isFile(given) {
		text, err := os.ReadFile(given)
		if err != nil {
			return nil, fmt.Errorf("read names of classes: %w", err)
		}
		names = strings.Split(strings.TrimRight(string(text), "\r\n"), "\n")
	}
	for k := range names {
		if names[k] = strings.TrimSpace(names[k]); names[k] == "" {
			return nil, usagef("--names %s: name %d is empty", given, k+1)
		}
		if slices.Contains(names[:k], names[k]) {
			return nil, usagef("--names %s: %s is there twice", given, names[k])
		}
	}
	return names, nil
}

func isFile(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular()
}

// adoptNames gives a detector that knows its classes by number only the names of a data set with as many.
func (a *app) adoptNames(d *native.Detector, data string, classes []string) {
	if d.Named || len(d.Classes) != len(classes) {
		return
	}
	d.Classes = classes
	fmt.Fprintf(a.notes, "%s does not name its classes: they are taken for those of data %s, in its order\n", d.Path, data)
}
