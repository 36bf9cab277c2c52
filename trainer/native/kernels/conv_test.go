package kernels_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/kernels"
)

// shape is one convolution: images, channels, pixels of the input, kernel, stride.
type shape struct {
	n, ic, oc, h, w, k, s int
	image, bn             bool
}

func (c shape) String() string {
	return fmt.Sprintf("%dx%d-%d_%dx%d_k%ds%d_image=%t_bn=%t", c.n, c.ic, c.oc, c.h, c.w, c.k, c.s, c.image, c.bn)
}

// cases cover every kind of convolution at odd shapes, at one pixel, and at every number of output blocks up to six.
var cases = []shape{
	{2, 16, 16, 5, 7, 3, 1, false, true},
	{2, 24, 40, 13, 9, 3, 1, false, true},
	{1, 16, 48, 6, 31, 3, 1, false, true},
	{3, 5, 5, 4, 1, 3, 1, false, true},
	{2, 32, 96, 8, 8, 3, 1, false, true},
	{2, 40, 24, 5, 7, 3, 2, false, true},
	{2, 16, 33, 13, 9, 3, 2, false, true},
	{2, 32, 64, 6, 10, 3, 2, false, true},
	{2, 17, 16, 3, 1, 3, 2, false, true},
	{2, 16, 16, 1, 1, 3, 2, false, true},
	{2, 64, 80, 5, 7, 1, 1, false, true},
	{1, 24, 5, 13, 9, 1, 1, false, true},
	{2, 3, 16, 13, 9, 3, 2, true, true},
	{2, 3, 40, 5, 7, 3, 1, true, true},
	{1, 3, 16, 34, 1, 3, 2, true, true},
	{2, 32, 5, 5, 7, 1, 1, false, false},
	{2, 32, 32, 4, 17, 1, 1, false, false},
	{2, 20, 24, 7, 3, 3, 1, false, false},
	{1, 24, 24, 3, 31, 3, 1, false, true}, // half blocks in tiles of all widths
	{1, 8, 6, 3, 31, 3, 1, false, true},
	{1, 24, 56, 3, 10, 3, 2, false, true},
}

// bench holds one layer in blocked and in logical form.
type bench struct {
	layer
	x, dx, y, a, da                          *guarded
	spec                                     kernels.ConvSpec
	lx, lw, lgamma, lbeta, lda, ldx0, lw0dw0 []float64
}

func mem(t *testing.T, n int) []float32 {
	p := kernels.Alloc(n)
	t.Cleanup(func() { kernels.Free(p) })
	return p
}

func set(dst []float32, src []float64) {
	for i, f := range src {
		dst[i] = float32(f)
	}
}

func random(r *rand.Rand, n int, scale, shift float64) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(float32(r.NormFloat64()*scale + shift))
	}
	return x
}

func newBench(t *testing.T, i int, accumulate bool) *bench {
	return shapedBench(t, cases[i], uint64(i), accumulate)
}

func shapedBench(t *testing.T, c shape, seed uint64, accumulate bool) *bench {
	r := rand.New(rand.NewPCG(seed, 7))
	l := layer{n: c.n, ic: c.ic, oc: c.oc, h: c.h, w: c.w, k: c.k, s: c.s, bn: c.bn, eps: 1e-3}
	l.oh, l.ow = (c.h-1)/c.s+1, (c.w-1)/c.s+1
	b := &bench{layer: l}
	b.y, b.a, b.da = newGuarded(t, l.n, l.oc, l.oh, l.ow), newGuarded(t, l.n, l.oc, l.oh, l.ow), newGuarded(t, l.n, l.oc, l.oh, l.ow)
	if c.image {
		b.x = newGuardedImage(t, l.n, l.h, l.w)
	} else {
		b.x, b.dx = newGuarded(t, l.n, l.ic, l.h, l.w), newGuarded(t, l.n, l.ic, l.h, l.w)
		b.ldx0 = b.dx.fill(r) // stands there before: overwritten, or added to
	}
	b.lx, b.lda = b.x.fill(r), b.da.fill(r)
	b.lw = random(r, l.oc*l.ic*l.k*l.k, 1/math.Sqrt(float64(l.ic*l.k*l.k)), 0)
	b.lgamma, b.lbeta = random(r, l.oc, 0.3, 1), random(r, l.oc, 0.3, 0.1)
	lanes := kernels.Blocks(l.oc) * kernels.Lanes
	s := kernels.ConvSpec{K: l.k, S: l.s, IC: l.ic, OC: l.oc, Image: c.image, BN: l.bn, HasDX: !c.image, AccDX: accumulate, AccW: accumulate,
		X: b.x.View, Y: b.y.View, A: b.a.View, DA: b.da.View, Momentum: 0.03, Eps: 1e-3,
		Gamma: mem(t, lanes), Beta: mem(t, lanes), DGamma: mem(t, lanes), DBeta: mem(t, lanes), Mean: mem(t, lanes), Var: mem(t, lanes)}
	if b.dx != nil {
		s.DX = b.dx.View
	}
	s.W, s.DW = mem(t, s.WeightLen()), mem(t, s.WeightLen())
	w32 := make([]float32, len(b.lw))
	set(w32, b.lw)
	kernels.PackWeights(s.W, w32, kernels.Row(l.oc), kernels.Row(l.ic), l.k)
	set(s.Gamma, b.lgamma)
	set(s.Beta, b.lbeta)
	for o := range l.oc {
		s.Mean[o], s.Var[o] = 0.25, 1
		s.DGamma[o], s.DBeta[o] = 3, 5
	}
	b.lw0dw0 = random(r, len(b.lw), 1, 0)
	set(w32, b.lw0dw0)
	kernels.PackWeights(s.DW, w32, kernels.Row(l.oc), kernels.Row(l.ic), l.k)
	b.spec = s
	return b
}

func (b *bench) conv(t *testing.T) *kernels.Conv {
	k, err := kernels.NewConv(b.spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k
}

func (b *bench) guards(t *testing.T) {
	for name, g := range map[string]*guarded{"x": b.x, "y": b.y, "a": b.a, "da": b.da, "dx": b.dx} {
		if g != nil {
			g.check(t, name)
		}
	}
	lane := func(name string, p []float32) {
		for o := b.oc; o < len(p); o++ {
			if p[o] != 0 {
				t.Fatalf("%s: padding lane %d is %v", name, o, p[o])
			}
		}
	}
	lane("dgamma", b.spec.DGamma)
	lane("dbeta", b.spec.DBeta)
	lane("mean", b.spec.Mean)
	lane("var", b.spec.Var)
	back := make([]float32, len(b.lw))
	again := make([]float32, len(b.spec.DW))
	kernels.UnpackWeights(back, b.spec.DW, kernels.Row(b.oc), kernels.Row(b.ic), b.k)
	kernels.PackWeights(again, back, kernels.Row(b.oc), kernels.Row(b.ic), b.k)
	for i := range again {
		if again[i] != b.spec.DW[i] {
			t.Fatalf("dw: padding lane %d is %v", i, b.spec.DW[i])
		}
	}
}

func eachCase(t *testing.T, f func(t *testing.T, i int)) {
	eachISA(t, func(t *testing.T) {
		for i, c := range cases {
			t.Run(c.String(), func(t *testing.T) { f(t, i) })
		}
	})
}

func TestConvForward(t *testing.T) {
	eachCase(t, func(t *testing.T, i int) { newBench(t, i, false).checkForward(t) })
}

func TestConvBackward(t *testing.T) {
	for _, accumulate := range []bool{false, true} {
		t.Run(fmt.Sprintf("accumulate=%t", accumulate), func(t *testing.T) {
			eachCase(t, func(t *testing.T, i int) { newBench(t, i, accumulate).checkBackward(t, accumulate) })
		})
	}
}

func (b *bench) checkForward(t *testing.T) {
	k := b.conv(t)
	wantY, wantA, mean, variance := b.forward(b.lx, b.lw, b.lgamma, b.lbeta, nil)
	k.Forward(true)
	near(t, "y", b.y.get(), wantY, 2e-6)
	if b.bn {
		near(t, "a", b.a.get(), wantA, 2e-5)
		m := float64(b.n * b.oh * b.ow)
		for o := range b.oc {
			unbiased := variance[o]
			if m > 1 {
				unbiased *= m / (m - 1)
			}
			near(t, "running", []float64{float64(b.spec.Mean[o]), float64(b.spec.Var[o])}, []float64{0.25 + 0.03*(mean[o]-0.25), 1 + 0.03*(unbiased-1)}, 1e-5)
		}
		stats := [2][]float64{wide(b.spec.Mean), wide(b.spec.Var)}
		_, wantA, _, _ = b.forward(b.lx, b.lw, b.lgamma, b.lbeta, &stats)
		k.Forward(false)
		near(t, "a with running statistics", b.a.get(), wantA, 5e-6)
		near(t, "running statistics moved by Forward(false)", wide(b.spec.Mean), stats[0], 0)
	}
	b.guards(t)
}

func (b *bench) checkBackward(t *testing.T, accumulate bool) {
	k := b.conv(t)
	dx, dw, dgamma, dbeta := b.backward(b.lx, b.lw, b.lgamma, b.lbeta, b.lda)
	if accumulate {
		for i := range dx {
			if b.dx != nil {
				dx[i] += b.ldx0[i]
			}
		}
		for i := range dw {
			dw[i] += b.lw0dw0[i]
		}
	}
	for o := range dbeta {
		if accumulate {
			dbeta[o] += 5
		}
		if accumulate || !b.bn {
			dgamma[o] += 3
		}
	}
	k.Forward(true)
	k.Backward()
	got := make([]float32, len(dw))
	kernels.UnpackWeights(got, b.spec.DW, kernels.Row(b.oc), kernels.Row(b.ic), b.k)
	near(t, "dw", wide(got), dw, 2e-5)
	near(t, "dbeta", wide(b.spec.DBeta[:b.oc]), dbeta, 2e-5)
	near(t, "dgamma", wide(b.spec.DGamma[:b.oc]), dgamma, 2e-5)
	if b.dx != nil {
		near(t, "dx", b.dx.get(), dx, 2e-5)
	}
	b.guards(t)
}

// The reference's gradients themselves are checked against central differences of its forward pass.
func TestReferenceGradient(t *testing.T) {
	for i := range cases {
		b := newBench(t, i, false)
		value := func() float64 {
			y, a, _, _ := b.forward(b.lx, b.lw, b.lgamma, b.lbeta, nil)
			if b.bn {
				y = a
			}
			sum := 0.0
			for i := range y {
				sum += y[i] * b.lda[i]
			}
			return sum
		}
		dx, dw, dgamma, dbeta := b.backward(b.lx, b.lw, b.lgamma, b.lbeta, b.lda)
		for _, g := range []struct {
			name  string
			p, dp []float64
		}{{"x", b.lx, dx}, {"w", b.lw, dw}, {"gamma", b.lgamma, dgamma}, {"beta", b.lbeta, dbeta}} {
			if g.name == "gamma" && !b.bn {
				continue
			}
			for _, at := range []int{0, len(g.p) / 2, len(g.p) - 1} {
				const e = 1e-5
				old := g.p[at]
				g.p[at] = old + e
				up := value()
				g.p[at] = old - e
				down := value()
				g.p[at] = old
				if d := (up - down) / (2 * e); math.Abs(d-g.dp[at]) > 1e-5*max(1, math.Abs(d)) {
					t.Fatalf("case %d: gradient of %s[%d] is %v, central difference %v", i, g.name, at, g.dp[at], d)
				}
			}
		}
	}
}

func TestSameBits(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		run := func() []float32 {
			b := newBench(t, 1, false)
			k := b.conv(t)
			k.Forward(true)
			k.Backward()
			return append(append(append([]float32(nil), b.a.all...), b.dx.all...), b.spec.DW...)
		}
		first := run()
		for i, f := range run() {
			if math.Float32bits(f) != math.Float32bits(first[i]) {
				t.Fatalf("float %d is %v, then %v", i, first[i], f)
			}
		}
	})
}

// Saturated and missing numbers: SiLU of far values, and a NaN that must not vanish.
func TestSiLUExtremes(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		b := newBench(t, 0, false)
		for o := range b.oc {
			b.lbeta[o] = []float64{-1000, -90, -30, 0, 30, 90, 1000, 1e30}[o%8]
			b.lgamma[o] = 0
		}
		set(b.spec.Beta, b.lbeta)
		set(b.spec.Gamma, b.lgamma)
		b.conv(t).Forward(true)
		for o := range b.oc {
			z := b.lbeta[o]
			want := z / (1 + math.Exp(-z))
			if got := float64(b.a.At(0, o, 2, 3)); math.Abs(got-want) > 1e-6*max(1e-3, math.Abs(want)) {
				t.Errorf("silu(%v) = %v, want %v", z, got, want)
			}
		}
		b.spec.Beta[3] = float32(math.NaN())
		b.conv(t).Forward(true)
		if got := b.a.At(0, 3, 0, 0); got == got {
			t.Errorf("silu(NaN) = %v", got)
		}
	})
}

func TestNewConvErrors(t *testing.T) {
	for name, spoil := range map[string]func(*kernels.ConvSpec){
		"kernel 5":    func(s *kernels.ConvSpec) { s.K = 5 },
		"output":      func(s *kernels.ConvSpec) { s.S = 2 },
		"weights":     func(s *kernels.ConvSpec) { s.W = s.W[1:] },
		"Beta":        func(s *kernels.ConvSpec) { s.Beta = nil },
		"blocks for":  func(s *kernels.ConvSpec) { s.IC = 17 },
		"without DA":  func(s *kernels.ConvSpec) { s.DA = kernels.View{} },
		"activation":  func(s *kernels.ConvSpec) { s.A.H++ },
		"of input":    func(s *kernels.ConvSpec) { s.DX.W++ },
		"image input": func(s *kernels.ConvSpec) { s.Image = true },
		"input lane":  func(s *kernels.ConvSpec) { s.ILanes = []int{-1} },
		"output lane": func(s *kernels.ConvSpec) { s.OLanes = []int{16} },
	} {
		b := newBench(t, 0, false)
		spoil(&b.spec)
		if _, err := kernels.NewConv(b.spec); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// MAPSWEEP_ISA is read once at start, so it is tried in another process.
func TestEnvironment(t *testing.T) {
	if os.Getenv("MAPSWEEP_KERNELS_CHILD") == "1" {
		fmt.Println("isa", kernels.ISA())
		b := newBench(t, 0, false)
		_, err := kernels.NewConv(b.spec)
		fmt.Println("error", err)
		return
	}
	for name, want := range map[string]string{"generic": "isa generic\nerror <nil>\n", "sse9": `unknown name, use one of`} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestEnvironment$")
		cmd.Env = append(os.Environ(), "MAPSWEEP_KERNELS_CHILD=1", "MAPSWEEP_ISA="+name)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("MAPSWEEP_ISA=%s: %v, %s", name, err, out)
		}
	}
	if _, err := kernels.Force("sse9"); err == nil {
		t.Error("Force(sse9) succeeded")
	}
	if len(kernels.Supported()) == 0 || kernels.Supported()[len(kernels.Supported())-1] != "generic" {
		t.Errorf("Supported() = %v", kernels.Supported())
	}
}
