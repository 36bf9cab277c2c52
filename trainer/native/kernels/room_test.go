package kernels_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/kernels"
)

// pass is what a layer makes of one step and one evaluation.
func (b *bench) pass(k *kernels.Conv) []float32 {
	k.Forward(true)
	k.Backward()
	all := slices.Concat(b.dx.all, b.spec.DW)
	k.Forward(false)
	return append(all, b.y.all...)
}

// A room is as large as the largest of its layers needs it, however they come, and those that came before it grew have the
// bits that they have alone.
func TestRoom(t *testing.T) {
	shapes := []shape{{n: 3, ic: 16, oc: 16, h: 6, w: 6}, {n: 3, ic: 64, oc: 48, h: 5, w: 5}, {n: 3, ic: 32, oc: 32, h: 4, w: 9}, {n: 3, ic: 80, oc: 80, h: 3, w: 3}}
	for _, bf16 := range []bool{false, true} {
		t.Run(fmt.Sprintf("bf16=%t", bf16), func(t *testing.T) {
			most := 0
			shared := &kernels.Room{}
			t.Cleanup(shared.Close)
			var layers []*kernels.Conv
			var benches []*bench
			var want [][]float32
			for i, c := range shapes {
				c.k, c.s, c.bn = 3, 1, true
				own := &kernels.Room{}
				t.Cleanup(own.Close)
				for _, r := range []*kernels.Room{own, shared} {
					b := shapedBench(t, c, uint64(i), false)
					b.spec.Form, b.spec.BF16, b.spec.Room = kernels.Winograd, bf16, r
					k := b.conv(t)
					if r == own {
						want = append(want, b.pass(k))
						continue
					}
					layers, benches = append(layers, k), append(benches, b)
				}
				if most = max(most, own.Floats()); shared.Floats() != most {
					t.Errorf("%d floats for %d layers, want %d", shared.Floats(), i+1, most)
				}
			}
			for i, k := range layers {
				sameWritten(t, shapes[i].String(), [][]float32{benches[i].pass(k)}, [][]float32{want[i]})
			}
		})
	}
}

// There is room for as many sets of transformed weights as a pass uses at a time.
func TestRoomForTransformed(t *testing.T) {
	c := shape{n: 2, ic: 64, oc: 64, h: 4, w: 4, k: 3, s: 1, bn: true}
	floats := func(change func(*kernels.ConvSpec)) int {
		r := &kernels.Room{}
		t.Cleanup(r.Close)
		b := shapedBench(t, c, 1, false)
		b.spec.Form, b.spec.Room = kernels.Winograd, r
		change(&b.spec)
		b.conv(t)
		return r.Floats()
	}
	forward := floats(func(s *kernels.ConvSpec) { s.HasDX, s.DA = false, kernels.View{} })
	if n := floats(func(s *kernels.ConvSpec) { s.HasDX = false }); n != forward {
		t.Errorf("%d floats without the gradient of the input, %d forward alone", n, forward)
	}
	if n, want := floats(func(*kernels.ConvSpec) {}), forward+16*64*64; n != want {
		t.Errorf("%d floats, want %d", n, want)
	}
}
