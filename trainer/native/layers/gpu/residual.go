package gpu

import (
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
)

// Sums of a normalised convolution and something else are made as the convolution is activated, where nothing but the sum
// reads it: its own output is then never written. The activation waits for the step of the sum, so that buffers live when
// the plan says so. The way back needs only the product.

// residual is a sum and the layer that is activated in it.
type residual struct {
	of    graph.Op      // a Conv or Rep
	other *graph.Tensor // the other summand
}

// residuals finds the sums that can be made so, and the layers that are activated in them.
func residuals(g *graph.Graph) (sums map[*layers.Add]residual, late map[graph.Op]bool) {
	readers := readersOf(g)
	sums, late = map[*layers.Add]residual{}, map[graph.Op]bool{}
	for _, op := range g.Ops() {
		sum, ok := op.(*layers.Add)
		if !ok {
			continue
		}
		for i := len(sum.In) - 1; i >= 0; i-- {
			if x := sum.In[i]; readers[x] == 1 && activates(x.Producer()) {
				sums[sum] = residual{x.Producer(), sum.In[1-i]}
				late[x.Producer()] = true
				break
			}
		}
	}
	return sums, late
}

// activates tells whether a layer ends in one activation of all its lanes.
func activates(op graph.Op) bool {
	switch op := op.(type) {
	case *layers.Conv:
		return op.Norm && op.Groups == 1
	case *layers.Rep:
		return true
	}
	return false
}

// activateIn are the launches that activate a layer, add another tensor, and write the sum.
func (d *Device) activateIn(op graph.Op, other, sum *graph.Tensor) []cuda.Launch {
	if op, ok := op.(*layers.Rep); ok {
		r, _, _ := d.repOf(op)
		r.Wide.A, r.Wide.Add = d.data(sum), d.data(other)
		return r.Activate()
	}
	a := d.ready(op, 0, d.ofConv(op.(*layers.Conv))[0])
	a.norm.A, a.norm.Add = d.data(sum), d.data(other)
	return a.norm.Activate()
}
