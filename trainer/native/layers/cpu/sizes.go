package cpu

import (
	"fmt"
	"unsafe"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
)

// sizes is what lets devices of one network for images of several sizes live in one memory: that of the first, which is
// for the largest. They make the same allocations in the same order, and each is lent what the first one got there.
// Parameters, gradients of parameters and statistics come first, so that they are the same ones.
type sizes struct {
	first   *Device               // whose memory this device uses; nil: its own
	lent    int                   // allocations of the first that this one has
	twins   map[graph.Op]graph.Op // of the first, by this one's
	entered *Device               // of the first: whose activations are in the memory; nil: nobody's yet
	steady  []kernels.View        // buffers whose halos are cleared in no step, since no step writes there
}

// Resized makes the device of g, the graph of the same network for smaller images, in d's memory. Weights, Grads and
// Stats are d's. Only one of the devices can be between SetImages and the end of a step at a time. Close them before d.
func (d *Device) Resized(g *graph.Graph) (*Device, error) {
	if d.first != nil {
		return d.first.Resized(g)
	}
	twins := map[graph.Op]graph.Op{}
	ops := d.g.Ops()
	for i, op := range g.Ops() {
		if i >= len(ops) || ops[i].Kind() != op.Kind() || len(ops[i].Params()) != len(op.Params()) {
			return nil, fmt.Errorf("share memory: operation %d, %s, is another one at the larger size", i, op.Kind())
		}
		for j, p := range op.Params() {
			if q := ops[i].Params()[j]; q.Name != p.Name || q.Elements() != p.Elements() {
				return nil, fmt.Errorf("share memory: parameter %s is %s at the larger size", p.Name, q.Name)
			}
		}
		twins[op] = ops[i]
	}
	if len(twins) != len(ops) {
		return nil, fmt.Errorf("share memory: %d operations, %d at the larger size", len(twins), len(ops))
	}
	r := apart(g, d)
	r.twins, r.team = twins, d.team
	r.plan()
	return r, nil
}

// lend returns memory for what the device binds: zeroed, or the first device's, which may hold anything.
func (d *Device) lend(floats int) []float32 {
	if d.first == nil {
		m := d.Alloc(floats)
		d.extra = d.extra[:len(d.extra)-1]
		d.memory = append(d.memory, m)
		return m
	}
	if d.lent < len(d.first.memory) {
		d.lent++
		if m := d.first.memory[d.lent-1]; len(m) >= floats {
			return m[:floats:floats]
		}
	}
	return d.Alloc(floats)
}

// bytes returns memory for n bytes.
func (d *Device) bytes(n int) []byte {
	m := d.lend((n + 3) / 4)
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(m))), 4*len(m))[:n]
}

// enter makes the memory this device's: halos lie elsewhere than those of the device before.
func (d *Device) enter() {
	first := d.first
	if first == nil {
		first = d
	}
	if first.entered == d {
		return
	}
	if first.entered != nil {
		for _, v := range d.steady {
			kernels.ZeroHalo(v)
		}
	}
	first.entered = d
}

// Entered tells whether this device's images were the last that were set in the memory that it shares.
func (d *Device) Entered() bool {
	if d.first == nil {
		return d.entered == nil || d.entered == d
	}
	return d.first.entered == d
}

// operands is the room in which convolutions round or transform what they multiply: all of the first device's and of the
// others share it.
func (d *Device) operands(arm int) *kernels.Room {
	if d.whole != nil {
		return d.whole.operands(arm)
	}
	if d.first != nil {
		return &d.first.scratch[arm]
	}
	return &d.scratch[arm]
}

// likeConv is kernel number i of the same layer, of the first device or of that of all images; nil without one.
func (d *Device) likeConv(op *layers.Conv, i int) *kernels.Conv {
	var cs []*kernels.Conv
	switch {
	case d.whole != nil:
		cs = d.whole.convs[op]
	case d.first != nil:
		cs = d.first.convs[d.twins[op].(*layers.Conv)]
	}
	if i < len(cs) {
		return cs[i]
	}
	return nil
}

// likeRep is the same for layers of two arms.
func (d *Device) likeRep(op *layers.Rep) *kernels.Rep {
	if d.whole != nil {
		return d.whole.reps[op]
	}
	if d.first == nil {
		return nil
	}
	return d.first.reps[d.twins[op].(*layers.Rep)]
}
