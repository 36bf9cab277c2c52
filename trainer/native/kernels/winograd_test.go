package kernels_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/kernels"
)

// winogradShapes are 3x3 convolutions with stride 1 at the edges of what Winograd's form must cope with.
var winogradShapes = []shape{
	{n: 2, ic: 16, oc: 16, h: 1, w: 1},
	{n: 1, ic: 16, oc: 16, h: 2, w: 2},
	{n: 3, ic: 5, oc: 5, h: 4, w: 1},
	{n: 1, ic: 16, oc: 32, h: 1, w: 8},
	{n: 5, ic: 8, oc: 24, h: 3, w: 5},
	{n: 2, ic: 24, oc: 40, h: 13, w: 9},
	{n: 9, ic: 32, oc: 96, h: 4, w: 4},
	{n: 1, ic: 40, oc: 24, h: 5, w: 31},
	{n: 1, ic: 64, oc: 80, h: 7, w: 6},
	{n: 2, ic: 20, oc: 24, h: 7, w: 3},
	{n: 1, ic: 16, oc: 8, h: 3, w: 261}, // rows of more tiles than a group has
	{n: 1, ic: 8, oc: 16, h: 45, w: 45},
}

// eachWinograd runs f for those shapes and some random ones, normalised and with bias, overwriting and adding.
func eachWinograd(t *testing.T, f func(t *testing.T, c shape, seed uint64, accumulate bool)) {
	r := rand.New(rand.NewPCG(9, 9))
	shapes := winogradShapes
	for range 6 {
		shapes = append(shapes[:len(shapes):len(shapes)], shape{n: 1 + r.IntN(4), ic: 1 + r.IntN(70), oc: 1 + r.IntN(70), h: 1 + r.IntN(12), w: 1 + r.IntN(12)})
	}
	for i, c := range shapes {
		c.k, c.s, c.bn = 3, 1, i%3 != 1
		if c.bn && c.n*c.h*c.w == 1 {
			continue
		}
		accumulate := i%2 == 1
		t.Run(fmt.Sprintf("%v_accumulate=%t", c, accumulate), func(t *testing.T) { f(t, c, uint64(i), accumulate) })
	}
}

func TestWinograd(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		eachWinograd(t, func(t *testing.T, c shape, seed uint64, accumulate bool) {
			b := shapedBench(t, c, seed, accumulate)
			b.spec.Form = kernels.Winograd
			b.checkForward(t)
			b = shapedBench(t, c, seed, accumulate)
			b.spec.Form = kernels.Winograd
			b.checkBackward(t, accumulate)
		})
	})
}

// Results have the same bits for every number of threads, whether images can be dealt out evenly or not.
func TestWinogradThreads(t *testing.T) {
	eachWinograd(t, func(t *testing.T, c shape, seed uint64, accumulate bool) {
		var first []float32
		for threads := 1; threads <= 3; threads++ {
			b := shapedBench(t, c, seed, accumulate)
			b.withTeam(t, threads)
			b.spec.Form = kernels.Winograd
			k := b.conv(t)
			k.Forward(true)
			k.Backward()
			all := append(append(append(append([]float32(nil), b.y.all...), b.a.all...), b.dx.all...), b.spec.DW...)
			all = append(append(all, b.spec.Mean...), b.spec.Var...)
			k.Forward(false)
			all = append(all, b.y.all...)
			if first == nil {
				first = all
			}
			for i, f := range all {
				if math.Float32bits(f) != math.Float32bits(first[i]) {
					t.Fatalf("float %d is %v with 1 thread and %v with %d", i, first[i], f, threads)
				}
			}
		}
	})
}
