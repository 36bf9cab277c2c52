package layers

import (
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
)

// LossFunc computes a scalar loss from the raw output of one head set, and its gradients: dBox as h.Box
// (N*A*4*R floats), dClass as h.Class (N*A*K floats). Both are zero on entry. Weights and gains are the function's
// own. An error stops the step. h and the gradients are valid during the call only.
type LossFunc func(h loss.Heads, dBox, dClass []float32) (float64, error)

// HeadSet is the output of one detection head over all its levels. A box tensor has 4*Bins channels, side by side
// the logits for left, top, right and bottom; a class tensor has Classes channels.
type HeadSet struct {
	Name          string
	Bins, Classes int
	Box, Class    []*graph.Tensor // one a level, in the order of the anchors
	Strides       []int           // pixels of the image a cell, one a level
	Func          LossFunc
}

// Anchors is the number of anchor points of one image: the cells of all levels in a row, each level by rows.
func (h *HeadSet) Anchors() int {
	n := 0
	for _, t := range h.Box {
		n += t.H * t.W
	}
	return n
}

// Points returns the anchor points, the centres of the cells in pixels of the image (x, y for each anchor), and the
// stride of each anchor.
func (h *HeadSet) Points() (points, strides []float32) {
	for l, t := range h.Box {
		s := float32(h.Strides[l])
		for y := range t.H {
			for x := range t.W {
				points = append(points, (float32(x)+0.5)*s, (float32(y)+0.5)*s)
				strides = append(strides, s)
			}
		}
	}
	return points, strides
}

func (h *HeadSet) check() error {
	if len(h.Box) == 0 || len(h.Class) != len(h.Box) || len(h.Strides) != len(h.Box) {
		return fmt.Errorf("head set %s: %d box levels, %d class levels, %d strides: they must be as many, and at least 1",
			h.Name, len(h.Box), len(h.Class), len(h.Strides))
	}
	for l, box := range h.Box {
		class := h.Class[l]
		if box.C != 4*h.Bins || class.C != h.Classes || box.H != class.H || box.W != class.W {
			return fmt.Errorf("head set %s level %d: box %v and class %v do not fit %d bins and %d classes",
				h.Name, l, box.Shape, class.Shape, h.Bins, h.Classes)
		}
	}
	return nil
}

// Loss is the sum of the losses of the head sets. Its forward kernel collects each set into dense arrays and calls
// the set's function; its backward kernel puts the gradients back.
type Loss struct {
	graph.Base
	Sets []*HeadSet
}

// Kind returns "loss".
func (*Loss) Kind() string { return "loss" }

// AddLoss ends the network in the losses of the given head sets and returns the operation to differentiate. Inputs
// are ordered by set and level, box before class.
func AddLoss(b *graph.Builder, sets ...*HeadSet) *Loss {
	o := &Loss{Sets: sets}
	for _, s := range sets {
		if err := s.check(); err != nil {
			b.Fail(err)
			return o
		}
		for l := range s.Box {
			o.In = append(o.In, s.Box[l], s.Class[l])
		}
	}
	b.Apply(o)
	return o
}

// Plan sends one contribution to each head tensor. The kernel overwrites, so it must be the only one to do so.
func (o *Loss) Plan(p *graph.Planner) error {
	for _, x := range o.In {
		c := p.Contribute(x)
		if c.Add {
			return fmt.Errorf("loss: head tensor %s stands twice in the head sets", x.Name)
		}
		o.Sends = append(o.Sends, c)
	}
	return nil
}
