package model

import (
	"github.com/mapsweep/mapsweep/trainer/native/fold"
	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
	"github.com/mapsweep/mapsweep/trainer/native/model/spec"
)

// folder writes a model down for inference. Operations other than convolutions and sums are those of training.
type folder struct {
	builder
	kernels []kernel
}

var _ spec.Ops[*graph.Tensor] = (*folder)(nil)

// write plans a model for a batch of images.
func write(m *spec.Model, batch, width, height int) (*plan, error) {
	b := graph.NewBuilder(batch)
	w := &folder{builder: builder{Builder: b, height: height, width: width}}
	main, _ := spec.Build(m, w, false)
	p := &plan{head: headSet(m, main), kernels: w.kernels}
	var err error
	if p.schedule, err = b.Schedule(append(append([]*graph.Tensor(nil), p.head.Box...), p.head.Class...)...); err != nil {
		return nil, err
	}
	p.image = w.image
	return p, nil
}

func (b *folder) Conv(name string, x *graph.Tensor, c spec.Conv) *graph.Tensor {
	f := layers.Form{Channels: c.Out, Kernel: c.Kernel, Stride: c.Stride, Groups: c.Groups, Segments: c.Parts}
	op := layers.Folded(b.Builder, name, x, f, !c.Bias)
	fan := layers.FanIn(op.Learn[0])
	return b.made(op, func(t fold.Tensors) (fold.Conv, error) {
		if c.Bias {
			return t.Biased(name, c.Out, fan)
		}
		return t.Normalised(name, c.Out, fan)
	})
}

func (b *folder) RepConv(name string, x *graph.Tensor, out int) *graph.Tensor {
	op := layers.Folded(b.Builder, name, x, layers.Form{Channels: out, Kernel: 3}, true)
	in := x.C
	return b.made(op, func(t fold.Tensors) (fold.Conv, error) { return t.Rep(name, out, in) })
}

func (b *folder) made(op *layers.Fused, values func(fold.Tensors) (fold.Conv, error)) *graph.Tensor {
	b.kernels = append(b.kernels, kernel{op, values})
	return op.Out
}

// Add lets the convolution that was made last add x to what it makes, where that is y.
func (b *folder) Add(name string, x, y *graph.Tensor) *graph.Tensor {
	if last := b.kernels[len(b.kernels)-1].op; last.Out == y && last.Accept(x) {
		return y
	}
	return b.builder.Add(name, x, y)
}
