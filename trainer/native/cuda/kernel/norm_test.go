package kernel_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel/kerneltest"
)

// normCase is a normalisation of `arms` products, with the last `padding` lanes without a channel.
type normCase struct {
	n, h, w, c, stride, padding int
	tile                        int // pixels of a tile of Partial
	arms                        int
	linear, residual            bool
}

var normCases = []normCase{
	{n: 1, h: 1, w: 1, c: 16, stride: 16, tile: 128, arms: 1},
	{n: 2, h: 2, w: 3, c: 32, stride: 64, padding: 3, tile: 5, arms: 1},
	{n: 3, h: 13, w: 7, c: 80, stride: 96, padding: 1, tile: 32, arms: 1, residual: true},
	{n: 2, h: 5, w: 9, c: 48, stride: 48, tile: 16, arms: 1, linear: true},
	{n: 3, h: 15, w: 13, c: 16, stride: 32, tile: 1, arms: 1, linear: true, residual: true}, // tiles enough to be folded
	{n: 1, h: 3, w: 5, c: 288, stride: 304, tile: 4, arms: 1},                               // more lanes than a block adds up
	{n: 2, h: 13, w: 7, c: 48, stride: 64, padding: 8, tile: 16, arms: 2},
	{n: 1, h: 1, w: 2, c: 272, stride: 272, tile: 1, arms: 2},
}

func (c normCase) String() string {
	return fmt.Sprintf("%dx%dx%dx%d of %d, %d arms, linear %v, residual %v", c.n, c.h, c.w, c.c, c.stride, c.arms, c.linear, c.residual)
}

const normEps, normMomentum = 1e-3, 0.03

// normArm holds what a product is normalised with, and what the reference finds.
type normArm struct {
	y                       kerneltest.Window
	gamma, beta, mean, vari []float32
	partial                 []float32
	mu, inv, unbiased       []float64
}

// newArm has y around 1, not 0, where sums of squares lose more.
func (c normCase) newArm(typ kernel.Type, r *rand.Rand) *normArm {
	a := &normArm{y: kerneltest.RandomWindow(typ, r, c.n, c.h, c.w, c.stride-c.c, c.c, c.stride)}
	for p := range a.y.Pixels() {
		for l := range c.c {
			v := a.y.At(p, l)
			if *v = kerneltest.Round(typ, 1+2**v); l >= c.c-c.padding {
				*v = 0
			}
		}
	}
	for l := range c.c {
		a.gamma, a.beta = append(a.gamma, 0.5+r.Float32()), append(a.beta, r.Float32()-0.5)
		a.mean, a.vari = append(a.mean, r.Float32()), append(a.vari, 1+r.Float32())
		if l >= c.c-c.padding {
			a.gamma[l], a.beta[l], a.mean[l], a.vari[l] = 0, 0, 0, 0
		}
		var sum, square float64
		for p := range a.y.Pixels() {
			sum += float64(*a.y.At(p, l))
		}
		m := float64(a.y.Pixels())
		for p := range a.y.Pixels() {
			square += math.Pow(float64(*a.y.At(p, l))-sum/m, 2)
		}
		a.mu, a.inv = append(a.mu, sum/m), append(a.inv, 1/math.Sqrt(square/m+normEps))
		a.unbiased = append(a.unbiased, square/max(m-1, 1))
	}
	return a.addTiles(c.tile)
}

// addTiles makes partial as a convolution does: [tiles][2][lanes] in float32.
func (a *normArm) addTiles(tile int) *normArm {
	for first := 0; first < a.y.Pixels(); first += tile {
		row := make([]float32, 2*a.y.C)
		for p := first; p < min(first+tile, a.y.Pixels()); p++ {
			for l := range a.y.C {
				v := *a.y.At(p, l)
				row[l] += v
				row[a.y.C+l] += v * v
			}
		}
		a.partial = append(a.partial, row...)
	}
	return a
}

func (a *normArm) on(b *kerneltest.Bench, typ kernel.Type, c normCase, out, add kernel.View) kernel.Norm {
	return kernel.Norm{
		Type: typ, Y: b.PutWindow(typ, a.y), A: out, Add: add, Linear: c.linear,
		Gamma: kerneltest.Put(b, a.gamma), Beta: kerneltest.Put(b, a.beta), Mean: kerneltest.Put(b, a.mean), Var: kerneltest.Put(b, a.vari),
		Eps: normEps, Momentum: normMomentum, Partial: kerneltest.Put(b, a.partial), Tiles: len(a.partial) / 2 / c.c, Batch: b.Alloc(int64(8 * c.c)),
	}
}

// TestNorm trains a step and compares everything it writes with float64: statistics, output, and gradients of products and
// parameters; with threads in any order the bits are the same, and lanes beside the windows stay as they were.
func TestNorm(t *testing.T) {
	b := kerneltest.New(t)
	for _, typ := range kerneltest.Types {
		for _, c := range normCases {
			t.Run(typ.String()+"/"+c.String(), func(t *testing.T) { c.test(t, b, typ) })
		}
	}
}

func (c normCase) test(t *testing.T, b *kerneltest.Bench, typ kernel.Type) {
	r := kerneltest.Seed(c.String())
	var arms []*normArm
	for range c.arms {
		arms = append(arms, c.newArm(typ, r))
	}
	window := func() kerneltest.Window {
		return kerneltest.RandomWindow(typ, r, c.n, c.h, c.w, c.stride-c.c, c.c, c.stride)
	}
	out, add, dA := window(), window(), window()
	for p := range dA.Pixels() {
		for l := c.c - c.padding; l < c.c; l++ {
			*dA.At(p, l), *add.At(p, l) = 0, 0
		}
	}
	parts := map[string]int{} // where the results of an arm begin
	all := kerneltest.EveryOrder(t, func() (all []float32) {
		o, rest, d := b.PutWindow(typ, out), kernel.View{}, b.PutWindow(typ, dA)
		if c.residual {
			rest = b.PutWindow(typ, add)
		}
		var norms []kernel.Norm
		var grads []cuda.Ptr
		for _, a := range arms {
			norms = append(norms, a.on(b, typ, c, o, rest))
			grads = append(grads, b.Alloc(int64(4*c.c)), b.Alloc(int64(4*c.c)))
		}
		if c.arms == 1 {
			n := norms[0]
			b.Run(n.Statistics(true)...)
			b.Run(n.Activate()...)
			b.Run(n.Backward(d, grads[0], grads[1], b.Alloc(n.ScratchBytes()))...)
		} else {
			n := kernel.Rep{Wide: norms[0], Point: norms[1]}
			b.Run(n.Statistics(true)...)
			b.Run(n.Activate()...)
			b.Run(n.Backward(d, kernel.RepGrads{WideGamma: grads[0], WideBeta: grads[1], PointGamma: grads[2], PointBeta: grads[3]}, b.Alloc(n.ScratchBytes()))...)
		}
		keep := func(name string, v []float32) {
			parts[name] = len(all)
			all = append(all, v...)
		}
		keep("out", b.GetWindow(typ, o, out).Values)
		for i, n := range norms {
			keep(fmt.Sprint("y", i), b.GetWindow(typ, n.Y, arms[i].y).Values)
			keep(fmt.Sprint("mean", i), kerneltest.Get[float32](b, n.Mean, c.c))
			keep(fmt.Sprint("var", i), kerneltest.Get[float32](b, n.Var, c.c))
			keep(fmt.Sprint("batch", i), kerneltest.Get[float32](b, n.Batch, 2*c.c))
			keep(fmt.Sprint("gamma", i), kerneltest.Get[float32](b, grads[2*i], c.c))
			keep(fmt.Sprint("beta", i), kerneltest.Get[float32](b, grads[2*i+1], c.c))
		}
		return all
	})
	get := func(name string) []float32 { return all[parts[name]:] }
	check := func(what string, got float32, want, scale, tolerance float64) {
		t.Helper()
		if d := math.Abs(float64(got) - want); !(d <= tolerance*scale) {
			t.Errorf("%s: %v, want %v: off by %g of %g", what, got, want, d, tolerance*scale)
		}
	}
	// A rounding of a result is up to 2^-8 of it in bf16; the rest are float32 roundings of sums, some more where a mean is taken
	// from what is around 1.
	const single = 3e-5
	rounding := 0.0
	if typ == kernel.BFloat16 {
		rounding = 1.0 / 256
	}
	outs := out.Copy()
	outs.Values = get("out")[:len(out.Values)]
	m := float64(out.Pixels())
	for l := range c.c {
		var dz, z []float64
		var sum float64
		for p := range out.Pixels() {
			v := 0.0
			for _, a := range arms {
				v += float64(a.gamma[l])*(float64(*a.y.At(p, l))-a.mu[l])*a.inv[l] + float64(a.beta[l])
			}
			d, s := float64(*dA.At(p, l)), 1/(1+math.Exp(-v))
			want := v * s
			if c.linear {
				want = v
			} else {
				d *= s * (1 + v*(1-s))
			}
			if c.residual {
				want += float64(*add.At(p, l))
			}
			check("output", *outs.At(p, l), want, 1, single+rounding*math.Abs(want))
			z, dz, sum = append(z, v), append(dz, d), sum+d
		}
		for i, a := range arms {
			var dgamma float64
			for p := range dz {
				dgamma += dz[p] * (float64(*a.y.At(p, l)) - a.mu[l]) * a.inv[l]
			}
			check("dGamma", get(fmt.Sprint("gamma", i))[l], dgamma, math.Sqrt(m)*a.inv[l]+1, single)
			check("dBeta", get(fmt.Sprint("beta", i))[l], sum, math.Sqrt(m), single)
			check("mean", get(fmt.Sprint("mean", i))[l], float64(a.mean[l])+normMomentum*(a.mu[l]-float64(a.mean[l])), 1, 1e-6)
			check("variance", get(fmt.Sprint("var", i))[l], float64(a.vari[l])+normMomentum*(a.unbiased[l]-float64(a.vari[l])), 1, 1e-6)
			check("batch's mean", get(fmt.Sprint("batch", i))[l], a.mu[l], 1, 1e-6)
			check("batch's 1/sqrt(variance)", get(fmt.Sprint("batch", i))[c.c+l], a.inv[l], a.inv[l]*a.inv[l]*a.inv[l], 1e-6)
			dy := a.y.Copy()
			dy.Values = get(fmt.Sprint("y", i))[:len(dy.Values)]
			for p := range dz {
				x := (float64(*a.y.At(p, l)) - a.mu[l]) * a.inv[l]
				want := float64(a.gamma[l]) * a.inv[l] * (dz[p] - sum/m - x*dgamma/m)
				check("gradient of the product", *dy.At(p, l), want, max(1, a.inv[l]*a.inv[l]), single+rounding*math.Abs(want))
				if l >= c.c-c.padding {
					check("gradient in a lane without a channel", *dy.At(p, l), 0, 0, 0)
				}
			}
		}
		if l >= c.c-c.padding && !c.residual {
			for p := range dz {
				check("output in a lane without a channel", *outs.At(p, l), 0, 0, 0)
			}
		}
	}
	for p := range out.Pixels() {
		for l := range c.stride - c.c {
			if outs.Values[p*c.stride+l] != out.Values[p*c.stride+l] {
				t.Fatalf("pixel %d, lane %d beside the window has changed", p, l)
			}
		}
	}
}

// TestNormRunning: out of training the running statistics count, and stay.
func TestNormRunning(t *testing.T) {
	b := kerneltest.New(t)
	c := normCase{n: 1, h: 2, w: 2, c: 32, stride: 32, tile: 4}
	a := c.newArm(kernel.Float32, kerneltest.Seed("running"))
	n := a.on(b, kernel.Float32, c, b.PutWindow(kernel.Float32, a.y), kernel.View{})
	b.Run(n.Statistics(false)...)
	batch := kerneltest.Get[float32](b, n.Batch, 2*c.c)
	for l := range c.c {
		if want := float32(1 / math.Sqrt(float64(a.vari[l])+float64(float32(normEps)))); batch[l] != a.mean[l] || math.Abs(float64(batch[c.c+l]-want)) > 1e-7 {
			t.Errorf("lane %d: %v %v, want %v %v", l, batch[l], batch[c.c+l], a.mean[l], want)
		}
	}
	if got := kerneltest.Get[float32](b, n.Var, c.c); got[3] != a.vari[3] {
		t.Error("the running variance has moved")
	}
}
