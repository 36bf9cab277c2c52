package kernels_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/kernels"
)

// arms holds a convolution of two arms in blocked and logical form. w, gamma and beta are those of the 3x3 and 1x1 arm.
type arms struct {
	wide, point          layer
	x, dx, y3, y1, a, da *guarded
	spec                 [2]kernels.ConvSpec
	lx, lda, ldx0        []float64
	lw, lgamma, lbeta    [2][]float64
}

func newArms(t *testing.T, r *rand.Rand, n, ic, oc, h, w int, accumulate bool) *arms {
	b := &arms{}
	b.wide = layer{n: n, ic: ic, oc: oc, h: h, w: w, k: 3, s: 1, oh: h, ow: w, bn: true, eps: 1e-3}
	b.point = b.wide
	b.point.k = 1
	b.x, b.dx = newGuarded(t, n, ic, h, w), newGuarded(t, n, ic, h, w)
	b.y3, b.y1, b.a, b.da = newGuarded(t, n, oc, h, w), newGuarded(t, n, oc, h, w), newGuarded(t, n, oc, h, w), newGuarded(t, n, oc, h, w)
	b.lx, b.lda, b.ldx0 = b.x.fill(r), b.da.fill(r), b.dx.fill(r)
	lanes := kernels.Blocks(oc) * kernels.Lanes
	for i, l := range []layer{b.wide, b.point} {
		b.lw[i] = random(r, oc*ic*l.k*l.k, 1/math.Sqrt(float64(ic*l.k*l.k)), 0)
		b.lgamma[i], b.lbeta[i] = random(r, oc, 0.3, 1), random(r, oc, 0.3, 0.1)
		s := kernels.ConvSpec{K: l.k, S: 1, IC: ic, OC: oc, BN: true, HasDX: true, AccDX: accumulate,
			X: b.x.View, DX: b.dx.View, Y: b.y3.View, A: b.a.View, DA: b.da.View, Momentum: 0.03, Eps: 1e-3,
			Gamma: mem(t, lanes), Beta: mem(t, lanes), DGamma: mem(t, lanes), DBeta: mem(t, lanes), Mean: mem(t, lanes), Var: mem(t, lanes)}
		s.W, s.DW = mem(t, s.WeightLen()), mem(t, s.WeightLen())
		w32 := make([]float32, len(b.lw[i]))
		set(w32, b.lw[i])
		kernels.PackWeights(s.W, w32, kernels.Row(oc), kernels.Row(ic), l.k)
		set(s.Gamma, b.lgamma[i])
		set(s.Beta, b.lbeta[i])
		for o := range oc {
			s.Mean[o], s.Var[o] = 0.25, 1
		}
		b.spec[i] = s
	}
	b.spec[1].Y = b.y1.View
	return b
}

// normal returns z of both arms together, and mean and variance of each arm.
func (b *arms) normal(stats *[2][2][]float64) (z []float64, found [2][2][]float64) {
	for i, l := range []layer{b.wide, b.point} {
		var s *[2][]float64
		if stats != nil {
			s = &stats[i]
		}
		y, _, mean, variance := l.forward(b.lx, b.lw[i], b.lgamma[i], b.lbeta[i], s)
		if z == nil {
			z = make([]float64, len(y))
		}
		for o := range l.oc {
			l.channel(o, func(k int) { z[k] += (y[k]-mean[o])/math.Sqrt(variance[o]+l.eps)*b.lgamma[i][o] + b.lbeta[i][o] })
		}
		found[i] = [2][]float64{mean, variance}
	}
	return z, found
}

func TestRep(t *testing.T) {
	shapes := []struct{ n, ic, oc, h, w int }{{2, 24, 40, 5, 7}, {1, 5, 5, 4, 3}, {2, 16, 16, 1, 3}, {3, 32, 48, 2, 9}}
	eachISA(t, func(t *testing.T) {
		for i, s := range shapes {
			for _, accumulate := range []bool{false, true} {
				t.Run(fmt.Sprintf("%v accumulate=%t", s, accumulate), func(t *testing.T) {
					b := newArms(t, rand.New(rand.NewPCG(uint64(i), 11)), s.n, s.ic, s.oc, s.h, s.w, accumulate)
					r, err := kernels.NewRep(b.spec[0], b.spec[1])
					if err != nil {
						t.Fatal(err)
					}
					defer r.Close()
					b.forward(t, r)
					b.backward(t, r, accumulate)
					for name, g := range map[string]*guarded{"x": b.x, "y3": b.y3, "y1": b.y1, "a": b.a, "da": b.da, "dx": b.dx} {
						g.check(t, name)
					}
				})
			}
		}
	})
}

func (b *arms) forward(t *testing.T, r *kernels.Rep) {
	z, found := b.normal(nil)
	active := func() []float64 {
		a := make([]float64, len(z))
		for i := range z {
			a[i] = z[i] * sigmoid(z[i])
		}
		return a
	}
	r.Forward(true)
	near(t, "a", b.a.get(), active(), 2e-5)
	for i, s := range b.spec {
		m := float64(b.wide.n * b.wide.h * b.wide.w)
		for o := range b.wide.oc {
			near(t, "running", []float64{float64(s.Mean[o]), float64(s.Var[o])},
				[]float64{0.25 + 0.03*(found[i][0][o]-0.25), 1 + 0.03*(found[i][1][o]*m/(m-1)-1)}, 1e-5)
		}
	}
	stats := [2][2][]float64{{wide(b.spec[0].Mean), wide(b.spec[0].Var)}, {wide(b.spec[1].Mean), wide(b.spec[1].Var)}}
	z, _ = b.normal(&stats)
	r.Forward(false)
	near(t, "a with running statistics", b.a.get(), active(), 1e-5)
}

// backward compares with each arm's own gradients: an arm whose SiLU is undone by its da sees dz as its output's gradient.
func (b *arms) backward(t *testing.T, r *kernels.Rep, accumulate bool) {
	z, _ := b.normal(nil)
	dx := make([]float64, len(b.lx))
	if accumulate {
		copy(dx, b.ldx0)
	}
	r.Forward(true)
	r.Backward()
	for i, l := range []layer{b.wide, b.point} {
		da := make([]float64, len(z))
		y, _, mean, variance := l.forward(b.lx, b.lw[i], b.lgamma[i], b.lbeta[i], nil)
		for o := range l.oc {
			l.channel(o, func(k int) {
				own := (y[k]-mean[o])/math.Sqrt(variance[o]+l.eps)*b.lgamma[i][o] + b.lbeta[i][o]
				da[k] = b.lda[k] * slope(z[k]) / slope(own)
			})
		}
		partial, dw, dgamma, dbeta := l.backward(b.lx, b.lw[i], b.lgamma[i], b.lbeta[i], da)
		for k := range dx {
			dx[k] += partial[k]
		}
		got := make([]float32, len(dw))
		kernels.UnpackWeights(got, b.spec[i].DW, kernels.Row(l.oc), kernels.Row(l.ic), l.k)
		near(t, "dw", wide(got), dw, 3e-5)
		near(t, "dgamma", wide(b.spec[i].DGamma[:l.oc]), dgamma, 3e-5)
		near(t, "dbeta", wide(b.spec[i].DBeta[:l.oc]), dbeta, 3e-5)
	}
	near(t, "dx", b.dx.get(), dx, 3e-5)
}

// slope is the derivative of z sigmoid(z).
func slope(z float64) float64 { return sigmoid(z) * (1 + z*(1-sigmoid(z))) }

func TestNewRepErrors(t *testing.T) {
	for name, spoil := range map[string]func(wide, point *kernels.ConvSpec){
		"stride":  func(w, _ *kernels.ConvSpec) { w.S = 2 },
		"linear":  func(w, _ *kernels.ConvSpec) { w.Linear = true },
		"weights": func(_, p *kernels.ConvSpec) { p.W = p.W[1:] },
		"y":       func(_, p *kernels.ConvSpec) { p.Y.H++ },
	} {
		b := newArms(t, rand.New(rand.NewPCG(1, 11)), 1, 16, 16, 2, 2, false)
		spoil(&b.spec[0], &b.spec[1])
		if _, err := kernels.NewRep(b.spec[0], b.spec[1]); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
