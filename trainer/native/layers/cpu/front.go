package cpu

import "github.com/mapsweep/mapsweep/trainer/native/graph"

// CompileFront joins the kernels of forward steps that look at the first images of the batch alone; in evaluation these come
// out as they do among the others.
func (d *Device) CompileFront(steps []graph.Step, images int) (graph.Program, error) {
	f := d.fronts[images]
	if f == nil {
		f = newDevice(d.g)
		f.weights, f.grads, f.stats, f.rooms, f.begins, f.team, f.images = d.weights, d.grads, d.stats, d.rooms, d.begins, d.team, images
		f.whole, f.direct = d, d.direct
		d.fronts[images] = f
	}
	return f.Compile(steps)
}
