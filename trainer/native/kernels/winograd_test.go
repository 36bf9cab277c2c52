package kernels_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/kernels"
)

// winogradShapes are 3x3 convolutions with stride 1 at the edges of what Winograd's form must cope with.
var winogradShapes = []shape{
	{n: 2, ic: 16, oc: 16, h: 1, w: 1},
	{n: 1, ic: 16, oc: 16, h: 2, w: 2},
	{n: 3, ic: 5, oc: 5, h: 4, w: 1},
	{n: 1, ic: 16, oc: 32, h: 1, w: 8},
	{n: 5, ic: 8, oc: 24, h: 3, w: 5},
	{n: 2, ic: 24, oc: 40, h: 13, w: 9},
	{n: 9, ic: 32, oc: 96, h: 4, w: 4},
	{n: 1, ic: 40, oc: 24, h: 5, w: 31},
	{n: 1, ic: 64, oc: 80, h: 7, w: 6},
	{n: 2, ic: 20, oc: 24, h: 7, w: 3},
	{n: 1, ic: 16, oc: 8, h: 3, w: 261}, // rows of more tiles than a group has
	{n: 1, ic: 8, oc: 16, h: 45, w: 45},
}

// eachWinograd runs f for those shapes and some random ones, normalised and with bias, overwriting and adding.
func eachWinograd(t *testing.T, f func(t *testing.T, c shape, seed uint64, accumulate bool)) {
	r := rand.New(rand.NewPCG(9, 9))
	shapes := winogradShapes
	for range 6 {
		shapes = append(shapes[:len(shapes):len(shapes)], shape{n: 1 + r.IntN(4), ic: 1 + r.IntN(70), oc: 1 + r.IntN(70), h: 1 + r.IntN(12), w: 1 + r.IntN(12)})
	}
	for i, c := range shapes {
		c.k, c.s, c.bn = 3, 1, i%3 != 1
		if c.bn && c.n*c.h*c.w == 1 {
			continue
		}
		accumulate := i%2 == 1
		t.Run(fmt.Sprintf("%v_accumulate=%t", c, accumulate), func(t *testing.T) { f(t, c, uint64(i), accumulate) })
	}
}

func TestWinograd(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		eachWinograd(t, func(t *testing.T, c shape, seed uint64, accumulate bool) {
			b := shapedBench(t, c, seed, accumulate)
			b.spec.Form = kernels.Winograd
			b.checkForward(t)
			b = shapedBench(t, c, seed, accumulate)
			b.spec.Form = kernels.Winograd
			b.checkBackward(t, accumulate)
		})
	})
}

// Results have the same bits for every number of threads, whether images can be dealt out evenly or not.
func TestWinogradThreads(t *testing.T) {
	eachWinograd(t, func(t *testing.T, c shape, seed uint64, accumulate bool) {
		var first []float32
		for threads := 1; threads <= 3; threads++ {
			b := shapedBench(t, c, seed, accumulate)
			b.withTeam(t, threads)
			b.spec.Form = kernels.Winograd
			k := b.conv(t)
			k.Forward(true)
			k.Backward()
			all := append(append(append(append([]float32(nil), b.y.all...), b.a.all...), b.dx.all...), b.spec.DW...)
			all = append(append(all, b.spec.Mean...), b.spec.Var...)
			k.Forward(false)
			all = append(all, b.y.all...)
			if first == nil {
				first = all
			}
			for i, f := range all {
				if math.Float32bits(f) != math.Float32bits(first[i]) {
					t.Fatalf("float %d is %v with 1 thread and %v with %d", i, first[i], f, threads)
				}
			}
		}
	})
}

// The form's rounding errors are not above the direct one's: against the reference in float64, the root of the mean
// square of the errors of y and dx is at most 1.2 times as large.
func TestWinogradError(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for i, c := range []shape{{n: 2, ic: 16, oc: 16, h: 12, w: 12}, {n: 1, ic: 64, oc: 64, h: 10, w: 10}, {n: 1, ic: 128, oc: 32, h: 6, w: 6}} {
			c.k, c.s = 3, 1
			var there, back [2]float64
			for j, form := range []kernels.Form{kernels.Direct, kernels.Winograd} {
				b := shapedBench(t, c, uint64(40+i), false)
				b.spec.Form = form
				k := b.conv(t)
				k.Forward(true)
				k.Backward()
				y, _, _, _ := b.forward(b.lx, b.lw, b.lgamma, b.lbeta, nil)
				dx, _, _, _ := b.backward(b.lx, b.lw, b.lgamma, b.lbeta, b.lda)
				there[j], back[j] = distance(b.y.get(), y), distance(b.dx.get(), dx)
			}
			t.Logf("%v: error of y %.2e direct, %.2e Winograd; of dx %.2e, %.2e", c, there[0], there[1], back[0], back[1])
			for what, e := range map[string][2]float64{"y": there, "dx": back} {
				if !(e[1] < 1.2*e[0]) || e[0] == e[1] {
					t.Errorf("%v: error of %s %.2e directly and %.2e in Winograd's form", c, what, e[0], e[1])
				}
			}
		}
	})
}

// distance is the root of the mean square of x-y, as a share of y's.
func distance(x, y []float64) float64 {
	var d, size float64
	for i := range y {
		d += (x[i] - y[i]) * (x[i] - y[i])
		size += y[i] * y[i]
	}
	return math.Sqrt(d / size)
}

// A layer whose 3x3 arm is in Winograd's form, against the reference and on several threads.
func TestWinogradRep(t *testing.T) {
	shapes := []struct{ n, ic, oc, h, w int }{{2, 24, 40, 5, 7}, {3, 16, 16, 1, 3}, {5, 32, 48, 4, 9}}
	eachISA(t, func(t *testing.T) {
		for i, s := range shapes {
			accumulate := i%2 == 0
			var first []float32
			for threads := 1; threads <= 3; threads++ {
				b := newArms(t, rand.New(rand.NewPCG(uint64(i), 11)), s.n, s.ic, s.oc, s.h, s.w, accumulate)
				team := newTeam(t, threads)
				t.Cleanup(team.Close)
				for j := range b.spec {
					b.spec[j].Form = kernels.Winograd
					for _, v := range []*kernels.View{&b.spec[j].X, &b.spec[j].DX, &b.spec[j].Y, &b.spec[j].A, &b.spec[j].DA} {
						v.Team = team
					}
				}
				r, err := kernels.NewRep(b.spec[0], b.spec[1])
				if err != nil {
					t.Fatal(err)
				}
				b.forward(t, r)
				b.backward(t, r, accumulate)
				r.Close()
				all := append(append(append([]float32(nil), b.a.all...), b.dx.all...), b.spec[0].DW...)
				if first == nil {
					first = all
				}
				sameWritten(t, fmt.Sprintf("%v on %d threads", s, threads), [][]float32{all}, [][]float32{first})
			}
		}
	})
}

// Which layers gain is a matter of their shape: not of one pixel, and of few channels not in large images.
func TestAutoForm(t *testing.T) {
	for _, c := range []struct {
		shape
		winograd bool
	}{
		{shape{n: 2, ic: 16, oc: 16, h: 1, w: 1}, false},
		{shape{n: 2, ic: 16, oc: 16, h: 6, w: 5}, true},
		{shape{n: 1, ic: 8, oc: 8, h: 21, w: 20}, false},
		{shape{n: 1, ic: 8, oc: 8, h: 6, w: 6}, true},
	} {
		c.k, c.s = 3, 1
		var y [3][]float32
		for form := range y {
			b := shapedBench(t, c.shape, 70, false)
			b.spec.Form = kernels.Form(form)
			b.conv(t).Forward(true)
			y[form] = b.y.all
		}
		if c.winograd == slices.Equal(y[kernels.Auto], y[kernels.Direct]) || c.winograd != slices.Equal(y[kernels.Auto], y[kernels.Winograd]) {
			t.Errorf("%v: want Winograd's form %t", c.shape, c.winograd)
		}
	}
}
