package cpu

import (
	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
)

// Weights are the parameters of a network of inference, which copies of it share. They are set once, before anything
// runs. Those of convolutions that Winograd's form is faster for, at the size of the network's images, are kept in that form alone.
type Weights struct {
	arena    []float32
	winograd map[*graph.Param]bool
}

// NewWeights gives the parameters of a schedule their places and allocates them; Close frees them.
func NewWeights(s *graph.Schedule) *Weights {
	w := &Weights{winograd: map[*graph.Param]bool{}}
	for _, op := range s.Steps {
		if c, ok := op.(*layers.Fused); ok && gains(c) {
			w.winograd[c.Learn[0]] = true
		}
	}
	w.arena = kernels.Alloc(w.assign(s.Params))
	return w
}

// gains tells whether all groups of a convolution are faster in Winograd's form.
func gains(c *layers.Fused) bool {
	for _, b := range banks(c.Learn[0]) {
		if !fusedSpec(c, b, shape(c.In[0]), shape(c.Out)).Gains() {
			return false
		}
	}
	return true
}

// assign sets the places of the parameters in an arena and returns its length.
func (w *Weights) assign(params []*graph.Param) (floats int) {
	for _, p := range params {
		p.Off, p.Len = floats, layout{}.ParamFloats(p)
		if w.winograd[p] {
			p.Len = kernels.TransformedLen(p.Len)
		}
		floats += (p.Len + graph.Align - 1) / graph.Align * graph.Align
	}
	return floats
}

// Set sets the values of a parameter, in logical order.
func (w *Weights) Set(p *graph.Param, values []float32) {
	if !w.winograd[p] {
		importParam(p, w.arena, values)
		return
	}
	for _, b := range banks(p) {
		blocked := make([]float32, b.floats)
		kernels.PackWeights(blocked, values[b.logical:][:b.elements], b.out, b.in, p.Shape[2])
		kernels.TransformWeights(w.bank(p, b), blocked)
	}
}

// bank is where the weights of a group are, in the form that they are kept in.
func (w *Weights) bank(p *graph.Param, b bank) []float32 {
	if w.winograd[p] {
		return w.arena[p.Off:][kernels.TransformedLen(b.at):][:kernels.TransformedLen(b.floats)]
	}
	return w.arena[p.Off:][b.at:][:b.floats]
}

// Close frees the parameters. No network that uses them may run any more.
func (w *Weights) Close() {
	if w.arena != nil {
		kernels.Free(w.arena)
		w.arena = nil
	}
}

// Bytes is the memory held.
func (w *Weights) Bytes() int64 { return 4 * int64(len(w.arena)) }
