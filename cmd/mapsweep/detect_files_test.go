package main

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trainer/native/model/spec"
	file "github.com/mapsweep/mapsweep/trainer/native/weights"
)

// bareWeights writes a file of safetensors with a gelan-t of three classes that has learned nothing, and not a word about it.
func bareWeights(t *testing.T) string {
	t.Helper()
	f, err := spec.Open("gelan-t")
	if err != nil {
		t.Fatal(err)
	}
	m, err := f.Resolve(spec.Options{Classes: 3})
	if err != nil {
		t.Fatal(err)
	}
	var s file.Set
	for _, x := range m.State() {
		w := file.Tensor{Name: x.Name, Type: file.Float32, Shape: x.Shape, Values: make([]float32, x.Elements())}
		if x.Role == spec.Batches {
			w.Type, w.Values, w.Ints = file.Int64, nil, make([]int64, x.Elements())
		}
		s.Tensors = append(s.Tensors, w)
	}
	path := filepath.Join(t.TempDir(), "bare.safetensors")
	if err := file.WriteSafetensors(path, &s); err != nil {
		t.Fatal(err)
	}
	return path
}

// What a file of weights does not say has to be given, or is told.
func TestFilesOfWeights(t *testing.T) {
	path, dir := bareWeights(t), t.TempDir()
	if _, err := new(detectOptions).open(path, nil); exitCode(err) != exitUsage || !strings.Contains(err.Error(), "--image-size") {
		t.Errorf("without a size: %v", err)
	}
	o := detectOptions{size: 32, threads: 1}
	d, err := o.open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var said bytes.Buffer
	a := &app{stdout: &said, stderr: &said, notes: &switchWriter{w: &said}, out: dir, db: filepath.Join(dir, "none.db")}
	if a.adoptNames(d, "cells", []string{"RBC", "WBC"}); d.Classes[2] != "2" || said.Len() > 0 {
		t.Errorf("names of two classes for three: %v, %q", d.Classes, &said)
	}
	if a.adoptNames(d, "cells", []string{"RBC", "WBC", "Platelets"}); d.Classes[2] != "Platelets" || !strings.Contains(said.String(), "taken for those of data cells") {
		t.Errorf("names of the data: %v, %q", d.Classes, &said)
	}

	picture := filepath.Join(dir, "a.png")
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 40, 30))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(picture, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		names string
		told  bool
	}{{"", true}, {"a,b,c", false}} {
		said.Reset()
		p := predictOptions{detectOptions: detectOptions{size: 32, threads: 1, names: c.names, conf: .9, iou: .5, most: 3}, format: "json"}
		err := a.predict(t.Context(), weights{path: path}, []shot{{file: picture, name: "a.png"}}, p)
		if told := strings.Contains(said.String(), "go by their numbers"); err != nil || told != c.told || !strings.Contains(said.String(), `"detections":[]`) {
			t.Errorf("names %q: %v, said %q", c.names, err, &said)
		}
	}
}

func TestClassNames(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	three := []string{"car", "fire truck", "bus"}
	for given, want := range map[string][]string{"": nil, "a": {"a"}, "a, b": {"a", "b"}, "St. Bernard": {"St. Bernard"}, "a.b,c/d": {"a.b", "c/d"},
		file("names.txt", "car\r\n fire truck \nbus\n"): three, file("mark.txt", "\ufeffcar\nfire truck\nbus\n\n \r\n"): three} {
		if got, err := classNames(given); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v", given, got, err)
		}
	}
	for given, says := range map[string]string{"a,": "name 2 is empty", ",": "name 1 is empty", "a,b,a": "a is there twice",
		dir: "a folder", "nowhere.txt": "no such file", filepath.Join("no", "where"): "no such file", file("hole.txt", "a\n\nb\n"): "name 2 is empty"} {
		if got, err := classNames(given); exitCode(err) != exitUsage || !strings.Contains(err.Error(), "--names "+given+": ") || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %q, %v, want %q", given, got, err, says)
		}
	}
}

// What does not go with a file is an error of usage that names the flag.
func TestMisfits(t *testing.T) {
	path := bareWeights(t)
	for _, c := range []struct {
		o    detectOptions
		says string
	}{
		{detectOptions{size: 32, names: "a"}, "--names a: open weights " + path + ": it tells 3 classes apart, and 1 name is given"},
		{detectOptions{size: 32, model: "gelan-s"}, "--model gelan-s: open weights " + path + ": it is no gelan-s: "},
		{detectOptions{size: 32, model: "none.yaml"}, "--model none.yaml: "},
		{detectOptions{size: 40}, "--image-size 40: open weights " + path + ": image size is 40: model gelan-t takes multiples of 32, the nearest is 32"},
	} {
		if _, err := c.o.open(path, nil); exitCode(err) != exitUsage || !strings.HasPrefix(err.Error(), c.says) {
			t.Errorf("%v, want %q", err, c.says)
		}
	}
	own := &native.OptionError{Option: native.OptionClasses, Err: errors.New("it names 3 classes and tells 5 apart")}
	if err := new(detectOptions).misfit(own.Option, own); exitCode(err) != exitUsage || err.Error() != "it names 3 classes and tells 5 apart: give --names" {
		t.Error(err)
	}
}
