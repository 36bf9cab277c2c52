package cpu

import (
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
)

// SetImages fills the front of an image buffer: H*W*3 floats an image, by rows, RGB interleaved. Of devices that share
// memory, the one whose images were set last is the one that may run.
func (d *Device) SetImages(image *graph.Tensor, pix []float32) {
	d.enter()
	kernels.PackImages(pix, d.View(image))
}

// Heads collects the outputs of one head set into dense arrays.
type Heads struct {
	dense      loss.Heads
	box, class []level
}

// level is one segment of a head tensor and its place among the channels of the anchors of an image.
type level struct {
	data, grad kernels.View
	place      kernels.Dense
}

// Heads returns the collector of a head set.
func (d *Device) Heads(set *layers.HeadSet) *Heads {
	if h := d.heads[set]; h != nil {
		return h
	}
	h := newHeads(set, d.lend, d.View, d.GradView)
	d.heads[set] = h
	return h
}

// newHeads makes a collector of a head set whose tensors lie where data and grad say; grad is nil where there are none.
func newHeads(set *layers.HeadSet, alloc func(floats int) []float32, data, grad func(*graph.Tensor) kernels.View) *Heads {
	h := &Heads{dense: loss.Heads{N: set.Box[0].N, A: set.Anchors(), R: set.Bins, K: set.Classes}}
	h.dense.Points, h.dense.Stride = set.Points()
	h.dense.Box = alloc(h.dense.N * h.dense.A * 4 * set.Bins)
	h.dense.Class = alloc(h.dense.N * h.dense.A * set.Classes)
	first := 0
	for l, box := range set.Box {
		h.box = append(h.box, levels(box, h.dense.A, first, data, grad)...)
		h.class = append(h.class, levels(set.Class[l], h.dense.A, first, data, grad)...)
		first += box.H * box.W
	}
	return h
}

// levels places t's segments, whose first pixel is anchor number first.
func levels(t *graph.Tensor, anchors, first int, data, grad func(*graph.Tensor) kernels.View) (ls []level) {
	at, block := 0, 0
	for _, c := range t.Segments.Normal() {
		n := kernels.Blocks(c)
		l := level{
			data:  data(t).Part(block, n),
			place: kernels.Dense{Anchors: anchors, First: first, Channels: t.C, At: at, Count: c},
		}
		if grad != nil {
			l.grad = grad(t).Part(block, n)
		}
		ls = append(ls, l)
		at += c
		block += n
	}
	return ls
}

// Collect gathers the outputs for the first n images. The result is overwritten by the next call.
func (h *Heads) Collect(n int) loss.Heads {
	out := h.dense
	out.N = n
	out.Box, out.Class = out.Box[:n*out.A*4*out.R], out.Class[:n*out.A*out.K]
	gather(h.box, out.Box, n)
	gather(h.class, out.Class, n)
	return out
}

func gather(ls []level, dense []float32, n int) {
	for _, l := range ls {
		l.data.N = n
		kernels.Unpack(l.data, dense, l.place)
	}
}

// scatter writes dense gradients into the gradients of the head tensors, and zero into their padding lanes.
func scatter(ls []level, dense []float32) {
	for _, l := range ls {
		kernels.Pack(dense, l.grad, l.place)
	}
}

// lossState is what a loss keeps between forward and backward.
type lossState struct{ sets []setState }

type setState struct {
	set          *layers.HeadSet
	heads        *Heads
	dBox, dClass []float32
}

func (d *Device) loss(op *layers.Loss, backward bool) graph.Kernel {
	st := d.losses[op]
	if st == nil {
		st = &lossState{}
		for _, set := range op.Sets {
			h := d.Heads(set)
			st.sets = append(st.sets, setState{set, h, d.lend(len(h.dense.Box)), d.lend(len(h.dense.Class))})
		}
		d.losses[op] = st
	}
	if backward {
		return d.prepared(&op.Base, st.backward)
	}
	return graph.KernelFunc(st.forward)
}

func (st *lossState) forward(p *graph.Pass) error {
	p.Loss = 0
	for i := range st.sets {
		s := &st.sets[i]
		if s.set.Func == nil {
			return fmt.Errorf("head set %s has no loss", s.set.Name)
		}
		clear(s.dBox)
		clear(s.dClass)
		v, err := s.set.Func(s.heads.Collect(s.heads.dense.N), s.dBox, s.dClass)
		if err != nil {
			return fmt.Errorf("loss of %s: %w", s.set.Name, err)
		}
		p.Loss += v
	}
	return nil
}

func (st *lossState) backward() {
	for i := range st.sets {
		s := &st.sets[i]
		scatter(s.heads.box, s.dBox)
		scatter(s.heads.class, s.dClass)
	}
}
