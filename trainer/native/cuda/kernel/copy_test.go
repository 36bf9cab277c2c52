package kernel_test

import (
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel/kerneltest"
)

// TestCopy moves a window out of the middle of one buffer into the middle of another, and then adds it there once more.
func TestCopy(t *testing.T) {
	b := kerneltest.New(t)
	for _, typ := range kerneltest.Types {
		r := kerneltest.Seed("copy " + typ.String())
		const n, h, w, from, to, lanes = 2, 5, 7, 48, 64, 16
		x, y := kerneltest.Random(typ, r, n*h*w*from), kerneltest.Random(typ, r, n*h*w*to)
		px, py := b.PutValues(typ, x), b.PutValues(typ, y)
		src := kernel.View{P: px, N: n, H: h, W: w, C: from, Stride: from}.Part(typ, 16, lanes)
		dst := kernel.View{P: py, N: n, H: h, W: w, C: to, Stride: to}.Part(typ, 32, lanes)
		b.Run(kernel.Copy(typ, src, dst, false), kernel.Copy(typ, src, dst, true))
		for p := range n * h * w {
			for c := range lanes {
				v := x[p*from+16+c]
				y[p*to+32+c] = kerneltest.Round(typ, v+v)
			}
		}
		if got := b.GetValues(typ, py, len(y)); !slices.Equal(got, y) {
			t.Errorf("%v: the copy differs", typ)
		}
	}
}
