package kernels_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/kernels"
)

// bfloat rounds to the nearest bfloat16, ties to even, subnormal numbers to zero. Finite numbers only.
func bfloat(f float64) float64 {
	u := math.Float32bits(float32(f))
	if u&0x7F800000 == 0 {
		return 0
	}
	return float64(math.Float32frombits((u + 0x7FFF + u>>16&1) &^ 0xFFFF))
}

func bfloats(x []float64) []float64 {
	out := make([]float64, len(x))
	for i, f := range x {
		out[i] = bfloat(f)
	}
	return out
}

// eachBF16 runs f once for every way to compute with bfloat16 that this processor has.
func eachBF16(t *testing.T, f func(t *testing.T)) {
	eachISA(t, func(t *testing.T) {
		name := kernels.BF16()
		t.Run(name, f)
		if name != kernels.Emulated {
			t.Run(kernels.Emulated, func(t *testing.T) {
				defer kernels.EmulateBF16()()
				f(t)
			})
		}
	})
}

// bfCases are the cases that bfloat16 exists for, and random ones.
func bfCases() []int {
	var all []int
	for i, c := range cases {
		if c.bn && !c.image {
			all = append(all, i)
		}
	}
	return all
}

// The limits are those of float32 kernels: the reference starts from the rounded numbers, and has no other rounding.
func TestBF16Forward(t *testing.T) {
	eachBF16(t, func(t *testing.T) {
		for _, i := range bfCases() {
			b := newBench(t, i, false)
			b.spec.BF16 = true
			k := b.conv(t)
			wantY, wantA, _, _ := b.forward(bfloats(b.lx), bfloats(b.lw), b.lgamma, b.lbeta, nil)
			k.Forward(true)
			near(t, fmt.Sprintf("y of case %d", i), b.y.get(), wantY, 2e-6)
			near(t, fmt.Sprintf("a of case %d", i), b.a.get(), wantA, 2e-5)
			stats := [2][]float64{wide(b.spec.Mean), wide(b.spec.Var)}
			_, wantA, _, _ = b.forward(b.lx, b.lw, b.lgamma, b.lbeta, &stats)
			k.Forward(false)
			near(t, fmt.Sprintf("a of case %d outside of training", i), b.a.get(), wantA, 5e-6)
			b.guards(t)
		}
	})
}

// dy is the gradient of y by that of the normalised y, dz. doubt is, for each of dy, how far its bfloat16 may be from that of the
// kernel, which rounds a float32: where a tie is near.
func (b *bench) dy(y, dz []float64) (dy, doubt []float64) {
	dy, doubt = make([]float64, len(y)), make([]float64, len(y))
	m := float64(b.n * b.oh * b.ow)
	for o := range b.oc {
		var mean, variance, sum, product float64
		b.channel(o, func(i int) { mean += y[i] / m })
		b.channel(o, func(i int) { variance += (y[i] - mean) * (y[i] - mean) / m })
		r := 1 / math.Sqrt(variance+b.eps)
		b.channel(o, func(i int) { sum, product = sum+dz[i], product+dz[i]*(y[i]-mean)*r })
		g1, g2 := b.lgamma[o]*r, -b.lgamma[o]*r*r*product/m
		g3 := -g2*mean - g1*sum/m
		b.channel(o, func(i int) {
			dy[i] = g1*dz[i] + g2*y[i] + g3
			tie := 1e-6 * (math.Abs(g1*dz[i]) + math.Abs(g2*y[i]) + math.Abs(g3))
			doubt[i] = bfloat(dy[i]+tie) - bfloat(dy[i]-tie)
		})
	}
	return dy, doubt
}

// nearOr is near, and allows in each place as much beside as doubt says.
func nearOr(t *testing.T, name string, got, want, doubt []float64, tol float64) {
	t.Helper()
	inside := slices.Clone(got)
	for i, w := range want {
		inside[i] = w + math.Copysign(max(0, math.Abs(got[i]-w)-doubt[i]), got[i]-w)
	}
	near(t, name, inside, want, tol)
}

// sure fails where more than a quarter of the numbers are in doubt: then nothing would be compared.
func sure(t *testing.T, name string, doubt []float64) {
	t.Helper()
	n := 0
	for _, d := range doubt {
		if d > 0 {
			n++
		}
	}
	if n > len(doubt)/4 {
		t.Errorf("%s: %d of %d numbers may be rounded either way", name, n, len(doubt))
	}
}

// Backward leaves dz in DA, of which it makes the rounded gradient of y.
func TestBF16Backward(t *testing.T) {
	eachBF16(t, func(t *testing.T) {
		for _, accumulate := range []bool{false, true} {
			for _, i := range bfCases() {
				b := newBench(t, i, accumulate)
				b.spec.BF16 = true
				k := b.conv(t)
				x, w := bfloats(b.lx), bfloats(b.lw)
				_, _, dgamma, dbeta := b.backward(x, w, b.lgamma, b.lbeta, b.lda)
				k.Forward(true)
				k.Backward()
				dx, dw := make([]float64, len(x)), make([]float64, len(w))
				if accumulate {
					copy(dx, b.ldx0)
					copy(dw, b.lw0dw0)
				}
				dy, doubt := b.dy(b.y.get(), b.da.get())
				dy = bfloats(dy)
				ddx, ddw := make([]float64, len(x)), make([]float64, len(w))
				b.each(func(xi, wi, yi int) {
					ddx[xi] += doubt[yi] * math.Abs(w[wi])
					ddw[wi] += doubt[yi] * math.Abs(x[xi])
					dx[xi] += dy[yi] * w[wi]
					dw[wi] += dy[yi] * x[xi]
				})
				for o := range dbeta {
					if accumulate {
						dgamma[o], dbeta[o] = dgamma[o]+3, dbeta[o]+5
					}
				}
				got := make([]float32, len(dw))
				kernels.UnpackWeights(got, b.spec.DW, kernels.Row(b.oc), kernels.Row(b.ic), b.k)
				name := fmt.Sprintf(" of case %d, accumulate %t", i, accumulate)
				nearOr(t, "dw"+name, wide(got), dw, ddw, 2e-6)
				nearOr(t, "dx"+name, b.dx.get(), dx, ddx, 2e-6)
				sure(t, "dy"+name, doubt)
				near(t, "dbeta"+name, wide(b.spec.DBeta[:b.oc]), dbeta, 2e-5)
				near(t, "dgamma"+name, wide(b.spec.DGamma[:b.oc]), dgamma, 2e-5)
				b.guards(t)
			}
		}
	})
}

// An instruction and its emulation come to the same bits, so that a run may go on where the instruction is missing.
func TestBF16Emulation(t *testing.T) {
	if kernels.BF16() == kernels.Emulated {
		t.Skip("this processor has no instructions for bfloat16")
	}
	for _, i := range bfCases() {
		run := func() [][]float32 {
			b := newBench(t, i, false)
			b.spec.BF16 = true
			k := b.conv(t)
			k.Forward(true)
			k.Backward()
			return [][]float32{b.y.all, b.a.all, b.dx.all, b.spec.DW, b.spec.DGamma, b.spec.DBeta, b.spec.Mean, b.spec.Var}
		}
		want := run()
		restore := kernels.EmulateBF16()
		got := run()
		restore()
		for p := range want {
			for j := range want[p] {
				if math.Float32bits(got[p][j]) != math.Float32bits(want[p][j]) {
					t.Fatalf("case %d, tensor %d: float %d is %v by emulation and %v by the instruction", i, p, j, got[p][j], want[p][j])
				}
			}
		}
	}
}

// Rounding of operands: ties, subnormal numbers, infinities and what is no number. The layer is a 1x1 convolution with
// weight 1, so that y is the rounded x.
func TestBF16Rounding(t *testing.T) {
	const denormal = 1e-39
	r := rand.New(rand.NewPCG(3, 4))
	numbers := []float32{0, 1, -1, 1 + 1.0/256, 1 + 3.0/256, -1 - 1.0/256, 1 + 1.0/255, 3.0e38, denormal, -denormal,
		math.Float32frombits(0x7F7FFFFF), float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN())}
	for range 500 {
		numbers = append(numbers, math.Float32frombits(r.Uint32()&0xBFFFFFFF))
	}
	eachBF16(t, func(t *testing.T) {
		b := newBench(t, 10, false)
		b.spec.BF16 = true
		clear(b.spec.W)
		clear(b.x.Buffer())
		for o := range kernels.Lanes {
			b.spec.W[o*kernels.Lanes+o] = 1 // of the first pair of blocks
		}
		k, numbers := b.conv(t), numbers
		for len(numbers) > 0 {
			n := min(len(numbers), b.w)
			for i, f := range numbers[:n] {
				b.x.Set(1, 3, 2, i, f)
			}
			k.Forward(true)
			for i, f := range numbers[:n] {
				got, want := float64(b.y.At(1, 3, 2, i)), float64(f)
				if !math.IsInf(want, 0) && !math.IsNaN(want) {
					want = bfloat(want)
				}
				if got != want && !(math.IsNaN(got) && (math.IsNaN(want) || math.IsInf(want, 0))) {
					t.Errorf("%v (%08x) became %v, want %v", f, math.Float32bits(f), got, want)
				}
			}
			numbers = numbers[n:]
		}
	})
}

func TestBF16Errors(t *testing.T) {
	for _, i := range []int{12, 15} { // an image, and a bias
		b := newBench(t, i, false)
		b.spec.BF16 = true
		if _, err := kernels.NewConv(b.spec); err == nil {
			t.Errorf("case %d was bound with bfloat16", i)
		}
	}
}
