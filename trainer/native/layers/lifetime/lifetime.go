// Package lifetime finds out when the buffers of a pass hold something, and arranges them in one arena so that buffers that
// live at the same time do not overlap. It knows descriptions, not where memory lies: any device may use it. Start reading at
// [Of].
package lifetime

import (
	"slices"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
)

// Buffer names a piece of memory of a pass.
type Buffer struct {
	T    *graph.Tensor // the tensor that the memory belongs to; of products the output of the layer
	What Content
}

// Content is what a buffer holds.
type Content int

const (
	Activation Content = iota // a tensor, and those that lie in it
	Gradient                  // its gradient, and those that lie in it
	Product                   // what a convolution makes before its normalisation
	Second                    // the same of the 1x1 arm of a convolution of two arms
)

// Whole is the buffer in which the given one lies.
func (b Buffer) Whole() Buffer {
	switch b.What {
	case Activation:
		b.T, _ = b.T.Data()
	case Gradient:
		b.T, _ = b.T.Grad()
	}
	return b
}

// Of finds out when the buffers of a pass are needed; in the order in which they begin. size is the length of a buffer.
//
// An activation lives from the step that writes it to the last that reads it: forward, or backward where the gradient
// of weights needs it. A gradient lives from its first contribution to the backward step of the layer that made the
// tensor. What a convolution makes before its normalisation lives until its own backward step. An image is written
// before the first step. The forward order alone, in evaluation, is the front of the same plan: what the loss reads is
// there at its end.
func Of(g *graph.Graph, size func(Buffer) int) []*Life {
	var all []*Life
	known := map[Buffer]*Life{}
	steps := slices.Concat(g.Forward, g.Backward)
	for i, s := range steps {
		for _, b := range uses(s) {
			b = b.Whole()
			l := known[b]
			if l == nil {
				l = &Life{Buffer: b, Size: size(b), First: i}
				if b.T.Image {
					l.First, l.Last = 0, len(steps)
				}
				known[b] = l
				all = append(all, l)
			}
			l.Last = max(l.Last, i)
		}
	}
	return all
}

// uses lists what the kernel of a step reads or writes.
func uses(s graph.Step) (all []Buffer) {
	add := func(what Content, ts ...*graph.Tensor) {
		for _, t := range ts {
			if t != nil && !(t.Image && what == Gradient) {
				all = append(all, Buffer{t, what})
			}
		}
	}
	in, out := s.Op.Inputs(), s.Op.Output()
	if s.Backward {
		add(Gradient, out)
		add(Gradient, in...)
	} else {
		add(Activation, in...)
		add(Activation, out)
	}
	switch op := s.Op.(type) {
	case *layers.Conv:
		add(Activation, in...)
		if op.Norm {
			add(Product, out)
		}
	case *layers.Rep:
		add(Activation, in...)
		add(Product, out)
		add(Second, out)
	}
	return all
}
