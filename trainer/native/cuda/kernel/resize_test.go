package kernel_test

import (
	"fmt"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel/kerneltest"
)

// nearest is the pixel of m that pixel i of n takes.
func nearest(i, m, n int) int {
	return min(int(float32(i)*(float32(m)/float32(n))), m-1)
}

// resized lists, for each pixel of y, the one of x that it takes.
func resized(x, y kerneltest.Window) (from []int) {
	for p := range y.Pixels() {
		from = append(from, x.Pixel(p/(y.H*y.W), nearest(p/y.W%y.H, x.H, y.H), nearest(p%y.W, x.W, y.W)))
	}
	return from
}

func TestResize(t *testing.T) {
	b := kerneltest.New(t)
	for _, typ := range kerneltest.Types {
		for _, s := range shapes {
			for _, to := range []struct{ h, w int }{{2 * s.h, 2 * s.w}, {1, 1}, {s.h, s.w}, {s.h + 3, 11}, {5, 3 * s.w}} {
				r := kerneltest.Seed(fmt.Sprint("resize", s, to))
				x := kerneltest.RandomWindow(typ, r, s.n, s.h, s.w, s.first, s.c, s.stride)
				y := kerneltest.RandomWindow(typ, r, s.n, to.h, to.w, 16, s.c, s.c+32)
				vx, vy := b.PutWindow(typ, x), b.PutWindow(typ, y)
				from, what := resized(x, y), fmt.Sprintf("%v to %v", s, to)
				either(func(add bool, base func(float32) float32) {
					want, wantGrad := y.Copy(), x.Copy()
					for p, q := range from {
						for l := range s.c {
							*want.At(p, l) = kerneltest.Round(typ, *x.At(q, l)+base(*y.At(p, l)))
						}
					}
					expect(t, b, typ, what, y, want, func(v kernel.View) {
						if to.h == 2*s.h && to.w == 2*s.w && !add {
							b.Run(kernel.Upsample(typ, vx, v))
						} else {
							b.Run(kernel.Resize(typ, vx, v, add))
						}
					})
					for l := range s.c {
						sums := make([]float32, x.Pixels())
						for p := range sums {
							sums[p] = base(*x.At(p, l))
						}
						for p, q := range from {
							sums[q] += *y.At(p, l)
						}
						for p, v := range sums {
							*wantGrad.At(p, l) = kerneltest.Round(typ, v)
						}
					}
					expect(t, b, typ, "gradient of "+what, x, wantGrad, func(v kernel.View) {
						if to.h == 2*s.h && to.w == 2*s.w {
							b.Run(kernel.UpsampleGrad(typ, vy, v, add))
						} else {
							b.Run(kernel.ResizeGrad(typ, vy, v, add))
						}
					})
				})
			}
		}
	}
}

// TestRegroup moves 40 channels from one segment to two of 20, and back.
func TestRegroup(t *testing.T) {
	b := kerneltest.New(t)
	var whole, parts []int32
	for i := range int32(40) {
		whole, parts = append(whole, i), append(parts, i+i/20*12)
	}
	for _, typ := range kerneltest.Types {
		r := kerneltest.Seed("regroup")
		x := kerneltest.RandomWindow(typ, r, 2, 3, 5, 16, 48, 80)
		y := kerneltest.RandomWindow(typ, r, 2, 3, 5, 0, 64, 80)
		for _, d := range []struct {
			x, y     kerneltest.Window
			from, to []int32
		}{{x, y, whole, parts}, {y, x, parts, whole}} {
			table := kerneltest.Put(b, kernel.RegroupTable(d.from, d.to, d.y.C))
			vx := b.PutWindow(typ, d.x)
			either(func(add bool, base func(float32) float32) {
				want := d.y.Copy()
				for p := range want.Pixels() {
					for l := range want.C {
						*want.At(p, l) = base(*d.y.At(p, l))
					}
					for i, l := range d.to {
						v := want.At(p, int(l))
						*v = kerneltest.Round(typ, *v+*d.x.At(p, int(d.from[i])))
					}
				}
				expect(t, b, typ, "regrouping", d.y, want, func(v kernel.View) { b.Run(kernel.Regroup(typ, vx, v, table, add)) })
			})
		}
	}
}
