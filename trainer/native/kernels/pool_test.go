package kernels_test

import (
	"math"
	"math/rand/v2"
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

// A plane of NaN has no maximum; the gradient must still land inside.
func TestMaxPoolNaN(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		x, y, dx, dy := newGuarded(t, 1, 16, 3, 3), newGuarded(t, 1, 16, 3, 3), newGuarded(t, 1, 16, 3, 3), newGuarded(t, 1, 16, 3, 3)
		nan := make([]float64, 16*9)
		for i := range nan {
			nan[i] = math.NaN()
		}
		x.put(nan)
		ldy := dy.fill(rand.New(rand.NewPCG(1, 1)))
		index := make([]byte, kernels.PoolIndexLen(y.View))
		kernels.MaxPoolForward(x.View, y.View, index)
		kernels.MaxPoolBackward(dy.View, dx.View, index, false)
		near(t, "dx", dx.get(), ldy, 0)
		dx.check(t, "dx")
	})
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
