package kernel_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel/kerneltest"
)

// shapes are pictures of odd extents, in windows of wider buffers.
var shapes = []struct{ n, h, w, first, c, stride int }{
	{1, 1, 1, 0, 16, 16},
	{2, 2, 3, 16, 32, 64},
	{3, 13, 7, 0, 80, 96},
	{1, 6, 8, 48, 48, 96},
}

// coarse fills a window of a buffer with few different values, so that there are equals.
func coarse(r *rand.Rand, n, h, w, first, c, stride int) kerneltest.Window {
	v := kerneltest.Window{N: n, H: h, W: w, First: first, C: c, Stride: stride, Values: make([]float32, n*h*w*stride)}
	for i := range v.Values {
		v.Values[i] = float32(r.IntN(9)-4) / 4
	}
	return v
}

// expect runs what writes to the window of a copy of before, and wants the same bits in every order of threads: those of
// want, beside the window too.
func expect(t *testing.T, b *kerneltest.Bench, typ kernel.Type, what string, before, want kerneltest.Window, run func(to kernel.View)) {
	t.Helper()
	got := kerneltest.EveryOrder(t, func() []float32 {
		to := b.PutWindow(typ, before)
		run(to)
		return b.GetWindow(typ, to, before).Values
	})
	if !slices.Equal(got, want.Values) {
		i := 0
		for got[i] == want.Values[i] {
			i++
		}
		t.Errorf("%v %s: pixel %d, lane %d is %v, want %v", typ, what, i/want.Stride, i%want.Stride, got[i], want.Values[i])
	}
}

// either calls f with a result that starts from nothing and one that is added to.
func either(f func(add bool, base func(v float32) float32)) {
	f(false, func(float32) float32 { return 0 })
	f(true, func(v float32) float32 { return v })
}
