package model_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/layers/layerstest"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
	"github.com/mapsweep/mapsweep/trainer/native/model"
	"github.com/mapsweep/mapsweep/trainer/native/model/spec"
)

// narrow is a built-in model with an eighth of its channels, so that the largest are small enough for a test.
func narrow(t *testing.T, name string) *spec.File {
	t.Helper()
	f, err := spec.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	f, err = spec.Parse(name+"-narrow.yaml", append(slices.Clone(f.Source), "\nwidth: 0.125\n"...))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Every model of the family is built, has the tensors and the cost that its file counts, and learns.
func TestFamily(t *testing.T) {
	for _, name := range spec.Names() {
		for _, width := range []string{"", "narrow"} {
			small := name == "gelan-n" || strings.HasSuffix(name, "-t")
			if width == "" && !small || width != "" && name == "gelan-n" {
				continue
			}
			t.Run(name+width, func(t *testing.T) {
				cfg := model.Config{Model: name, Classes: 3, Width: 64, Height: 96, Batch: 2, Seed: 1,
					Aux: strings.HasPrefix(name, "yolov9"), Loss: layerstest.Smooth(1), AuxLoss: layerstest.Smooth(0.25)}
				if width != "" {
					cfg.File = narrow(t, name)
				}
				n, err := model.New(cfg)
				if err != nil {
					t.Fatal(err)
				}
				defer n.Close()
				checkCost(t, n)
				checkSteps(t, n, width == "")
			})
		}
	}
}

// checkCost holds the network against what its model counts.
func checkCost(t *testing.T, n *model.Network) {
	t.Helper()
	c := n.Model().Cost(n.Config().Height, n.Config().Width)
	if got, want := int64(n.ParamCount()), c.Params-c.Fixed; got != want {
		t.Errorf("%d parameters, want %d", got, want)
	}
	if eval, train := n.ForwardFLOP(); eval != 2*c.ScoreMultiplyAdds || train != 2*c.TrainMultiplyAdds {
		t.Errorf("FLOP %d and %d, want %d and %d", eval, train, 2*c.ScoreMultiplyAdds, 2*c.TrainMultiplyAdds)
	}
	var got, want []string
	for x := range n.NamedTensors() {
		got = append(got, fmt.Sprint(x.Name, x.Shape))
	}
	for _, x := range c.Tensors {
		if x.Role != spec.Batches && x.Role != spec.Fixed {
			want = append(want, fmt.Sprint(x.Name, x.Shape))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("tensors %v, want %v", got, want)
	}
}

// checkSteps runs steps of plain gradient descent on one batch. Losses are finite and, for models of the usual width,
// fall; normalisation over a dozen values of a few channels is too rough for that.
func checkSteps(t *testing.T, n *model.Network, falls bool) {
	t.Helper()
	cfg := n.Config()
	pix := make([]float32, cfg.Batch*cfg.Height*cfg.Width*3)
	for i := range pix {
		pix[i] = float32(i*7919%1000) / 1000
	}
	if err := n.SetImages(pix); err != nil {
		t.Fatal(err)
	}
	var losses []float64
	for range 8 {
		l, err := n.Step()
		if err != nil {
			t.Fatal(err)
		}
		if losses = append(losses, l); math.IsNaN(l) || math.IsInf(l, 0) {
			t.Fatalf("losses %v", losses)
		}
		norm := 0.0
		for _, g := range n.Grads() {
			norm += float64(g) * float64(g)
		}
		if !(norm > 0) || math.IsInf(norm, 0) {
			t.Fatalf("sum of squared gradients %g", norm)
		}
		rate := float32(0.002 * l / math.Max(norm, 1e-12)) // a small part of the way to zero, were it a plane
		w := n.Weights()
		for i, g := range n.Grads() {
			w[i] -= rate * g
		}
	}
	if last := losses[len(losses)-1]; falls && last >= losses[0] {
		t.Errorf("losses %v do not fall", losses)
	}
	if err := n.Eval(); err != nil {
		t.Fatal(err)
	}
	h := n.HeadOutputs()
	if h.R != n.Model().Bins || h.K != cfg.Classes || h.A != anchors(cfg, n.Model().Head.Steps) {
		t.Errorf("outputs of %d anchors, %d bins, %d classes", h.A, h.R, h.K)
	}
	first(t, n, h, pix[:len(pix)/cfg.Batch])
}

// first holds what the first image, pix, gives alone against the front of what it gave among others.
func first(t *testing.T, n *model.Network, among loss.Heads, pix []float32) {
	t.Helper()
	box, class := slices.Clone(among.Box), slices.Clone(among.Class)
	if err := n.SetImages(pix); err != nil {
		t.Fatal(err)
	}
	if err := n.Eval(); err != nil {
		t.Fatal(err)
	}
	h := n.HeadOutputs()
	if h.N != 1 || !slices.Equal(h.Box, box[:len(h.Box)]) || !slices.Equal(h.Class, class[:len(h.Class)]) {
		t.Errorf("the first image alone gives %d images and other outputs", h.N)
	}
}

func anchors(cfg model.Config, strides []int) (n int) {
	for _, s := range strides {
		n += (cfg.Height / s) * (cfg.Width / s)
	}
	return n
}
