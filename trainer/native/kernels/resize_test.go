package kernels_test

import (
	"math/rand/v2"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/kernels"
)

func TestUpsample(t *testing.T) {
	eachShape(t, func(t *testing.T, r *rand.Rand, n, c, h, w int) {
		x, y := newGuarded(t, n, c, h, w), newGuarded(t, n, c, 2*h, 2*w)
		dx, dy := newGuarded(t, n, c, h, w), newGuarded(t, n, c, 2*h, 2*w)
		lx, ldx, ldy := x.fill(r), dx.fill(r), dy.fill(r)
		kernels.UpsampleForward(x.View, y.View)
		wantY, wantDX := make([]float64, 4*len(lx)), make([]float64, len(lx))
		for i := range wantY {
			plane, row, col := i/(4*h*w), i/(2*w)%(2*h), i%(2*w)
			from := (plane*h+row/2)*w + col/2
			wantY[i] = lx[from]
			wantDX[from] += ldy[i]
		}
		near(t, "y", y.get(), wantY, 0)
		kernels.UpsampleBackward(dy.View, dx.View, true)
		near(t, "dx+=", dx.get(), plus(wantDX, ldx), 1e-6)
		kernels.UpsampleBackward(dy.View, dx.View, false)
		near(t, "dx", dx.get(), wantDX, 1e-6)
		for _, g := range []*guarded{x, y, dx, dy} {
			g.check(t, "view")
		}
	})
}

// Source pixels of nearest neighbour from `from` to `to`, as torch.nn.functional.interpolate of PyTorch 2.15 takes them.
var nearest = []struct {
	from, to int
	pixels   []int
}{
	{3, 7, []int{0, 0, 0, 1, 1, 2, 2}},
	{7, 3, []int{0, 2, 4}},
	{5, 20, []int{0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4}},
	{4, 4, []int{0, 1, 2, 3}},
	{1, 3, []int{0, 0, 0}},
	{6, 1, []int{0}},
}

func TestResize(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 3))
		for _, rows := range nearest {
			for _, cols := range nearest {
				n, c, h, w, oh, ow := 2, 24, rows.from, cols.from, rows.to, cols.to
				x, y, dx, dy := newGuarded(t, n, c, h, w), newGuarded(t, n, c, oh, ow), newGuarded(t, n, c, h, w), newGuarded(t, n, c, oh, ow)
				lx, ly, ldx, ldy := x.fill(r), y.fill(r), dx.fill(r), dy.fill(r)
				wantY, wantDX := make([]float64, len(ly)), make([]float64, len(lx))
				for i := range wantY {
					from := (i/(oh*ow)*h+rows.pixels[i/ow%oh])*w + cols.pixels[i%ow]
					wantY[i] = lx[from]
					wantDX[from] += ldy[i]
				}
				kernels.ResizeForward(x.View, y.View, true)
				near(t, "y+=", y.get(), plus(wantY, ly), 0)
				kernels.ResizeForward(x.View, y.View, false)
				near(t, "y", y.get(), wantY, 0)
				kernels.ResizeBackward(dy.View, dx.View, true)
				near(t, "dx+=", dx.get(), plus(wantDX, ldx), 1e-6)
				kernels.ResizeBackward(dy.View, dx.View, false)
				near(t, "dx", dx.get(), wantDX, 1e-6)
				for _, g := range []*guarded{x, y, dx, dy} {
					g.check(t, "view")
				}
			}
		}
	})
}

// Regrouping 24 channels in a row to two runs of 12, and back.
func TestRegroup(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 3))
		row, runs := make([]int32, 24), make([]int32, 24)
		for i := range row {
			row[i], runs[i] = int32(i), int32(i+i/12*4)
		}
		x, y := newGuarded(t, 2, 24, 5, 3), newGuarded(t, 2, 28, 5, 3)
		lx := x.fill(r)
		kernels.Regroup(x.View, row, y.View, runs, false)
		got := y.get()
		for i := range got {
			n, c, p := i/(28*15), i/15%28, i%15
			want := 0.0
			if c < 12 || c >= 16 {
				want = lx[(n*24+c-c/16*4)*15+p]
			}
			if got[i] != want {
				t.Fatalf("image %d lane %d pixel %d is %v, want %v", n, c, p, got[i], want)
			}
		}
		kernels.Regroup(y.View, runs, x.View, row, true)
		near(t, "x+=", x.get(), plus(lx, lx), 0)
		x.check(t, "x")
		y.check(t, "y")
	})
}
