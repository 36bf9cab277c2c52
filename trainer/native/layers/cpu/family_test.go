package cpu_test

import (
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
	"github.com/mapsweep/mapsweep/trainer/native/layers/layerstest"
)

// stem is a first layer of c channels on an image of 2h x 2w pixels.
func stem(b *graph.Builder, c, h, w int) (image, x *graph.Tensor) {
	image = b.Image("image", 3, 2*h, 2*w)
	return image, layers.ConvBNSiLU(b, "stem", image, c, 3, 2)
}

// TestFamilyGradients checks the layers of the larger detectors, at depths that are no multiple of 16 and odd extents, and
// their gradients on every other instruction set too.
func TestFamilyGradients(t *testing.T) {
	layerCases(t, familyCases())
	for _, set := range kernels.Supported()[1:] {
		t.Run(set, func(t *testing.T) {
			restore, err := kernels.Force(set)
			if err != nil {
				t.Fatal(err)
			}
			defer restore()
			for name, define := range familyCases() {
				t.Run(name, func(t *testing.T) { build(t, 2, all, define).check(t, 1) })
			}
		})
	}
}

func familyCases() map[string]definition {
	conv := func(b *graph.Builder, name string, x *graph.Tensor, f layers.Form) *graph.Tensor {
		return layers.Convolve(b, name, x, f)
	}
	return map[string]definition{
		"one channel, 24 and 60": func(b *graph.Builder) (*graph.Tensor, *layers.Loss) {
			i, x := stem(b, 24, 5, 7)
			x = conv(b, "a", x, layers.Form{Channels: 60, Kernel: 3})
			x = conv(b, "b", x, layers.Form{Channels: 1})
			return head(b, i, conv(b, "c", x, layers.Form{Channels: 24, Kernel: 3, Stride: 2}))
		},
		"image of one pixel more": func(b *graph.Builder) (*graph.Tensor, *layers.Loss) {
			i := b.Image("image", 3, 9, 11)
			return head(b, i, layers.ConvBNSiLU(b, "stem", i, 24, 3, 2))
		},
		"normalised without activation": func(b *graph.Builder) (*graph.Tensor, *layers.Loss) {
			i, x := stem(b, 16, 5, 6)
			return head(b, i, conv(b, "a", x, layers.Form{Channels: 20, Kernel: 3, Linear: true}))
		},
		"bias in the middle, 3x3 and 1x1": func(b *graph.Builder) (*graph.Tensor, *layers.Loss) {
			i, x := stem(b, 16, 5, 6)
			x = layers.Biased(b, "a", x, layers.Form{Channels: 20, Kernel: 3})
			return head(b, i, layers.Biased(b, "b", x, layers.Form{Channels: 40}))
		},
		"split in unlike parts, one unread": func(b *graph.Builder) (*graph.Tensor, *layers.Loss) {
			i, x := stem(b, 16, 5, 6)
			x = layers.Biased(b, "a", x, layers.Form{Channels: 101, Segments: graph.Segments{24, 60, 16, 1}})
			p := layers.Cut(b, x, 24, 60, 16, 1)
			y := layers.Join(b, "j", p[3], p[1], p[0])
			return head(b, i, conv(b, "b", y, layers.Form{Channels: 24, Kernel: 3}))
		},
		"split where no block ends": func(b *graph.Builder) (*graph.Tensor, *layers.Loss) {
			i, x := stem(b, 48, 5, 6)
			p := layers.Split(b, x, 2)
			y := layers.Join(b, "j", p[1], p[0], x)
			return head(b, i, conv(b, "b", y, layers.Form{Channels: 24, Kernel: 3}), p[0])
		},
		"halves joined in order": func(b *graph.Builder) (*graph.Tensor, *layers.Loss) {
			i, x := stem(b, 32, 5, 6)
			x = conv(b, "a", x, layers.Form{Channels: 48, Segments: graph.Segments{24, 24}})
			p := layers.Split(b, x, 2)
			u := conv(b, "u", p[1], layers.Form{Channels: 24, Kernel: 3})
			y := layers.Join(b, "j", p[0], p[1], u)
			return head(b, i, conv(b, "b", y, layers.Form{Channels: 24}))
		},
		"two arms": func(b *graph.Builder) (*graph.Tensor, *layers.Loss) {
			i, x := stem(b, 24, 5, 7)
			y := layers.RepConv(b, "r", x, layers.Form{Channels: 24})
			z := layers.RepConv(b, "s", y, layers.Form{Channels: 40, Segments: graph.Segments{20, 20}})
			return head(b, i, layers.Join(b, "j", x, z))
		},
		"bottleneck of two arms with a residual": func(b *graph.Builder) (*graph.Tensor, *layers.Loss) {
			i, x := stem(b, 24, 6, 5)
			y := conv(b, "a", layers.RepConv(b, "r", x, layers.Form{Channels: 24}), layers.Form{Channels: 24, Kernel: 3})
			return head(b, i, layers.Sum(b, "sum", x, y))
		},
		"sum of unlike storage": func(b *graph.Builder) (*graph.Tensor, *layers.Loss) {
			i, x := stem(b, 48, 6, 5)
			y := conv(b, "a", x, layers.Form{Channels: 48, Segments: graph.Segments{24, 24}})
			return head(b, i, layers.Sum(b, "s", x, y), layers.Sum(b, "t", y, x))
		},
		"mean, from even and odd extents": func(b *graph.Builder) (*graph.Tensor, *layers.Loss) {
			i, x := stem(b, 24, 8, 11)
			x = conv(b, "a", layers.Average(b, "p", x), layers.Form{Channels: 24, Kernel: 3, Stride: 2}) // 7x10 -> 4x5
			return head(b, i, layers.Average(b, "q", x), x)
		},
		"mean of two pixels each way": func(b *graph.Builder) (*graph.Tensor, *layers.Loss) {
			i, x := stem(b, 5, 2, 3)
			return head(b, i, layers.Average(b, "p", x))
		},
		"halving by mean, maximum and two arms": func(b *graph.Builder) (*graph.Tensor, *layers.Loss) {
			i, x := stem(b, 48, 9, 10)
			p := layers.Split(b, layers.Average(b, "p", x), 2)
			u := conv(b, "u", p[0], layers.Form{Channels: 32, Kernel: 3, Stride: 2})
			v := conv(b, "v", layers.PoolDown(b, "m", p[1]), layers.Form{Channels: 32})
			return head(b, i, layers.Join(b, "j", u, v))
		},
		"maximum at stride 2 of one row": func(b *graph.Builder) (*graph.Tensor, *layers.Loss) {
			i, x := stem(b, 24, 1, 7)
			return head(b, i, layers.PoolDown(b, "p", x), layers.PoolDown(b, "q", x))
		},
		"sum of three extents": func(b *graph.Builder) (*graph.Tensor, *layers.Loss) {
			i, x := stem(b, 24, 7, 9)
			y := conv(b, "y", x, layers.Form{Channels: 24, Kernel: 3, Stride: 2})                                // 4x5
			z := conv(b, "z", y, layers.Form{Channels: 24, Kernel: 3, Stride: 2})                                // 2x3
			f := layers.Merge(b, "f", z, y, x)                                                                   // up
			g := layers.Merge(b, "g", f, y, layers.PoolDown(b, "p", conv(b, "w", z, layers.Form{Channels: 24}))) // down
			return head(b, i, f, g, layers.Merge(b, "h", x, x, x), layers.Merge(b, "k", z))
		},
		"sum over the levels of divided convolutions": func(b *graph.Builder) (*graph.Tensor, *layers.Loss) {
			i, x := stem(b, 32, 8, 6)
			y := conv(b, "y", x, layers.Form{Channels: 48, Kernel: 3, Stride: 2})
			p := layers.Biased(b, "p", x, layers.Form{Channels: 24})
			q := layers.Cut(b, layers.Biased(b, "q", y, layers.Form{Channels: 64, Segments: graph.Segments{24, 40}}), 24, 40)
			f := layers.Merge(b, "f", p, q[0], conv(b, "a", x, layers.Form{Channels: 24, Kernel: 3}))
			g := layers.Merge(b, "g", q[1], conv(b, "b", f, layers.Form{Channels: 40, Kernel: 3, Stride: 2}))
			return head(b, i, f, g)
		},
		"groups that fill blocks": func(b *graph.Builder) (*graph.Tensor, *layers.Loss) {
			i, x := stem(b, 64, 5, 6)
			y := conv(b, "a", x, layers.Form{Channels: 64, Kernel: 3, Groups: 4})
			return grouped(b, i, y, 16, 3)
		},
		"groups of 6 channels": func(b *graph.Builder) (*graph.Tensor, *layers.Loss) {
			i, x := stem(b, 24, 5, 6)
			y := conv(b, "a", x, layers.Form{Channels: 40, Kernel: 3, Groups: 4, Stride: 2})
			return grouped(b, i, y, 3, 2)
		},
		"one channel a group": func(b *graph.Builder) (*graph.Tensor, *layers.Loss) {
			i, x := stem(b, 3, 5, 6)
			y := conv(b, "a", x, layers.Form{Channels: 6, Kernel: 3, Groups: 3})
			return head(b, i, y)
		},
	}
}

// grouped ends a definition in a head whose box tensor is a grouped convolution, one group a side of the box.
func grouped(b *graph.Builder, image, x *graph.Tensor, bins, classes int) (*graph.Tensor, *layers.Loss) {
	set := &layers.HeadSet{
		Name: "head", Bins: bins, Classes: classes, Strides: []int{2}, Func: layerstest.Smooth(1),
		Box:   []*graph.Tensor{layers.Biased(b, "box", x, layers.Form{Channels: 4 * bins, Groups: 4})},
		Class: []*graph.Tensor{layers.HeadConv(b, "class", x, classes)},
	}
	return image, layers.AddLoss(b, set)
}
