//go:build integration

package parity_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/model/spec"
)

// description is a line of layers.py.
type description struct {
	Model     string
	Classes   int
	Auxiliary bool
	Layers    []struct {
		Kind  string
		Reads []int
		Args  []int
	}
	State []struct {
		Name  string
		Shape []int
	}
}

// TestPythonLayers holds the models of testdata/torch, which have tables of their own, to our model files: all ten and gelan-n with
// and without its auxiliary head, for 80, 3 and one classes: kinds of layers, what they read, widths, and names and shapes of the
// state.
func TestPythonLayers(t *testing.T) {
	out, err := python(t, "layers.py", "80", "3", "1").Output()
	if err != nil {
		t.Fatalf("layers.py: %v", err)
	}
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	if len(lines) != 3*(10+2) {
		t.Fatalf("%d lines", len(lines))
	}
	for _, line := range lines {
		var d description
		if err := json.Unmarshal(line, &d); err != nil {
			t.Fatal(err)
		}
		f, err := spec.Open(d.Model)
		if err != nil {
			t.Fatal(err)
		}
		weight := 0.0
		if d.Auxiliary || strings.HasPrefix(d.Model, "yolov9") {
			weight = 0.25
		}
		m, err := f.Resolve(spec.Options{Classes: d.Classes, Weight: &weight})
		if err != nil {
			t.Fatal(err)
		}
		d.compareState(t, m)
		if d.Layers != nil {
			d.compareLayers(t, m)
		}
	}
}

func (d description) compareState(t *testing.T, m *spec.Model) {
	t.Helper()
	var got, want []string
	for _, x := range m.State() {
		got = append(got, fmt.Sprint(x.Name, " ", append([]int{}, x.Shape...)))
	}
	for _, x := range d.State {
		want = append(want, fmt.Sprint(x.Name, " ", x.Shape))
	}
	slices.Sort(got)
	slices.Sort(want)
	if len(want) < 100 {
		t.Fatalf("%s: PyTorch has %d tensors", d.Model, len(want))
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Errorf("%s, %d classes: the first tensors that differ are %q and, in PyTorch, %q", d.Model, d.Classes, got[i], want[i])
			return
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s, %d classes: %d tensors, in PyTorch %d", d.Model, d.Classes, len(got), len(want))
	}
}

// compareLayers compares layer by layer; the last of PyTorch's is the head.
func (d description) compareLayers(t *testing.T, m *spec.Model) {
	t.Helper()
	last := len(d.Layers) - 1
	if len(m.Layers) != last {
		t.Errorf("%s: %d layers, in PyTorch %d", d.Model, len(m.Layers), last)
		return
	}
	for i, l := range m.Layers {
		got, want := described(l), fmt.Sprint(d.Layers[i].Kind, d.Layers[i].Reads, d.Layers[i].Args)
		if got != want {
			t.Errorf("%s: layer %d is %s, in PyTorch %s", d.Model, i, got, want)
		}
	}
	kind, levels := "Single", m.Head.Main
	if m.Head.Dual {
		kind, levels = "Dual", slices.Concat(m.Head.Auxiliary, m.Head.Main)
	}
	if d.Layers[last].Kind != kind || !slices.Equal(d.Layers[last].Reads, levels) {
		t.Errorf("%s: the head is %s of %v, in PyTorch %s of %v", d.Model, kind, levels, d.Layers[last].Kind, d.Layers[last].Reads)
	}
}

// described is a layer in the words of testdata/torch/family.py.
func described(l spec.Layer) string {
	kind, args := l.Module, []int{}
	switch l.Module {
	case "Conv":
		args = []int{l.Out, l.Kernel, l.Stride}
	case "AConv", "ADown":
		args = []int{l.Out}
	case "ELAN1":
		args = []int{l.Out, l.Split, l.Hidden}
	case "RepNCSPELAN4":
		args = []int{l.Out, l.Split, l.Hidden, l.Repeats}
	case "SPPELAN":
		args = []int{l.Out, l.Hidden}
	case "Upsample":
		kind = "Up"
	case "CBLinear":
		args = l.Outs
	case "CBFuse":
		args = l.Pick
	}
	return fmt.Sprint(kind, l.From, args)
}
