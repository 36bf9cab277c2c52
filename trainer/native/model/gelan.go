package model

import (
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
)

// strides of the head's levels, in pixels of the image a cell.
var strides = []int{8, 16}

// headWidth is the number of channels inside a head's branches.
const headWidth = 32

// gelan writes down gelan-n: a stem, two stages, a two-level neck, and a head at strides 8 and 16. With aux a second
// head reads the stages before the neck.
//
//	s1 3->16 /2, s2 16->32 /4, d2 32->64 /8, e2 (p3), d3 64->96 /16, e3 (p4),
//	n1 on (p4 doubled, p3), n2 64->64 /16, n3 on (n2, p4); heads on n1 and n3
func gelan(b *graph.Builder, cfg Config) (image *graph.Tensor, head, aux *layers.HeadSet) {
	image = b.Image("image", 3, cfg.Height, cfg.Width)
	x := layers.ConvBNSiLU(b, "s1", image, 16, 3, 2)
	x = layers.ConvBNSiLU(b, "s2", x, 32, 3, 2)
	x = layers.ConvBNSiLU(b, "d2", x, 64, 3, 2)
	p3 := elan(b, "e2", x, 64, 32)
	x = layers.ConvBNSiLU(b, "d3", p3, 96, 3, 2)
	p4 := elan(b, "e3", x, 96, 48)
	n1 := elan(b, "n1", layers.Join(b, "n1.in", layers.Double(b, "n1.up", p4), p3), 64, 32)
	n2 := layers.ConvBNSiLU(b, "n2", n1, 64, 3, 2)
	n3 := elan(b, "n3", layers.Join(b, "n3.in", n2, p4), 96, 48)
	head = detect(b, "head", cfg, n1, n3)
	head.Func = cfg.Loss
	if cfg.Aux {
		aux = detect(b, "aux", cfg, p3, p4)
		aux.Func = cfg.AuxLoss
	}
	return image, head, aux
}

// elan is the aggregation block: a = 1x1 to 2 hidden; u = 3x3 on a's second half; v = 3x3 on u; 1x1 on (a, u, v).
func elan(b *graph.Builder, name string, x *graph.Tensor, out, hidden int) *graph.Tensor {
	a := layers.ConvBNSiLU(b, name+".a", x, 2*hidden, 1, 1)
	halves := layers.Split(b, a, 2)
	u := layers.ConvBNSiLU(b, name+".u", halves[1], hidden, 3, 1)
	v := layers.ConvBNSiLU(b, name+".v", u, hidden, 3, 1)
	return layers.ConvBNSiLU(b, name+".out", layers.Join(b, name+".all", halves[0], halves[1], u, v), out, 1, 1)
}

// detect is an anchor-free head with one box branch and one class branch a level.
func detect(b *graph.Builder, name string, cfg Config, levels ...*graph.Tensor) *layers.HeadSet {
	h := &layers.HeadSet{Name: name, Bins: cfg.Bins, Classes: cfg.Classes}
	for i, x := range levels {
		level := fmt.Sprintf("%s%d", name, strides[i])
		box := layers.ConvBNSiLU(b, level+".box.conv", x, headWidth, 3, 1)
		class := layers.ConvBNSiLU(b, level+".class.conv", x, headWidth, 3, 1)
		h.Box = append(h.Box, layers.HeadConv(b, level+".box.out", box, 4*cfg.Bins))
		h.Class = append(h.Class, layers.HeadConv(b, level+".class.out", class, cfg.Classes))
		h.Strides = append(h.Strides, strides[i])
	}
	return h
}
