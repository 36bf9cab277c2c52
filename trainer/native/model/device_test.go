package model_test

import (
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
	"github.com/mapsweep/mapsweep/trainer/native/layers/cpu"
	"github.com/mapsweep/mapsweep/trainer/native/layers/layerstest"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
	"github.com/mapsweep/mapsweep/trainer/native/model"
)

// elsewhere is the CPU as a device with memory of its own, of which the arenas that a network sees are mirrors.
type elsewhere struct {
	*cpu.Device
	weights, grads, stats []float32
}

func newElsewhere(g *graph.Graph) (model.Device, error) {
	d := cpu.New(g)
	return &elsewhere{d, make([]float32, len(d.Weights())), make([]float32, len(d.Grads())), make([]float32, len(d.Stats()))}, nil
}

func (e *elsewhere) Weights() []float32 { return e.weights }
func (e *elsewhere) Grads() []float32   { return e.grads }
func (e *elsewhere) Stats() []float32   { return e.stats }

func (e *elsewhere) Upload() error {
	copy(e.Device.Weights(), e.weights)
	copy(e.Device.Stats(), e.stats)
	return nil
}

func (e *elsewhere) Download() error {
	copy(e.weights, e.Device.Weights())
	copy(e.grads, e.Device.Grads())
	copy(e.stats, e.Device.Stats())
	return nil
}

func (e *elsewhere) SetImages(image *graph.Tensor, pix []float32) error {
	e.Device.SetImages(image, pix)
	return nil
}

func (e *elsewhere) Outputs(set *layers.HeadSet, images int) loss.Heads {
	return e.Heads(set).Collect(images)
}

func (e *elsewhere) Resized(g *graph.Graph) (model.Device, error) {
	d, err := e.Device.Resized(g)
	return &elsewhere{d, e.weights, e.grads, e.stats}, err
}

// A network on a device with memory of its own is the same network: initial weights, a step and an evaluation at several
// sizes, and weights that are put in from outside.
func TestDeviceWithMemoryOfItsOwn(t *testing.T) {
	cfg := model.Config{Classes: 3, Width: 64, Height: 64, Largest: 96, Batch: 2, Seed: 4, Loss: layerstest.Smooth(1)}
	here := build(t, cfg)
	cfg.Device = newElsewhere
	there := build(t, cfg)
	if _, ok := there.Device().(*elsewhere); !ok {
		t.Fatalf("the network is on a %T", there.Device())
	}
	pass := func(side int) {
		t.Helper()
		var losses [2]float64
		var heads [2]loss.Heads
		for i, n := range []*model.Network{here, there} {
			n, err := n.Resized(side, side)
			if err != nil {
				t.Fatal(err)
			}
			pix := make([]float32, 2*side*side*3)
			for j := range pix {
				pix[j] = float32(j%251) / 250
			}
			if err = n.SetImages(pix); err == nil {
				losses[i], err = n.Step()
			}
			if err == nil {
				err = n.SetImages(pix)
			}
			if err == nil {
				err = n.Eval()
			}
			if err == nil {
				err = n.Device().Download()
			}
			if err != nil {
				t.Fatal(err)
			}
			heads[i] = n.HeadOutputs()
		}
		if losses[0] != losses[1] || losses[0] == 0 || !slices.Equal(heads[0].Class, heads[1].Class) {
			t.Errorf("%d pixels: losses %v, or outputs, differ", side, losses)
		}
		if !slices.Equal(here.Grads(), there.Grads()) || !slices.Equal(here.Stats(), there.Stats()) || !slices.Equal(here.Weights(), there.Weights()) {
			t.Errorf("%d pixels: arenas differ", side)
		}
	}
	pass(64)
	pass(96)
	for _, n := range []*model.Network{here, there} {
		for x := range n.NamedTensors() {
			if x.Stat {
				continue
			}
			v, err := x.Get(n.Weights())
			if err != nil {
				t.Fatal(err)
			}
			for i := range v {
				v[i] *= 1.1
			}
			if err := x.Set(n.Weights(), v); err != nil {
				t.Fatal(err)
			}
		}
		if err := n.Device().Upload(); err != nil {
			t.Fatal(err)
		}
	}
	pass(64)
}
