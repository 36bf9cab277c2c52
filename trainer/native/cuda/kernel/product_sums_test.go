package kernel_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel/kerneltest"
)

// TestProductSums compares the sums over all tiles with float64, in windows of wider buffers, with threads in any order.
func TestProductSums(t *testing.T) {
	b := kerneltest.New(t)
	for _, typ := range kerneltest.Types {
		for _, s := range []struct{ n, h, w, c, stride int }{{1, 1, 1, 16, 16}, {2, 13, 7, 48, 64}, {1, 5, 3, 80, 80}, {3, 40, 33, 16, 32}, {1, 2, 3, 272, 288}} {
			t.Run(fmt.Sprint(typ, s), func(t *testing.T) {
				y := kerneltest.RandomWindow(typ, kerneltest.Seed("product sums"), s.n, s.h, s.w, s.stride-s.c, s.c, s.stride)
				view := b.PutWindow(typ, y)
				tiles := kernel.ProductTiles(view)
				got := kerneltest.EveryOrder(t, func() []float32 {
					partial := b.Alloc(kernel.SumsBytes(tiles, int32(s.c)))
					b.Run(kernel.ProductSums(typ, view, partial, nil))
					return kerneltest.Get[float32](b, partial, tiles*2*s.c)
				})
				for l := range s.c {
					var want, is [2]float64
					for p := range y.Pixels() {
						v := float64(*y.At(p, l))
						want[0], want[1] = want[0]+v, want[1]+v*v
					}
					for i := range tiles {
						is[0], is[1] = is[0]+float64(got[(2*i)*s.c+l]), is[1]+float64(got[(2*i+1)*s.c+l])
					}
					for k := range want { // sums of up to 4000 values below 1, each rounded once more than 2^-24 of it
						if math.Abs(is[k]-want[k]) > 1e-4 {
							t.Fatalf("lane %d, sum %d: %g, want %g", l, k, is[k], want[k])
						}
					}
				}
			})
		}
	}
}
