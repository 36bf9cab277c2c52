package model_test

import (
	"math"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/layers/layerstest"
	"github.com/mapsweep/mapsweep/trainer/native/model"
)

// firstStep is the loss and the gradient of a fresh network's first step.
func firstStep(t *testing.T, name string, bf16 bool) (float64, []float32) {
	t.Helper()
	cfg := model.Config{Model: name, Classes: 3, Width: 64, Height: 64, Batch: 4, Seed: 3, BF16: bf16, Loss: layerstest.Smooth(1)}
	n, err := model.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	if err := n.SetImages(images(cfg, cfg.Batch)); err != nil {
		t.Fatal(err)
	}
	loss, err := n.Step()
	if err != nil {
		t.Fatal(err)
	}
	return loss, append([]float32(nil), n.Grads()...)
}

// Rounding operands to 8 bits bends the gradient of a small network a little, and its length hardly at all. A fresh deep one
// magnifies every rounding (PyTorch's bfloat16 leaves no likeness of gelan-t's first gradient), so only its loss is compared.
func TestBF16Gradients(t *testing.T) {
	for _, c := range []struct {
		name string
		loss float64 // largest relative difference of the losses
		turn float64 // largest angle between the gradients, in radians; pi: any
	}{{"gelan-n", 0.0005, 0.05}, {"gelan-t", 0.002, math.Pi}} {
		single, g := firstStep(t, c.name, false)
		half, h := firstStep(t, c.name, true)
		if d := math.Abs(half/single - 1); !(d > 0) || d > c.loss {
			t.Errorf("%s: loss %v in bf16 and %v in fp32", c.name, half, single)
		}
		var gg, gh, hh float64
		for i := range g {
			a, b := float64(g[i]), float64(h[i])
			gg, gh, hh = gg+a*a, gh+a*b, hh+b*b
		}
		angle, length := math.Acos(min(1, gh/math.Sqrt(gg*hh))), math.Sqrt(hh/gg)
		t.Logf("%s: loss off by %.1e, gradients at %.3f rad, length %.4f", c.name, math.Abs(half/single-1), angle, length)
		if c.turn < math.Pi && (angle > c.turn || math.Abs(length-1) > 0.02) || !(length > 0) {
			t.Errorf("%s: the gradients are at %.3f rad, and bf16's is %.4f times as long", c.name, angle, length)
		}
	}
}

// Outside of training both are the same.
func TestBF16Evaluation(t *testing.T) {
	var out [2][]float32
	for i, bf16 := range []bool{false, true} {
		cfg := model.Config{Classes: 3, Width: 64, Height: 64, Batch: 2, Seed: 3, BF16: bf16}
		n, err := model.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := n.SetImages(images(cfg, cfg.Batch)); err != nil {
			t.Fatal(err)
		}
		if err := n.Eval(); err != nil {
			t.Fatal(err)
		}
		h := n.HeadOutputs()
		out[i] = append(append(out[i], h.Box...), h.Class...)
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for i, f := range out[0] {
		if f != out[1][i] {
			t.Fatalf("output %d is %v with BF16 and %v without", i, out[1][i], f)
		}
	}
}
