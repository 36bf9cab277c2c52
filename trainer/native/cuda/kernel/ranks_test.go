package kernel_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel/kerneltest"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
)

// ranksOnOne are ranks that take turns on one GPU: each comes to its next sum before the sums are made.
type ranksOnOne struct {
	*kernel.Ranks
	b    *kerneltest.Bench
	t    *testing.T
	sums []cuda.Ptr // that the ranks have asked for
	n    int64
}

func takeTurns(t *testing.T, b *kerneltest.Bench, ranks int) *ranksOnOne {
	r := &ranksOnOne{b: b, t: t}
	r.Ranks = &kernel.Ranks{Count: ranks, SumDoubles: func(p cuda.Ptr, n int64) error {
		r.sums, r.n = append(r.sums, p), n
		return nil
	}}
	return r
}

// run carries out the launches of each rank.
func (r *ranksOnOne) run(all ...[]cuda.Launch) {
	r.t.Helper()
	for len(all[0]) > 0 {
		r.sums = nil
		for i, launches := range all {
			k := slices.IndexFunc(launches, func(l cuda.Launch) bool { return l.Call != nil })
			if k < 0 {
				k = len(launches) - 1
			}
			r.b.Run(launches[:k+1]...)
			all[i] = launches[k+1:]
		}
		if len(r.sums) == 0 {
			return
		}
		total := make([]float64, r.n)
		for _, p := range r.sums {
			for i, v := range kerneltest.Get[float64](r.b, p, int(r.n)) {
				total[i] += v
			}
		}
		from := kerneltest.Put(r.b, total)
		for _, p := range r.sums {
			if err := r.b.Stream.Copy(p, from, 8*r.n); err != nil {
				r.t.Fatal(err)
			}
		}
	}
}

// shares cuts the images of a window in equal parts.
func shares(w kerneltest.Window, parts int) (all []kerneltest.Window) {
	one := len(w.Values) / parts
	for i := range parts {
		s := w
		s.N, s.Values = w.N/parts, w.Values[i*one:(i+1)*one]
		all = append(all, s)
	}
	return all
}

// normed is what a normalisation leaves of a share.
type normed struct{ a, dY, stats, learned []float32 }

// normOver normalises shares of a batch as ranks do, forward and backward; nil ranks: each share alone.
func normOver(t *testing.T, b *kerneltest.Bench, c normCase, typ kernel.Type, arms []*normArm, dA kerneltest.Window, parts int, over bool) (all []normed) {
	r := takeTurns(t, b, parts)
	var forward, activate, backward [][]cuda.Launch
	var get []func() normed
	for i, d := range shares(dA, parts) {
		grad, out := b.PutWindow(typ, d), b.PutWindow(typ, d)
		var norms []kernel.Norm
		var grads []cuda.Ptr
		var made []cuda.Launch
		for _, arm := range arms {
			mine := &normArm{y: shares(arm.y, parts)[i], gamma: arm.gamma, beta: arm.beta, mean: slices.Clone(arm.mean), vari: slices.Clone(arm.vari)}
			n := mine.on(b, typ, c, out, kernel.View{})
			if n.Totals = b.Alloc(8 * kernel.NormTotals(n.Y.C)); over {
				n.Over = r.Ranks
			}
			norms, grads, made = append(norms, n), append(grads, b.Alloc(int64(4*c.c)), b.Alloc(int64(4*c.c))), append(made, statistics(b, n)...)
		}
		forward = append(forward, made)
		n := norms[0]
		if len(norms) == 1 {
			activate = append(activate, n.Activate())
			backward = append(backward, n.Backward(grad, grads[0], grads[1], b.Alloc(n.ScratchBytes())))
		} else {
			rep := kernel.Rep{Wide: n, Point: norms[1]}
			activate = append(activate, rep.Activate())
			backward = append(backward, rep.Backward(grad, kernel.RepGrads{WideGamma: grads[0], WideBeta: grads[1], PointGamma: grads[2], PointBeta: grads[3]}, b.Alloc(rep.ScratchBytes())))
		}
		get = append(get, func() (v normed) {
			v.a = b.GetWindow(typ, out, d).Values
			for k, n := range norms {
				v.dY = append(v.dY, b.GetWindow(typ, n.Y, shares(arms[k].y, parts)[i]).Values...)
				for _, p := range []cuda.Ptr{n.Mean, n.Var, n.Batch, n.Batch.Add(int64(4 * c.c))} {
					v.stats = append(v.stats, kerneltest.Get[float32](b, p, c.c)...)
				}
			}
			for _, p := range grads {
				v.learned = append(v.learned, kerneltest.Get[float32](b, p, c.c)...)
			}
			return v
		})
	}
	for _, lists := range [][][]cuda.Launch{forward, activate, backward} {
		r.run(lists...)
	}
	for _, f := range get {
		all = append(all, f())
	}
	return all
}

// TestNormOverRanks: ranks that normalise together come to what one GPU does with the whole batch; their gradients of
// parameters are parts of it. One rank alone has the bits of no ranks.
func TestNormOverRanks(t *testing.T) {
	b := kerneltest.New(t)
	for _, c := range []normCase{
		{n: 4, h: 5, w: 3, c: 32, stride: 48, padding: 2, arms: 1},
		{n: 4, h: 1, w: 1, c: 16, stride: 16, arms: 1, linear: true},
		{n: 2, h: 13, w: 21, c: 48, stride: 48, arms: 1},
		{n: 4, h: 4, w: 3, c: 80, stride: 96, padding: 1, arms: 2},
	} {
		for _, typ := range kerneltest.Types {
			t.Run(c.String()+" "+typ.String(), func(t *testing.T) {
				r := kerneltest.Seed(c.String())
				var arms []*normArm
				for range c.arms {
					arms = append(arms, c.newArm(typ, r))
				}
				dA := kerneltest.RandomWindow(typ, r, c.n, c.h, c.w, c.stride-c.c, c.c, c.stride)
				whole := normOver(t, b, c, typ, arms, dA, 1, false)[0]
				one := normOver(t, b, c, typ, arms, dA, 1, true)[0]
				for i, v := range [][]float32{one.a, one.dY, one.stats, one.learned} {
					if !slices.Equal(v, [][]float32{whole.a, whole.dY, whole.stats, whole.learned}[i]) {
						t.Errorf("one rank differs from none in part %d", i)
					}
				}
				parts := normOver(t, b, c, typ, arms, dA, 2, true)
				for i, p := range parts {
					alike(t, "output", p.a, half(whole.a, 1, i), typ)
					alike(t, "gradient", p.dY, half(whole.dY, c.arms, i), typ)
					alike(t, "statistics", p.stats, whole.stats, kernel.Float32)
				}
				sum := slices.Clone(parts[0].learned)
				for i, v := range parts[1].learned {
					sum[i] += v
				}
				alike(t, "gradients of parameters", sum, whole.learned, kernel.Float32)
				if alone := normOver(t, b, c, typ, arms, dA, 2, false); c.h > 1 && slices.Equal(alone[0].stats, parts[0].stats) {
					t.Error("a share alone has the statistics of the batch")
				}
			})
		}
	}
}

// half is one of the two halves of each of so many arrays in a row.
func half(v []float32, arrays, i int) (all []float32) {
	one := len(v) / arrays
	for a := range arrays {
		all = append(all, v[a*one+i*one/2:a*one+(i+1)*one/2]...)
	}
	return all
}

// alike allows for sums of float32 in another order, and for one rounding to what is stored.
func alike(t *testing.T, what string, got, want []float32, typ kernel.Type) {
	t.Helper()
	for i := range want {
		d, most := math.Abs(float64(got[i])-float64(want[i])), 2e-5+(2e-5+float64(typ)/128)*math.Abs(float64(want[i]))
		if !(d <= most) {
			t.Errorf("%s %d: %g, want %g", what, i, got[i], want[i])
			return
		}
	}
}

// TestLossOverRanks: the losses of two shares add up to that of the batch, and their gradients are its.
func TestLossOverRanks(t *testing.T) {
	b := kerneltest.New(t)
	const n, size, k, bins = 4, 32, 3, 8
	r := rand.New(rand.NewPCG(4, 4))
	truths := objects(r, size, n, k, 3)
	heads := aimed(r, size, n, k, bins, truths)
	whole := putLoss(t, b, lossCase{heads: heads, truths: truths, weight: 1}, 16)
	b.Run(whole.l.Assign()...)
	b.Run(whole.l.Evaluate()...)
	want := whole.get()
	turns := takeTurns(t, b, 2)
	var parts []onGPU
	var assign [][]cuda.Launch
	for i := range 2 {
		h := heads
		h.N = n / 2
		h.Box, h.Class = half(h.Box, 1, i), half(h.Class, 1, i)
		mine := slices.DeleteFunc(slices.Clone(truths), func(t loss.Truth) bool { return t.Image/(n/2) != i })
		for j := range mine {
			mine[j].Image -= i * n / 2
		}
		p := putLoss(t, b, lossCase{heads: h, truths: mine, weight: 1}, 16)
		p.l.Over = turns.Ranks
		parts, assign = append(parts, p), append(assign, p.l.Assign())
	}
	turns.run(assign...)
	var got outcome
	for _, p := range parts {
		b.Run(p.l.Evaluate()...)
		o := p.get()
		got.dBox, got.dClass = append(got.dBox, o.dBox...), append(got.dClass, o.dClass...)
		got.result.Value += o.result.Value
		if d := o.result.Normaliser - want.result.Normaliser; math.Abs(d) > 1e-12*want.result.Normaliser {
			t.Errorf("normaliser %v, want %v", o.result.Normaliser, want.result.Normaliser)
		}
	}
	if d := got.result.Value - want.result.Value; !(math.Abs(d) <= 1e-7*want.result.Value) {
		t.Errorf("loss %v, want %v", got.result.Value, want.result.Value)
	}
	alike(t, "gradients of boxes", got.dBox, want.dBox, kernel.Float32)
	alike(t, "gradients of classes", got.dClass, want.dClass, kernel.Float32)
}
