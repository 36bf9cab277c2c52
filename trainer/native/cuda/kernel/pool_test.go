package kernel_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel/kerneltest"
)

// poolReference fills y, and returns the pixel of x that each value of the window comes from: the first maximum in row order.
func poolReference(x, y kerneltest.Window, size, stride int) (from []int) {
	for n := range y.N {
		for h := range y.H {
			for w := range y.W {
				for l := range y.C {
					best, where := float32(math.Inf(-1)), -1
					for i := h*stride - size/2; i <= h*stride+size/2; i++ {
						for j := w*stride - size/2; j <= w*stride+size/2; j++ {
							if i < 0 || j < 0 || i >= x.H || j >= x.W {
								continue
							}
							if v := *x.At(x.Pixel(n, i, j), l); v > best {
								best, where = v, x.Pixel(n, i, j)
							}
						}
					}
					*y.At(y.Pixel(n, h, w), l) = best
					from = append(from, where)
				}
			}
		}
	}
	return from
}

func TestMaxPool(t *testing.T) {
	b := kerneltest.New(t)
	for _, typ := range kerneltest.Types {
		for _, s := range shapes {
			for _, p := range []struct{ size, stride int }{{5, 1}, {3, 2}} {
				r := kerneltest.Seed(fmt.Sprint("pool", s, p))
				h, w := (s.h-1)/p.stride+1, (s.w-1)/p.stride+1
				x := coarse(r, s.n, s.h, s.w, s.first, s.c, s.stride)
				y := coarse(r, s.n, h, w, 16, s.c, s.c+32)
				want := y.Copy()
				from := poolReference(x, want, p.size, p.stride)
				vx := b.PutWindow(typ, x)
				index := b.Alloc(kernel.PoolIndexBytes(b.PutWindow(typ, y)))
				what := fmt.Sprintf("maximum of %v, %v", s, p)
				expect(t, b, typ, what+" without index", y, want, func(to kernel.View) { b.Run(kernel.MaxPool(typ, vx, to, p.size, p.stride, 0)) })
				expect(t, b, typ, what, y, want, func(to kernel.View) { b.Run(kernel.MaxPool(typ, vx, to, p.size, p.stride, index)) })

				dy, dx := kerneltest.RandomWindow(typ, r, s.n, h, w, 16, s.c, s.c+32), kerneltest.RandomWindow(typ, r, s.n, s.h, s.w, s.first, s.c, s.stride)
				vy := b.PutWindow(typ, dy)
				either(func(add bool, base func(float32) float32) {
					want := dx.Copy()
					for p := range want.Pixels() {
						for l := range s.c {
							*want.At(p, l) = base(*want.At(p, l))
						}
					}
					for i, p := range from {
						*want.At(p, i%s.c) += *dy.At(i/s.c, i%s.c)
					}
					for p := range want.Pixels() {
						for l := range s.c {
							*want.At(p, l) = kerneltest.Round(typ, *want.At(p, l))
						}
					}
					expect(t, b, typ, "gradient of "+what, dx, want, func(to kernel.View) { b.Run(kernel.MaxPoolGrad(typ, vy, to, p.size, p.stride, index, add)) })
				})
			}
		}
	}
}

// TestMaxPoolOfNothing: where nothing is larger than -Inf, the gradient goes to the centre.
func TestMaxPoolOfNothing(t *testing.T) {
	b := kerneltest.New(t)
	x := coarse(kerneltest.Seed("nothing"), 1, 3, 3, 0, 16, 16)
	for i := range x.Values {
		x.Values[i] = float32(math.Inf(-1))
	}
	vx, y := b.PutWindow(kernel.Float32, x), b.PutWindow(kernel.Float32, x)
	index := b.Alloc(kernel.PoolIndexBytes(y))
	b.Run(kernel.MaxPool(kernel.Float32, vx, y, 5, 1, index))
	want := x.Copy()
	for i := range want.Values {
		want.Values[i] = float32(i)
	}
	dy := b.PutWindow(kernel.Float32, want)
	expect(t, b, kernel.Float32, "gradient", x, want, func(to kernel.View) { b.Run(kernel.MaxPoolGrad(kernel.Float32, dy, to, 5, 1, index, false)) })
}

// TestMaxPoolNaN: NaN wins over everything, and the last of several, with the gradient; numbers of PyTorch 2.15, as in TestMaxPoolNaN
// of the CPU's kernels.
func TestMaxPoolNaN(t *testing.T) {
	b := kerneltest.New(t)
	nan := float32(math.NaN())
	for _, typ := range kerneltest.Types {
		for _, c := range []struct {
			x            [9]float32
			size, stride int
			nans         []int // of y's pixels
			dx           [9]float32
		}{
			{[9]float32{0, 1, 2, 3, nan, 5, 6, 7, 8}, 5, 1, []int{0, 1, 2, 3, 4, 5, 6, 7, 8}, [9]float32{4: 45}},
			{[9]float32{0, 1, 2, 3, nan, 5, nan, 7, 8}, 3, 2, []int{0, 1, 2, 3}, [9]float32{4: 7, 6: 3}},
			{[9]float32{nan, 1, 2, 3, 4, 5, 6, 7, float32(math.Inf(1))}, 3, 2, []int{0}, [9]float32{0: 1, 5: 2, 7: 3, 8: 4}},
		} {
			side := 2/c.stride + 1
			x, y := kerneltest.RandomWindow(typ, kerneltest.Seed("nan"), 1, 3, 3, 0, 16, 16), kerneltest.RandomWindow(typ, kerneltest.Seed("nan"), 1, side, side, 0, 16, 16)
			want := x.Copy()
			for i := range x.Values {
				x.Values[i], want.Values[i] = c.x[i/16], c.dx[i/16]
			}
			vx, vy := b.PutWindow(typ, x), b.PutWindow(typ, y)
			index := b.Alloc(kernel.PoolIndexBytes(vy))
			b.Run(kernel.MaxPool(typ, vx, vy, c.size, c.stride, index))
			var nans []int
			for i, v := range b.GetWindow(typ, vy, y).Values {
				if v != v && i%16 == 0 {
					nans = append(nans, i/16)
				}
			}
			if !slices.Equal(nans, c.nans) {
				t.Errorf("%v %dx%d of %v: NaN in pixels %v, want %v", typ, c.size, c.size, c.x, nans, c.nans)
			}
			for i := range y.Values {
				y.Values[i] = float32(i/16 + 1)
			}
			vy = b.PutWindow(typ, y)
			expect(t, b, typ, fmt.Sprint("gradient of ", c.x), x, want, func(to kernel.View) { b.Run(kernel.MaxPoolGrad(typ, vy, to, c.size, c.stride, index, false)) })
		}
	}
}

func TestMean2x2(t *testing.T) {
	b := kerneltest.New(t)
	for _, typ := range kerneltest.Types {
		for _, s := range shapes[1:] {
			r := kerneltest.Seed(fmt.Sprint("mean", s))
			x := kerneltest.RandomWindow(typ, r, s.n, s.h, s.w, s.first, s.c, s.stride)
			y := kerneltest.RandomWindow(typ, r, s.n, s.h-1, s.w-1, 16, s.c, s.c+32)
			vx, vy := b.PutWindow(typ, x), b.PutWindow(typ, y)
			// four is the mean of the pixels (i, j) to (i+1, j+1) of v, where they exist.
			four := func(v kerneltest.Window, n, i, j, l int) float32 {
				var p [4]float32
				for k := range p {
					if y, x := i+k/2, j+k%2; y >= 0 && x >= 0 && y < v.H && x < v.W {
						p[k] = *v.At(v.Pixel(n, y, x), l)
					}
				}
				return ((p[0] + p[1]) + (p[2] + p[3])) * 0.25
			}
			fill := func(v kerneltest.Window, base func(float32) float32, f func(n, i, j, l int) float32) kerneltest.Window {
				v = v.Copy()
				for p := range v.Pixels() {
					for l := range v.C {
						to := v.At(p, l)
						*to = kerneltest.Round(typ, base(*to)+f(p/(v.H*v.W), p/v.W%v.H, p%v.W, l))
					}
				}
				return v
			}
			none := func(float32) float32 { return 0 }
			want := fill(y, none, func(n, i, j, l int) float32 { return four(x, n, i, j, l) })
			expect(t, b, typ, fmt.Sprint("mean of ", s), y, want, func(to kernel.View) { b.Run(kernel.Mean2x2(typ, vx, to)) })
			either(func(add bool, base func(float32) float32) {
				want := fill(x, base, func(n, i, j, l int) float32 { return four(y, n, i-1, j-1, l) })
				expect(t, b, typ, fmt.Sprint("gradient of mean of ", s), x, want, func(to kernel.View) { b.Run(kernel.Mean2x2Grad(typ, vy, to, add)) })
			})
		}
	}
}
