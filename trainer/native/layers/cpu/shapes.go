package cpu

import (
	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
)

// The layers that only move or compare values.

func (d *Device) concat(op *layers.Concat, backward bool) graph.Kernel {
	whole := d.pick(backward)(op.Out)
	slice := func(i int) kernels.View { return whole.Part(op.First[i], op.In[i].Blocks()) }
	var ts []transfer
	if !backward {
		for _, i := range op.Copied {
			ts = append(ts, transfer{from: d.View(op.In[i]), to: slice(i)})
		}
		return kernelOf(copies(ts))
	}
	for k, c := range op.Sends {
		ts = append(ts, transfer{from: slice(op.SendOf[k]), to: d.GradView(c.To), add: c.Add})
	}
	return d.prepared(&op.Base, copies(ts))
}

func (d *Device) part(op *layers.Part, backward bool) graph.Kernel {
	if !backward {
		return nil
	}
	return d.prepared(&op.Base, nil)
}

func (d *Device) add(op *layers.Add, backward bool) graph.Kernel {
	if !backward {
		x, y, out := d.View(op.In[0]), d.View(op.In[1]), d.View(op.Out)
		return kernelOf(func() { kernels.Add(x, y, out) })
	}
	var ts []transfer
	for _, c := range op.Sends {
		ts = append(ts, transfer{from: d.GradView(op.Out), to: d.GradView(c.To), add: c.Add})
	}
	return d.prepared(&op.Base, copies(ts))
}

func (d *Device) upsample(op *layers.Upsample, backward bool) graph.Kernel {
	x, y := d.pick(backward)(op.In[0]), d.pick(backward)(op.Out)
	if !backward {
		return kernelOf(func() { kernels.UpsampleForward(x, y) })
	}
	add := op.Sends[0].Add
	return d.prepared(&op.Base, func() { kernels.UpsampleBackward(y, x, add) })
}

func (d *Device) maxPool(op *layers.MaxPool, backward bool) graph.Kernel {
	x, y := d.pick(backward)(op.In[0]), d.pick(backward)(op.Out)
	if n := kernels.PoolIndexLen(y); d.pools[op] == nil && d.whole != nil && d.whole.pools[op] != nil {
		d.pools[op] = d.whole.pools[op][:n]
	} else if d.pools[op] == nil {
		d.pools[op] = d.bytes(n)
	}
	index, forth, back := d.pools[op], kernels.MaxPoolForward, kernels.MaxPoolBackward
	if op.Stride == 2 {
		forth, back = kernels.PoolDownForward, kernels.PoolDownBackward
	}
	if !backward {
		return kernelOf(func() { forth(x, y, index) })
	}
	add := op.Sends[0].Add
	return d.prepared(&op.Base, func() { back(y, x, index, add) })
}

func (d *Device) avgPool(op *layers.AvgPool, backward bool) graph.Kernel {
	x, y := d.pick(backward)(op.In[0]), d.pick(backward)(op.Out)
	if !backward {
		return kernelOf(func() { kernels.MeanForward(x, y) })
	}
	add := op.Sends[0].Add
	return d.prepared(&op.Base, func() { kernels.MeanBackward(y, x, add) })
}

// fuse adds the inputs up in their order; the first one overwrites.
func (d *Device) fuse(op *layers.Fuse, backward bool) graph.Kernel {
	y := d.pick(backward)(op.Out)
	var xs []kernels.View
	if !backward {
		for _, x := range op.In {
			xs = append(xs, d.View(x))
		}
		return kernelOf(func() {
			for i, x := range xs {
				kernels.ResizeForward(x, y, i > 0)
			}
		})
	}
	for _, c := range op.Sends {
		xs = append(xs, d.GradView(c.To))
	}
	if len(xs) == 0 {
		return d.prepared(&op.Base, nil)
	}
	return d.prepared(&op.Base, func() {
		for i, x := range xs {
			kernels.ResizeBackward(y, x, op.Sends[i].Add)
		}
	})
}

// regroup clears first what it does not add to: lanes without a channel are left out, and may hold something old.
func (d *Device) regroup(op *layers.Regroup, backward bool) graph.Kernel {
	x, y := d.pick(backward)(op.In[0]), d.pick(backward)(op.Out)
	from, to := lanes(op.In[0]), lanes(op.Out)
	if !backward {
		return kernelOf(func() { kernels.Zero(y); kernels.Regroup(x, from, y, to, false) })
	}
	add := op.Sends[0].Add
	return d.prepared(&op.Base, func() {
		if !add {
			kernels.Zero(x)
		}
		kernels.Regroup(y, to, x, from, add)
	})
}

func lanes(t *graph.Tensor) []int32 {
	var all []int32
	for _, l := range t.Segments.Lanes() {
		all = append(all, int32(l))
	}
	return all
}

// pick selects views of gradients or of data.
func (d *Device) pick(backward bool) func(*graph.Tensor) kernels.View {
	if backward {
		return d.GradView
	}
	return d.View
}
