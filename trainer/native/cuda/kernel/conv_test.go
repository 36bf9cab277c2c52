package kernel_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel/kerneltest"
)

// convCase is a convolution of random values, its operands' windows lying somewhere in wider buffers.
type convCase struct {
	n, h, w, in, out, kernel, stride int
	fill                             int // of kernel.Conv
}

func (c convCase) String() string {
	return fmt.Sprintf("%dx%dx%d of %d to %d, kernel %d, stride %d, fill %d", c.n, c.h, c.w, c.in, c.out, c.kernel, c.stride, c.fill)
}

func (c convCase) size() (h, w int) {
	pad := c.kernel / 2
	return (c.h+2*pad-c.kernel)/c.stride + 1, (c.w+2*pad-c.kernel)/c.stride + 1
}

// convCases has all kinds on a few sizes each, with the tiles of a large GPU and of one that is soon full, whole and cut off,
// pixels that are all border, and enough of them for several slices.
func convCases() []convCase {
	r := kerneltest.Seed("conv cases")
	kinds := []struct{ kernel, stride int }{{1, 1}, {3, 1}, {3, 2}}
	sizes := [][3]int{{1, 1, 1}, {3, 2, 3}, {2, 13, 7}, {1, 12, 12}}
	lanes := []int{16, 32, 48, 64, 80}
	var all []convCase
	for _, k := range kinds {
		for _, s := range sizes {
			for i := range 4 {
				all = append(all, convCase{s[0], s[1], s[2], lanes[r.IntN(len(lanes))], lanes[r.IntN(len(lanes))], k.kernel, k.stride, i % 2})
			}
			all = append(all, convCase{s[0], s[1], s[2], 4, lanes[r.IntN(3)], k.kernel, k.stride, 0})
		}
		all = append(all, convCase{2, 37, 31, 16, 16, k.kernel, k.stride, 1}, convCase{1, 37, 43, 4, 16, k.kernel, k.stride, 0},
			convCase{1, 36, 42, 32, 64, k.kernel, k.stride, 1}, convCase{1, 39, 39, 16, 32, k.kernel, k.stride, 0})
	}
	return all
}

// window is an activation whose lanes lie between others.
type window struct {
	kernel.View
	owner         cuda.Ptr
	first, stride int
	host          []float32 // the whole buffer
}

func newWindow(b *kerneltest.Bench, typ kernel.Type, r *rand.Rand, n, h, w, lanes int) window {
	v := window{stride: lanes}
	if lanes != 4 {
		v.first, v.stride = 16*r.IntN(2), lanes+16*(1+r.IntN(2))
	}
	v.host = kerneltest.Random(typ, r, n*h*w*v.stride)
	v.owner = b.PutValues(typ, v.host)
	whole := kernel.View{P: v.owner, N: int32(n), H: int32(h), W: int32(w), C: int32(v.stride), Stride: int32(v.stride)}
	v.View = whole.Part(typ, v.first, lanes)
	return v
}

// get is the buffer as it is now on the device.
func (v window) get(b *kerneltest.Bench, typ kernel.Type) []float32 {
	return b.GetValues(typ, v.owner, len(v.host))
}

// index is a value's place in the buffer; pixel counts through images, rows and columns.
func (v window) index(pixel, lane int) int { return pixel*v.stride + v.first + lane }

// sum is an exact sum with the sum of magnitudes, by which errors are measured.
type sum struct{ v, size float64 }

func (s *sum) add(a, b float32) {
	p := float64(a) * float64(b)
	s.v += p
	s.size += math.Abs(p)
}

// near tells whether got is s computed in FP32 from that many terms and rounded to a type: each addition and product errs by
// at most 2^-24 of the magnitudes so far, and bf16 by 2^-8 of the result.
func (s sum) near(got float32, terms int, typ kernel.Type) bool {
	limit := float64(terms+3) * 0x1p-24 * s.size
	if typ == kernel.BFloat16 {
		limit += 0x1p-8*math.Abs(s.v) + 0x1p-133
	}
	return math.Abs(float64(got)-s.v) <= limit
}

// conv is a case set up on the device.
type conv struct {
	convCase
	kernel.Conv
	b       *kerneltest.Bench
	typ     kernel.Type
	x, y    window
	weights []float32
	bias    []float32
	scratch cuda.Ptr
}

func newConv(b *kerneltest.Bench, typ kernel.Type, c convCase) *conv {
	r := kerneltest.Seed(c.String() + typ.String())
	oh, ow := c.size()
	v := &conv{convCase: c, b: b, typ: typ}
	v.x, v.y = newWindow(b, typ, r, c.n, c.h, c.w, c.in), newWindow(b, typ, r, c.n, oh, ow, c.out)
	v.weights = kerneltest.Random(typ, r, c.out*c.kernel*c.kernel*c.in) // rounded, so that FP32 and bf16 weights are the same
	v.bias = kerneltest.Random(kernel.Float32, r, c.out)
	v.Conv = kernel.Conv{Type: typ, X: v.x.View, Y: v.y.View, Kernel: c.kernel, Stride: c.stride, Fill: c.fill, W: kerneltest.Put(b, v.weights)}
	if typ == kernel.BFloat16 {
		v.W16 = b.Alloc(int64(2 * len(v.weights)))
		b.Run(kernel.Round(v.W, v.W16, int64(len(v.weights))))
	}
	v.scratch = b.Alloc(v.ScratchBytes())
	return v
}

// each calls f for every pair of a result's pixel and an input's pixel under a tap.
func (c convCase) each(f func(out, in, tap int)) {
	oh, ow := c.size()
	pad := c.kernel / 2
	for n := range c.n {
		for y := range oh {
			for x := range ow {
				for t := range c.kernel * c.kernel {
					sy, sx := y*c.stride+t/c.kernel-pad, x*c.stride+t%c.kernel-pad
					if sy >= 0 && sy < c.h && sx >= 0 && sx < c.w {
						f((n*oh+y)*ow+x, (n*c.h+sy)*c.w+sx, t)
					}
				}
			}
		}
	}
}

func (c convCase) weight(out, tap, in int) int { return (out*c.kernel*c.kernel+tap)*c.in + in }

func forConvs(t *testing.T, f func(t *testing.T, c *conv)) {
	b := kerneltest.New(t)
	for _, typ := range kerneltest.Types {
		for _, c := range convCases() {
			t.Run(fmt.Sprintf("%v %v", typ, c), func(t *testing.T) { f(t, newConv(b, typ, c)) })
		}
	}
}

// TestConvForward compares products with exact ones, with a bias and without, and the sums of tiles with those of the stored
// products; lanes beside the window stay as they are.
func TestConvForward(t *testing.T) {
	forConvs(t, func(t *testing.T, c *conv) {
		oh, ow := c.size()
		want := make([]sum, c.n*oh*ow*c.out)
		c.each(func(out, in, tap int) {
			for o := range c.out {
				for i := range c.in {
					want[out*c.out+o].add(c.x.host[c.x.index(in, i)], c.weights[c.weight(o, tap, i)])
				}
			}
		})
		c.Partial = c.b.Alloc(int64(c.Tiles() * 2 * c.out * 4))
		c.b.Run(c.Forward()...)
		c.compare(t, "product", want, c.y, c.y.get(c.b, c.typ), c.kernel*c.kernel*c.in)
		c.comparePartial(t)

		c.Partial, c.Bias = 0, kerneltest.Put(c.b, c.bias)
		for i := range want {
			want[i].add(1, c.bias[i%c.out])
		}
		c.b.Run(c.Forward()...)
		c.compare(t, "output", want, c.y, c.y.get(c.b, c.typ), c.kernel*c.kernel*c.in+1)
	})
}

// compare holds the window in got against the exact sums, and the rest of it against what was there.
func (c *conv) compare(t *testing.T, what string, want []sum, v window, got []float32, terms int) {
	t.Helper()
	lanes := int(v.C)
	for i, g := range got {
		pixel, lane := i/v.stride, i%v.stride-v.first
		if lane < 0 || lane >= lanes {
			if g != v.host[i] {
				t.Fatalf("%s: lane %d beside the window of pixel %d became %g", what, lane, pixel, g)
			}
		} else if s := want[pixel*lanes+lane]; !s.near(g, terms, c.typ) {
			t.Fatalf("%s: pixel %d lane %d is %g, want %g", what, pixel, lane, g, s.v)
		}
	}
}

// comparePartial adds up the tiles: each sum errs by at most 2^-24 of the magnitudes for every addition.
func (c *conv) comparePartial(t *testing.T) {
	t.Helper()
	partial := kerneltest.Get[float32](c.b, c.Partial, c.Tiles()*2*c.out)
	y, n := c.y.get(c.b, c.typ), int(c.Y.Pixels())
	for lane := range c.out {
		var want [2]sum
		for p := range n {
			v := y[c.y.index(p, lane)]
			want[0].add(v, 1)
			want[1].add(v, v)
		}
		for k := range 2 {
			var got float64
			for tile := range c.Tiles() {
				got += float64(partial[(tile*2+k)*c.out+lane])
			}
			if !want[k].near(float32(got), min(n, 256), kernel.Float32) {
				t.Fatalf("lane %d: sum %d of tiles is %g, want %g", lane, k, got, want[k].v)
			}
		}
	}
}

// TestConvInputGrad compares the gradient of the input with the exact one, written and then added once more.
func TestConvInputGrad(t *testing.T) {
	forConvs(t, func(t *testing.T, c *conv) {
		if c.in == 4 {
			return
		}
		dx := newWindow(c.b, c.typ, kerneltest.Seed("dx "+c.String()), c.n, c.h, c.w, c.in)
		want := make([]sum, c.n*c.h*c.w*c.in)
		c.each(func(out, in, tap int) {
			for o := range c.out {
				for i := range c.in {
					want[in*c.in+i].add(c.y.host[c.y.index(out, o)], c.weights[c.weight(o, tap, i)])
				}
			}
		})
		terms := c.kernel * c.kernel * c.out
		c.b.Run(c.InputGrad(c.Y, dx.View, false)...)
		once := dx.get(c.b, c.typ)
		c.compare(t, "gradient", want, dx, once, terms)
		c.b.Run(c.InputGrad(c.Y, dx.View, true)...)
		for i := range want {
			want[i].add(1, once[dx.index(i/c.in, i%c.in)])
		}
		c.compare(t, "sum of gradients", want, dx, dx.get(c.b, c.typ), terms+1)
	})
}

// TestConvWeightGrad compares the gradients of weights and biases with the exact ones.
func TestConvWeightGrad(t *testing.T) {
	forConvs(t, func(t *testing.T, c *conv) {
		want, bias := make([]sum, len(c.weights)), make([]sum, c.out)
		c.each(func(out, in, tap int) {
			for o := range c.out {
				for i := range c.in {
					want[c.weight(o, tap, i)].add(c.y.host[c.y.index(out, o)], c.x.host[c.x.index(in, i)])
				}
			}
		})
		for p := range int(c.Y.Pixels()) {
			for o := range c.out {
				bias[o].add(c.y.host[c.y.index(p, o)], 1)
			}
		}
		dw, db := c.b.Alloc(int64(4*len(want))), c.b.Alloc(int64(4*c.out))
		c.b.Run(c.WeightGrad(c.Y, dw, c.scratch)...)
		c.b.Run(c.BiasGrad(c.Y, db, c.scratch)...)
		for _, g := range []struct {
			what string
			want []sum
			got  []float32
		}{{"weight", want, kerneltest.Get[float32](c.b, dw, len(want))}, {"bias", bias, kerneltest.Get[float32](c.b, db, c.out)}} {
			for i, v := range g.got {
				if !g.want[i].near(v, int(c.Y.Pixels()), kernel.Float32) {
					t.Fatalf("gradient of %s %d is %g, want %g", g.what, i, v, g.want[i].v)
				}
			}
		}
	})
}

// TestConvOrder holds that results do not depend on the order in which a GPU runs threads.
func TestConvOrder(t *testing.T) {
	b := kerneltest.New(t)
	for _, typ := range kerneltest.Types {
		for _, c := range []convCase{{2, 13, 7, 32, 48, 3, 1, 1}, {2, 40, 21, 16, 16, 3, 2, 0}, {1, 20, 20, 4, 32, 3, 2, 0}} {
			var first [][]float32
			for _, order := range []string{"", "reverse", "shuffle"} {
				t.Setenv("EMULATOR_ORDER", order)
				got := newConv(b, typ, c).all()
				if first == nil {
					first = got
				}
				for i := range got {
					if !slices.Equal(got[i], first[i]) {
						t.Errorf("%v %v, order %s: result %d differs", typ, c, order, i)
					}
				}
			}
		}
	}
}

// all runs every kernel once: products, sums of tiles, gradients of weights, biases and input.
func (c *conv) all() [][]float32 {
	n := len(c.weights)
	c.Partial = c.b.Alloc(int64(c.Tiles() * 2 * c.out * 4))
	dw, db := c.b.Alloc(int64(4*n)), c.b.Alloc(int64(4*c.out))
	c.b.Run(c.Forward()...)
	c.b.Run(c.WeightGrad(c.Y, dw, c.scratch)...)
	c.b.Run(c.BiasGrad(c.Y, db, c.scratch)...)
	if c.in != 4 {
		c.b.Run(c.InputGrad(c.Y, c.X, true)...)
	}
	return [][]float32{c.y.get(c.b, c.typ), c.x.get(c.b, c.typ), kerneltest.Get[float32](c.b, c.Partial, c.Tiles()*2*c.out),
		kerneltest.Get[float32](c.b, dw, n), kerneltest.Get[float32](c.b, db, c.out)}
}
