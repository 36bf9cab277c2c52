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
				adamw(t, n, peaks)
			}
		}
	})
}

// adamw takes 4 steps over n parameters, the third with small gradients, so that a peak matters.
func adamw(t *testing.T, n int, peaks bool) {
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
		s := kernels.AdamWStep{Rate: 0.01, Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, Decay: 0.05, GradScale: 0.5, N: step}
		g := make([]float32, n)
		for i := range g {
			g[i] = float32(r.NormFloat64())
			if step == 3 {
				g[i] /= 100
			}
			d := 0.5 * float64(g[i])
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
