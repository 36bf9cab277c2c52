package cpu

import (
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
)

// bind returns what carries out an operation for the first images of the batch; nil where nothing is to be done.
func (d *Inference) bind(op graph.Op) (func(images int), error) {
	var x, y kernels.View
	if in := op.Inputs(); len(in) > 0 {
		x = d.view(in[0])
	}
	if out := op.Output(); out != nil {
		y = d.view(out)
	}
	switch op := op.(type) {
	case *layers.Fused:
		return d.fused(op)
	case *layers.Concat:
		return d.concat(op), nil
	case *layers.Part:
		return nil, nil
	case *layers.Add:
		other := d.view(op.In[1])
		return func(n int) { kernels.Add(first(x, n), first(other, n), first(y, n)) }, nil
	case *layers.Upsample:
		return func(n int) { kernels.UpsampleForward(first(x, n), first(y, n)) }, nil
	case *layers.MaxPool:
		if op.Stride == 2 {
			return func(n int) { kernels.MaxDown(first(x, n), first(y, n)) }, nil
		}
		return func(n int) { kernels.Max(first(x, n), first(y, n)) }, nil
	case *layers.AvgPool:
		return func(n int) { kernels.MeanForward(first(x, n), first(y, n)) }, nil
	case *layers.Fuse:
		return d.fuse(op, y), nil
	case *layers.Regroup:
		from, to := lanes(op.In[0]), lanes(op.Out)
		return func(n int) {
			kernels.Zero(first(y, n)) // padding lanes are not written
			kernels.Regroup(first(x, n), from, first(y, n), to, false)
		}, nil
	}
	return nil, fmt.Errorf("no kernel of inference for %T", op)
}

// first is v for the first n images.
func first(v kernels.View, n int) kernels.View {
	v.N = n
	return v
}

// fused makes one convolution for each group.
func (d *Inference) fused(op *layers.Fused) (func(images int), error) {
	x, y := d.view(op.In[0]), d.view(op.Out)
	w, bias := op.Learn[0], op.Learn[1]
	var all []*kernels.Fused
	for _, b := range banks(w) {
		s := fusedSpec(op, b, x, y)
		s.W, s.Bias = d.weights.bank(w, b), d.weights.arena[bias.Off:][b.first*graph.Block:][:b.count*graph.Block]
		s.Winograd, s.Room = d.weights.winograd[w], &d.room
		if len(op.In) > 1 {
			s.Add = d.view(op.In[1]).Part(b.first, b.count)
		}
		f, err := kernels.NewFused(s)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", op.Name, err)
		}
		all = append(all, f)
		d.convs = append(d.convs, f)
	}
	return func(n int) {
		for _, f := range all {
			f.Forward(n)
		}
	}, nil
}

// fusedSpec describes a group of a convolution of x to y, but for its weights and what is added.
func fusedSpec(op *layers.Fused, b bank, x, y kernels.View) kernels.FusedSpec {
	s := kernels.FusedSpec{
		K: op.Kernel, S: op.Stride, IC: b.countIn * graph.Block, OC: b.count * graph.Block, Image: op.In[0].Image, Active: op.Active,
		ILanes: b.in, OLanes: b.out, X: x, Y: y.Part(b.first, b.count),
	}
	if s.Image {
		s.IC, s.ILanes = len(b.in), nil
	} else {
		s.X = x.Part(b.firstIn, b.countIn)
	}
	return s
}

func (d *Inference) concat(op *layers.Concat) func(images int) {
	if len(op.Copied) == 0 {
		return nil
	}
	whole := d.view(op.Out)
	var ts []transfer
	for _, i := range op.Copied {
		ts = append(ts, transfer{from: d.view(op.In[i]), to: whole.Part(op.First[i], op.In[i].Blocks())})
	}
	return func(n int) {
		for _, t := range ts {
			kernels.Copy(first(t.from, n), first(t.to, n), false)
		}
	}
}

// fuse adds the inputs up in their order; the first one overwrites.
func (d *Inference) fuse(op *layers.Fuse, y kernels.View) func(images int) {
	var xs []kernels.View
	for _, x := range op.In {
		xs = append(xs, d.view(x))
	}
	return func(n int) {
		for i, x := range xs {
			kernels.ResizeForward(first(x, n), first(y, n), i > 0)
		}
	}
}
