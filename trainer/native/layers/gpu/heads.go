package gpu

import (
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
)

// headsOf returns the dense room of a head set.
func (d *Device) headsOf(set *layers.HeadSet) (*Heads, error) {
	if h := d.heads[set]; h != nil {
		return h, nil
	}
	n, a, r, k := set.Box[0].N, set.Anchors(), set.Bins, set.Classes
	h := &Heads{set: set, host: loss.Heads{N: n, A: a, R: r, K: k, Box: make([]float32, n*a*4*r), Class: make([]float32, n*a*k)}}
	h.host.Points, h.host.Stride = set.Points()
	h.device = kernel.Heads{N: n, A: a, K: k, R: r}
	var err error
	for _, m := range []struct {
		to     *cuda.Ptr
		floats int
	}{{&h.device.Box, n * a * 4 * r}, {&h.device.Class, n * a * k}, {&h.dBox, n * a * 4 * r}, {&h.dClass, n * a * k}} {
		if *m.to, err = d.lend(4 * int64(m.floats)); err != nil {
			return nil, err
		}
	}
	if h.device.Points, err = table(d, h.host.Points); err != nil {
		return nil, err
	}
	if h.device.Strides, err = table(d, h.host.Stride); err != nil {
		return nil, err
	}
	first := 0
	for l := range set.Box {
		for _, t := range []struct {
			of           *graph.Tensor
			dense, grads cuda.Ptr
		}{{set.Box[l], h.device.Box, h.dBox}, {set.Class[l], h.device.Class, h.dClass}} {
			where, err := table(d, kernel.HeadTable(laneTable(t.of), lanes(t.of)))
			if err != nil {
				return nil, err
			}
			one := kernel.HeadTensor{View: d.data(t.of), Dense: t.dense, Table: where, First: int32(first), Channels: int32(t.of.C)}
			h.data = append(h.data, one)
			one.View, one.Dense = d.grad(t.of), t.grads
			h.grad = append(h.grad, one)
		}
		first += set.Box[l].H * set.Box[l].W
	}
	d.heads[set] = h
	return h, nil
}

// Gather are the launches that bring a head set's outputs to where the device's heads say, after a pass.
func (d *Device) Gather(set *layers.HeadSet) (kernel.Heads, []cuda.Launch, error) {
	h, err := d.headsOf(set)
	if err != nil {
		return kernel.Heads{}, nil, err
	}
	return h.device, h.gather(d.typ), nil
}

// gather collects the outputs in the dense arrays, and scatter brings the gradients from theirs to the head tensors.
func (h *Heads) gather(t kernel.Type) []cuda.Launch { return kernel.Gather(t, h.device.A, h.data...) }

func (h *Heads) scatter(t kernel.Type) []cuda.Launch { return kernel.Scatter(t, h.device.A, h.grad...) }
