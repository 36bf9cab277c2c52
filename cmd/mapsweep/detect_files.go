package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"

	"github.com/mapsweep/mapsweep/trainer/native"
)

// filesHelp says what val and predict take beside.
const filesHelp = `A file of safetensors, or a checkpoint of PyTorch (.pt) with a model of the family, will do, too. Its model is the one that it
names, or the built-in one whose tensors it has; --model names a model file of your own. Class names and image size are those in
the file, where it has them (exports of mapsweep, and .pt files as the official YOLOv9 saves them), else of --names and --image-size.`

// open opens the detector that the flags describe, on the CPU or on the GPU that choose names.
func (o *detectOptions) open(path string, choose func(bytes int64) (native.GPU, error)) (*native.Detector, error) {
	classes, err := classNames(o.names)
	if err != nil {
		return nil, err
	}
	d, err := native.OpenDetector(path, native.DetectorOptions{Size: o.size, Model: o.model, Classes: classes, GPU: choose})
	if errors.Is(err, native.ErrNoSize) {
		return nil, usagef("%w: give it with --image-size (640 if the official YOLOv9 trained it with its defaults)", err)
	}
	if of := new(native.OptionError); errors.As(err, &of) {
		return nil, o.misfit(of.Option, err)
	}
	return d, err
}

// misfit names the flag of an option that does not go with a file, or that would help.
func (o *detectOptions) misfit(option string, err error) error {
	flag, given := "--names", o.names
	switch option {
	case native.OptionSize:
		flag, given = "--image-size", ""
		if o.size != 0 {
			given = strconv.Itoa(o.size)
		}
	case native.OptionModel:
		flag, given = "--model", o.model
	}
	if given == "" {
		return usagef("%w: give %s", err, flag)
	}
	return usagef("%s %s: %w", flag, given, err)
}

// classNames reads --names: names between commas, or a file with a name a line; nil for none.
func classNames(given string) ([]string, error) {
	if given == "" {
		return nil, nil
	}
	names := strings.Split(given, ",")
	if len(names) == 1 || isFile(given) {
		text, err := namesFile(given)
		if err != nil {
			return nil, err
		}
		names = strings.Split(text, "\n")
	}
	for k := range names {
		names[k] = strings.TrimSpace(names[k])
	}
	if err := native.CheckNames(names); err != nil {
		return nil, usagef("--names %s: %w", given, err)
	}
	return names, nil
}

// namesFile is the text of a file of names, without a mark of UTF-8 and the blank lines at its end; one name that can be that of
// no file stands for itself.
func namesFile(given string) (string, error) {
	st, err := os.Stat(given)
	switch {
	case err == nil && st.IsDir():
		return "", usagef("--names %s: a folder: give the file with the names in it", given)
	case err != nil && !isFileName(given):
		return given, nil
	case errors.Is(err, fs.ErrNotExist):
		return "", usagef("--names %s: no such file", given)
	}
	text, err := os.ReadFile(given)
	if err != nil {
		return "", usagef("--names: %w", err)
	}
	return strings.TrimRightFunc(strings.TrimPrefix(string(text), "\ufeff"), unicode.IsSpace), nil
}

// isFileName says whether a text looks like the name of a file: it has a separator of folders, or an extension.
func isFileName(s string) bool {
	ext := filepath.Ext(s)
	return strings.ContainsRune(filepath.ToSlash(s), '/') || len(ext) > 1 && !strings.ContainsFunc(ext, unicode.IsSpace)
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
