package native_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trainer/native/model/spec"
	"github.com/mapsweep/mapsweep/trainer/native/weights"
	"github.com/mapsweep/mapsweep/trials"
)

// stateFile writes a file with the state of a model, each tensor filled with a number of its own, and returns these.
func stateFile(t *testing.T, name string, classes int, auxiliary bool, change func(*weights.Set)) (path string, fill map[string]float32) {
	t.Helper()
	f, err := spec.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	o := spec.Options{Classes: classes}
	if none := 0.0; !auxiliary {
		o.Weight = &none
	}
	m, err := f.Resolve(o)
	if err != nil {
		t.Fatal(err)
	}
	set, fill := &weights.Set{}, map[string]float32{}
	for i, x := range m.State() {
		if !x.Taken() {
			continue
		}
		fill[x.Name] = 1e-3 * float32(i%997+1)
		v := make([]float32, x.Elements())
		for j := range v {
			v[j] = fill[x.Name]
		}
		set.Tensors = append(set.Tensors, weights.Tensor{Name: x.Name, Type: weights.Float32, Shape: x.Shape, Values: v})
	}
	if change != nil {
		change(set)
	}
	path = filepath.Join(t.TempDir(), name+".safetensors")
	if err := weights.WriteSafetensors(path, set); err != nil {
		t.Fatal(err)
	}
	return path, fill
}

// into is a backend of a model whose trials start from a file.
func into(t *testing.T, name, path string) *native.Backend {
	return backend(t, func(c *native.Config) { c.Model, c.Weights, c.ImageSize = name, path, 32 })
}

// A detector goes from yolov9 to gelan and back, whatever the numbers of its layers; what is auxiliary does not.
func TestWeightsByLayers(t *testing.T) {
	for _, tt := range []struct {
		from      string
		classes   int
		auxiliary bool
		to        string
		says      string
		pairs     [][2]string // tensors of the network and where they stand in the file
		own       []string    // that the file does not have
	}{
		{"yolov9-t", 2, true, "gelan-t",
			"1117 of 1117 tensors by their layers, for the file has the layers of yolov9-t for 2 classes with its auxiliary branch; left out: the auxiliary branch (362 tensors)",
			[][2]string{{"model.0.conv.weight", "model.0.conv.weight"}, {"model.22.cv3.1.2.weight", "model.29.cv5.1.2.weight"}}, nil},
		{"gelan-t", 2, false, "yolov9-t",
			"1117 of 1479 tensors by their layers, for the file has the layers of gelan-t for 2 classes; anew: the auxiliary branch (362 tensors)",
			[][2]string{{"model.21.cv4.conv.weight", "model.21.cv4.conv.weight"}, {"model.29.cv4.0.1.conv.weight", "model.22.cv2.0.1.conv.weight"}},
			[]string{"model.22.cv1.conv.weight", "model.29.cv2.0.1.conv.weight"}},
		{"yolov9-t", 80, true, "gelan-t", "; anew: model.22.cv3.0.0.conv.weight, model.22.cv3.0.0.bn.weight,",
			[][2]string{{"model.22.cv2.0.0.conv.weight", "model.29.cv4.0.0.conv.weight"}}, []string{"model.22.cv3.0.0.conv.weight", "model.22.cv3.0.2.weight"}},
	} {
		path, fill := stateFile(t, tt.from, tt.classes, tt.auxiliary, nil)
		job := trainer.Job{Epochs: 2, Seed: 9, Params: trials.Params{"lr0": 1e-9, "warmup_epochs": 3.0, "weight_decay": 0.0}}
		b := into(t, tt.to, path)
		got := stoppedAfter(t, b, job, 1) // the first step of warm-up moves biases alone
		for _, p := range tt.pairs {
			v := got.tensors["weights/"+p[0]]
			if len(v) == 0 || slices.ContainsFunc(v, func(x float32) bool { return x != fill[p[1]] }) {
				t.Errorf("%s into %s: %s is not %s of the file, all %v", tt.from, tt.to, p[0], p[1], fill[p[1]])
			}
		}
		for _, name := range tt.own {
			if v := got.tensors["weights/"+name]; len(v) == 0 || v[0] == v[len(v)-1] {
				t.Errorf("%s into %s: %s does not have initial values", tt.from, tt.to, name)
			}
		}
		p, err := b.Prepare(t.Context())
		if err != nil || !strings.Contains(p.Extra["weights"], tt.says) {
			t.Errorf("%s into %s: %q, %v; want %q", tt.from, tt.to, p.Extra["weights"], err, tt.says)
		}
	}
}

// A checkpoint of PyTorch names its classes: those in another order are others, and plain numbers are no names.
func TestWeightsOfNamedClasses(t *testing.T) {
	path, _ := stateFile(t, "gelan-t", 2, false, nil)
	set, err := weights.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		names []string
		says  string
	}{
		{[]string{"bright", "core"}, "1117 of 1117 tensors"},
		{[]string{"0", "1"}, "1117 of 1117 tensors"},
		{[]string{"core", "bright"}, "1111 of 1117 tensors; anew: model.22.cv3.0.2.weight, model.22.cv3.0.2.bias,"},
		{[]string{"car", "bus"}, "1111 of 1117 tensors; anew: model.22.cv3.0.2.weight, model.22.cv3.0.2.bias,"},
	} {
		p, err := into(t, "gelan-t", pytorch(t, set, tt.names)).Prepare(t.Context())
		if err != nil || !strings.Contains(p.Extra["weights"], tt.says) {
			t.Errorf("%v: %q, %v; want %q", tt.names, p.Extra["weights"], err, tt.says)
		}
	}
}

// What a file has besides is told: an auxiliary branch that is not trained, and what this model has no place for.
func TestWeightsLeftOut(t *testing.T) {
	path, _ := stateFile(t, "yolov9-t", 2, true, func(s *weights.Set) {
		for _, name := range []string{"model.29.cv6.0.0.conv.weight", "model.29.cv7.0.2.bias"} { // of a third head
			s.Tensors = append(s.Tensors, weights.Tensor{Name: name, Type: weights.Float32, Shape: []int{2}, Values: []float32{1, 2}})
		}
	})
	for name, tt := range map[string]struct {
		aux  float64
		says string
	}{
		"with the branch": {0.25, "1479 of 1479 tensors; left out: 2 tensors that this model has no place for\n"},
		"without it":      {0, "1117 of 1117 tensors; left out: the auxiliary branch (362 tensors) and 2 tensors that this model has no place for\n"},
	} {
		job := trainer.Job{Epochs: 1, Dir: t.TempDir(), Params: trials.Params{"aux": tt.aux}}
		train(t, into(t, "yolov9-t", path), job)
		if log := string(read(t, filepath.Join(job.Dir, "trial.log"))); !strings.Contains(log, tt.says) {
			t.Errorf("%s: no %q in the log\n%s", name, tt.says, log)
		}
	}
}

// A detector without its auxiliary branch is enough for a model with it, although it is less than half of the values.
func TestWeightsOfTheDetectorAlone(t *testing.T) {
	path, _ := stateFile(t, "yolov9-t", 2, false, nil)
	p, err := into(t, "yolov9-t", path).Prepare(t.Context())
	if err != nil || !strings.Contains(p.Extra["weights"], "1117 of 1479 tensors; anew: model.22.cv1.conv.weight") {
		t.Errorf("%q, %v", p.Extra["weights"], err)
	}
}

func TestWeightsOfAnotherModelSayWhy(t *testing.T) {
	folded := func(s *weights.Set) {
		s.Tensors = slices.DeleteFunc(s.Tensors, func(x weights.Tensor) bool {
			return strings.Contains(x.Name, ".bn.") && !strings.HasSuffix(x.Name, ".bn.bias")
		})
		for i := range s.Tensors {
			s.Tensors[i].Name = strings.Replace(s.Tensors[i].Name, ".bn.bias", ".conv.bias", 1)
		}
	}
	for _, tt := range []struct {
		from   string
		change func(*weights.Set)
		to     string
		says   string
	}{
		{"yolov9-s", nil, "gelan-t", "is of another model: 0 of 1117 tensors have the name and shape of this one's; it has the layers of yolov9-s for 2 classes without its auxiliary branch, and layer 0 of yolov9-s is Conv out 32"},
		{"gelan-t", folded, "yolov9-t", "gelan-t.safetensors: its batch normalisation is folded into its convolutions, as for use: a file from before that is needed"},
		{"gelan-t", folded, "gelan-t", "folded into its convolutions"},
		{"gelan-t", func(s *weights.Set) { s.Tensors = s.Tensors[900:] }, "yolov9-t", "; its tensors are those of no model that is built in; nearest is gelan-t: model.0.conv.weight and 899 more of its tensors are missing or of another shape"},
	} {
		path, _ := stateFile(t, tt.from, 2, false, tt.change)
		if _, err := into(t, tt.to, path).Prepare(t.Context()); !errors.Is(err, trainer.ErrNoData) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s into %s: %v", tt.from, tt.to, err)
		}
	}
}
