package gpu

import (
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
)

// Gradients of weights and biases that are made in slices of pixels leave these side by side in the scratch memory of what runs
// beside the way back. One launch adds up all that are there when the memory is full, or the way back ends.

// slicesRoom is how many bytes of slices there are at a time: half of the L2 cache of an H100 or H200, so that they are read before
// they have left it. A gradient whose slices take more than that has what it needs.
const slicesRoom = 24 << 20

// shares is who has which part of the scratch memory, and when it is read. Gradients are known by their addresses.
type shares struct {
	at    map[cuda.Ptr]int64           // offset of its slices
	added map[cuda.Ptr][]kernel.Slices // behind this gradient these are added up, with offsets for addresses
}

// roomFor is the scratch memory for gradients that are computed in this order, and for any of them alone. A network for pictures of another
// size has to do with that of the first, if that suffices for any of them alone: a run has no memory for more.
func (d *Device) roomFor(all []kernel.Slices) int64 {
	var sum, most int64
	for _, s := range all {
		bytes := align(s.Bytes())
		sum, most = sum+bytes, max(most, bytes)
	}
	if d.first != nil {
		return max(d.first.beside.bytes, most)
	}
	wanted := d.Slices
	if wanted == 0 {
		wanted = slicesRoom
	}
	return max(grain, min(sum, max(most, wanted)))
}

// share gives each its part of the room.
func share(all []kernel.Slices, room int64) shares {
	s := shares{at: map[cuda.Ptr]int64{}, added: map[cuda.Ptr][]kernel.Slices{}}
	var end int64
	var there []kernel.Slices
	for i, one := range all {
		one.From = cuda.Ptr(end)
		s.at[one.To] = end
		there, end = append(there, one), end+align(one.Bytes())
		if i+1 == len(all) || end+align(all[i+1].Bytes()) > room || len(there) == kernel.MostSlices {
			s.added[one.To] = there
			there, end = nil, 0
		}
	}
	return s
}

// sliced are the gradients that our kernels make in slices, in the order of the way back.
func (d *Device) sliced() (all []kernel.Slices) {
	add := func(_ cuda.Launch, s kernel.Slices) {
		if s.Count > 1 {
			all = append(all, s)
		}
	}
	for _, step := range d.g.Backward {
		for _, a := range d.armsOf(step.Op) {
			p := a.weightGrad(d.productGrad(step.Op, a))
			if a.norm.Gamma == 0 {
				add(a.conv.BiasSlices(p.y, a.dBeta, 0))
			}
			if _, theirs := d.ways[p.kind()]; !theirs {
				add(p.slices(0))
			}
		}
	}
	return all
}

// armsOf are the arms of a layer that convolves, and none of another.
func (d *Device) armsOf(op graph.Op) []arm {
	switch op := op.(type) {
	case *layers.Conv:
		return d.ofConv(op)
	case *layers.Rep:
		wide, point := d.ofRep(op)
		return []arm{wide, point}
	}
	return nil
}

// productGrad is where the gradient of an arm's product is: where the product was, or, without normalisation, the output's.
func (d *Device) productGrad(op graph.Op, a arm) kernel.View {
	if a.norm.Gamma != 0 {
		return a.conv.Y
	}
	return d.window(d.grad(op.Output()), a.out.first, a.out.count)
}

// slices makes those of a gradient of weights.
func (p pass) slices(scratch cuda.Ptr) (cuda.Launch, kernel.Slices) {
	return p.conv.WeightSlices(p.y, p.dW, scratch)
}

// summed computes the gradient at an address by what is given the memory for its slices, and adds up all slices where that is due.
func (d *Device) summed(grad cuda.Ptr, compute func(scratch cuda.Ptr) (cuda.Launch, kernel.Slices)) []cuda.Launch {
	l, _ := compute(d.beside.p.Add(d.shares.at[grad]))
	launches := []cuda.Launch{l}
	var due []kernel.Slices
	for _, s := range d.shares.added[grad] {
		s.From = d.beside.p.Add(int64(s.From))
		due = append(due, s)
	}
	if len(due) > 0 {
		launches = append(launches, kernel.SumSlices(due...))
	}
	return launches
}
