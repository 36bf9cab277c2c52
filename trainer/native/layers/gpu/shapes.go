package gpu

import (
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
)

// The layers that only move or compare values.

// pick selects views of gradients or of data.
func (d *Device) pick(backward bool) func(*graph.Tensor) kernel.View {
	if backward {
		return d.grad
	}
	return d.data
}

func (d *Device) concat(op *layers.Concat, backward bool) *work {
	whole := d.pick(backward)(op.Out)
	slice := func(i int) kernel.View { return d.window(whole, op.First[i], op.In[i].Blocks()) }
	var all []cuda.Launch
	if !backward {
		for _, i := range op.Copied {
			all = append(all, kernel.Copy(d.typ, d.data(op.In[i]), slice(i), false))
		}
		return always(all...)
	}
	for k, c := range op.Sends {
		all = append(all, kernel.Copy(d.typ, slice(op.SendOf[k]), d.grad(c.To), c.Add))
	}
	return d.prepared(&op.Base, all...)
}

func (d *Device) part(op *layers.Part, backward bool) *work {
	if !backward {
		return nil
	}
	return d.prepared(&op.Base)
}

func (d *Device) add(op *layers.Add, backward bool) *work {
	if r, ok := d.sums[op]; ok && !backward {
		return always(d.activateIn(r.of, r.other, op.Out)...)
	}
	if !backward {
		return always(kernel.Add(d.typ, d.data(op.In[0]), d.data(op.In[1]), d.data(op.Out)))
	}
	var all []cuda.Launch
	for _, c := range op.Sends {
		if c.Add || d.inherits[c.To] != op.Out {
			all = append(all, kernel.Copy(d.typ, d.grad(op.Out), d.grad(c.To), c.Add))
		}
	}
	return d.prepared(&op.Base, all...)
}

func (d *Device) upsample(op *layers.Upsample, backward bool) *work {
	x, y := d.pick(backward)(op.In[0]), d.pick(backward)(op.Out)
	if !backward {
		return always(kernel.Upsample(d.typ, x, y))
	}
	return d.prepared(&op.Base, kernel.UpsampleGrad(d.typ, y, x, op.Sends[0].Add))
}

func (d *Device) maxPool(op *layers.MaxPool, backward bool) (*work, error) {
	x, y := d.pick(backward)(op.In[0]), d.pick(backward)(op.Out)
	index, ok := d.indices[op]
	if !ok {
		var err error
		if index, err = d.lend(kernel.PoolIndexBytes(y)); err != nil {
			return nil, err
		}
		d.indices[op] = index
	}
	if !backward {
		return always(kernel.MaxPool(d.typ, x, y, op.Kernel, op.Stride, index)), nil
	}
	return d.prepared(&op.Base, kernel.MaxPoolGrad(d.typ, y, x, op.Kernel, op.Stride, index, op.Sends[0].Add)), nil
}

func (d *Device) avgPool(op *layers.AvgPool, backward bool) *work {
	x, y := d.pick(backward)(op.In[0]), d.pick(backward)(op.Out)
	if !backward {
		return always(kernel.Mean2x2(d.typ, x, y))
	}
	return d.prepared(&op.Base, kernel.Mean2x2Grad(d.typ, y, x, op.Sends[0].Add))
}

// fuse adds the inputs up in their order; the first one overwrites.
func (d *Device) fuse(op *layers.Fuse, backward bool) *work {
	y := d.pick(backward)(op.Out)
	var all []cuda.Launch
	if !backward {
		for i, x := range op.In {
			all = append(all, kernel.Resize(d.typ, d.data(x), y, i > 0))
		}
		return always(all...)
	}
	for _, c := range op.Sends {
		all = append(all, kernel.ResizeGrad(d.typ, y, d.grad(c.To), c.Add))
	}
	return d.prepared(&op.Base, all...)
}

// regroup writes all lanes that it does not add to, those without a channel too.
func (d *Device) regroup(op *layers.Regroup, backward bool) (*work, error) {
	x, y := op.In[0], op.Out
	from, to := x, y
	if backward {
		from, to = y, x
	}
	lane, err := table(d, kernel.RegroupTable(laneTable(from), laneTable(to), lanes(to)))
	if err != nil {
		return nil, err
	}
	if !backward {
		return always(kernel.Regroup(d.typ, d.data(x), d.data(y), lane, false)), nil
	}
	return d.prepared(&op.Base, kernel.Regroup(d.typ, d.grad(y), d.grad(x), lane, op.Sends[0].Add)), nil
}

func laneTable(t *graph.Tensor) []int32 {
	var all []int32
	for _, l := range t.Segments.Lanes() {
		all = append(all, int32(l))
	}
	return all
}
