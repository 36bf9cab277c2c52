package native_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/evaluate"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trainer/native/weights"
	"github.com/mapsweep/mapsweep/trials"
)

// trained is a checkpoint after one epoch of images of 64 pixels, and the tensors that come out of it.
func trained(t *testing.T, model string) (path string, set *weights.Set) {
	t.Helper()
	b := backend(t, func(c *native.Config) { c.Model, c.ImageSize = model, 64 })
	_, res := train(t, b, trainer.Job{Params: trials.Params{"mosaic": 0.0}, Epochs: 1, Dir: t.TempDir()})
	s, err := native.Export(res.Checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	return res.Checkpoint, s
}

// saved is a file of safetensors with other words about it.
func saved(t *testing.T, s *weights.Set, words map[string]string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "w.safetensors")
	if err := weights.WriteSafetensors(path, &weights.Set{Tensors: s.Tensors, Meta: words}); err != nil {
		t.Fatal(err)
	}
	return path
}

// changed is a copy of tensors, of those that change says to keep.
func changed(s *weights.Set, change func(x *weights.Tensor) bool) *weights.Set {
	c := &weights.Set{}
	for _, x := range s.Tensors {
		if x.Values = slices.Clone(x.Values); change(&x) {
			c.Tensors = append(c.Tensors, x)
		}
	}
	return c
}

// candidates are all of a detector in images, whatever their score.
func candidates(t *testing.T, d *native.Detector, images []dataset.Image) (all []evaluate.Candidate) {
	t.Helper()
	if err := d.Detect(t.Context(), images, 0, func(_ int, c []evaluate.Candidate) { all = append(all, c...) }); err != nil {
		t.Fatal(err)
	}
	return all
}

// A file of weights finds what the checkpoint finds that it came from, and says the same of itself.
func TestDetectorOfFiles(t *testing.T) {
	for _, name := range []string{native.ModelName, "gelan-t", "yolov9-t", "own"} {
		t.Run(name, func(t *testing.T) {
			model, words := name, map[string]string{"image_size": "64", "classes": `["bright","core"]`}
			if name == "own" {
				model = filepath.Join(t.TempDir(), "mine.yaml")
				text := "name: mine\nlayers:\n  - {module: Conv, out: 16, stride: 2}\n  - {module: ELAN1, out: 32, split: 32, hidden: 16, as: b}\nhead: {module: DDetect, main: [b]}\n"
				if err := os.WriteFile(model, []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			checkpoint, set := trained(t, model)
			own, err := native.OpenDetector(checkpoint, native.DetectorOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer own.Close()
			images := pictures(t).Val[:2]
			want := candidates(t, own, images)
			if len(want) < 100 {
				t.Fatalf("only %d candidates: they would hold anything to be equal", len(want))
			}
			given := ""
			if name == "own" {
				given = model
			}
			files := map[string]string{"export": saved(t, set, set.Meta), "PyTorch": pytorch(t, set, own.Classes)}
			if name != "own" { // its tensors are those of no model that is built in
				files["words"] = saved(t, set, words)
			}
			for kind, path := range files {
				d, err := native.OpenDetector(path, native.DetectorOptions{Model: given, Size: 64})
				if err != nil {
					t.Errorf("%s: %v", kind, err)
					continue
				}
				defer d.Close()
				if d.Model != own.Model || !d.Named || !slices.Equal(d.Classes, own.Classes) || d.Size != 64 || d.Average != (kind != "words") || (d.Epoch == 1) != (kind != "words") {
					t.Errorf("%s: it says model %s, named %v, classes %v, size %d, average %v, epoch %d", kind, d.Model, d.Named, d.Classes, d.Size, d.Average, d.Epoch)
				}
				if got := candidates(t, d, images); !slices.Equal(got, want) {
					t.Errorf("%s: other candidates: %d, from the checkpoint %d", kind, len(got), len(want))
				}
			}
		})
	}
}

// What a file does not say comes from the options; what is missing or contradicts is said.
func TestDetectorOfFilesFaults(t *testing.T) {
	checkpoint, set := trained(t, "gelan-t")
	bare := saved(t, set, nil)
	d, err := native.OpenDetector(bare, native.DetectorOptions{Size: 32})
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
	if d.Model != "gelan-t" || d.Named || !slices.Equal(d.Classes, []string{"0", "1"}) || d.Size != 32 || d.Average || d.Epoch != 0 {
		t.Errorf("nothing said: %+v", d)
	}
	if d, err = native.OpenDetector(bare, native.DetectorOptions{Size: 32, Classes: []string{"a", "b"}}); err != nil || !d.Named || d.Classes[1] != "b" {
		t.Fatalf("names given: %v, %v", d, err)
	}
	d.Close()
	less := &weights.Set{Tensors: slices.DeleteFunc(slices.Clone(set.Tensors), func(x weights.Tensor) bool { return strings.HasPrefix(x.Name, "model.3.") })}
	folded := changed(set, func(x *weights.Tensor) bool {
		if !strings.Contains(x.Name, ".bn.") {
			return true
		}
		x.Name = strings.Replace(x.Name, ".bn.", ".conv.", 1)
		return strings.HasSuffix(x.Name, ".bias")
	})
	broken := func(name string, v float32) string {
		return saved(t, changed(set, func(x *weights.Tensor) bool {
			if x.Name == name {
				x.Values[1] = v
			}
			return true
		}), nil)
	}
	named := func(names string) string { return saved(t, set, map[string]string{"classes": names}) }
	text := filepath.Join(t.TempDir(), "text.pt")
	if err := os.WriteFile(text, []byte("weights"), 0o666); err != nil {
		t.Fatal(err)
	}
	size := native.DetectorOptions{Size: 32}
	for _, c := range []struct {
		path string
		o    native.DetectorOptions
		says string
	}{
		{bare, native.DetectorOptions{}, native.ErrNoSize.Error()},
		{bare, native.DetectorOptions{Size: 40}, "image size is 40: model gelan-t takes multiples of 32, the nearest is 32"},
		{bare, native.DetectorOptions{Size: 1000000}, "image size is 1000000: model gelan-t takes multiples of 32 up to 8192, the nearest is 8192"},
		{saved(t, set, map[string]string{"image_size": "1000000"}), native.DetectorOptions{}, "its own image size is 1000000: model gelan-t takes multiples of 32 up to 8192"},
		{bare, native.DetectorOptions{Size: 32, Classes: []string{"a"}}, "tells 2 classes apart, and 1 name is given"},
		{named(`["a","b","c"]`), size, "it names 3 classes and tells 2 apart"},
		{named(`["a",""]`), size, "of its own names of classes, name 2 is empty"},
		{named(`["a","a"]`), size, "of its own names of classes, a is there twice"},
		{broken("model.0.conv.weight", float32(math.NaN())), size, "tensor model.0.conv.weight has values that are not finite (NaN at place 1)"},
		{broken("model.0.bn.running_mean", float32(math.Inf(-1))), size, "tensor model.0.bn.running_mean has values that are not finite (-Inf at place 1)"},
		{broken("model.0.bn.running_var", -1), size, "tensor model.0.bn.running_var has variances below 0 (-1 at place 1)"},
		{bare, native.DetectorOptions{Size: 32, Model: "gelan-s"}, "it is no gelan-s: model.0.conv.weight and"},
		{bare, native.DetectorOptions{Size: 32, Model: "gelan-q"}, `unknown model "gelan-q"`},
		{saved(t, set, map[string]string{"model": "mine@123456789abc"}), size, "it is of mine@123456789abc, a model that is not built in"},
		{saved(t, set, map[string]string{"model": "mine@123456789abc"}), native.DetectorOptions{Size: 32, Model: "gelan-t"}, "gelan-t is gelan-t, another model"},
		{saved(t, less, nil), size, "no model that is built in; nearest is gelan-t: model.3."},
		{saved(t, less, map[string]string{"model": "gelan-t"}), size, "it is no gelan-t: model.3."},
		{saved(t, folded, nil), size, "batch normalisation is folded"},
		{saved(t, &weights.Set{}, nil), size, "no model that is built in"},
		{text, size, "no safetensors and none of PyTorch"},
		{checkpoint, native.DetectorOptions{Model: "gelan-t"}, "names its model and its classes itself"},
	} {
		d, err := native.OpenDetector(c.path, c.o)
		if err == nil {
			d.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), c.path) {
			t.Errorf("%+v: %v, want %q", c.o, err, c.says)
		}
	}
	if _, err := native.OpenDetector(bare, native.DetectorOptions{}); !errors.Is(err, native.ErrNoSize) {
		t.Errorf("without a size: %v", err)
	}
}

// pytorch is a checkpoint of PyTorch with a module that holds the tensors, its class names and a finished epoch.
func pytorch(t *testing.T, s *weights.Set, classes []string) string {
	t.Helper()
	text := func(s string) string { return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s }
	number := func(n int) string { return "J" + string(binary.LittleEndian.AppendUint32(nil, uint32(n))) }
	tuple := func(items ...string) string { return "(" + strings.Join(items, "") + "t" }
	var storages [][]byte
	parameters := "}("
	for _, x := range s.Tensors {
		kind, raw := "Float", []byte(nil)
		for _, v := range x.Values {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
		}
		for _, v := range x.Ints {
			kind, raw = "Long", binary.LittleEndian.AppendUint64(raw, uint64(v))
		}
		var shape, strides []string
		for i, stride := len(x.Shape)-1, 1; i >= 0; i-- {
			shape, strides = append(shape, number(x.Shape[i])), append(strides, number(stride))
			stride *= x.Shape[i]
		}
		slices.Reverse(shape)
		slices.Reverse(strides)
		storage := tuple(text("storage"), "ctorch\n"+kind+"Storage\n", text(fmt.Sprint(len(storages))), text("cpu"), number(len(x.Values)+len(x.Ints))) + "Q"
		parameters += text(x.Name) + "ctorch._utils\n_rebuild_tensor_v2\n" + tuple(storage, number(0), tuple(shape...), tuple(strides...), "\x89", "}") + "R"
		storages = append(storages, raw)
	}
	names := "]("
	for _, c := range classes {
		names += text(c)
	}
	module := "cmodels.yolo\nModel\n)\x81}(" + text("names") + names + "e" + text("_parameters") + parameters + "uub"
	pickle := "\x80\x02}(" + text("epoch") + number(0) + text("ema") + module + "u."
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	add := func(name string, data []byte) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: "x/" + name, Method: zip.Store})
		if err == nil {
			_, err = w.Write(data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	add("data.pkl", []byte(pickle))
	for i, raw := range storages {
		add(fmt.Sprintf("data/%d", i), raw)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "w.pt")
	if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}
