package kernel_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel/kerneltest"
)

func TestAddAndZero(t *testing.T) {
	b := kerneltest.New(t)
	for _, typ := range kerneltest.Types {
		for _, s := range shapes {
			r := kerneltest.Seed(fmt.Sprint("add", s))
			x := kerneltest.RandomWindow(typ, r, s.n, s.h, s.w, s.first, s.c, s.stride)
			y := kerneltest.RandomWindow(typ, r, s.n, s.h, s.w, 16, s.c, s.c+32)
			vx := b.PutWindow(typ, x)
			sum, zero := y.Copy(), y.Copy()
			for p := range y.Pixels() {
				for l := range y.C {
					*sum.At(p, l) = kerneltest.Round(typ, *x.At(p, l)+*y.At(p, l))
					*zero.At(p, l) = 0
				}
			}
			expect(t, b, typ, "sum in place", y, sum, func(to kernel.View) { b.Run(kernel.Add(typ, vx, to, to)) })
			expect(t, b, typ, "zero", y, zero, func(to kernel.View) { b.Run(kernel.Zero(typ, to)) })
		}
	}
}

func TestPackImages(t *testing.T) {
	b := kerneltest.New(t)
	rgb := kerneltest.Random(kernel.Float32, kerneltest.Seed("pack"), 2*3*5*3)
	for _, typ := range kerneltest.Types {
		var want []float32
		for i, v := range rgb {
			if want = append(want, kerneltest.Round(typ, v)); i%3 == 2 {
				want = append(want, 0)
			}
		}
		image := kernel.View{P: b.Alloc(int64(len(want)) * typ.Bytes()), N: 2, H: 3, W: 5, C: 4, Stride: 4}
		b.Run(kernel.PackImages(typ, kerneltest.Put(b, rgb), image))
		if got := b.GetValues(typ, image.P, len(want)); !slices.Equal(got, want) {
			t.Errorf("%v: %v, want %v", typ, got, want)
		}
	}
}
