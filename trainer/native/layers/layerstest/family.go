package layerstest

import (
	"fmt"
	"math/rand/v2"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
)

// depths are channel counts that a random network draws from: whole blocks, parts of one, and one channel.
var depths = []int{1, 16, 20, 24, 32, 48, 60}

// RandomFamilyNet writes down a random network like [RandomNet] of all layers that the larger detectors are made of:
// convolutions with groups, without activation, with bias and of two arms, means, both maxima, sums of several extents,
// and splits at any depth. The image may have any extent from 8 pixels on.
func RandomFamilyNet(b *graph.Builder, seed uint64, w, h int) (*graph.Tensor, *layers.Loss) {
	n := &net{b: b, draw: rand.New(rand.NewPCG(seed, 11)), used: map[*graph.Tensor]int{}}
	image := b.Image("image", 3, h, w)
	n.tensors = []*graph.Tensor{layers.ConvBNSiLU(b, "stem", image, n.depth(), 3, 2)}
	for i := range 12 {
		n.growFamily(fmt.Sprintf("l%d", i))
	}
	first := n.tensors[0]
	open := []*graph.Tensor{first}
	for _, t := range n.tensors[1:] {
		if n.used[t] == 0 {
			open = append(open, n.like(t.Name+".end", t, first))
		}
	}
	last := layers.Convolve(b, "last", layers.Join(b, "last.in", open...), layers.Form{Channels: 24, Kernel: 3})
	middle := n.tensors[len(n.tensors)/2]
	set := &layers.HeadSet{
		Name: "head", Bins: 3, Classes: 5, Strides: []int{2, 2}, Func: Smooth(1),
		Box:   []*graph.Tensor{layers.Biased(b, "box0", last, layers.Form{Channels: 12, Groups: 4}), layers.HeadConv(b, "box1", middle, 12)},
		Class: []*graph.Tensor{layers.HeadConv(b, "class0", last, 5), layers.HeadConv(b, "class1", middle, 5)},
	}
	return image, layers.AddLoss(b, set)
}

func (n *net) depth() int { return depths[n.draw.IntN(len(depths))] }

// like brings t to the extent of x.
func (n *net) like(name string, t, x *graph.Tensor) *graph.Tensor {
	if t.H == x.H && t.W == x.W {
		return t
	}
	return layers.Merge(n.b, name, t, layers.Convolve(n.b, name+".at", x, layers.Form{Channels: t.C}))
}

func (n *net) growFamily(name string) {
	b, x := n.b, n.pick()
	form := layers.Form{Channels: n.depth(), Kernel: 1 + 2*n.draw.IntN(2), Linear: n.draw.IntN(4) == 0}
	switch n.draw.IntN(11) {
	case 0:
		n.keep(layers.Convolve(b, name, x, form))
	case 1:
		form.Linear = false
		n.keep(layers.RepConv(b, name, x, form))
	case 2:
		form.Groups = []int{2, 3, 4}[n.draw.IntN(3)]
		form.Channels = form.Groups * []int{1, 5, 16}[n.draw.IntN(3)]
		n.keep(layers.Convolve(b, name, layers.Convolve(b, name+".in", x, layers.Form{Channels: 12}), form))
	case 3:
		n.keep(layers.Biased(b, name, x, form))
	case 4:
		y := layers.RepConv(b, name+".rep", x, layers.Form{Channels: x.C})
		n.keep(layers.Sum(b, name, layers.Convolve(b, name+".conv", y, layers.Form{Channels: x.C, Kernel: 3}), x))
	case 5:
		n.keep(layers.Pool(b, name, x))
	case 6:
		xs := []*graph.Tensor{x}
		for i := range 1 + n.draw.IntN(3) {
			xs = append(xs, n.like(fmt.Sprintf("%s.%d", name, i), n.pick(), x))
		}
		n.keep(layers.Convolve(b, name, layers.Join(b, name+".in", xs...), form))
	case 7, 8:
		n.cut(name, x, form)
	case 9:
		n.halve(name, x, form)
	case 10:
		n.keep(layers.Merge(b, name, layers.Convolve(b, name+".a", n.pick(), layers.Form{Channels: x.C}), x, x))
	}
}

// cut divides x, or a convolution made for it, and keeps some of the parts or joins all again.
func (n *net) cut(name string, x *graph.Tensor, form layers.Form) {
	sizes := []int{n.depth(), n.depth()}
	form.Channels = sizes[0] + sizes[1]
	if n.draw.IntN(2) == 0 {
		form.Segments = sizes
	}
	parts := layers.Cut(n.b, layers.Convolve(n.b, name+".whole", x, form), sizes...)
	if n.draw.IntN(2) == 0 {
		n.keep(parts...)
		return
	}
	u := layers.Convolve(n.b, name+".u", parts[1], layers.Form{Channels: n.depth(), Kernel: 3})
	n.keep(layers.Convolve(n.b, name, layers.Join(n.b, name+".in", parts[0], parts[1], u), layers.Form{Channels: n.depth()}))
}

// halve makes x smaller: by a convolution with stride 2 or, after a mean, by that beside a maximum.
func (n *net) halve(name string, x *graph.Tensor, form layers.Form) {
	form.Kernel, form.Stride = 3, 2
	if x.H < 4 || x.W < 4 || n.draw.IntN(2) == 0 {
		n.keep(layers.Convolve(n.b, name, x, form))
		return
	}
	mean := layers.Average(n.b, name+".mean", x)
	u := layers.Convolve(n.b, name+".u", mean, form)
	v := layers.Convolve(n.b, name+".v", layers.PoolDown(n.b, name+".max", mean), layers.Form{Channels: n.depth()})
	n.keep(layers.Join(n.b, name, u, v))
}
