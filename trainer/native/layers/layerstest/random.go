package layerstest

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
)

// RandomNet writes down a random network on an image of w x h pixels, multiples of 4: fan-outs, nested concatenations
// and splits, repeated inputs, sums, pools, and ways down and up again. It has one head set with 3 bins and 5 classes
// on two tensors of equal extent. It returns the image and the loss.
func RandomNet(b *graph.Builder, seed uint64, w, h int) (*graph.Tensor, *layers.Loss) {
	n := &net{b: b, draw: rand.New(rand.NewPCG(seed, 7)), used: map[*graph.Tensor]int{}}
	image := b.Image("image", 3, h, w)
	n.tensors = []*graph.Tensor{layers.ConvBNSiLU(b, "stem", image, 32, 3, 2)}
	for i := range 14 {
		n.grow(fmt.Sprintf("l%d", i))
	}
	var open []*graph.Tensor
	for _, t := range n.tensors {
		if n.used[t] == 0 {
			open = append(open, t)
		}
	}
	last := layers.ConvBNSiLU(b, "last", layers.Join(b, "last.in", open...), 32, 3, 1)
	middle := n.tensors[len(n.tensors)/2]
	set := &layers.HeadSet{
		Name: "head", Bins: 3, Classes: 5, Strides: []int{2, 2}, Func: Smooth(1),
		Box:   []*graph.Tensor{layers.HeadConv(b, "box0", last, 12), layers.HeadConv(b, "box1", middle, 12)},
		Class: []*graph.Tensor{layers.HeadConv(b, "class0", last, 5), layers.HeadConv(b, "class1", middle, 5)},
	}
	return image, layers.AddLoss(b, set)
}

type net struct {
	b       *graph.Builder
	draw    *rand.Rand
	tensors []*graph.Tensor
	used    map[*graph.Tensor]int
}

// pick draws a tensor, the newest more often than others.
func (n *net) pick() *graph.Tensor {
	t := n.tensors[len(n.tensors)-1]
	if n.draw.IntN(3) == 0 {
		t = n.tensors[n.draw.IntN(len(n.tensors))]
	}
	n.used[t]++
	return t
}

func (n *net) grow(name string) {
	b, x := n.b, n.pick()
	switch n.draw.IntN(8) {
	case 0:
		n.keep(layers.ConvBNSiLU(b, name, x, 16*(1+n.draw.IntN(4)), 1+2*n.draw.IntN(2), 1))
	case 1, 2:
		xs := []*graph.Tensor{x}
		for range 1 + n.draw.IntN(3) {
			xs = append(xs, n.pick())
		}
		n.keep(layers.ConvBNSiLU(b, name, layers.Join(b, name+".in", xs...), 32, 1, 1))
	case 3, 4:
		n.split(name, x)
	case 5:
		y := n.pick()
		if y.C != x.C {
			n.used[y]--
			y = layers.ConvBNSiLU(b, name, x, x.C, 3, 1)
		}
		n.keep(layers.Sum(b, name+".sum", x, y))
	case 6:
		n.keep(layers.Pool(b, name, x))
	case 7:
		down := layers.ConvBNSiLU(b, name+".down", x, 32, 3, 2)
		up := layers.ConvBNSiLU(b, name+".up", layers.Double(b, name+".twice", down), x.C, 1, 1)
		n.keep(layers.Sum(b, name+".sum", x, up))
	}
}

// split divides x where its channels allow, and sometimes joins the parts again at once, whole and in order or not.
func (n *net) split(name string, x *graph.Tensor) {
	if x.C%32 != 0 {
		n.keep(layers.ConvBNSiLU(n.b, name, x, 32, 1, 1))
		return
	}
	parts := layers.Split(n.b, x, 2)
	switch n.draw.IntN(3) {
	case 0:
		n.keep(parts...)
		return
	case 1:
		slices.Reverse(parts)
	}
	extra := n.pick()
	joined := layers.Join(n.b, name+".in", append(parts, extra)...)
	n.keep(layers.ConvBNSiLU(n.b, name, joined, 48, 1, 1))
}

func (n *net) keep(ts ...*graph.Tensor) { n.tensors = append(n.tensors, ts...) }
