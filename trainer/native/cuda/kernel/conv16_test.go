package kernel_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/emulator"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel/kerneltest"
)

// problem16 is a convolution of windows in wider buffers, with what its kernels read on the device and on the host.
type problem16 struct {
	conv         kernel.Conv
	dY, dX       kernel.View
	x, w, dy, dx []float32 // buffers, and weights
	bias         []float32
	xAt, yAt     int  // first lane of the windows
	orders       bool // run in every order
}

func (p *problem16) run(t *testing.T, f func() []float32) []float32 {
	if p.orders {
		return kerneltest.EveryOrder(t, f)
	}
	return f()
}

// shape16 is n images of h x w pixels with `in` lanes, to `out` lanes.
type shape16 struct{ n, h, w, in, out, kernel, stride int }

func (s shape16) String() string {
	return fmt.Sprintf("%dx%dx%d lanes %d to %d, %dx%d, stride %d", s.n, s.h, s.w, s.in, s.out, s.kernel, s.kernel, s.stride)
}

func (s shape16) pixels() (in, out int) {
	return s.n * s.h * s.w, s.n * ((s.h + s.stride - 1) / s.stride) * ((s.w + s.stride - 1) / s.stride)
}

func newProblem16(b *kerneltest.Bench, r *rand.Rand, s shape16) *problem16 {
	const typ = kernel.BFloat16
	p := &problem16{xAt: 16, yAt: 32}
	xLanes, yLanes := s.in+48, s.out+48
	if s.in == 4 {
		p.xAt, xLanes = 0, 4
	}
	in, out := s.pixels()
	view := func(h, w, lanes int) kernel.View {
		return kernel.View{N: int32(s.n), H: int32(h), W: int32(w), C: int32(lanes), Stride: int32(lanes)}
	}
	p.x, p.dx = kerneltest.Random(typ, r, in*xLanes), kerneltest.Random(typ, r, in*xLanes)
	p.dy = kerneltest.Random(typ, r, out*yLanes)
	p.w = kerneltest.Random(typ, r, s.out*s.kernel*s.kernel*s.in)
	p.bias = kerneltest.Random(kernel.Float32, r, s.out)
	x, y := view(s.h, s.w, xLanes), view((s.h+s.stride-1)/s.stride, (s.w+s.stride-1)/s.stride, yLanes)
	dx, dy := x, y
	x.P, dx.P, dy.P = b.PutValues(typ, p.x), b.PutValues(typ, p.dx), b.PutValues(typ, p.dy)
	y.P = b.Alloc(int64(out*yLanes) * 2)
	p.dX, p.dY = dx.Part(typ, p.xAt, s.in), dy.Part(typ, p.yAt, s.out)
	p.conv = kernel.Conv{Type: typ, X: x.Part(typ, p.xAt, s.in), Y: y.Part(typ, p.yAt, s.out), Kernel: s.kernel, Stride: s.stride, W16: b.PutValues(typ, p.w), Wgmma: !emulator.Real() || b.GPU.Capability == 90}
	return p
}

// each calls f for every product of an input with a weight: indices into the buffers of the input, of the product, and into
// the weights.
func (p *problem16) each(f func(x, y, w int)) {
	c := p.conv
	for n := range int(c.Y.N) {
		for oy := range int(c.Y.H) {
			for ox := range int(c.Y.W) {
				for ky := range c.Kernel {
					for kx := range c.Kernel {
						iy, ix := oy*c.Stride+ky-c.Kernel/2, ox*c.Stride+kx-c.Kernel/2
						if iy < 0 || iy >= int(c.X.H) || ix < 0 || ix >= int(c.X.W) {
							continue
						}
						x := ((n*int(c.X.H)+iy)*int(c.X.W)+ix)*int(c.X.Stride) + p.xAt
						y := ((n*int(c.Y.H)+oy)*int(c.Y.W)+ox)*int(c.Y.Stride) + p.yAt
						for o := range int(c.Y.C) {
							w := ((o*c.Kernel+ky)*c.Kernel + kx) * int(c.X.C)
							for i := range int(c.X.C) {
								f(x+i, y+o, w+i)
							}
						}
					}
				}
			}
		}
	}
}

// near checks values against float64 sums. size is the sum of the terms' magnitudes and terms their number: products of bf16
// are exact in FP32, and each of at most terms additions rounds by 2^-24 of a partial sum, which is no larger than size
// (tensor cores may cut instead, 2^-23); each rounding of the result to bf16 is 2^-8 of it at most.
func near(t *testing.T, what string, got []float32, want, size []float64, terms, roundings int) {
	t.Helper()
	for i, v := range got {
		allowed := float64(terms) * math.Ldexp(size[i], -23)
		if size[i] > 0 { // and not beside the window
			allowed += float64(roundings) * math.Ldexp(math.Abs(want[i]), -8)
		}
		if d := math.Abs(float64(v) - want[i]); !(d <= allowed) {
			t.Errorf("%s: value %d is %v, want %v within %v", what, i, v, want[i], allowed)
			return
		}
	}
}

// sums adds products up, and their magnitudes: term of an index of a product, into an index of the result.
func (p *problem16) sums(n int, f func(x, y, w int) (to int, v float64)) (want, size []float64) {
	want, size = make([]float64, n), make([]float64, n)
	p.each(func(x, y, w int) {
		to, v := f(x, y, w)
		want[to] += v
		size[to] += math.Abs(v)
	})
	return want, size
}

// checkForward runs the product by a form's kernel with partial sums, and with a bias. What lies beside the window stays 0.
func (p *problem16) checkForward(t *testing.T, b *kerneltest.Bench, f kernel.Form16) {
	c := p.conv
	lanes, all, begin := int(c.Y.C), int(c.Y.Pixels())*int(c.Y.Stride), c.Y.P-cuda.Ptr(p.yAt*2)
	want, size := p.sums(all, func(x, y, w int) (int, float64) { return y, float64(p.x[x]) * float64(p.w[w]) })
	terms := c.Kernel * c.Kernel * int(c.X.C)
	c.Partial = b.Alloc(int64(f.Tiles) * 2 * int64(lanes) * 4)
	got := p.run(t, func() []float32 {
		b.Run(f.Forward(c)...)
		return slices.Concat(b.GetValues(c.Type, begin, all), kerneltest.Get[float32](b, c.Partial, f.Tiles*2*lanes))
	})
	near(t, "product", got[:all], want, size, terms, 1)
	p.checkPartial(t, f, got[:all], got[all:])
	c.Partial, c.Bias = 0, kerneltest.Put(b, p.bias)
	for i := range int(c.Y.Pixels()) * lanes {
		at, v := i/lanes*int(c.Y.Stride)+p.yAt+i%lanes, float64(p.bias[i%lanes])
		want[at] += v
		size[at] += math.Abs(v)
	}
	b.Run(f.Forward(c)...)
	near(t, "product and bias", b.GetValues(c.Type, begin, all), want, size, terms+1, 1)
}

// checkPartial compares partial sums with those of the values that were stored.
func (p *problem16) checkPartial(t *testing.T, f kernel.Form16, stored, partial []float32) {
	want, size := make([]float64, len(partial)), make([]float64, len(partial))
	lanes, most := int(p.conv.Y.C), 0
	for tile := range f.Tiles {
		rows := f.Rows(p.conv.Y, tile)
		most = max(most, len(rows))
		for i := range len(rows) * lanes {
			v, to := float64(stored[rows[i/lanes]*int(p.conv.Y.Stride)+p.yAt+i%lanes]), tile*2*lanes+i%lanes
			want[to] += v
			size[to] += math.Abs(v)
			want[to+lanes] += v * v
			size[to+lanes] += v * v
		}
	}
	near(t, "partial sums", partial, want, size, most, 0)
}

// checkInputGrad runs the gradient of the input, which replaces what was there, and then adds it once more.
func (p *problem16) checkInputGrad(t *testing.T, b *kerneltest.Bench, f kernel.Form16) {
	c := p.conv
	begin := p.dX.P - cuda.Ptr(p.xAt*2)
	want, size := p.sums(len(p.dx), func(x, y, w int) (int, float64) { return x, float64(p.dy[y]) * float64(p.w[w]) })
	for i, v := range p.dx { // beside the window
		if l := i%int(c.X.Stride) - p.xAt; l < 0 || l >= int(c.X.C) {
			want[i] = float64(v)
		}
	}
	terms := c.Kernel * c.Kernel * int(c.Y.C)
	once := p.run(t, func() []float32 {
		b.Run(f.InputGrad(c, p.dY, p.dX, false)...)
		return b.GetValues(c.Type, begin, len(p.dx))
	})
	near(t, "gradient of the input", once, want, size, terms, 1)
	b.Run(f.InputGrad(c, p.dY, p.dX, true)...)
	for i, v := range once {
		if size[i] > 0 {
			once[i] = kerneltest.Round(c.Type, v+v)
		}
	}
	if !slices.Equal(b.GetValues(c.Type, begin, len(p.dx)), once) {
		t.Error("the gradient of the input is not added")
	}
}

// checkWeightGrad runs the gradient of the weights.
func (p *problem16) checkWeightGrad(t *testing.T, b *kerneltest.Bench, f kernel.Form16) {
	want, size := p.sums(len(p.w), func(x, y, w int) (int, float64) { return w, float64(p.dy[y]) * float64(p.x[x]) })
	dW := b.Alloc(int64(len(p.w)) * 4)
	got := p.run(t, func() []float32 {
		b.Run(f.WeightGrad(p.conv, p.dY, dW, b.Alloc(f.Scratch()))...)
		return kerneltest.Get[float32](b, dW, len(p.w))
	})
	near(t, "gradient of the weights", got, want, size, int(p.conv.Y.Pixels()), 0)
}

// check runs all ways of a convolution.
func (p *problem16) check(t *testing.T, b *kerneltest.Bench, s shape16) {
	for _, f := range kernel.ForwardForms16(p.conv) {
		t.Run(fmt.Sprintf("%v by %s", s, f.Name), func(t *testing.T) { p.checkForward(t, b, f) })
	}
	for _, f := range kernel.WeightGradForms16(p.conv, 1, 3) {
		t.Run(fmt.Sprintf("%v by %s", s, f.Name), func(t *testing.T) { p.checkWeightGrad(t, b, f) })
	}
	if s.in == 4 {
		return
	}
	for _, f := range kernel.InputGradForms16(p.conv) {
		t.Run(fmt.Sprintf("%v by %s", s, f.Name), func(t *testing.T) { p.checkInputGrad(t, b, f) })
	}
}

// TestConv16 runs the kernels of every shape of tiles on small images whose borders, lanes and pixels are no multiples of it.
func TestConv16(t *testing.T) {
	b := kerneltest.New(t)
	for i, s := range []shape16{
		{1, 1, 1, 16, 16, 3, 1}, {2, 5, 7, 48, 80, 1, 1}, {1, 13, 11, 16, 48, 3, 1}, {3, 4, 4, 80, 32, 3, 1},
		{1, 9, 14, 32, 16, 3, 2}, {2, 6, 5, 16, 144, 3, 2}, {1, 2, 3, 160, 16, 1, 1}, {1, 7, 75, 16, 32, 3, 1},
	} {
		p := newProblem16(b, kerneltest.Seed(s.String()), s)
		p.orders = i == 2 || i == 4
		p.check(t, b, s)
	}
}

// TestConv16Image does the same for the network's image.
func TestConv16Image(t *testing.T) {
	b := kerneltest.New(t)
	for i, s := range []shape16{{1, 1, 1, 4, 16, 3, 2}, {2, 9, 7, 4, 48, 3, 2}, {1, 13, 12, 4, 80, 3, 1}, {1, 5, 5, 4, 16, 1, 1}} {
		p := newProblem16(b, kerneltest.Seed(s.String()), s)
		p.orders = i == 1
		p.check(t, b, s)
	}
}

// TestConv16Choice looks at what is chosen for maps of all sizes: blocks must fit into the shared memory of every GPU of
// capability 8.0 and later, 99 KiB of which 5 are static, and maps of 16 x 16 pixels must give an H100 of 132 multiprocessors work.
func TestConv16Choice(t *testing.T) {
	const most = 94 << 10
	view := func(n, h, w, lanes int) kernel.View {
		return kernel.View{N: int32(n), H: int32(h), W: int32(w), C: int32(lanes), Stride: int32(lanes)}
	}
	for _, size := range [][2]int{{1, 1}, {1, 300}, {300, 1}, {4, 4}, {7, 9}, {16, 16}, {32, 32}, {20, 20}, {45, 80}, {160, 160}} {
		for _, lanes := range [][2]int{{16, 16}, {32, 64}, {64, 64}, {96, 48}, {256, 256}} {
			for _, k := range [][2]int{{1, 1}, {3, 1}, {3, 2}} {
				h, w, s := size[0], size[1], k[1]
				c := kernel.Conv{Type: kernel.BFloat16, X: view(16, h, w, lanes[0]), Y: view(16, (h+s-1)/s, (w+s-1)/s, lanes[1]), Kernel: k[0], Stride: s}
				what := fmt.Sprintf("%d x %d pixels, %d to %d lanes, kernel %d, stride %d", h, w, lanes[0], lanes[1], k[0], s)
				for _, l := range slices.Concat(c.Forward(), c.InputGrad(c.Y, c.X, false), c.WeightGrad(c.Y, 0, 0)) {
					if l.Shared > most {
						t.Errorf("%s: %s takes %d bytes of shared memory", what, l.Kernel, l.Shared)
					}
				}
				if l := c.Forward()[0]; h*w >= 16*16 && lanes[1] > 16 && s == 1 && l.Grid[0] < 64 {
					t.Errorf("%s: %d blocks of %s", what, l.Grid[0], l.Kernel)
				}
			}
		}
	}
}

// TestConv16Wgmma: ways by warpgroups are taken only where they are asked for, there for convolutions of many lanes; their blocks
// fit into the shared memory of a GPU of capability 9.0, 227 KiB of which 18 are static; and the image has none.
func TestConv16Wgmma(t *testing.T) {
	view := func(n, h, w, lanes int) kernel.View {
		return kernel.View{N: int32(n), H: int32(h), W: int32(w), C: int32(lanes), Stride: int32(lanes)}
	}
	conv := func(in, out, k int, wgmma bool) kernel.Conv {
		return kernel.Conv{Type: kernel.BFloat16, X: view(16, 40, 40, in), Y: view(16, 40, 40, out), Kernel: k, Stride: 1, Wgmma: wgmma}
	}
	for _, c := range []struct {
		conv  kernel.Conv
		taken bool
	}{
		{conv(256, 256, 3, true), true}, {conv(256, 256, 1, true), true}, {conv(128, 144, 3, true), true},
		{conv(256, 256, 3, false), false}, {conv(4, 256, 3, true), false}, {conv(256, 112, 1, true), false}, {conv(112, 256, 3, true), false},
	} {
		launches := slices.Concat(c.conv.Forward(), c.conv.WeightGrad(c.conv.Y, 0, 0)[:1])
		if c.conv.X.C != 4 {
			launches = append(launches, c.conv.InputGrad(c.conv.Y, c.conv.X, false)...)
		}
		for _, l := range launches {
			if strings.HasPrefix(l.Kernel, "conv16_wgmma_") != c.taken {
				t.Errorf("lanes %d to %d, kernel %d, wgmma %v: %s", c.conv.X.C, c.conv.Y.C, c.conv.Kernel, c.conv.Wgmma, l.Kernel)
			}
			if l.Shared > 209<<10 {
				t.Errorf("%s takes %d bytes of shared memory", l.Kernel, l.Shared)
			}
		}
	}
}
