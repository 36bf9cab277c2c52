package kernels_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/mapsweep/mapsweep/trainer/native/kernels"
)

// eachISA runs f once per instruction set, and names those that the processor lacks as skipped.
func eachISA(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	for _, name := range kernels.All() {
		t.Run(name, func(t *testing.T) {
			restore, err := kernels.Force(name)
			defer restore()
			if errors.Is(err, kernels.ErrUnsupported) {
				t.Skipf("this processor or build has no %s", name)
			}
			if err != nil {
				t.Fatal(err)
			}
			f(t)
		})
	}
}

const sentinel = 12345.5

// guarded is a view in the middle of a larger buffer whose other floats are sentinels: memory before and after, and one
// foreign channel block on each side within every image.
type guarded struct {
	kernels.View
	all []float32
	own []bool // floats of the view's blocks
	c   int    // real channels
}

func newGuarded(t *testing.T, n, c, h, w int) *guarded {
	t.Helper()
	cb := kernels.Blocks(c)
	return guard(t, kernels.View{N: n, CB: cb, TCB: cb + 2, H: h, W: w, PS: kernels.Lanes}, 1, c)
}

func newGuardedImage(t *testing.T, n, h, w int) *guarded {
	t.Helper()
	return guard(t, kernels.View{N: n, CB: 1, TCB: 1, H: h, W: w, PS: 4}, 0, 3)
}

func guard(t *testing.T, v kernels.View, first, c int) *guarded {
	const zone = 512
	plane := (v.H + 2) * (v.W + 2) * v.PS
	all := kernels.Alloc(v.Floats() + 2*zone)
	t.Cleanup(func() { kernels.Free(all) })
	g := &guarded{all: all, own: make([]bool, len(all)), c: c}
	for i := range all {
		all[i] = sentinel
	}
	for n := range v.N {
		at := zone + (n*v.TCB+first)*plane
		clear(all[at : at+v.CB*plane])
		for i := range v.CB * plane {
			g.own[at+i] = true
		}
	}
	v.P = unsafe.Pointer(&all[zone+first*plane])
	g.View = v
	return g
}

// check fails where a sentinel is gone, the halo is not zero or a padding lane is not zero.
func (g *guarded) check(t *testing.T, name string) {
	t.Helper()
	for i, f := range g.all {
		if !g.own[i] && f != sentinel {
			t.Fatalf("%s: float %d outside the view was overwritten with %v", name, i, f)
		}
	}
	lanes := min(g.PS, kernels.Lanes)
	for n := range g.N {
		for c := range g.CB * lanes {
			for h := -1; h <= g.H; h++ {
				for w := -1; w <= g.W; w++ {
					halo := h < 0 || w < 0 || h == g.H || w == g.W
					if f := g.At(n, c, h, w); (halo || c >= g.c) && f != 0 {
						t.Fatalf("%s: image %d channel %d (of %d) pixel %d,%d is %v, want 0", name, n, c, g.c, h, w, f)
					}
				}
			}
		}
	}
}

func (g *guarded) fill(r *rand.Rand) []float64 {
	x := make([]float64, g.N*g.c*g.H*g.W)
	for i := range x {
		x[i] = float64(float32(r.NormFloat64()))
	}
	g.put(x)
	return x
}

// put and get convert between the view and logical [N][C][H][W].
func (g *guarded) put(x []float64) {
	i := 0
	for n := range g.N {
		for c := range g.c {
			for h := range g.H {
				for w := range g.W {
					g.Set(n, c, h, w, float32(x[i]))
					i++
				}
			}
		}
	}
}

func (g *guarded) get() []float64 {
	x := make([]float64, 0, g.N*g.c*g.H*g.W)
	for n := range g.N {
		for c := range g.c {
			for h := range g.H {
				for w := range g.W {
					x = append(x, float64(g.At(n, c, h, w)))
				}
			}
		}
	}
	return x
}

// near fails unless got is want within tol times the largest |want| (at least 1e-3).
func near(t *testing.T, name string, got, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", name, len(got), len(want))
	}
	size, worst, at := 1e-3, 0.0, 0
	for _, w := range want {
		size = max(size, math.Abs(w))
	}
	for i := range want {
		d := math.Abs(got[i] - want[i])
		if !(d <= worst) { // a NaN counts
			worst, at = d, i
		}
	}
	if !(worst <= tol*size) {
		t.Fatalf("%s: element %d is %v, want %v (largest %v)", name, at, got[at], want[at], size)
	}
}

func wide(p []float32) []float64 {
	x := make([]float64, len(p))
	for i, f := range p {
		x[i] = float64(f)
	}
	return x
}

// layer is one convolution in float64 on logical arrays: x [N][IC][H][W], w [OC][IC][K][K].
type layer struct {
	n, ic, oc, h, w, k, s, oh, ow int
	bn                            bool
	eps                           float64
}

func (l layer) each(f func(x, w, y int)) {
	pad := l.k / 2
	for n := range l.n {
		for o := range l.oc {
			for i := range l.ic {
				for oh := range l.oh {
					for ow := range l.ow {
						y := ((n*l.oc+o)*l.oh+oh)*l.ow + ow
						for kh := range l.k {
							for kw := range l.k {
								h, w := oh*l.s+kh-pad, ow*l.s+kw-pad
								if h >= 0 && w >= 0 && h < l.h && w < l.w {
									f(((n*l.ic+i)*l.h+h)*l.w+w, ((o*l.ic+i)*l.k+kh)*l.k+kw, y)
								}
							}
						}
					}
				}
			}
		}
	}
}

// channel calls f with every index of y that belongs to output channel o.
func (l layer) channel(o int, f func(y int)) {
	for n := range l.n {
		for p := range l.oh * l.ow {
			f((n*l.oc+o)*l.oh*l.ow + p)
		}
	}
}

func sigmoid(z float64) float64 { return 1 / (1 + math.Exp(-z)) }

// forward returns conv(x) [+ bias], the activation (nil without bn), and mean and variance per channel; with stats not
// nil those are used in place of the batch's.
func (l layer) forward(x, w, gamma, beta []float64, stats *[2][]float64) (y, a, mean, variance []float64) {
	y = make([]float64, l.n*l.oc*l.oh*l.ow)
	l.each(func(xi, wi, yi int) { y[yi] += x[xi] * w[wi] })
	if !l.bn {
		for o := range l.oc {
			l.channel(o, func(i int) { y[i] += beta[o] })
		}
		return y, nil, nil, nil
	}
	a = make([]float64, len(y))
	mean, variance = make([]float64, l.oc), make([]float64, l.oc)
	m := float64(l.n * l.oh * l.ow)
	for o := range l.oc {
		l.channel(o, func(i int) { mean[o] += y[i] / m })
		l.channel(o, func(i int) { variance[o] += (y[i] - mean[o]) * (y[i] - mean[o]) / m })
		if stats != nil {
			mean[o], variance[o] = stats[0][o], stats[1][o]
		}
		l.channel(o, func(i int) {
			z := (y[i]-mean[o])/math.Sqrt(variance[o]+l.eps)*gamma[o] + beta[o]
			a[i] = z * sigmoid(z)
		})
	}
	return y, a, mean, variance
}

// backward is the textbook gradient of sum(da * output).
func (l layer) backward(x, w, gamma, beta, da []float64) (dx, dw, dgamma, dbeta []float64) {
	y, _, mean, variance := l.forward(x, w, gamma, beta, nil)
	dy := append([]float64(nil), da...)
	dgamma, dbeta = make([]float64, l.oc), make([]float64, l.oc)
	m := float64(l.n * l.oh * l.ow)
	for o := range l.oc {
		if !l.bn {
			l.channel(o, func(i int) { dbeta[o] += dy[i] })
			continue
		}
		r := 1 / math.Sqrt(variance[o]+l.eps)
		l.channel(o, func(i int) {
			xhat := (y[i] - mean[o]) * r
			z := xhat*gamma[o] + beta[o]
			s := sigmoid(z)
			dy[i] *= s * (1 + z*(1-s))
			dbeta[o] += dy[i]
			dgamma[o] += dy[i] * xhat
		})
		l.channel(o, func(i int) {
			dy[i] = gamma[o] * r * (dy[i] - dbeta[o]/m - (y[i]-mean[o])*r*dgamma[o]/m)
		})
	}
	dx, dw = make([]float64, len(x)), make([]float64, len(w))
	l.each(func(xi, wi, yi int) {
		dx[xi] += dy[yi] * w[wi]
		dw[wi] += dy[yi] * x[xi]
	})
	return dx, dw, dgamma, dbeta
}
