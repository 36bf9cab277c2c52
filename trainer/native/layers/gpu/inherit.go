package gpu

import (
	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
	"github.com/mapsweep/mapsweep/trainer/native/layers/lifetime"
)

// The gradient of a sum is that of both summands. The plan of the graph lets one of them have it where it lies, and copies it for
// the other, to which more is added later. Where the layer that made the first has read it by then, both have the same place, and
// nothing is copied: so in residual blocks, whose way back goes through the last layer of the block first.

// inheritances finds the summands whose gradients can begin as the sum's in its place, with the sums.
func inheritances(g *graph.Graph) map[*graph.Tensor]*graph.Tensor {
	found, readers := map[*graph.Tensor]*graph.Tensor{}, readersOf(g)
	for i, s := range g.Backward {
		sum, ok := s.Op.(*layers.Add)
		if !ok || len(sum.Sends) != 1 {
			continue
		}
		c, placed := sum.Sends[0], sum.In[0]
		if placed == c.To {
			placed = sum.In[1]
		}
		owner, _ := c.To.Grad()
		if !c.Add && len(c.Clear) == 0 && owner == c.To && readers[placed] == 1 && readFirst(g.Backward[i+1:], placed.Producer(), owner) {
			found[owner] = sum.Out
		}
	}
	return found
}

// readersOf counts how often each tensor is read.
func readersOf(g *graph.Graph) map[*graph.Tensor]int {
	readers := map[*graph.Tensor]int{}
	for _, op := range g.Ops() {
		for _, t := range op.Inputs() {
			readers[t]++
		}
	}
	return readers
}

// readFirst tells whether a layer is done with the gradient of its output before a step writes to the gradient of a tensor, or to what
// lies in it. Layers that are not normalised read it until the end of the pass, for their weights.
func readFirst(steps []graph.Step, layer graph.Op, t *graph.Tensor) bool {
	if !activates(layer) {
		return false
	}
	for _, s := range steps {
		if s.Op == layer {
			return true // it reads all of that before it writes to the gradient of its input
		}
		for _, u := range append([]*graph.Tensor{s.Op.Output()}, s.Op.Inputs()...) {
			if u == nil {
				continue
			}
			if owner, _ := u.Grad(); owner == t {
				return false
			}
		}
	}
	return false
}

// gradOf resolves where a gradient lies: whose buffer, and the first channel block in it.
func (d *Device) gradOf(t *graph.Tensor) (lifetime.Buffer, int) {
	owner, block := t.Grad()
	for sum := d.inherits[owner]; sum != nil; sum = d.inherits[owner] {
		next, first := sum.Grad()
		owner, block = next, block+first
	}
	return lifetime.Buffer{T: owner, What: lifetime.Gradient}, block
}

// merge has gradients that lie in others live there.
func (d *Device) merge(all []*lifetime.Life) (rest []*lifetime.Life) {
	known := map[lifetime.Buffer]*lifetime.Life{}
	for _, l := range all {
		known[l.Buffer] = l
	}
	for _, l := range all {
		if l.What == lifetime.Gradient && d.inherits[l.T] != nil {
			b, _ := d.gradOf(l.T)
			known[b].Last = max(known[b].Last, l.Last)
			continue
		}
		rest = append(rest, l)
	}
	return rest
}
