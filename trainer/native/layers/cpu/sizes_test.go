package cpu_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
	"github.com/mapsweep/mapsweep/trainer/native/layers/layerstest"
)

// spoil writes nonsense into every pixel of every channel of a device's activations and gradients.
func (n *network) spoil() {
	for _, x := range n.g.Tensors {
		views := []kernels.View{n.d.View(x)}
		if !x.Image {
			views = append(views, n.d.GradView(x))
		}
		for _, v := range views {
			lanes := x.Segments.Lanes()
			for i := range x.N * x.C * x.H * x.W {
				v.Set(i/x.W/x.H/x.C, lanes[i/x.W/x.H%x.C], i/x.W%x.H, i%x.W, float32(math.Inf(1)))
			}
		}
	}
}

// TestSharedMemory runs random networks in the memory of the same network for larger images, which has left nonsense
// there, and holds them against memory of their own, to the bit.
func TestSharedMemory(t *testing.T) {
	ran := 0
	for seed := range uint64(24) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			at := func(h, w int) definition {
				return func(b *graph.Builder) (*graph.Tensor, *layers.Loss) { return layerstest.RandomFamilyNet(b, seed, h, w) }
			}
			alone := build(t, 2, all, at(9, 12))
			want, grads := alone.run(t)
			large := build(t, 2, all, at(16, 15))
			weights := slices.Clone(large.d.Weights())
			large.run(t)
			large.spoil()
			copy(large.d.Weights(), weights)
			n := &network{}
			b := graph.NewBuilder(2)
			n.image, n.loss = at(9, 12)(b)
			var err error
			if n.g, err = b.Differentiate(n.loss); err != nil {
				t.Fatal(err)
			}
			if n.d, err = large.d.Resized(n.g); err != nil {
				if !strings.Contains(err.Error(), "at the larger size") {
					t.Fatal(err)
				}
				t.Skip("the random network is another one at this size")
			}
			ran++
			t.Cleanup(func() {
				if err := n.d.Close(); err != nil {
					t.Error(err)
				}
			})
			if n.step, err = n.d.Compile(append(slices.Clone(n.g.Forward), n.g.Backward...)); err != nil {
				t.Fatal(err)
			}
			if bytes := n.d.Bytes(); bytes != 0 {
				t.Errorf("%d bytes of its own", bytes)
			}
			n.d.SetImages(n.image, alone.pix)
			got, g := n.run(t)
			if got != want {
				t.Errorf("loss %v in shared and %v in own memory", got, want)
			}
			same(t, "gradients in shared and in own memory", g, grads)
		})
	}
	if ran < 12 {
		t.Errorf("only %d networks ran", ran)
	}
}
