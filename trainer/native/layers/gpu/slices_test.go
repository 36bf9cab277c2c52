package gpu_test

import (
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel/kerneltest"
	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
)

// TestSlicesShareMemory: gradients are the same bits whether all slices are there at once, or are added up whenever there is no
// room for more.
func TestSlicesShareMemory(t *testing.T) {
	place := place(t)
	for _, typ := range kerneltest.Types {
		whole := build(t, place, typ, 2, unequal)
		narrow := place
		narrow.Slices = 1
		cramped := build(t, narrow, typ, 2, unequal)
		if want, got := whole.run(t), cramped.run(t); got != want || !slices.Equal(whole.d.Grads(), cramped.d.Grads()) {
			t.Errorf("%v: little memory for slices gives loss %g, with room for all %g, or other gradients", typ, got, want)
		}
		if all, few := whole.sums(t), cramped.sums(t); all != 1 || few < 3 {
			t.Errorf("%v: slices are added up in %d launches with room for all, and in %d with little", typ, all, few)
		}
		if whole.d.Bytes() <= cramped.d.Bytes() {
			t.Errorf("%v: %d bytes with room for all slices, %d with little", typ, whole.d.Bytes(), cramped.d.Bytes())
		}
	}
}

// sums counts the launches that add up slices. All of them run beside the way back, as what they add does.
func (n *network) sums(t *testing.T) (count int) {
	t.Helper()
	for _, s := range n.g.Backward {
		if _, ok := s.Op.(*layers.Loss); ok {
			continue // it is the host's
		}
		launches, err := n.d.Launches([]graph.Step{s}, true)
		must(t, err)
		for _, l := range launches {
			if l.Kernel != "sum_slices" {
				continue
			}
			if count++; !l.Beside {
				t.Error("slices are added up on the way back, not beside it")
			}
		}
	}
	return count
}
