package spec_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/model/spec"
)

// shapes are those of a file with all tensors of a model, or, without its auxiliary branch, of its detector.
func shapes(t *testing.T, name string, classes int, auxiliary bool) spec.Shapes {
	t.Helper()
	weight := 0.0
	if auxiliary && resolve(t, name, spec.Options{Classes: classes}).Head.Dual {
		weight = 1
	}
	s := spec.Shapes{}
	for _, x := range resolve(t, name, spec.Options{Classes: classes, Weight: &weight}).State() {
		s[x.Name] = x.Shape
	}
	return s
}

func TestReadLayout(t *testing.T) {
	for _, name := range spec.Names() {
		dual, parts := resolve(t, name, spec.Options{Classes: 3}).Head.Dual, []bool{false}
		if dual {
			parts = append(parts, true)
		}
		for _, classes := range []int{1, 80} {
			for _, auxiliary := range parts {
				l, err := spec.ReadLayout(shapes(t, name, classes, auxiliary), nil)
				if err != nil {
					t.Errorf("%s, %d classes: %v", name, classes, err)
					continue
				}
				if l.Model.Name != name || l.Model.Classes != classes || l.Auxiliary != (dual && auxiliary) || l.Own {
					t.Errorf("%s, %d classes, auxiliary %t was taken for %s, own %t", name, classes, auxiliary, l, l.Own)
				}
			}
		}
	}
}

// fold gives each convolution a bias in the place of its batch normalisation.
func fold(s spec.Shapes) {
	for name, shape := range maps.Clone(s) {
		if layer, kind, ok := strings.Cut(name, ".bn."); ok {
			delete(s, name)
			if kind == "bias" {
				s[layer+".conv.bias"] = shape
			}
		}
	}
}

// What is no layout is refused with what speaks against the nearest one.
func TestReadLayoutRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(s spec.Shapes)
		says   string
	}{
		"a tensor is missing":     {func(s spec.Shapes) { delete(s, "model.4.cv1.bn.weight") }, "; nearest is yolov9-t: model.4.cv1.bn.weight is missing or of another shape"},
		"another shape":           {func(s spec.Shapes) { s["model.0.conv.weight"] = []int{16, 1, 3, 3} }, "; nearest is yolov9-t: model.0.conv.weight is missing or of another shape"},
		"nothing":                 {func(s spec.Shapes) { clear(s) }, "those of no model that is built in"},
		"no classes":              {func(s spec.Shapes) { s["model.29.cv5.0.2.bias"] = []int{0} }, "; nearest is yolov9-t: model.29.cv5.0.2.weight and 5 more"},
		"classes beyond bounds":   {func(s spec.Shapes) { s["model.29.cv5.0.2.bias"] = []int{1 << 30} }, "; nearest is yolov9-t: model.29.cv5.0.2.weight and 5 more"},
		"no list of classes":      {func(s spec.Shapes) { s["model.29.cv5.0.2.bias"] = nil }, "; nearest is yolov9-t: model.29.cv5.0.2.weight and 5 more"},
		"normalisation is folded": {fold, "its batch normalisation is folded into its convolutions"},
		"two convolutions are one, too": {func(s spec.Shapes) {
			fold(s)
			for name, shape := range maps.Clone(s) {
				if rep, kind, ok := strings.Cut(name, ".conv1.conv."); ok && s[rep+".conv2.conv.weight"] != nil {
					s[rep+".conv."+kind] = shape
				}
			}
			maps.DeleteFunc(s, func(name string, _ []int) bool {
				return strings.Contains(name, ".conv1.conv.") || strings.Contains(name, ".conv2.conv.")
			})
		}, "its batch normalisation is folded into its convolutions"},
		"another program's biases": {func(s spec.Shapes) {
			clear(s)
			s["stem.conv.weight"], s["stem.conv.bias"] = []int{16, 3, 3, 3}, []int{16}
		}, "those of no model that is built in"},
		"folded, and of another width": {func(s spec.Shapes) {
			fold(s)
			s["model.4.cv1.conv.weight"], s["model.4.cv1.conv.bias"] = []int{7, 64, 1, 1}, []int{7}
		}, "; nearest is yolov9-t: model.0.bn.weight and "},
		"biases of another shape": {func(s spec.Shapes) {
			fold(s)
			s["model.4.cv1.conv.bias"] = []int{1}
		}, "; nearest is yolov9-t: model.0.bn.weight and "},
	} {
		s := shapes(t, "yolov9-t", 3, true)
		tt.change(s)
		if l, err := spec.ReadLayout(s, nil); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v, %v", name, l, err)
		}
	}
}

func TestStarts(t *testing.T) {
	for _, letter := range []string{"t", "s", "m", "c", "e"} {
		l, err := spec.ReadLayout(shapes(t, "yolov9-"+letter, 3, true), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := l.Starts(), []string{"gelan-" + letter, "yolov9-" + letter}; !slices.Equal(got, want) {
			t.Errorf("%v can start from %s, want %v", got, l, want)
		}
	}
}

// A file that lacks a part of its auxiliary branch has none.
func TestHalfAnAuxiliaryBranch(t *testing.T) {
	s := shapes(t, "yolov9-t", 3, true)
	delete(s, "model.25.cv1.conv.weight")
	l, err := spec.ReadLayout(s, nil)
	if err != nil || l.Auxiliary || len(l.Model.Head.Auxiliary) != 0 {
		t.Errorf("%v, %v", l, err)
	}
}

// A user's own model is tried first, whatever it is called.
func TestOwnLayout(t *testing.T) {
	f, err := spec.Open("gelan-t")
	if err != nil {
		t.Fatal(err)
	}
	l, err := spec.ReadLayout(shapes(t, "gelan-t", 3, false), f)
	if err != nil || !l.Own {
		t.Errorf("%v, %v", l, err)
	}
	l, err = spec.ReadLayout(shapes(t, "gelan-s", 3, false), f)
	if err != nil || l.Own || l.Model.Name != "gelan-s" {
		t.Errorf("%v, %v", l, err)
	}
}

// The places are those of the official code's conversion of a trained yolov9 model to a gelan one.
func TestRename(t *testing.T) {
	for _, tt := range []struct{ from, to, tensor, stands string }{
		{"yolov9-t", "gelan-t", "model.21.cv4.conv.weight", "model.21.cv4.conv.weight"},
		{"yolov9-t", "gelan-t", "model.22.cv2.0.0.conv.weight", "model.29.cv4.0.0.conv.weight"},
		{"yolov9-s", "gelan-s", "model.22.cv3.2.2.bias", "model.29.cv5.2.2.bias"},
		{"yolov9-m", "gelan-m", "model.0.bn.running_var", "model.1.bn.running_var"},
		{"yolov9-c", "gelan-c", "model.21.cv4.conv.weight", "model.22.cv4.conv.weight"},
		{"yolov9-c", "gelan-c", "model.22.cv3.0.2.bias", "model.38.cv5.0.2.bias"},
		{"yolov9-e", "gelan-e", "model.28.cv4.conv.weight", "model.28.cv4.conv.weight"},
		{"yolov9-e", "gelan-e", "model.29.cv1.conv.weight", "model.36.cv1.conv.weight"},
		{"yolov9-e", "gelan-e", "model.42.cv3.2.2.bias", "model.49.cv5.2.2.bias"},
		{"gelan-c", "yolov9-c", "model.38.cv5.0.2.bias", "model.22.cv3.0.2.bias"},
		{"gelan-e", "yolov9-e", "model.36.cv1.conv.weight", "model.29.cv1.conv.weight"},
	} {
		from, to := resolve(t, tt.from, spec.Options{Classes: 80}), resolve(t, tt.to, spec.Options{Classes: 80})
		names, err := spec.Rename(from, to)
		if err != nil {
			t.Errorf("%s to %s: %v", tt.from, tt.to, err)
			continue
		}
		if got := names[tt.tensor]; got != tt.stands {
			t.Errorf("%s of %s stands under %q in %s, want %q", tt.tensor, tt.to, got, tt.from, tt.stands)
		}
		have, used := shapes(t, tt.from, 80, true), map[string]bool{}
		for _, x := range to.State() {
			switch name := names[x.Name]; {
			case x.TrainingOnly || !x.Taken():
				if name != "" {
					t.Errorf("%s to %s: %s, which is not of the detector, is said to stand under %s", tt.from, tt.to, x.Name, name)
				}
			case !slices.Equal(have[name], x.Shape) || used[name]:
				t.Errorf("%s to %s: %s of shape %v would come from %s of shape %v", tt.from, tt.to, x.Name, x.Shape, name, have[name])
			default:
				used[name] = true
			}
		}
	}
}

func TestRenameRefuses(t *testing.T) {
	for _, tt := range []struct{ from, to, says string }{
		{"yolov9-s", "gelan-t", "layer 0 of yolov9-s is Conv out 32 kernel 3 stride 2 from the image, where layer 0 of gelan-t is Conv out 16"},
		{"yolov9-c", "gelan-m", "layer 1 of yolov9-c is Conv out 64"},
		{"yolov9-e", "yolov9-c", "layer 3 of yolov9-e is RepNCSPELAN4 out 256 split 128 hidden 64 repeats 2, where layer 3 of yolov9-c"},
		{"yolov9-t", "gelan-n", "layer 2 of yolov9-t is ELAN1 out 32 split 32 hidden 16, where layer 2 of gelan-n"},
	} {
		from, to := resolve(t, tt.from, spec.Options{Classes: 80}), resolve(t, tt.to, spec.Options{Classes: 80})
		if names, err := spec.Rename(from, to); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s to %s: %d names, %v", tt.from, tt.to, len(names), err)
		}
	}
}

// What layers read counts, and in which order, and so do the head's levels.
func TestRenameSeesConnections(t *testing.T) {
	src := `name: own
layers:
  - {module: Conv, out: 16, stride: 2, as: a}
  - {module: Conv, out: 16, stride: 1, as: b}
  - {module: Conv, out: 16, stride: 1, as: c}
  - {module: Concat, from: [a, b]}
  - {module: Conv, out: 16, stride: 1, as: d}
  - {module: Concat, from: [c, d]}
  - {module: Conv, out: 16, stride: 1, as: e}
head: {module: DDetect, main: [e]}
`
	make := func(concat, last string) *spec.Model {
		t.Helper()
		s := strings.NewReplacer("[a, b]", concat, "[c, d]", last).Replace(src)
		f, err := spec.Parse("own.yaml", []byte(s))
		if err != nil {
			t.Fatal(err)
		}
		m, err := f.Resolve(spec.Options{Classes: 2})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	a := make("[a, b]", "[c, d]")
	if names, err := spec.Rename(a, make("[a, b]", "[c, d]")); err != nil || len(names) == 0 {
		t.Errorf("the same model: %v", err)
	}
	for _, b := range []*spec.Model{make("[b, a]", "[c, d]"), make("[a, a, c]", "[c, d]"), make("[a, b]", "[d, c]")} {
		if _, err := spec.Rename(a, b); err == nil || !strings.Contains(err.Error(), "Concat from") {
			t.Errorf("other connections: %v", err)
		}
	}
}
