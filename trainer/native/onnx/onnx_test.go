package onnx_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/fold"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
	"github.com/mapsweep/mapsweep/trainer/native/model"
	"github.com/mapsweep/mapsweep/trainer/native/model/modeltest"
	"github.com/mapsweep/mapsweep/trainer/native/model/spec"
	"github.com/mapsweep/mapsweep/trainer/native/onnx"
)

const (
	classes       = 3
	batch         = 2
	height, width = 64, 96
)

// network is a model that looks as if it had been trained; narrow has an eighth of its channels.
func network(t testing.TB, name string, narrow bool) (*model.Network, fold.Tensors) {
	t.Helper()
	f, err := spec.Open(name)
	if err == nil && narrow {
		f, err = spec.Parse(name+"-narrow.yaml", append(slices.Clone(f.Source), "\nwidth: 0.125\n"...))
	}
	if err != nil {
		t.Fatal(err)
	}
	n, err := model.New(model.Config{Model: name, File: f, Classes: classes, Width: width, Height: height, Batch: batch, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n, modeltest.Scramble(t, n, 7)
}

// pixels are images as the network takes them, and as the file does.
func pixels(r *rand.Rand) (interleaved []float32, planar array) {
	interleaved, planar = make([]float32, batch*height*width*3), zeros(batch, 3, height, width)
	for n := range batch {
		for p := range height * width {
			for c := range 3 {
				v := r.Float32()
				interleaved[(n*height*width+p)*3+c] = v
				planar.f[(n*3+c)*height*width+p] = v
			}
		}
	}
	return interleaved, planar
}

// want is the output by the network's own: [N][4+K][A], and the number of anchors.
func want(t *testing.T, n *model.Network, pix []float32) ([]float64, int) {
	t.Helper()
	if err := n.SetImages(pix); err != nil {
		t.Fatal(err)
	}
	if err := n.Eval(); err != nil {
		t.Fatal(err)
	}
	h := n.HeadOutputs()
	rows := 4 + h.K
	out := make([]float64, h.N*rows*h.A)
	scratch := make([]float64, h.R)
	for i := range h.N {
		for a := range h.A {
			b := loss.Decode(h, i, a, scratch)
			for row, v := range []float64{(b.X0 + b.X1) / 2, (b.Y0 + b.Y1) / 2, b.X1 - b.X0, b.Y1 - b.Y0} {
				out[(i*rows+row)*h.A+a] = v
			}
			for k := range h.K {
				out[(i*rows+4+k)*h.A+a] = 1 / (1 + math.Exp(-float64(h.Class[(i*h.A+a)*h.K+k])))
			}
		}
	}
	return out, h.A
}

// The file of every model, read and computed independently, gives what the network itself gives.
func TestNetworks(t *testing.T) {
	for _, name := range spec.Names() {
		t.Run(name, func(t *testing.T) {
			n, tensors := network(t, name, name != "gelan-n")
			f, err := onnx.New(n.Model(), tensors, height, width, "1.2.3", onnx.Entry{Key: "names", Value: `["a","b","c"]`})
			if err != nil {
				t.Fatal(err)
			}
			var buf bytes.Buffer
			if err := f.Write(&buf); err != nil {
				t.Fatal(err)
			}
			pix, images := pixels(rand.New(rand.NewPCG(4, 5)))
			expect, anchors := want(t, n, pix)
			d := read(buf.Bytes())
			if d.ir != 8 || d.opset != 17 || d.meta["names"] != `["a","b","c"]` || anchors != f.Anchors || len(d.nodes) != f.Nodes ||
				!slices.Equal(d.inputs["images"], []string{"batch", "3", fmt.Sprint(height), fmt.Sprint(width)}) ||
				!slices.Equal(d.outputs["output"], []string{"batch", fmt.Sprint(4 + classes), fmt.Sprint(anchors)}) {
				t.Errorf("IR %d, opset %d, words %v, inputs %v, outputs %v", d.ir, d.opset, d.meta, d.inputs, d.outputs)
			}
			got := d.run(images)
			if !slices.Equal(got.shape, []int{batch, 4 + classes, anchors}) {
				t.Fatalf("output %v", got.shape)
			}
			box, score := 0.0, 0.0 // relative differences, of boxes at least a pixel large
			for i, w := range expect {
				d := math.Abs(float64(got.f[i]) - w)
				if i/anchors%(4+classes) < 4 {
					box = max(box, d/max(1, math.Abs(w)))
				} else {
					score = max(score, d/w)
				}
			}
			first := expect[4*anchors:][:height/8*width/8] // scores of one class on the first level
			least, most := slices.Min(first), slices.Max(first)
			t.Logf("%d operations, %d bytes; scores %.3g to %.3g; largest differences: boxes %.2g, scores %.2g", f.Nodes, buf.Len(), least, most, box, score)
			if !(box < 1e-4 && score < 1e-4) {
				t.Errorf("differs by %g and %g", box, score)
			}
			if most < 1.03*least {
				t.Errorf("scores from %g to %g show nothing", least, most)
			}
		})
	}
}

func TestFaults(t *testing.T) {
	n, tensors := network(t, "gelan-n", false)
	if _, err := onnx.New(n.Model(), tensors, 64, 40, ""); err == nil || !strings.Contains(err.Error(), "multiples of 16") {
		t.Errorf("width 40: %v", err)
	}
	delete(tensors.Named, "n1.v.var")
	if _, err := onnx.New(n.Model(), tensors, 64, 64, ""); !errors.Is(err, fold.ErrMissing) || !strings.Contains(err.Error(), "n1.v.var") {
		t.Errorf("without a tensor: %v", err)
	}
}

// A writer that fails is told.
func TestWriteFails(t *testing.T) {
	n, tensors := network(t, "gelan-n", false)
	f, err := onnx.New(n.Model(), tensors, 64, 64, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Write(full{}); !errors.Is(err, errFull) {
		t.Errorf("%v", err)
	}
}

var errFull = errors.New("full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }
