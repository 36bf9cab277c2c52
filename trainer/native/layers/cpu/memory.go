package cpu

import (
	"unsafe"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/kernels"
)

// View is the window of t's channel blocks in the buffer that holds its activation, allocated at first use.
func (d *Device) View(t *graph.Tensor) kernels.View {
	owner, block := t.Data()
	return d.window(t, owner, block, d.data)
}

// GradView is the same for t's gradient.
func (d *Device) GradView(t *graph.Tensor) kernels.View {
	owner, block := t.Grad()
	return d.window(t, owner, block, d.slopes)
}

func (d *Device) window(t, owner *graph.Tensor, block int, buffers map[*graph.Tensor][]float32) kernels.View {
	if buffers[owner] == nil {
		buffers[owner] = d.Alloc(shape(owner).Floats())
	}
	v := shape(owner)
	v.P = unsafe.Pointer(unsafe.SliceData(buffers[owner]))
	return v.Part(block, t.Blocks())
}

// shape is the view of a buffer that holds t alone, without memory.
func shape(t *graph.Tensor) kernels.View {
	v := kernels.View{N: t.N, CB: t.Blocks(), TCB: t.Blocks(), H: t.H, W: t.W, PS: graph.Block}
	if t.Image {
		v.PS = 4
	}
	return v
}

// prepared returns run, preceded by setting to zero what is about to be read or added to and was never written:
// gaps in the gradient of the output, and ranges to clear before a contribution. It is nil if there is nothing to do.
func (d *Device) prepared(b *graph.Base, run func()) graph.Kernel {
	var zero []kernels.View
	mark := func(t *graph.Tensor, rs []graph.Range) {
		for _, r := range rs {
			zero = append(zero, d.GradView(t).Part(r.First, r.N))
		}
	}
	if b.Out != nil {
		mark(b.Out, b.Gaps)
	}
	for _, c := range b.Sends {
		mark(c.To, c.Clear)
	}
	if len(zero) == 0 {
		return kernelOf(run)
	}
	return kernelOf(func() {
		for _, v := range zero {
			kernels.Zero(v)
		}
		if run != nil {
			run()
		}
	})
}

// transfer is one copy between views, adding or overwriting.
type transfer struct {
	from, to kernels.View
	add      bool
}

func copies(ts []transfer) func() {
	if len(ts) == 0 {
		return nil
	}
	return func() {
		for _, t := range ts {
			kernels.Copy(t.from, t.to, t.add)
		}
	}
}

// kernelOf makes a kernel of run; nil stays nil.
func kernelOf(run func()) graph.Kernel {
	if run == nil {
		return nil
	}
	return graph.KernelFunc(func(*graph.Pass) error { run(); return nil })
}
