package kernels_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/kernels"
)

func TestMaxPool(t *testing.T) {
	t.Run("5x5", func(t *testing.T) { maxPool(t, 5, 1, kernels.MaxPoolForward, kernels.MaxPoolBackward) })
	t.Run("3x3 at stride 2", func(t *testing.T) { maxPool(t, 3, 2, kernels.PoolDownForward, kernels.PoolDownBackward) })
}

func maxPool(t *testing.T, size, stride int, forward func(x, y kernels.View, index []byte), backward func(dy, dx kernels.View, index []byte, acc bool)) {
	eachShape(t, func(t *testing.T, r *rand.Rand, n, c, h, w int) {
		oh, ow := (h-1)/stride+1, (w-1)/stride+1
		x, y, dx, dy := newGuarded(t, n, c, h, w), newGuarded(t, n, c, oh, ow), newGuarded(t, n, c, h, w), newGuarded(t, n, c, oh, ow)
		lx, ldx, ldy := x.fill(r), dx.fill(r), dy.fill(r)
		for i := range lx {
			lx[i] = math.Round(lx[i]*2) - 20 // equals occur; all below the halo's zero
		}
		x.put(lx)
		index := make([]byte, kernels.PoolIndexLen(y.View))
		forward(x.View, y.View, index)
		wantY, wantDX := make([]float64, len(ldy)), make([]float64, len(lx))
		for i := range wantY {
			plane, row, col := i/(oh*ow), i/ow%oh*stride, i%ow*stride
			best, at := math.Inf(-1), -1
			for hh := max(0, row-size/2); hh <= min(h-1, row+size/2); hh++ {
				for ww := max(0, col-size/2); ww <= min(w-1, col+size/2); ww++ {
					if f := lx[(plane*h+hh)*w+ww]; f > best {
						best, at = f, (plane*h+hh)*w+ww
					}
				}
			}
			wantY[i] = best
			wantDX[at] += ldy[i]
		}
		near(t, "y (real lanes)", y.get(), wantY, 0)
		alone := newGuarded(t, n, c, oh, ow)
		map[int]func(x, y kernels.View){1: kernels.Max, 2: kernels.MaxDown}[stride](x.View, alone.View)
		near(t, "y, no index", alone.get(), wantY, 0)
		backward(dy.View, dx.View, index, true)
		near(t, "dx+=", dx.get(), plus(wantDX, ldx), 1e-6)
		backward(dy.View, dx.View, index, false)
		near(t, "dx", dx.get(), wantDX, 1e-6)
		for _, g := range []*guarded{x, y, alone, dx, dy} {
			g.check(t, "view")
		}
	})
}

var nan = math.NaN()

// NaN wins over everything, and the last of several: 3x3 pixels, what is found, and the gradient of 1, 2, 3 ... by what was found, as
// torch.nn.functional.max_pool2d and autograd of PyTorch 2.15 have them. All lanes are alike.
var nanPools = []struct {
	name         string
	x            [9]float64
	size, stride int
	y            []float64
	dx           [9]float64
}{
	{"one, 5x5", [9]float64{0, 1, 2, 3, nan, 5, 6, 7, 8}, 5, 1, []float64{nan, nan, nan, nan, nan, nan, nan, nan, nan}, [9]float64{4: 45}},
	{"one, 3x3 at stride 2", [9]float64{0, 1, 2, 3, nan, 5, 6, 7, 8}, 3, 2, []float64{nan, nan, nan, nan}, [9]float64{4: 10}},
	{"two, 5x5", [9]float64{0, 1, 2, 3, nan, 5, nan, 7, 8}, 5, 1, []float64{nan, nan, nan, nan, nan, nan, nan, nan, nan}, [9]float64{6: 45}},
	{"two, 3x3 at stride 2", [9]float64{0, 1, 2, 3, nan, 5, nan, 7, 8}, 3, 2, []float64{nan, nan, nan, nan}, [9]float64{4: 7, 6: 3}},
	{"a corner, 3x3 at stride 2", [9]float64{nan, 1, 2, 3, 4, 5, 6, 7, math.Inf(1)}, 3, 2, []float64{nan, 5, 7, math.Inf(1)}, [9]float64{0: 1, 5: 2, 7: 3, 8: 4}},
}

func TestMaxPoolNaN(t *testing.T) {
	for _, c := range nanPools {
		t.Run(c.name, func(t *testing.T) {
			eachISA(t, func(t *testing.T) {
				forward, backward, alone := kernels.MaxPoolForward, kernels.MaxPoolBackward, kernels.Max
				if c.stride == 2 {
					forward, backward, alone = kernels.PoolDownForward, kernels.PoolDownBackward, kernels.MaxDown
				}
				side := (3-1)/c.stride + 1
				x, y, dx, dy := newGuarded(t, 1, 16, 3, 3), newGuarded(t, 1, 16, side, side), newGuarded(t, 1, 16, 3, 3), newGuarded(t, 1, 16, side, side)
				x.put(slices.Repeat(c.x[:], 16))
				var up []float64
				for i := range c.y {
					up = append(up, float64(i+1))
				}
				dy.put(slices.Repeat(up, 16))
				index := make([]byte, kernels.PoolIndexLen(y.View))
				forward(x.View, y.View, index)
				same(t, "y", y.get(), slices.Repeat(c.y, 16))
				backward(dy.View, dx.View, index, false)
				same(t, "dx", dx.get(), slices.Repeat(c.dx[:], 16))
				dx.check(t, "dx")
				alone(x.View, y.View)
				same(t, "y, no index", y.get(), slices.Repeat(c.y, 16))
			})
		})
	}
}

// same holds that values are equal, NaN to NaN.
func same(t *testing.T, what string, got, want []float64) {
	t.Helper()
	if !slices.EqualFunc(got, want, func(a, b float64) bool { return a == b || a != a && b != b }) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func TestMean(t *testing.T) {
	eachShape(t, func(t *testing.T, r *rand.Rand, n, c, h, w int) {
		x, y, dx, dy := newGuarded(t, n, c, h+1, w+1), newGuarded(t, n, c, h, w), newGuarded(t, n, c, h+1, w+1), newGuarded(t, n, c, h, w)
		lx, ldx, ldy := x.fill(r), dx.fill(r), dy.fill(r)
		kernels.MeanForward(x.View, y.View)
		wantY, wantDX := make([]float64, len(ldy)), make([]float64, len(lx))
		for i := range wantY {
			first := (i/(h*w)*(h+1)+i/w%h)*(w+1) + i%w
			for _, at := range []int{first, first + 1, first + w + 1, first + w + 2} {
				wantY[i] += lx[at] / 4
				wantDX[at] += ldy[i] / 4
			}
		}
		near(t, "y", y.get(), wantY, 1e-6)
		kernels.MeanBackward(dy.View, dx.View, true)
		near(t, "dx+=", dx.get(), plus(wantDX, ldx), 1e-6)
		kernels.MeanBackward(dy.View, dx.View, false)
		near(t, "dx", dx.get(), wantDX, 1e-6)
		for _, g := range []*guarded{x, y, dx, dy} {
			g.check(t, "view")
		}
	})
}
