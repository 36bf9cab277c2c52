package gpu_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel/kerneltest"
	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
	"github.com/mapsweep/mapsweep/trainer/native/layers/layerstest"
)

// headed is a network of some layers between a stem and a head.
func headed(middle func(b *graph.Builder, x *graph.Tensor) *graph.Tensor) definition {
	return func(b *graph.Builder) (*graph.Tensor, *layers.Loss) {
		image := b.Image("image", 3, 10, 14)
		y := middle(b, layers.Convolve(b, "stem", image, layers.Form{Channels: 24, Kernel: 3, Stride: 2}))
		set := &layers.HeadSet{
			Name: "head", Bins: 3, Classes: 2, Strides: []int{2}, Func: layerstest.Smooth(1),
			Box: []*graph.Tensor{layers.Biased(b, "box", y, layers.Form{Channels: 12})}, Class: []*graph.Tensor{layers.HeadConv(b, "class", y, 2)},
		}
		return image, layers.AddLoss(b, set)
	}
}

// TestSumsPassGradientsOn: gradients of residual blocks have the bits of a network in which nothing shares a buffer. A summand takes
// the sum's gradient over without a copy, but where the other one still needs it.
func TestSumsPassGradientsOn(t *testing.T) {
	type builder = *graph.Builder
	type tensor = *graph.Tensor
	form := layers.Form{Channels: 24, Kernel: 3}
	block := func(b builder, name string, x tensor) tensor {
		y := layers.Convolve(b, name+".2", layers.RepConv(b, name+".1", x, form), form)
		return layers.Sum(b, name, x, y)
	}
	place := place(t)
	for _, c := range []struct {
		name   string
		copies int // of gradients, at sums
		middle func(b builder, x tensor) tensor
	}{
		{"blocks", 0, func(b builder, x tensor) tensor { return block(b, "b", block(b, "a", x)) }},
		{"blocks in a concatenation", 0, func(b builder, x tensor) tensor {
			return layers.Join(b, "all", block(b, "b", block(b, "a", layers.Convolve(b, "in", x, form))), layers.Convolve(b, "side", x, form))
		}},
		{"a block of a concatenation", 0, func(b builder, x tensor) tensor {
			y := layers.Join(b, "all", x, layers.Convolve(b, "more", x, form))
			wide := layers.Form{Channels: 48, Kernel: 1, Segments: y.Segments}
			return layers.Sum(b, "a", y, layers.Convolve(b, "a.2", layers.Convolve(b, "a.1", y, form), wide))
		}},
		{"a summand that was read before", 1, func(b builder, x tensor) tensor { return layers.Join(b, "all", block(b, "a", x), x) }},
		{"a summand made of the other", 0, func(b builder, x tensor) tensor { return layers.Sum(b, "a", x, layers.Convolve(b, "y", x, form)) }},
		{"a summand without normalisation", 1, func(b builder, x tensor) tensor {
			return layers.Sum(b, "a", x, layers.Biased(b, "a.2", layers.Convolve(b, "a.1", x, form), form))
		}},
		{"a summand that others read", 1, func(b builder, x tensor) tensor {
			y := layers.Convolve(b, "a.2", layers.Convolve(b, "a.1", x, form), form)
			return layers.Join(b, "all", layers.Sum(b, "a", x, y), layers.Convolve(b, "side", y, form))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, typ := range kerneltest.Types {
				define := headed(c.middle)
				n := build(t, place, typ, 2, define)
				apart := build(t, place, typ, 2, func(b builder) (tensor, *layers.Loss) { b.Copies(); return define(b) })
				if want, got := apart.run(t), n.run(t); got != want || !slices.Equal(n.d.Grads(), apart.d.Grads()) {
					t.Errorf("%v: loss %g, where nothing shares a buffer %g, or other gradients", typ, got, want)
				}
				if got := n.copies(t); got != c.copies {
					t.Errorf("%v: %d copies of gradients at sums, want %d", typ, got, c.copies)
				}
			}
		})
	}
}

// copies counts the launches that copy gradients back through sums.
func (n *network) copies(t *testing.T) (count int) {
	t.Helper()
	for _, s := range n.g.Backward {
		if _, ok := s.Op.(*layers.Add); !ok {
			continue
		}
		launches, err := n.d.Launches([]graph.Step{s}, true)
		must(t, err)
		for _, l := range launches {
			if strings.HasPrefix(l.Kernel, "copy_") {
				count++
			}
		}
	}
	return count
}
