package kernel_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel/kerneltest"
)

// convCase is a convolution of random values, its operands' windows lying somewhere in wider buffers.
type convCase struct {
	n, h, w, in, out, kernel, stride int
}

func (c convCase) String() string {
	return fmt.Sprintf("%dx%dx%d of %d to %d, kernel %d, stride %d", c.n, c.h, c.w, c.in, c.out, c.kernel, c.stride)
}

func (c convCase) size() (h, w int) {
	pad := c.kernel / 2
	return (c.h+2*pad-c.kernel)/c.stride + 1, (c.w+2*pad-c.kernel)/c.stride + 1
}

// convCases has all kinds on a few sizes each: pixels that are all border, tiles cut off, and enough pixels for several slices.
func convCases() []convCase {
	r := kerneltest.Seed("conv cases")
	kinds := []struct{ kernel, stride int }{{1, 1}, {3, 1}, {3, 2}}
	sizes := [][3]int{{1, 1, 1}, {3, 2, 3}, {2, 13, 7}, {1, 12, 12}, {1, 37, 43}}
	lanes := []int{16, 32, 48, 64, 80}
	var all []convCase
	for _, k := range kinds {
		for _, s := range sizes {
			in, out := lanes[r.IntN(len(lanes))], lanes[r.IntN(len(lanes))]
			if s[1]*s[2] > 1000 {
				in, out = 16, lanes[r.IntN(3)]
			}
			all = append(all, convCase{s[0], s[1], s[2], in, out, k.kernel, k.stride}, convCase{s[0], s[1], s[2], 4, lanes[r.IntN(3)], k.kernel, k.stride})
		}
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
	dy      window // a gradient of the product
	weights []float32
	bias    []float32
	scratch cuda.Ptr
}

func newConv(b *kerneltest.Bench, typ kernel.Type, c convCase) *conv {
	r := kerneltest.Seed(c.String() + typ.String())
	oh, ow := c.size()
	v := &conv{convCase: c, b: b, typ: typ}
	v.x, v.y = newWindow(b, typ, r, c.n, c.h, c.w, c.in), newWindow(b, typ, r, c.n, oh, ow, c.out)
	v.dy = newWindow(b, typ, r, c.n, oh, ow, c.out)
	v.weights = kerneltest.Random(typ, r, c.out*c.kernel*c.kernel*c.in) // rounded, so that FP32 and bf16 weights are the same
	v.bias = kerneltest.Random(kernel.Float32, r, c.out)
	v.Conv = kernel.Conv{Type: typ, X: v.x.View, Y: v.y.View, Kernel: c.kernel, Stride: c.stride, W: kerneltest.Put(b, v.weights)}
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

// products, inputGrads and weightGrads are exact.
func (c *conv) products() []sum {
	oh, ow := c.size()
	want := make([]sum, c.n*oh*ow*c.out)
	c.each(func(out, in, tap int) {
		for o := range c.out {
			for i := range c.in {
				want[out*c.out+o].add(c.x.host[c.x.index(in, i)], c.weights[c.weight(o, tap, i)])
			}
		}
	})
	return want
}

func (c *conv) inputGrads() []sum {
	want := make([]sum, c.n*c.h*c.w*c.in)
	c.each(func(out, in, tap int) {
		for o := range c.out {
			for i := range c.in {
				want[in*c.in+i].add(c.dy.host[c.dy.index(out, o)], c.weights[c.weight(o, tap, i)])
			}
		}
	})
	return want
}

func (c *conv) weightGrads() []sum {
	want := make([]sum, len(c.weights))
	c.each(func(out, in, tap int) {
		for o := range c.out {
			for i := range c.in {
				want[c.weight(o, tap, i)].add(c.dy.host[c.dy.index(out, o)], c.x.host[c.x.index(in, i)])
			}
		}
	})
	return want
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
