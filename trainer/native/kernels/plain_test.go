package kernels_test

import (
	"math/rand/v2"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/kernels"
)

var shapes = []struct{ n, c, h, w int }{{2, 24, 5, 7}, {1, 5, 13, 9}, {3, 48, 2, 1}, {1, 16, 1, 1}}

func eachShape(t *testing.T, f func(t *testing.T, r *rand.Rand, n, c, h, w int)) {
	eachISA(t, func(t *testing.T) {
		for i, s := range shapes {
			f(t, rand.New(rand.NewPCG(uint64(i), 3)), s.n, s.c, s.h, s.w)
		}
	})
}

func plus(a, b []float64) []float64 {
	s := make([]float64, len(a))
	for i := range a {
		s[i] = float64(float32(a[i]) + float32(b[i]))
	}
	return s
}

func TestCopyAddZero(t *testing.T) {
	eachShape(t, func(t *testing.T, r *rand.Rand, n, c, h, w int) {
		a, b, d := newGuarded(t, n, c, h, w), newGuarded(t, n, c, h, w), newGuarded(t, n, c, h, w)
		la, lb := a.fill(r), b.fill(r)
		kernels.Add(a.View, b.View, d.View)
		near(t, "a+b", d.get(), plus(la, lb), 0)
		kernels.Copy(a.View, b.View, true)
		near(t, "b+=a", b.get(), plus(la, lb), 0)
		kernels.Copy(a.View, b.View, false)
		near(t, "b=a", b.get(), la, 0)
		kernels.Zero(b.View)
		near(t, "0", b.get(), make([]float64, len(lb)), 0)
		for _, g := range []*guarded{a, b, d} {
			g.check(t, "view")
		}
	})
}

func TestPackImages(t *testing.T) {
	const one = 5 * 7 * 3
	g := newGuardedImage(t, 3, 5, 7)
	r := rand.New(rand.NewPCG(1, 2))
	rgb := make([]float32, 2*one)
	for i := range rgb {
		rgb[i] = r.Float32()
	}
	kernels.PackImages(rgb, g.View)
	for i, f := range append(rgb, make([]float32, one)...) {
		n, at := i/one, i%one
		if got := g.At(n, at%3, at/21, at/3%7); got != f {
			t.Fatalf("image %d element %d is %v, want %v", n, at, got, f)
		}
	}
	g.check(t, "image")
}

func TestPackUnpack(t *testing.T) {
	eachShape(t, func(t *testing.T, r *rand.Rand, n, c, h, w int) {
		const before, after = 4, 9
		x, back := newGuarded(t, n, c, h, w), newGuarded(t, n, c, h, w)
		x.fill(r)
		for i := range back.own { // padding lanes that are not zero must become so
			if back.own[i] {
				back.all[i] = 0
			}
		}
		for lane := range back.CB * 16 {
			back.Set(0, lane, 0, 0, 7)
		}
		anchors := before + h*w + after
		dense := make([]float32, n*anchors*c)
		for i := range dense {
			dense[i] = sentinel
		}
		at := kernels.Dense{Anchors: anchors, First: before, Channels: c, Count: c}
		kernels.Unpack(x.View, dense, at)
		for i, f := range dense {
			img, anchor, ch := i/(anchors*c), i/c%anchors-before, i%c
			want := float32(sentinel)
			if anchor >= 0 && anchor < h*w {
				want = x.At(img, ch, anchor/w, anchor%w)
			}
			if f != want {
				t.Fatalf("image %d anchor %d channel %d is %v, want %v", img, anchor, ch, f, want)
			}
		}
		kernels.Pack(dense, back.View, at)
		near(t, "back", back.get(), x.get(), 0)
		x.check(t, "x")
		back.check(t, "back")
	})
}

// Two runs of channels beside each other in one dense form.
func TestPackRuns(t *testing.T) {
	x, y := newGuarded(t, 2, 5, 2, 3), newGuarded(t, 2, 20, 2, 3)
	r := rand.New(rand.NewPCG(1, 3))
	lx, ly := x.fill(r), y.fill(r)
	dense := make([]float32, 2*6*25)
	left, right := kernels.Dense{Anchors: 6, Channels: 25, Count: 5}, kernels.Dense{Anchors: 6, Channels: 25, At: 5, Count: 20}
	kernels.Unpack(x.View, dense, left)
	kernels.Unpack(y.View, dense, right)
	for i, f := range dense {
		n, p, c := i/150, i/25%6, i%25
		want := float32(lx[(n*5+min(c, 4))*6+p])
		if c >= 5 {
			want = float32(ly[(n*20+c-5)*6+p])
		}
		if f != want {
			t.Fatalf("image %d anchor %d channel %d is %v, want %v", n, p, c, f, want)
		}
	}
	kernels.Zero(x.View)
	kernels.Pack(dense, x.View, left)
	near(t, "back", x.get(), lx, 0)
	x.check(t, "x")
}

func TestVectors(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for _, n := range []int{0, 1, 3, 16, 37, 1000} {
			r := rand.New(rand.NewPCG(uint64(n), 5))
			lw, lg, lm := random(r, n, 1, 0), random(r, n, 1, 0), random(r, n, 1, 0)
			fresh := func(src []float64) []float32 { // with a sentinel behind the end
				p := make([]float32, n+1)
				set(p, src)
				p[n] = sentinel
				return p
			}
			w, g, m := fresh(lw), fresh(lg), fresh(lm)
			s := kernels.Step{Rate: 0.01, Momentum: 0.937, Decay: 5e-4, GradScale: 0.5}
			kernels.SGD(w[:n], g[:n], m[:n], s)
			wantW, wantM, wantE, wantS, sum := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n), 0.0
			for i := range n {
				d := 0.5*lg[i] + 5e-4*lw[i]
				wantM[i] = 0.937*lm[i] + d
				wantW[i] = lw[i] - 0.01*(d+0.937*wantM[i])
				wantE[i] = lg[i] + 0.1*(lm[i]-lg[i])
				wantS[i] = lg[i] * 0.25
				sum += lg[i] * lg[i]
			}
			near(t, "w", wide(w[:n]), wantW, 1e-6)
			near(t, "m", wide(m[:n]), wantM, 1e-6)
			near(t, "sum of squares", []float64{kernels.SumSquares(g[:n])}, []float64{sum}, 1e-12)
			e := fresh(lg)
			kernels.Lerp(e[:n], fresh(lm)[:n], 0.1)
			near(t, "lerp", wide(e[:n]), wantE, 1e-6)
			kernels.Scale(g[:n], 0.25)
			near(t, "scaled", wide(g[:n]), wantS, 0)
			for _, p := range [][]float32{w, g, m, e} {
				if p[n] != sentinel {
					t.Fatalf("n=%d: wrote past the end", n)
				}
			}
		}
	})
}

func TestPanics(t *testing.T) {
	a, b := newGuarded(t, 1, 16, 3, 3), newGuarded(t, 1, 16, 3, 4)
	for name, f := range map[string]func(){
		"copy":     func() { kernels.Copy(a.View, b.View, false) },
		"add":      func() { kernels.Add(a.View, a.View, b.View) },
		"upsample": func() { kernels.UpsampleForward(a.View, b.View) },
		"pool":     func() { kernels.MaxPoolForward(a.View, a.View, nil) },
		"down":     func() { kernels.PoolDownForward(a.View, b.View, make([]byte, 192)) },
		"mean":     func() { kernels.MeanForward(a.View, b.View) },
		"resize":   func() { kernels.ResizeBackward(a.View, newGuarded(t, 2, 16, 3, 3).View, false) },
		"regroup":  func() { kernels.Regroup(a.View, []int32{16}, a.View, []int32{0}, false) },
		"dense": func() {
			kernels.Pack(make([]float32, 9*20), a.View, kernels.Dense{Anchors: 9, Channels: 20, At: 5, Count: 16})
		},
		"unpack": func() {
			kernels.Unpack(a.View, make([]float32, 8*16), kernels.Dense{Anchors: 8, Channels: 16, Count: 16})
		},
		"sgd":  func() { kernels.SGD(make([]float32, 3), make([]float32, 2), make([]float32, 3), kernels.Step{}) },
		"part": func() { a.Part(1, 1) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s of unlike shapes did not panic", name)
				}
			}()
			f()
		}()
	}
}

func TestParts(t *testing.T) {
	v := kernels.NewView(2, 48, 3, 5)
	defer kernels.FreeView(v)
	p := v.Part(1, 2)
	p.Set(1, 17, 2, 4, 9)
	if got := v.At(1, 33, 2, 4); got != 9 {
		t.Errorf("channel 33 of the whole is %v after writing channel 17 of its part from block 1", got)
	}
	if got, want := len(p.Buffer()), v.Floats()-5*7*16; got != want {
		t.Errorf("%d floats behind the part, want %d", got, want)
	}
}
