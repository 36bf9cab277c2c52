package model_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/layers/layerstest"
	"github.com/mapsweep/mapsweep/trainer/native/model"
)

// TestResized runs steps at changing sizes in one memory, and holds each against a network of its own for that size,
// with the same weights and statistics: to the bit.
func TestResized(t *testing.T) {
	for _, name := range []string{"gelan-n", "gelan-n bf16", "yolov9-t", "yolov9-m"} {
		t.Run(name, func(t *testing.T) {
			name, bf16 := strings.CutSuffix(name, " bf16")
			cfg := model.Config{Model: name, Classes: 3, Width: 96, Height: 96, Largest: 160, Batch: 2, Seed: 1, BF16: bf16,
				Aux: strings.HasPrefix(name, "yolov9"), Loss: layerstest.Smooth(1), AuxLoss: layerstest.Smooth(0.25)}
			if name == "yolov9-m" {
				cfg.File = narrow(t, name)
			}
			n := build(t, cfg)
			alone := map[[2]int]*model.Network{}
			for _, size := range [][2]int{{96, 96}, {160, 160}, {64, 64}, {160, 96}, {64, 128}, {96, 96}, {160, 160}, {64, 64}} {
				r, err := n.Resized(size[0], size[1])
				if err != nil {
					t.Fatal(err)
				}
				c := cfg
				c.Width, c.Height, c.Largest = size[0], size[1], 0
				if alone[size] == nil {
					alone[size] = build(t, c)
				}
				m := alone[size]
				copy(m.Weights(), n.Weights())
				copy(m.Stats(), n.Stats())
				got, g := gradient(t, r)
				want, h := gradient(t, m)
				if got != want {
					t.Errorf("%v: loss %v, alone %v", size, got, want)
				}
				if !slices.Equal(g, h) || !slices.Equal(n.Stats(), m.Stats()) || !slices.Equal(n.Grads(), g) {
					t.Errorf("%v: gradients or statistics are not those of a network of its own", size)
				}
				for i := range g {
					n.Weights()[i] -= 1e-3 * g[i]
				}
				evaluated(t, fmt.Sprint(size), r, m, n.Weights())
			}
			if got, most := n.Bytes(), alone[[2]int{160, 160}].Bytes(); got != most {
				t.Errorf("%d bytes for all sizes, %d for the largest alone", got, most)
			}
		})
	}
}

// evaluated compares what two networks find with the same weights, on one image of the batch.
func evaluated(t *testing.T, what string, n, m *model.Network, weights []float32) {
	t.Helper()
	copy(m.Weights(), weights)
	for _, x := range []*model.Network{n, m} {
		if err := x.SetImages(images(x.Config(), 1)); err != nil {
			t.Fatal(err)
		}
		if err := x.Eval(); err != nil {
			t.Fatal(err)
		}
	}
	if a, b := n.HeadOutputs(), m.HeadOutputs(); !slices.Equal(a.Box, b.Box) || !slices.Equal(a.Class, b.Class) {
		t.Errorf("%s: scored otherwise than by a network of its own", what)
	}
}

func TestResizedInitially(t *testing.T) {
	// Initial weights are those of the size that was asked for, whatever the largest is: class biases depend on it.
	cfg := config()
	cfg.Width, cfg.Height = 64, 64
	plain := build(t, cfg)
	cfg.Largest = 128
	n := build(t, cfg)
	if !slices.Equal(n.Weights(), plain.Weights()) {
		t.Error("other initial weights with room for larger images")
	}
	if s := n.Config(); s.Width != 64 || s.Height != 64 {
		t.Errorf("the network is for %d x %d pixels", s.Width, s.Height)
	}
}

func TestResizedRefuses(t *testing.T) {
	cfg := config()
	cfg.Width, cfg.Height, cfg.Largest = 64, 64, 96
	n := build(t, cfg)
	for _, size := range [][2]int{{128, 64}, {64, 128}, {40, 64}, {0, 64}} {
		if _, err := n.Resized(size[0], size[1]); err == nil || !strings.Contains(err.Error(), "resize network") {
			t.Errorf("%v: %v", size, err)
		}
	}
	r, err := n.Resized(96, 96)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []*model.Network{n, r} {
		if err := x.SetImages(images(x.Config(), cfg.Batch)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := n.Step(); err == nil || !strings.Contains(err.Error(), "another size") {
		t.Errorf("step of images that were written over: %v", err)
	}
	if err := n.Eval(); err == nil || !strings.Contains(err.Error(), "another size") {
		t.Errorf("evaluation of images that were written over: %v", err)
	}
	if _, err := r.Step(); err != nil {
		t.Error(err)
	}
}
