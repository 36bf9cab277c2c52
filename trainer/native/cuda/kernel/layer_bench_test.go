package kernel_test

import (
	"fmt"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel/kerneltest"
)

// BenchmarkLayer is a layer of a small network, a 3x3 convolution with normalisation, forward and backward: what the emulator
// takes for training is mostly this.
func BenchmarkLayer(b *testing.B) {
	for _, typ := range kerneltest.Types {
		for _, s := range []struct{ n, size, c int }{{4, 32, 16}, {4, 8, 64}} {
			b.Run(fmt.Sprintf("%v/%dx%dx%dx%d", typ, s.n, s.size, s.size, s.c), func(b *testing.B) {
				bench := kerneltest.New(b)
				launches := layer(bench, typ, s.n, s.size, s.c)
				for b.Loop() {
					bench.Run(launches...)
				}
			})
		}
	}
}

func layer(b *kerneltest.Bench, typ kernel.Type, n, size, c int) (all []cuda.Launch) {
	r := kerneltest.Seed("layer")
	window := func() kernel.View {
		return b.PutWindow(typ, kerneltest.RandomWindow(typ, r, n, size, size, 0, c, c))
	}
	lanes := func() cuda.Ptr { return kerneltest.Put(b, kerneltest.Random(kernel.Float32, r, 2*c)) }
	weights := kerneltest.Random(kernel.Float32, r, c*9*c)
	conv := kernel.Conv{Type: typ, X: window(), Y: window(), Kernel: 3, Stride: 1, W: kerneltest.Put(b, weights)}
	if typ == kernel.BFloat16 {
		conv.W16 = b.PutValues(typ, weights)
	}
	conv.Partial = b.Alloc(kernel.SumsBytes(conv.Tiles(), int32(c)))
	norm := kernel.Norm{Type: typ, Y: conv.Y, A: window(), Gamma: lanes(), Beta: lanes(), Mean: lanes(), Var: lanes(), Eps: 1e-3, Momentum: 0.03,
		Batch: lanes(), Counters: b.Alloc(kernel.CounterBytes(conv.Tiles(), int32(c)))}
	conv.Norm = &norm
	dA, dX := window(), window()
	all = append(all, conv.Forward()...)
	all = append(all, norm.Activate()...)
	all = append(all, norm.Backward(dA, lanes(), lanes(), b.Alloc(norm.ScratchBytes()))...)
	all = append(all, conv.InputGrad(norm.Y, dX, false)...)
	return append(all, conv.WeightGrad(norm.Y, b.Alloc(int64(4*len(weights))), b.Alloc(conv.ScratchBytes()))...)
}
