package cpu

import (
	"slices"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
)

// buffer names a piece of memory of a pass.
type buffer struct {
	t    *graph.Tensor // the tensor that the memory belongs to; of products the output of the layer
	what content
}

// content is what a buffer holds.
type content int

const (
	activation content = iota // a tensor, and those that lie in it
	slope                     // its gradient, and those that lie in it
	product                   // what a convolution makes before its normalisation
	second                    // the same of the 1x1 arm of a convolution of two arms
)

// whole is the buffer in which the given one lies.
func (b buffer) whole() buffer {
	switch b.what {
	case activation:
		b.t, _ = b.t.Data()
	case slope:
		b.t, _ = b.t.Grad()
	}
	return b
}

// lives finds out when the buffers of a pass are needed; in the order in which they begin.
//
// An activation lives from the step that writes it to the last that reads it: forward, or backward where the gradient
// of weights needs it. A gradient lives from its first contribution to the backward step of the layer that made the
// tensor. What a convolution makes before its normalisation lives until its own backward step. An image is written
// before the first step. The forward order alone, in evaluation, is the front of the same plan: what the loss reads is
// there at its end.
func lives(g *graph.Graph) []*life {
	var all []*life
	known := map[buffer]*life{}
	steps := slices.Concat(g.Forward, g.Backward)
	for i, s := range steps {
		for _, b := range uses(s) {
			b = b.whole()
			l := known[b]
			if l == nil {
				l = &life{buffer: b, floats: shape(b.t).Floats(), first: i}
				if b.t.Image {
					l.first, l.last = 0, len(steps)
				}
				known[b] = l
				all = append(all, l)
			}
			l.last = max(l.last, i)
		}
	}
	return all
}

// uses lists what the kernel of a step reads or writes.
func uses(s graph.Step) (all []buffer) {
	add := func(what content, ts ...*graph.Tensor) {
		for _, t := range ts {
			if t != nil && !(t.Image && what == slope) {
				all = append(all, buffer{t, what})
			}
		}
	}
	in, out := s.Op.Inputs(), s.Op.Output()
	if s.Backward {
		add(slope, out)
		add(slope, in...)
	} else {
		add(activation, in...)
		add(activation, out)
	}
	switch op := s.Op.(type) {
	case *layers.Conv:
		add(activation, in...)
		if op.Norm {
			add(product, out)
		}
	case *layers.Rep:
		add(activation, in...)
		add(product, out)
		add(second, out)
	}
	return all
}
