//go:build integration

package parity_test

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/loss"
	"github.com/mapsweep/mapsweep/trainer/native/model"
	"github.com/mapsweep/mapsweep/trainer/native/model/spec"
	"github.com/mapsweep/mapsweep/trainer/native/weights"
)

// Pictures of these tests, in pixels: not square, so that nothing is taken for its transpose.
const pictureWidth, pictureHeight = 160, 96

// TestOfficialCheckpoints imports checkpoints in the official format, made by instantiating the official model, and holds
// tensors to the bit, and outputs to 1e-4, to what the official code makes of the same file: logits and scores to 1e-4, boxes
// to 3e-3 of a pixel, which is 2e-5 of the picture's width.
func TestOfficialCheckpoints(t *testing.T) {
	tests := []struct {
		model   string
		classes int
		form    string // see checkpoint.py
		into    string // model of ours; "": the same
	}{
		{"gelan-t", 80, "unfinished", ""}, {"gelan-t", 3, "float", ""},
		{"gelan-s", 80, "stripped", ""}, {"gelan-s", 3, "float", ""},
		{"gelan-m", 80, "stripped", ""}, {"gelan-m", 3, "float", ""},
		{"gelan-c", 80, "stripped", ""}, {"gelan-c", 3, "float", ""},
		{"gelan-e", 80, "stripped", ""}, {"gelan-e", 3, "float", ""},
		{"yolov9-t", 80, "unfinished", ""}, {"yolov9-t", 3, "float", ""},
		{"yolov9-s", 80, "stripped", ""}, {"yolov9-s", 3, "unfinished", ""},
		{"yolov9-m", 80, "stripped", ""}, {"yolov9-m", 3, "float", ""},
		{"yolov9-c", 80, "stripped", ""}, {"yolov9-c", 3, "float", ""},
		{"yolov9-e", 80, "stripped", ""}, {"yolov9-e", 3, "float", ""},
		{"yolov9-t", 80, "converted", "gelan-t"}, {"yolov9-m", 3, "converted", "gelan-m"},
		{"yolov9-c", 80, "converted", "gelan-c"}, {"yolov9-e", 80, "converted", "gelan-e"},
		{"yolov9-t", 80, "stripped", "gelan-t"}, {"yolov9-s", 3, "unfinished", "gelan-s"}, // by layers
		{"yolov9-m", 3, "float", "gelan-m"}, {"yolov9-c", 80, "stripped", "gelan-c"}, {"yolov9-e", 80, "stripped", "gelan-e"},
		{"yolov9-t", 3, "converted", "yolov9-t"}, {"yolov9-s", 80, "converted", "yolov9-s"},
		{"yolov9-m", 80, "converted", "yolov9-m"}, {"yolov9-c", 3, "converted", "yolov9-c"}, {"yolov9-e", 3, "converted", "yolov9-e"},
	}
	checkout(t)
	for _, tt := range tests {
		if tt.into == "" {
			tt.into = tt.model
		}
		t.Run(fmt.Sprintf("%s/%d/%s/%s", tt.model, tt.classes, tt.form, tt.into), func(t *testing.T) {
			file := checkpoint(t, tt.model, tt.classes, tt.form)
			got, err := weights.Read(file)
			if err != nil {
				t.Fatal(err)
			}
			want := expected(t, file)
			same(t, got, want)
			half := len(want.values(t, "class")) / 2
			if d := apart(t, want.values(t, "class")[:half], want.values(t, "class")[half:]); !(d > 0.1) {
				t.Fatalf("the two pictures' logits differ by %.1e only: they would hold anything to be equal", d)
			}
			h := evaluated(t, tt.into, tt.classes, got, want.values(t, "images"))
			t.Logf("%-9s %2d classes, %-10s %4d tensors %12s %12s %12s %12s   logits up to %.3g", tt.model, tt.classes, tt.form, len(got.Tensors), "box logits", "class logits", "boxes, px", "scores", largest(want.values(t, "class")))
			for _, peer := range []string{"", "fused/", "double/"} {
				want.judge(t, peer, h)
			}
			double := want.values(t, "double/decoded")
			t.Logf("    %-42s %12.1e %12.1e %12.1e", "official code against its float64", apart(t, want.values(t, "box"), want.values(t, "double/box")),
				apart(t, want.values(t, "class"), want.values(t, "double/class")), apart(t, want.values(t, "decoded"), double))
		})
	}
}

// checkpoint lets the official code write a checkpoint and returns its path.
func checkpoint(t *testing.T, network string, classes int, form string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "last.pt")
	args := []string{"write", checkout(t), network, strconv.Itoa(classes), form, path, "--width", strconv.Itoa(pictureWidth), "--height", strconv.Itoa(pictureHeight)}
	if out, err := python(t, "checkpoint.py", args...).CombinedOutput(); err != nil {
		t.Fatalf("checkpoint.py: %v\n%s", err, out)
	}
	return path
}

// reading is what the official code made of a checkpoint.
type reading struct{ *weights.Set }

// expected reads what checkpoint.py wrote beside a checkpoint.
func expected(t *testing.T, path string) reading {
	t.Helper()
	set, err := weights.Read(strings.TrimSuffix(path, ".pt") + ".safetensors")
	if err != nil {
		t.Fatal(err)
	}
	return reading{set}
}

func (r reading) values(t *testing.T, name string) []float32 {
	t.Helper()
	x := r.Find(name)
	if x == nil {
		t.Fatalf("PyTorch wrote no tensor %s", name)
	}
	return x.Values
}

// same fails unless both sides read the same tensors, to the bit.
func same(t *testing.T, got *weights.Set, want reading) {
	t.Helper()
	n := 0
	for _, w := range want.Tensors {
		name, ok := strings.CutPrefix(w.Name, "state/")
		if !ok {
			continue
		}
		n++
		g := got.Find(name)
		if g == nil {
			t.Fatalf("%s is missing", name)
		}
		if !slices.Equal(g.Shape, w.Shape) || !slices.Equal(g.Values, w.Values) || !slices.Equal(g.Ints, w.Ints) {
			t.Fatalf("%s of shape %v differs from PyTorch's of shape %v", name, g.Shape, w.Shape)
		}
	}
	if n != len(got.Tensors) || n < 100 {
		t.Fatalf("%d tensors, PyTorch has %d", len(got.Tensors), n)
	}
}

// placed says under which name of a file each tensor of a network's stands.
func placed(t *testing.T, net *model.Network, from *weights.Set) map[string]string {
	t.Helper()
	shapes := spec.Shapes{}
	for _, x := range from.Tensors {
		shapes[x.Name] = x.Shape
	}
	l, err := spec.ReadLayout(shapes, net.Config().File)
	if err != nil {
		t.Fatal(err)
	}
	names, err := spec.Rename(l.Model, net.Model())
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// evaluated is the output of a network of ours with all its tensors from the file.
func evaluated(t *testing.T, network string, classes int, from *weights.Set, images []float32) loss.Heads {
	t.Helper()
	net, err := model.New(model.Config{Model: network, Classes: classes, Width: pictureWidth, Height: pictureHeight, Batch: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := net.Close(); err != nil {
			t.Error(err)
		}
	})
	names := placed(t, net, from)
	for x := range net.NamedTensors() {
		w := from.Find(names[x.Name])
		if w == nil || !slices.Equal(w.Shape, x.Shape) {
			t.Fatalf("the file has no %s of shape %v", x.Name, x.Shape)
		}
		arena := net.Weights()
		if x.Stat {
			arena = net.Stats()
		}
		if err := x.Set(arena, w.Values); err != nil {
			t.Fatal(err)
		}
	}
	if err := net.SetImages(images); err != nil {
		t.Fatal(err)
	}
	if err := net.Eval(); err != nil {
		t.Fatal(err)
	}
	return net.HeadOutputs()
}

// judge compares a head's output with the official one, prints the largest differences, and limits them.
func (r reading) judge(t *testing.T, peer string, h loss.Heads) {
	t.Helper()
	box, class := r.values(t, peer+"box"), r.values(t, peer+"class")
	centres, scores := decoded(h)
	var wantCentres, wantScores []float32
	for row := r.values(t, peer+"decoded"); len(row) > 0; row = row[4+h.K:] {
		wantCentres, wantScores = append(wantCentres, row[:4]...), append(wantScores, row[4:4+h.K]...)
	}
	most := [4]float64{apart(t, h.Box, box), apart(t, h.Class, class), apart(t, centres, wantCentres), apart(t, scores, wantScores)}
	limit := [4]float64{1e-4, 1e-4, 3e-3, 1e-4}
	t.Logf("    %-42s %12.1e %12.1e %12.1e %12.1e", map[string]string{"": "official code", "fused/": "official code, fused", "double/": "official code in float64"}[peer], most[0], most[1], most[2], most[3])
	for i, what := range []string{"box logits", "class logits", "boxes", "scores"} {
		if !(most[i] <= limit[i]) {
			t.Errorf("%s%s differ by %.2e; %.0e is allowed", peer, what, most[i], limit[i])
		}
	}
}

// decoded turns logits into centre, width and height in pixels, and scores, as the official head does.
func decoded(h loss.Heads) (centres, scores []float32) {
	scratch := make([]float64, h.R)
	for n := range h.N {
		for a := range h.A {
			b := loss.Decode(h, n, a, scratch)
			centres = append(centres, float32((b.X0+b.X1)/2), float32((b.Y0+b.Y1)/2), float32(b.X1-b.X0), float32(b.Y1-b.Y0))
		}
	}
	for _, z := range h.Class {
		scores = append(scores, float32(1/(1+math.Exp(-float64(z)))))
	}
	return centres, scores
}

// apart is the largest difference of two lists of the same length; infinite where a number is none.
func apart(t *testing.T, got, want []float32) (most float64) {
	t.Helper()
	if len(got) != len(want) || len(got) == 0 {
		t.Fatalf("%d numbers, in PyTorch %d", len(got), len(want))
	}
	for i, w := range want {
		d := math.Abs(float64(got[i]) - float64(w))
		if math.IsNaN(d) {
			return math.Inf(1)
		}
		most = max(most, d)
	}
	return most
}

// largest is the largest absolute value.
func largest(v []float32) (most float64) {
	for _, x := range v {
		most = max(most, math.Abs(float64(x)))
	}
	return most
}
