package kernel_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel/kerneltest"
)

// normCase is a normalisation of `arms` products, with the last `padding` lanes without a channel.
type normCase struct {
	n, h, w, c, stride, padding int
	arms                        int
	linear, residual            bool
}

var normCases = []normCase{
	{n: 1, h: 1, w: 1, c: 16, stride: 16, arms: 1},
	{n: 2, h: 2, w: 3, c: 32, stride: 64, padding: 3, arms: 1},
	{n: 3, h: 13, w: 7, c: 80, stride: 96, padding: 1, arms: 1, residual: true},
	{n: 2, h: 5, w: 9, c: 48, stride: 48, arms: 1, linear: true},
	{n: 3, h: 15, w: 13, c: 16, stride: 32, arms: 1, linear: true, residual: true},
	{n: 2, h: 182, w: 183, c: 16, stride: 16, arms: 1}, // rows of sums enough to be folded
	{n: 1, h: 3, w: 5, c: 288, stride: 304, arms: 1},   // more lanes than a block adds up
	{n: 2, h: 13, w: 7, c: 48, stride: 64, padding: 8, arms: 2},
	{n: 1, h: 3, w: 4, c: 272, stride: 272, arms: 2},
}

func (c normCase) String() string {
	return fmt.Sprintf("%dx%dx%dx%d of %d, %d arms, linear %v, residual %v", c.n, c.h, c.w, c.c, c.stride, c.arms, c.linear, c.residual)
}

const normEps, normMomentum = 1e-3, 0.03

// normArm holds what a product is normalised with, and what the reference finds.
type normArm struct {
	y                       kerneltest.Window
	gamma, beta, mean, vari []float32
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
	return a
}

func (a *normArm) on(b *kerneltest.Bench, typ kernel.Type, c normCase, out, add kernel.View) kernel.Norm {
	return kernel.Norm{
		Type: typ, Y: b.PutWindow(typ, a.y), A: out, Add: add, Linear: c.linear,
		Gamma: kerneltest.Put(b, a.gamma), Beta: kerneltest.Put(b, a.beta), Mean: kerneltest.Put(b, a.mean), Var: kerneltest.Put(b, a.vari),
		Eps: normEps, Momentum: normMomentum, Batch: b.Alloc(int64(8 * c.c)), Counters: b.Alloc(kernel.CounterBytes(0, int32(c.c))),
	}
}

// statistics are the launches that make the statistics in training: of sums over the pixels, which else a convolution makes.
func statistics(b *kerneltest.Bench, n kernel.Norm) []cuda.Launch {
	partial := b.Alloc(kernel.SumsBytes(kernel.ProductTiles(n.Y), n.Y.C))
	return append([]cuda.Launch{kernel.ProductSums(n.Type, n.Y, partial, &n)}, n.Statistics(true)...)
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

// normStep is what a step reads beside the arms, and what it leaves: by name, with the number of the arm.
type normStep struct {
	normCase
	typ          kernel.Type
	products     []*normArm
	out, add, dA kerneltest.Window
	left         map[string][]float32
}

func (c normCase) test(t *testing.T, b *kerneltest.Bench, typ kernel.Type) {
	r := kerneltest.Seed(c.String())
	s := normStep{normCase: c, typ: typ, left: map[string][]float32{}}
	for range c.arms {
		s.products = append(s.products, c.newArm(typ, r))
	}
	for _, w := range []*kerneltest.Window{&s.out, &s.add, &s.dA} {
		*w = kerneltest.RandomWindow(typ, r, c.n, c.h, c.w, c.stride-c.c, c.c, c.stride)
	}
	for p := range s.dA.Pixels() {
		for l := c.c - c.padding; l < c.c; l++ {
			*s.dA.At(p, l), *s.add.At(p, l) = 0, 0
		}
	}
	kerneltest.EveryOrder(t, func() []float32 { return s.train(b) })
	s.checkBeside(t)
	for i := range s.products {
		if left := s.left[fmt.Sprint("counters", i)]; slices.Max(left) != 0 {
			t.Errorf("counters are left at %v", left)
		}
	}
	for l := range c.c {
		s.checkLane(t, l)
	}
}

// train takes the step, and returns everything that it leaves in a row.
func (s *normStep) train(b *kerneltest.Bench) (all []float32) {
	o, rest, d := b.PutWindow(s.typ, s.out), kernel.View{}, b.PutWindow(s.typ, s.dA)
	if s.residual {
		rest = b.PutWindow(s.typ, s.add)
	}
	var norms []kernel.Norm
	var grads []cuda.Ptr
	for _, a := range s.products {
		norms = append(norms, a.on(b, s.typ, s.normCase, o, rest))
		grads = append(grads, b.Alloc(int64(4*s.c)), b.Alloc(int64(4*s.c)))
	}
	for _, n := range norms {
		b.Run(statistics(b, n)...)
	}
	if n := norms[0]; len(norms) == 1 {
		b.Run(n.Activate()...)
		b.Run(n.Backward(d, grads[0], grads[1], b.Alloc(n.ScratchBytes()))...)
	} else {
		n := kernel.Rep{Wide: norms[0], Point: norms[1]}
		b.Run(n.Activate()...)
		b.Run(n.Backward(d, kernel.RepGrads{WideGamma: grads[0], WideBeta: grads[1], PointGamma: grads[2], PointBeta: grads[3]}, b.Alloc(n.ScratchBytes()))...)
	}
	keep := func(name string, v []float32) {
		s.left[name] = v
		all = append(all, v...)
	}
	keep("out", b.GetWindow(s.typ, o, s.out).Values)
	for i, n := range norms {
		keep(fmt.Sprint("y", i), b.GetWindow(s.typ, n.Y, s.products[i].y).Values)
		keep(fmt.Sprint("mean", i), kerneltest.Get[float32](b, n.Mean, s.c))
		keep(fmt.Sprint("var", i), kerneltest.Get[float32](b, n.Var, s.c))
		keep(fmt.Sprint("batch", i), kerneltest.Get[float32](b, n.Batch, 2*s.c))
		keep(fmt.Sprint("gamma", i), kerneltest.Get[float32](b, grads[2*i], s.c))
		keep(fmt.Sprint("beta", i), kerneltest.Get[float32](b, grads[2*i+1], s.c))
		keep(fmt.Sprint("counters", i), counters(b, n))
	}
	return all
}

// counters are what is left of a normalisation's.
func counters(b *kerneltest.Bench, n kernel.Norm) (all []float32) {
	for _, v := range kerneltest.Get[uint32](b, n.Counters, int(kernel.CounterBytes(0, n.Y.C)/4)) {
		all = append(all, float32(v))
	}
	return all
}

// checkBeside wants the lanes beside the output's window as they were.
func (s *normStep) checkBeside(t *testing.T) {
	t.Helper()
	for p := range s.out.Pixels() {
		for l := range s.stride - s.c {
			if s.left["out"][p*s.stride+l] != s.out.Values[p*s.stride+l] {
				t.Fatalf("pixel %d, lane %d beside the window has changed", p, l)
			}
		}
	}
}

// checkLane compares all of a lane with float64. A result that is stored in bf16 is rounded by up to 2^-8 of it; the rest are
// float32 roundings of sums, some more where a mean is taken from what is around 1.
func (s *normStep) checkLane(t *testing.T, l int) {
	t.Helper()
	const single = 3e-5
	check := func(what string, got float32, want, tolerance float64) {
		t.Helper()
		if d := math.Abs(float64(got) - want); !(d <= tolerance) {
			t.Errorf("lane %d, %s: %v, want %v: off by %g of %g", l, what, got, want, d, tolerance)
		}
	}
	stored := func(v float64) float64 { return single + float64(s.typ)/256*math.Abs(v) }
	m, empty := float64(s.out.Pixels()), l >= s.c-s.padding
	out := s.out
	out.Values = s.left["out"]
	var dz []float64
	var sum float64
	for p := range out.Pixels() {
		want, d := s.reference(p, l)
		check("output", *out.At(p, l), want, stored(want))
		if empty && !s.residual {
			check("output without a channel", *out.At(p, l), 0, 0)
		}
		dz, sum = append(dz, d), sum+d
	}
	for i, a := range s.products {
		left := func(name string) []float32 { return s.left[fmt.Sprint(name, i)] }
		var dgamma float64
		for p := range dz {
			dgamma += dz[p] * a.xhat(p, l)
		}
		check("dGamma", left("gamma")[l], dgamma, single*(math.Sqrt(m)*a.inv[l]+1))
		check("dBeta", left("beta")[l], sum, single*math.Sqrt(m))
		check("running mean", left("mean")[l], float64(a.mean[l])+normMomentum*(a.mu[l]-float64(a.mean[l])), 1e-6)
		check("running variance", left("var")[l], float64(a.vari[l])+normMomentum*(a.unbiased[l]-float64(a.vari[l])), 1e-6)
		check("mean", left("batch")[l], a.mu[l], 1e-6)
		check("1/sqrt(variance)", left("batch")[s.c+l], a.inv[l], 1e-6*math.Pow(a.inv[l], 3))
		dy := a.y
		dy.Values = left("y")
		for p := range dz {
			want := float64(a.gamma[l]) * a.inv[l] * (dz[p] - sum/m - a.xhat(p, l)*dgamma/m)
			check("gradient of the product", *dy.At(p, l), want, max(1, a.inv[l]*a.inv[l])*stored(want))
			if empty {
				check("gradient without a channel", *dy.At(p, l), 0, 0)
			}
		}
	}
}

func (a *normArm) xhat(pixel, lane int) float64 {
	return (float64(*a.y.At(pixel, lane)) - a.mu[lane]) * a.inv[lane]
}

// reference is the output of a pixel and the gradient of what goes into the activation.
func (s *normStep) reference(pixel, lane int) (out, dz float64) {
	z := 0.0
	for _, a := range s.products {
		z += float64(a.gamma[lane])*a.xhat(pixel, lane) + float64(a.beta[lane])
	}
	out, dz = z, float64(*s.dA.At(pixel, lane))
	if !s.linear {
		g := 1 / (1 + math.Exp(-z))
		out, dz = z*g, dz*g*(1+z*(1-g))
	}
	if s.residual {
		out += float64(*s.add.At(pixel, lane))
	}
	return out, dz
}

// TestNormRunning: out of training the running statistics count, and stay.
func TestNormRunning(t *testing.T) {
	b := kerneltest.New(t)
	c := normCase{n: 1, h: 2, w: 2, c: 32, stride: 32}
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
