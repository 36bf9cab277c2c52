package model_test

import (
	"errors"
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/fold"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
	"github.com/mapsweep/mapsweep/trainer/native/model"
	"github.com/mapsweep/mapsweep/trainer/native/model/modeltest"
	"github.com/mapsweep/mapsweep/trainer/native/model/spec"
)

// trained is a model, narrow but for gelan-n, that looks as if it had been trained, without a loss.
func trained(t *testing.T, name string) (*model.Network, fold.Tensors) {
	t.Helper()
	cfg := model.Config{Model: name, Classes: 5, Width: 96, Height: 64, Batch: 3, Seed: 1}
	if name != "gelan-n" {
		cfg.File = narrow(t, name)
	}
	n := build(t, cfg)
	return n, modeltest.Scramble(t, n, 1)
}

// run computes the outputs for images.
func run(t *testing.T, n *model.Inference, pix []float32) loss.Heads {
	t.Helper()
	if err := n.SetImages(pix); err != nil {
		t.Fatal(err)
	}
	h, err := n.Run()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// worst is the largest difference, in units of the largest value.
func worst(got, want []float32) float64 {
	most, diff := 0.0, 0.0
	for i := range want {
		most = max(most, math.Abs(float64(want[i])))
		diff = max(diff, math.Abs(float64(got[i])-float64(want[i])))
	}
	return diff / most
}

// A network of inference gives what the network of training gives, in batches of any size, again and again, in less
// memory.
func TestInference(t *testing.T) {
	for _, name := range spec.Names() {
		t.Run(name, func(t *testing.T) {
			n, tensors := trained(t, name)
			checkInference(t, n, tensors)
		})
	}
}

func checkInference(t *testing.T, n *model.Network, tensors fold.Tensors) {
	t.Helper()
	cfg := n.Config()
	pix := images(cfg, cfg.Batch)
	if err := n.SetImages(pix); err != nil {
		t.Fatal(err)
	}
	if err := n.Eval(); err != nil {
		t.Fatal(err)
	}
	want := n.HeadOutputs()
	i, err := model.NewInference(n.Model(), cfg.Width, cfg.Height, cfg.Batch, tensors)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	got := run(t, i, pix)
	box, class := worst(got.Box, want.Box), worst(got.Class, want.Class)
	activations, weights := i.Bytes()
	t.Logf("largest difference %.1e of boxes, %.1e of classes; %d KiB of activations and %d KiB of weights, %d KiB in training",
		box, class, activations>>10, weights>>10, n.Bytes()>>10)
	if !(box < 1e-5 && class < 1e-5) || got.N != want.N || got.A != want.A || got.R != want.R || got.K != want.K {
		t.Errorf("differs by %g and %g of the largest value", box, class)
	}
	if activations+weights > n.Bytes()*2/3 { // of images this small nearly all is weights, 16/9 of those of training where transformed
		t.Errorf("%d bytes, %d in training", activations+weights, n.Bytes())
	}
	first, second := slices.Clone(got.Box), slices.Clone(got.Class)
	one := len(pix) / cfg.Batch
	for k := range cfg.Batch {
		alone := run(t, i, pix[k*one:(k+1)*one])
		b, c := len(alone.Box), len(alone.Class)
		if alone.N != 1 || !slices.Equal(alone.Box, first[k*b:(k+1)*b]) || !slices.Equal(alone.Class, second[k*c:(k+1)*c]) {
			t.Errorf("image %d alone gives other outputs", k)
		}
	}
	for _, threads := range []int{2, 3} {
		if err := i.UseThreads(threads); err != nil {
			t.Fatal(err)
		}
		for k := range 2 { // all images, then one
			some := run(t, i, pix[:len(pix)>>k/one*one])
			if !slices.Equal(some.Box, first[:len(some.Box)]) || !slices.Equal(some.Class, second[:len(some.Class)]) {
				t.Errorf("%d images on %d threads give other outputs", some.N, threads)
			}
		}
	}
}

// Copies share the weights and run side by side.
func TestInferenceCopies(t *testing.T) {
	n, tensors := trained(t, "gelan-n")
	i, err := model.NewInference(n.Model(), 96, 64, 0, tensors)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	if i.Batch() != 8 {
		t.Errorf("batch of %d", i.Batch())
	}
	cfg := n.Config()
	pix := images(cfg, 4)
	want := slices.Clone(run(t, i, pix).Class)
	var wait sync.WaitGroup
	for range 2 {
		wait.Go(func() {
			c, err := i.Copy()
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			if err := c.SetImages(pix); err != nil {
				t.Error(err)
			}
			if h, err := c.Run(); err != nil || !slices.Equal(h.Class, want) {
				t.Errorf("copy gives other outputs, %v", err)
			}
		})
	}
	run(t, i, pix)
	wait.Wait()
	if !slices.Equal(run(t, i, pix).Class, want) {
		t.Error("other outputs after the copies were closed")
	}
}

func TestInferenceFaults(t *testing.T) {
	n, tensors := trained(t, "gelan-n")
	if _, err := model.NewInference(n.Model(), 40, 64, 0, tensors); err == nil {
		t.Error("width 40")
	}
	i, err := model.NewInference(n.Model(), 96, 64, 2, tensors)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	one := 96 * 64 * 3
	for _, floats := range []int{0, one - 1, 3 * one} {
		if err := i.SetImages(make([]float32, floats)); err == nil {
			t.Errorf("%d floats", floats)
		}
	}
	if _, err := i.Run(); err == nil {
		t.Error("run without images")
	}
	delete(tensors.Named, "e2.a.gamma")
	if _, err := model.NewInference(n.Model(), 96, 64, 0, tensors); !errors.Is(err, fold.ErrMissing) {
		t.Errorf("without a tensor: %v", err)
	}
}
