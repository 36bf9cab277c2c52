package cpu

import (
	"slices"
	"unsafe"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trainer/native/layers/lifetime"
)

// View is the window of t's channel blocks in the buffer that holds its activation. What stands there is t's between the
// step that makes it and the last that reads it; see lives.
func (d *Device) View(t *graph.Tensor) kernels.View {
	owner, block := t.Data()
	return d.room(lifetime.Buffer{T: owner, What: lifetime.Activation}).Part(block, t.Blocks())
}

// GradView is the same for t's gradient.
func (d *Device) GradView(t *graph.Tensor) kernels.View {
	owner, block := t.Grad()
	return d.room(lifetime.Buffer{T: owner, What: lifetime.Gradient}).Part(block, t.Blocks())
}

// room is the memory of a buffer. One that no step uses has memory of its own from its first mention on.
func (d *Device) room(b lifetime.Buffer) kernels.View {
	v, ok := d.rooms[b]
	if !ok {
		v = shape(b.T)
		v.P, v.Team = unsafe.Pointer(unsafe.SliceData(d.lend(v.Floats()))), d.team
		d.rooms[b] = v
		d.steady = append(d.steady, v)
	}
	v.Team = d.team
	if d.images > 0 {
		v.N = d.images
	}
	return v
}

// plan gives the buffers of a pass memory. Those that never hold something at the same time share it; then the halo of
// one is the inside of the other, so that it is cleared when its turn begins.
func (d *Device) plan() {
	all := lifetime.Of(d.g, func(b lifetime.Buffer) int { return shape(b.T).Floats() })
	arena := d.lend(lifetime.Arrange(all, graph.Align))
	steps := slices.Concat(d.g.Forward, d.g.Backward)
	for _, l := range all {
		v := shape(l.T)
		v.P, v.Team = unsafe.Pointer(unsafe.SliceData(arena[l.At:])), d.team
		d.rooms[l.Buffer] = v
		if slices.ContainsFunc(all, func(o *lifetime.Life) bool { return disturbs(l, o) }) {
			d.begins[steps[l.First]] = append(d.begins[steps[l.First]], v)
			d.beginParts(l, v)
		} else {
			d.steady = append(d.steady, v)
		}
	}
}

// join makes views be worked on by a team.
func join(vs []kernels.View, team *kernels.Team) {
	for i := range vs {
		vs[i].Team = team
	}
}

// beginParts clears the halos of what lies in an activation's buffer once more as each part is made: an evaluation leaves out
// steps of training, and the buffer may begin with one of them.
func (d *Device) beginParts(l *lifetime.Life, v kernels.View) {
	if l.What != lifetime.Activation {
		return
	}
	for i, s := range d.g.Forward {
		out := s.Op.Output()
		if i <= l.First || out == nil {
			continue
		}
		if owner, block := out.Data(); owner == l.T {
			d.begins[s] = append(d.begins[s], v.Part(block, out.Blocks()))
		}
	}
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

// begin is k after the halos of the given buffers were cleared.
func begin(vs []kernels.View, k graph.Kernel) graph.Kernel {
	if len(vs) == 0 {
		return k
	}
	return graph.KernelFunc(func(p *graph.Pass) error {
		for _, v := range vs {
			kernels.ZeroHalo(v)
		}
		if k == nil {
			return nil
		}
		return k.Run(p)
	})
}

// kernelOf makes a kernel of run; nil stays nil.
func kernelOf(run func()) graph.Kernel {
	if run == nil {
		return nil
	}
	return graph.KernelFunc(func(*graph.Pass) error { run(); return nil })
}
