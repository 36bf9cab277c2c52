//go:build integration

package onnx_test

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/evaluate"
	"github.com/mapsweep/mapsweep/trainer/native/model/spec"
	"github.com/mapsweep/mapsweep/trainer/native/onnx"
	"github.com/mapsweep/mapsweep/trainer/native/onnx/onnxtest"
)

// Every model of the family, at its full width with random weights, gives the same detections in onnxruntime.
func TestRuntimeFamily(t *testing.T) {
	for _, name := range spec.Names() {
		t.Run(name, func(t *testing.T) {
			n, tensors := network(t, name, false)
			f, err := onnx.New(n.Model(), tensors, height, width, "1.2.3")
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "model.onnx")
			file, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := f.Write(file); err != nil {
				t.Fatal(err)
			}
			if err := file.Close(); err != nil {
				t.Fatal(err)
			}
			pix, images := pixels(rand.New(rand.NewPCG(4, 5)))
			expect, anchors := want(t, n, pix)
			_, output := onnxtest.Run(t, path, images.f)
			if len(output) != len(expect) {
				t.Fatalf("output of %d numbers, want %d", len(output), len(expect))
			}
			boxes, scores, found := 0.0, 0.0, 0
			for i := range batch {
				one := (4 + classes) * anchors
				got, want := output[i*one:][:one], narrowed(expect[i*one:][:one])
				least := slices.Max(want[4*anchors:]) / 4 // random networks are sure of nothing
				o := evaluate.NMSOptions{Score: least, IoU: 0.6}
				w := evaluate.NMS(onnxtest.Candidates(want, classes, anchors, width, height, least), o)
				g := evaluate.NMS(onnxtest.Candidates(got, classes, anchors, width, height, least), o)
				b, s := onnxtest.Differences(t, g, w)
				boxes, scores, found = max(boxes, b), max(scores, s), found+len(w)
			}
			t.Logf("%d operations; %d detections; largest differences: boxes %.2g px, scores %.2g", f.Nodes, found, boxes, scores)
			if !(boxes < 1e-4*width && scores < 1e-4) || found < 4 {
				t.Errorf("%d detections, boxes differ by %g px, scores by %g", found, boxes, scores)
			}
		})
	}
}

func narrowed(v []float64) []float32 {
	out := make([]float32, len(v))
	for i := range v {
		if out[i] = float32(v[i]); math.IsNaN(v[i]) {
			panic("not a number")
		}
	}
	return out
}
