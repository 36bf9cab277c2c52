package kernels_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/kernels"
)

func TestAdamW(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for _, n := range []int{0, 1, 3, 16, 37, 1000} {
			for _, peaks := range []bool{false, true} {
				adamw(t, n, peaks, 0)
				adamw(t, n, peaks, 0.03)
			}
		}
	})
}

// adamw takes 4 steps over n parameters, the third with small gradients, so that a peak matters. l2 is Adam's decay.
func adamw(t *testing.T, n int, peaks bool, l2 float64) {
	t.Helper()
	r := rand.New(rand.NewPCG(uint64(n), 7))
	w, m, v, peak := make([]float32, n+1), make([]float32, n+1), make([]float32, n+1), make([]float32, n+1)
	wantW, wantM, wantV, wantP := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range n {
		wantW[i] = float64(float32(r.NormFloat64()))
		w[i] = float32(wantW[i])
	}
	for _, p := range [][]float32{w, m, v, peak} {
		p[n] = sentinel
	}
	for step := 1; step <= 4; step++ {
		s := kernels.AdamWStep{Rate: 0.01, Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, Decay: 0.05, L2: l2, GradScale: 0.5, N: step}
		g := make([]float32, n)
		for i := range g {
			g[i] = float32(r.NormFloat64())
			if step == 3 {
				g[i] /= 100
			}
			d := 0.5*float64(g[i]) + l2*wantW[i]
			wantM[i] = 0.9*wantM[i] + 0.1*d
			wantV[i] = 0.99*wantV[i] + 0.01*d*d
			wantP[i] = max(wantP[i], wantV[i])
			under := wantV[i]
			if peaks {
				under = wantP[i]
			}
			k := float64(step)
			wantW[i] = wantW[i]*(1-0.01*0.05) - 0.01*wantM[i]/(1-math.Pow(0.9, k))/(math.Sqrt(under/(1-math.Pow(0.99, k)))+1e-8)
		}
		if peaks {
			kernels.AdamW(w[:n], g, m[:n], v[:n], peak[:n], s)
		} else {
			kernels.AdamW(w[:n], g, m[:n], v[:n], nil, s)
		}
	}
	near(t, "w", wide(w[:n]), wantW, 1e-5)
	near(t, "m", wide(m[:n]), wantM, 1e-5)
	near(t, "v", wide(v[:n]), wantV, 1e-5)
	if peaks {
		near(t, "peak", wide(peak[:n]), wantP, 1e-5)
	}
	for _, p := range [][]float32{w, m, v, peak} {
		if p[n] != sentinel {
			t.Fatalf("n=%d: wrote past the end", n)
		}
	}
}

func TestLion(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for _, n := range []int{0, 1, 3, 16, 37, 1000} {
			lion(t, n)
		}
	})
}

// lion takes 4 steps over n parameters. Some have gradients of 0, and move by decay alone. Weights whose sign comes from a
// difference within rounding of 0 could go either way: there are none among these.
func lion(t *testing.T, n int) {
	t.Helper()
	r := rand.New(rand.NewPCG(uint64(n), 8))
	w, m, wantW, wantM := make([]float32, n+1), make([]float32, n+1), make([]float64, n), make([]float64, n)
	for i := range n {
		w[i] = float32(r.NormFloat64())
		wantW[i] = float64(w[i])
	}
	w[n], m[n] = sentinel, sentinel
	s := kernels.LionStep{Rate: 0.01, Beta1: 0.9, Beta2: 0.99, Decay: 0.05, GradScale: 0.5}
	for range 4 {
		g := make([]float32, n)
		for i := range g {
			if i%5 != 3 {
				g[i] = float32(r.NormFloat64())
			}
			d, sign := 0.5*float64(g[i]), 0.0
			if c := 0.9*wantM[i] + 0.1*d; math.Abs(c) > 1e-6 {
				sign = c / math.Abs(c)
			} else if c != 0 {
				t.Fatalf("n=%d: the draws bring parameter %d within rounding of 0: choose others", n, i)
			}
			wantW[i] = wantW[i]*(1-0.01*0.05) - 0.01*sign
			wantM[i] = 0.99*wantM[i] + 0.01*d
		}
		kernels.Lion(w[:n], g, m[:n], s)
	}
	near(t, "w", wide(w[:n]), wantW, 1e-6)
	near(t, "m", wide(m[:n]), wantM, 1e-6)
	if w[n] != sentinel || m[n] != sentinel {
		t.Fatalf("n=%d: wrote past the end", n)
	}
}

func TestAccumulate(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for _, n := range []int{0, 1, 19, 64} {
			dst, src := make([]float32, n+1), make([]float32, n)
			dst[n] = sentinel
			for i := range src {
				dst[i], src[i] = float32(i), float32(2*i)
			}
			kernels.Accumulate(dst[:n], src)
			for i := range src {
				if dst[i] != float32(3*i) {
					t.Errorf("n=%d: value %d is %v", n, i, dst[i])
				}
			}
			if dst[n] != sentinel {
				t.Errorf("n=%d: wrote past the end", n)
			}
		}
	})
}

func TestAdamWOfUnlikeLengthsPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	x := make([]float32, 3)
	kernels.AdamW(x, x, x, x, make([]float32, 2), kernels.AdamWStep{N: 1})
}
