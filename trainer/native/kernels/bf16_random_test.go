package kernels_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/kernels"
)

// randomShape is a convolution of bfloat16 of any kind that a model may have: odd sizes, few pixels, one channel, half blocks, one
// image.
func randomShape(r *rand.Rand) shape {
	channels := func() int {
		switch r.IntN(4) {
		case 0:
			return 1 + r.IntN(8) // half a block or less, as few as one
		case 1:
			return 16*(1+r.IntN(3)) + 8 // whole blocks and a half
		}
		return 1 + r.IntN(60)
	}
	for {
		c := shape{n: 1 + r.IntN(4), ic: channels(), oc: channels(), h: 1 + r.IntN(14), w: 1 + r.IntN(34), k: 3, s: 1 + r.IntN(2), bn: true}
		if r.IntN(3) == 0 {
			c.k, c.s = 1, 1
		}
		// The reference is slow, and batch normalisation of one value magnifies rounding without bounds.
		oh, ow := (c.h-1)/c.s+1, (c.w-1)/c.s+1
		if work := c.n * c.ic * c.oc * oh * ow * c.k * c.k; work < 500_000 && c.n*oh*ow > 1 {
			return c
		}
	}
}

// withTeam lets all views of a bench use a team of so many threads; 1: none.
func (b *bench) withTeam(t *testing.T, threads int) {
	team := newTeam(t, threads)
	t.Cleanup(team.Close)
	for _, v := range []*kernels.View{&b.spec.X, &b.spec.DX, &b.spec.Y, &b.spec.A, &b.spec.DA} {
		v.Team = team
	}
}

// written is everything that a pass writes.
func (b *bench) written() [][]float32 {
	return [][]float32{b.y.all, b.a.all, b.da.all, b.dx.all, b.spec.DW, b.spec.DGamma, b.spec.DBeta, b.spec.Mean, b.spec.Var}
}

// Random shapes in every way to compute with bfloat16, on one to five threads: against the plain reference on the rounded numbers, and
// of each set of instructions the same bits whatever the number of threads, by the instruction and by its emulation.
func TestBF16Random(t *testing.T) {
	shapes := 24
	if testing.Short() {
		shapes = 6
	}
	eachISA(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(11, 5))
		for i := range shapes {
			c, accumulate, threads := randomShape(r), r.IntN(2) == 0, 2+r.IntN(4)
			name := fmt.Sprintf(" of %+v, accumulate %t, %d threads", c, accumulate, threads)
			run := func(threads int) *bench {
				b := shapedBench(t, c, uint64(100+i), accumulate)
				b.spec.BF16 = true
				b.withTeam(t, threads)
				k := b.conv(t)
				k.Forward(true)
				k.Backward()
				b.guards(t)
				return b
			}
			b := run(1)
			b.holdsTo(t, name, accumulate)
			sameWritten(t, "threads"+name, run(threads).written(), b.written())
			restore := kernels.EmulateBF16()
			sameWritten(t, "emulation"+name, run(threads).written(), b.written())
			restore()
		}
	})
}

// holdsTo compares what a pass has written with the reference. Backward leaves dz in DA, of which it makes the rounded gradient of y.
func (b *bench) holdsTo(t *testing.T, name string, accumulate bool) {
	t.Helper()
	x, w := bfloats(b.lx), bfloats(b.lw)
	y, a, _, _ := b.forward(x, w, b.lgamma, b.lbeta, nil)
	near(t, "y"+name, b.y.get(), y, 3e-6)
	near(t, "a"+name, b.a.get(), a, 1e-4)
	_, _, dgamma, dbeta := b.backward(x, w, b.lgamma, b.lbeta, b.lda)
	dx, dw := make([]float64, len(x)), make([]float64, len(w))
	ddx, ddw := make([]float64, len(x)), make([]float64, len(w))
	dy, doubt := b.dy(b.y.get(), b.da.get())
	dy = bfloats(dy)
	if accumulate {
		copy(dx, b.ldx0)
		copy(dw, b.lw0dw0)
		for o := range dbeta {
			dgamma[o], dbeta[o] = dgamma[o]+3, dbeta[o]+5
		}
	}
	b.each(func(xi, wi, yi int) {
		dx[xi] += dy[yi] * w[wi]
		dw[wi] += dy[yi] * x[xi]
		ddx[xi] += doubt[yi] * math.Abs(w[wi])
		ddw[wi] += doubt[yi] * math.Abs(x[xi])
	})
	got := make([]float32, len(dw))
	kernels.UnpackWeights(got, b.spec.DW, kernels.Row(b.oc), kernels.Row(b.ic), b.k)
	nearOr(t, "dw"+name, wide(got), dw, ddw, 3e-6)
	nearOr(t, "dx"+name, b.dx.get(), dx, ddx, 3e-6)
	sure(t, "dy"+name, doubt)
	near(t, "dbeta"+name, wide(b.spec.DBeta[:b.oc]), dbeta, 1e-4)
	near(t, "dgamma"+name, wide(b.spec.DGamma[:b.oc]), dgamma, 1e-4)
}

func sameWritten(t *testing.T, name string, got, want [][]float32) {
	t.Helper()
	for p := range want {
		for i, f := range want[p] {
			if math.Float32bits(got[p][i]) != math.Float32bits(f) {
				t.Fatalf("%s: float %d of tensor %d is %v, want %v", name, i, p, got[p][i], f)
			}
		}
	}
}
