package gpu

import (
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
)

// level is one segment of a head tensor and its place among the channels of the anchors of an image.
type level struct {
	data, grad                          kernel.View
	anchors, first, channels, at, count int
}

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
		if *m.to, err = d.take(4 * int64(m.floats)); err != nil {
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
	for l, box := range set.Box {
		h.box = append(h.box, d.levels(box, a, first)...)
		h.class = append(h.class, d.levels(set.Class[l], a, first)...)
		first += box.H * box.W
	}
	d.heads[set] = h
	return h, nil
}

// levels places t's segments, whose first pixel is anchor number first.
func (d *Device) levels(t *graph.Tensor, anchors, first int) (ls []level) {
	at, block := 0, 0
	for _, c := range t.Segments.Normal() {
		n := (c + graph.Block - 1) / graph.Block
		ls = append(ls, level{
			data: d.window(d.data(t), block, n), grad: d.window(d.grad(t), block, n),
			anchors: anchors, first: first, channels: t.C, at: at, count: c,
		})
		at += c
		block += n
	}
	return ls
}
