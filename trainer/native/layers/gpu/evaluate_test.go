package gpu_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/graph"
)

// evaluate runs a network forward and returns the outputs of its first head set.
func (n *network) evaluate(t *testing.T) (box, class []float32) {
	t.Helper()
	must(t, n.d.SetImages(n.image, n.pix))
	all, err := n.d.Launches(n.g.ForwardTo(n.outputs()...), false)
	must(t, err)
	must(t, n.d.Module.Run(n.d.Stream, all...))
	h, err := n.d.Outputs(n.loss.Sets[0], n.image.N)
	must(t, err)
	return slices.Clone(h.Box), slices.Clone(h.Class)
}

func (n *network) outputs() []*graph.Tensor {
	return slices.Concat(n.loss.Sets[0].Box, n.loss.Sets[0].Class)
}

// TestEvaluation: without a way back a network computes the same bits in less memory.
func TestEvaluation(t *testing.T) {
	place := place(t)
	front := func(n *network) { n.g.Forward, n.g.Backward = n.g.ForwardTo(n.outputs()...), nil }
	for seed := range uint64(6) {
		for name, define := range map[string]definition{"detector": random(seed), "family": family(seed)} {
			for _, typ := range []kernel.Type{kernel.Float32, kernel.BFloat16} {
				t.Run(fmt.Sprintf("%s %d %s", name, seed, typ), func(t *testing.T) {
					whole, part := build(t, place, typ, 2, define), build(t, place, typ, 2, define, front)
					box, class := whole.evaluate(t)
					lessBox, lessClass := part.evaluate(t)
					if !slices.Equal(box, lessBox) || !slices.Equal(class, lessClass) {
						t.Error("other outputs")
					}
					if whole.d.Bytes() <= part.d.Bytes() {
						t.Errorf("%d bytes, with the way back %d", part.d.Bytes(), whole.d.Bytes())
					}
				})
			}
		}
	}
}
