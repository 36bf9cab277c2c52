package model

import (
	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
	"github.com/mapsweep/mapsweep/trainer/native/model/spec"
)

// builder writes a model down as a graph.
type builder struct {
	*graph.Builder
	height, width int
	torch         bool // parameters have the names of PyTorch's modules
	image         *graph.Tensor
}

var _ spec.Ops[*graph.Tensor] = (*builder)(nil)

// build writes m down, with the parts that serve training alone if it has any; aux is nil otherwise.
func build(b *graph.Builder, m *spec.Model, cfg Config) (image *graph.Tensor, head, aux *layers.HeadSet) {
	w := &builder{Builder: b, height: cfg.Height, width: cfg.Width, torch: !m.Labels}
	main, auxiliary := spec.Build(m, w, true)
	head = headSet(m, main)
	head.Func = cfg.Loss
	if len(auxiliary.Box) > 0 {
		aux = headSet(m, auxiliary)
		aux.Func = cfg.AuxLoss
	}
	return w.image, head, aux
}

func headSet(m *spec.Model, o spec.Outputs[*graph.Tensor]) *layers.HeadSet {
	return &layers.HeadSet{Name: o.Name, Bins: m.Bins, Classes: m.Classes, Box: o.Box, Class: o.Class, Strides: m.Head.Steps}
}

func (b *builder) Image() *graph.Tensor {
	b.image = b.Builder.Image("image", 3, b.height, b.width)
	return b.image
}

func (b *builder) Conv(name string, x *graph.Tensor, c spec.Conv) *graph.Tensor {
	f := layers.Form{Channels: c.Out, Kernel: c.Kernel, Stride: c.Stride, Groups: c.Groups, Segments: c.Parts, Torch: b.torch}
	if c.Bias {
		return layers.Biased(b.Builder, name, x, f)
	}
	return layers.Convolve(b.Builder, name, x, f)
}

func (b *builder) RepConv(name string, x *graph.Tensor, out int) *graph.Tensor {
	return layers.RepConv(b.Builder, name, x, layers.Form{Channels: out, Torch: b.torch})
}

func (b *builder) Add(name string, x, y *graph.Tensor) *graph.Tensor {
	return layers.Sum(b.Builder, name, x, y)
}

func (b *builder) Concat(name string, xs []*graph.Tensor) *graph.Tensor {
	return layers.Join(b.Builder, name, xs...)
}

func (b *builder) Split(x *graph.Tensor, parts []int) []*graph.Tensor {
	return layers.Cut(b.Builder, x, parts...)
}

func (b *builder) AvgPool(name string, x *graph.Tensor) *graph.Tensor {
	return layers.Average(b.Builder, name, x)
}

func (b *builder) MaxPool(name string, x *graph.Tensor, kernel, _ int) *graph.Tensor {
	if kernel == 3 {
		return layers.PoolDown(b.Builder, name, x)
	}
	return layers.Pool(b.Builder, name, x)
}

func (b *builder) Upsample(name string, x *graph.Tensor) *graph.Tensor {
	return layers.Double(b.Builder, name, x)
}

func (b *builder) Fuse(name string, xs []*graph.Tensor) *graph.Tensor {
	return layers.Merge(b.Builder, name, xs...)
}

func (b *builder) Channels(x *graph.Tensor) int { return x.C }

// Fixed has nothing to do: the loss knows the bins' numbers.
func (b *builder) Fixed(string, ...int) {}

func (b *builder) Enter(int, bool) {}
