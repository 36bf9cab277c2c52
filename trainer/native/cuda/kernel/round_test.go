package kernel_test

import (
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel/kerneltest"
)

// TestRound rounds numbers of values that are no multiple of a thread's 8, and writes none behind them.
func TestRound(t *testing.T) {
	b := kerneltest.New(t)
	for _, n := range []int{1, 8, 4001} {
		v := kerneltest.Random(kernel.Float32, kerneltest.Seed("round"), n)
		to := b.Alloc(int64(2*n + 16))
		b.Run(kernel.Round(kerneltest.Put(b, v), to, int64(n)))
		want := make([]uint16, n+8)
		for i := range v {
			want[i] = kerneltest.Bits(v[i])
		}
		if got := kerneltest.Get[uint16](b, to, n+8); !slices.Equal(got, want) {
			t.Errorf("%d values: %x, want %x", n, got, want)
		}
	}
}

// TestWiden brings bf16 values to FP32, and writes none behind them.
func TestWiden(t *testing.T) {
	b := kerneltest.New(t)
	for _, n := range []int{1, 8, 4001} {
		v := kerneltest.Random(kernel.BFloat16, kerneltest.Seed("widen"), n)
		to := b.Alloc(int64(4*n + 32))
		b.Run(kernel.Widen(b.PutValues(kernel.BFloat16, v), to, int64(n)))
		if got := kerneltest.Get[float32](b, to, n+8); !slices.Equal(got, append(v, make([]float32, 8)...)) {
			t.Errorf("%d values: %v, want %v", n, got, v)
		}
	}
}
