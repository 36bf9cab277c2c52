package kernels_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/kernels"
)

// The convolution of inference is the biased convolution of training, to the bit, before SiLU and addition; images
// behind those asked for are left alone.
func TestFused(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(5, 6))
		for _, c := range []struct {
			k, s, ic, oc, h, w int
			image, winograd    bool
		}{
			{3, 1, 3, 20, 7, 9, true, false}, {3, 2, 3, 48, 33, 18, true, false}, {3, 1, 16, 16, 1, 1, false, false}, {3, 1, 48, 100, 13, 21, false, false},
			{3, 2, 20, 64, 10, 33, false, false}, {1, 1, 33, 80, 5, 64, false, false}, {1, 1, 64, 7, 40, 40, false, false}, {3, 1, 8, 96, 2, 300, false, false},
			{3, 1, 16, 16, 1, 1, false, true}, {3, 1, 48, 100, 13, 21, false, true}, {3, 1, 8, 96, 2, 300, false, true}, {3, 1, 40, 24, 5, 4, false, true},
			{3, 1, 5, 8, 7, 3, false, true}, {3, 1, 24, 40, 6, 9, false, true},
		} {
			for _, how := range []struct{ active, add bool }{{}, {active: true}, {add: true}, {active: true, add: true}} {
				t.Run(fmt.Sprint(c, how), func(t *testing.T) {
					const n, images = 3, 2
					x := newGuarded(t, n, c.ic, c.h, c.w)
					if c.image {
						x = newGuardedImage(t, n, c.h, c.w)
					}
					oh, ow := (c.h-1)/c.s+1, (c.w-1)/c.s+1
					plain, y, add := newGuarded(t, n, c.oc, oh, ow), newGuarded(t, n, c.oc, oh, ow), newGuarded(t, n, c.oc, oh, ow)
					x.put(x.fill(r))
					la := add.fill(r)
					add.put(la)
					w, bias := mem(t, kernels.WeightLen(c.oc, c.ic, c.k)), mem(t, kernels.Blocks(c.oc)*kernels.Lanes)
					logical := make([]float32, c.oc*c.ic*c.k*c.k)
					set(logical, random(r, len(logical), 0.3, 0))
					kernels.PackWeights(w, logical, kernels.Row(c.oc), kernels.Row(c.ic), c.k)
					set(bias[:c.oc], random(r, c.oc, 1, 0))
					like := kernels.ConvSpec{K: c.k, S: c.s, IC: c.ic, OC: c.oc, Image: c.image, X: x.View, Y: plain.View, W: w, Beta: bias}
					if c.winograd {
						like.Form = kernels.Winograd
					}
					conv, err := kernels.NewConv(like)
					if err != nil {
						t.Fatal(err)
					}
					defer conv.Close()
					conv.Forward(false)
					spec := kernels.FusedSpec{K: c.k, S: c.s, IC: c.ic, OC: c.oc, Image: c.image, Active: how.active, X: x.View, Y: y.View, W: w, Bias: bias}
					if how.add {
						spec.Add = add.View
					}
					if c.winograd {
						spec.Winograd, spec.W = true, transformed(t, w)
					}
					fused, err := kernels.NewFused(spec)
					if err != nil {
						t.Fatal(err)
					}
					before := y.get()
					defer fused.Close()
					fused.Forward(images)
					want := plain.get()
					for i := range want {
						z := want[i]
						if how.active {
							z *= sigmoid(z)
						}
						if how.add {
							z += la[i]
						}
						if want[i] = z; i >= len(want)/n*images {
							want[i] = before[i]
						}
					}
					tol := 0.0
					if how.active || how.add {
						tol = 1e-6
					}
					near(t, "y", y.get(), want, tol)
					for _, g := range []*guarded{x, plain, y, add} {
						g.check(t, "view")
					}
				})
			}
		}
	})
}

// transformed is w in Winograd's form.
func transformed(t *testing.T, w []float32) []float32 {
	u := mem(t, kernels.TransformedLen(len(w)))
	kernels.TransformWeights(u, w)
	return u
}

// In Winograd's form results have the same bits for every number of threads and of images: by images, runs of them, rows
// and output blocks.
func TestFusedWinogradThreads(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, c := range []struct{ ic, oc, h, w int }{{24, 40, 13, 9}, {16, 136, 5, 7}, {8, 16, 1, 70}, {40, 16, 4, 2}} {
		const n = 6
		x, add := newGuarded(t, n, c.ic, c.h, c.w), newGuarded(t, n, c.oc, c.h, c.w)
		x.put(x.fill(r))
		add.put(add.fill(r))
		w, bias := mem(t, kernels.WeightLen(c.oc, c.ic, 3)), mem(t, kernels.Blocks(c.oc)*kernels.Lanes)
		logical := make([]float32, c.oc*c.ic*9)
		set(logical, random(r, len(logical), 0.3, 0))
		kernels.PackWeights(w, logical, kernels.Row(c.oc), kernels.Row(c.ic), 3)
		set(bias[:c.oc], random(r, c.oc, 1, 0))
		u := transformed(t, w)
		var want []float64
		for threads := 1; threads <= 3; threads++ {
			team := newTeam(t, threads)
			for images := n; images > 0; images-- {
				y := newGuarded(t, n, c.oc, c.h, c.w)
				spec := kernels.FusedSpec{K: 3, S: 1, IC: c.ic, OC: c.oc, Active: true, X: x.View, Y: y.View, Add: add.View, W: u, Bias: bias, Winograd: true}
				spec.X.Team, spec.Y.Team, spec.Add.Team = team, team, team
				f, err := kernels.NewFused(spec)
				if err != nil {
					t.Fatal(err)
				}
				f.Forward(images)
				f.Close()
				got := y.get()
				if want == nil {
					want = got
				}
				some := len(got) / n * images
				if !slices.Equal(got[:some], want[:some]) {
					t.Errorf("%v: %d images on %d threads give other bits", c, images, threads)
				}
				y.check(t, "y")
			}
			team.Close()
		}
	}
}

// Which convolutions gain is the rule of training.
func TestFusedGains(t *testing.T) {
	for _, c := range []struct {
		k, s, ic, oc, h, w int
		want               bool
	}{
		{3, 1, 16, 16, 1, 1, false}, {3, 1, 16, 16, 6, 5, true}, {3, 1, 8, 8, 21, 20, false}, {3, 1, 8, 8, 20, 20, true},
		{3, 2, 16, 16, 8, 8, false}, {1, 1, 16, 16, 8, 8, false},
	} {
		x, y := kernels.View{N: 1, CB: 1, TCB: 1, H: c.h, W: c.w, PS: 16}, kernels.View{N: 1, CB: 1, TCB: 1, H: (c.h-1)/c.s + 1, W: (c.w-1)/c.s + 1, PS: 16}
		if got := (kernels.FusedSpec{K: c.k, S: c.s, IC: c.ic, OC: c.oc, X: x, Y: y}).Gains(); got != c.want {
			t.Errorf("%v: %t", c, got)
		}
	}
}

func TestFusedErrors(t *testing.T) {
	x, y := newGuarded(t, 1, 16, 4, 4), newGuarded(t, 1, 16, 4, 4)
	good := kernels.FusedSpec{K: 3, S: 1, IC: 16, OC: 16, X: x.View, Y: y.View, W: mem(t, kernels.WeightLen(16, 16, 3)), Bias: mem(t, 16)}
	f, err := kernels.NewFused(good)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	for name, change := range map[string]func(*kernels.FusedSpec){
		"stride":  func(s *kernels.FusedSpec) { s.S = 3 },
		"weights": func(s *kernels.FusedSpec) { s.W = s.W[1:] },
		"form":    func(s *kernels.FusedSpec) { s.Winograd = true },
		"kernel":  func(s *kernels.FusedSpec) { s.K, s.Winograd = 1, true },
		"bias":    func(s *kernels.FusedSpec) { s.Bias = nil },
		"add":     func(s *kernels.FusedSpec) { s.Add = newGuarded(t, 1, 32, 4, 4).View },
		"output":  func(s *kernels.FusedSpec) { s.Y = newGuarded(t, 1, 16, 4, 5).View },
	} {
		s := good
		change(&s)
		if _, err := kernels.NewFused(s); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
