package kernel_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel/kerneltest"
)

// TestConv compares products and gradients of both types with exact ones.
func TestConv(t *testing.T) {
	b := kerneltest.New(t)
	for i, s := range convCases() {
		for _, typ := range kerneltest.Types {
			if typ == kernel.BFloat16 && i%4 > 1 { // TestConv16 has more of them
				continue
			}
			t.Run(fmt.Sprintf("%v %v", typ, s), func(t *testing.T) {
				c := newConv(b, typ, s)
				c.checkForward(t, c.products(), c.Tiles(), kernel.Conv.Forward)
				if c.in != 4 {
					c.checkInputGrad(t, c.inputGrads(), kernel.Conv.InputGrad)
				}
				c.checkWeightGrad(t, c.weightGrads(), func(dW cuda.Ptr) []cuda.Launch { return c.WeightGrad(c.dy.View, dW, c.scratch) })
				c.checkBiasGrad(t)
			})
		}
	}
}

// TestConv32Tiles does so with every shape of tiles, whether it would be chosen or not.
func TestConv32Tiles(t *testing.T) {
	b := kerneltest.New(t)
	for _, s := range []convCase{{1, 13, 11, 16, 80, 3, 1}, {2, 9, 8, 48, 16, 3, 2}, {1, 23, 29, 32, 48, 1, 1}, {1, 13, 17, 4, 48, 3, 2}} {
		c := newConv(b, kernel.Float32, s)
		products, inputs, weights := c.products(), c.inputGrads(), c.weightGrads()
		for _, f := range kernel.Forms32(c.Conv) {
			t.Run(fmt.Sprintf("%v by %v", s, f), func(t *testing.T) {
				c.checkForward(t, products, f.Tiles(c.Conv), f.Forward)
				if c.in != 4 {
					c.checkInputGrad(t, inputs, f.InputGrad)
				}
			})
		}
		for _, f := range kernel.WeightForms32() {
			t.Run(fmt.Sprintf("weights of %v by %v", s, f), func(t *testing.T) {
				scratch := b.Alloc(f.Scratch(c.Conv))
				c.checkWeightGrad(t, weights, func(dW cuda.Ptr) []cuda.Launch { return f.WeightGrad(c.Conv, c.dy.View, dW, scratch) })
			})
		}
	}
}

// checkForward computes products without a bias and with one, and sums of tiles of the stored products; what lies beside the
// window stays as it is.
func (c *conv) checkForward(t *testing.T, want []sum, tiles int, forward func(kernel.Conv) []cuda.Launch) {
	t.Helper()
	v := c.Conv
	v.Partial = c.b.Alloc(int64(tiles * 2 * c.out * 4))
	c.b.Run(forward(v)...)
	c.compare(t, "product", want, c.y, c.y.get(c.b, c.typ), c.kernel*c.kernel*c.in)
	c.comparePartial(t, tiles, v.Partial)

	v.Partial, v.Bias = 0, kerneltest.Put(c.b, c.bias)
	want = slices.Clone(want)
	for i := range want {
		want[i].add(1, c.bias[i%c.out])
	}
	c.b.Run(forward(v)...)
	c.compare(t, "output", want, c.y, c.y.get(c.b, c.typ), c.kernel*c.kernel*c.in+1)
}

// comparePartial adds up the tiles: each sum errs by at most 2^-24 of the magnitudes for every addition.
func (c *conv) comparePartial(t *testing.T, tiles int, at cuda.Ptr) {
	t.Helper()
	partial := kerneltest.Get[float32](c.b, at, tiles*2*c.out)
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
			for tile := range tiles {
				got += float64(partial[(tile*2+k)*c.out+lane])
			}
			if !want[k].near(float32(got), min(n, 256), kernel.Float32) {
				t.Fatalf("lane %d: sum %d of tiles is %g, want %g", lane, k, got, want[k].v)
			}
		}
	}
}

// checkInputGrad computes the gradient of the input, and adds it once more.
func (c *conv) checkInputGrad(t *testing.T, want []sum, grad func(c kernel.Conv, dY, dX kernel.View, add bool) []cuda.Launch) {
	t.Helper()
	dx := newWindow(c.b, c.typ, kerneltest.Seed("dx "+c.String()), c.n, c.h, c.w, c.in)
	terms := c.kernel * c.kernel * c.out
	c.b.Run(grad(c.Conv, c.dy.View, dx.View, false)...)
	once := dx.get(c.b, c.typ)
	c.compare(t, "gradient", want, dx, once, terms)
	c.b.Run(grad(c.Conv, c.dy.View, dx.View, true)...)
	want = slices.Clone(want)
	for i := range want {
		want[i].add(1, once[dx.index(i/c.in, i%c.in)])
	}
	c.compare(t, "sum of gradients", want, dx, dx.get(c.b, c.typ), terms+1)
}

func (c *conv) checkWeightGrad(t *testing.T, want []sum, grad func(dW cuda.Ptr) []cuda.Launch) {
	t.Helper()
	dw := c.b.Alloc(int64(4 * len(want)))
	c.b.Run(grad(dw)...)
	c.compareSums(t, "weights", want, dw)
}

func (c *conv) checkBiasGrad(t *testing.T) {
	t.Helper()
	want := make([]sum, c.out)
	for i := range int(c.Y.Pixels()) * c.out {
		want[i%c.out].add(c.dy.host[c.dy.index(i/c.out, i%c.out)], 1)
	}
	db := c.b.Alloc(int64(4 * c.out))
	c.b.Run(c.BiasGrad(c.dy.View, db, c.scratch)...)
	c.compareSums(t, "biases", want, db)
}

// TestBiasGrad takes more lanes than a block has, numbers of groups that do not divide its threads, and more pixels than slices
// have at least.
func TestBiasGrad(t *testing.T) {
	b := kerneltest.New(t)
	for _, typ := range kerneltest.Types {
		for _, c := range []convCase{{1, 1, 1, 16, 16, 1, 1}, {2, 13, 7, 16, 272, 1, 1}, {1, 61, 60, 16, 80, 1, 1}, {1, 380, 381, 16, 16, 1, 1}} {
			newConv(b, typ, c).checkBiasGrad(t)
		}
	}
}

// compareSums holds FP32 sums over the product's pixels against exact ones.
func (c *conv) compareSums(t *testing.T, what string, want []sum, got cuda.Ptr) {
	t.Helper()
	for i, v := range kerneltest.Get[float32](c.b, got, len(want)) {
		if !want[i].near(v, int(c.Y.Pixels()), kernel.Float32) {
			t.Fatalf("gradient of %s, %d: %g, want %g", what, i, v, want[i].v)
		}
	}
}

// TestConvOrder holds that results do not depend on the order in which a GPU runs threads.
func TestConvOrder(t *testing.T) {
	b := kerneltest.New(t)
	for _, typ := range kerneltest.Types {
		for _, c := range []convCase{{2, 13, 7, 32, 48, 3, 1}, {2, 40, 21, 16, 16, 3, 2}, {1, 20, 20, 4, 32, 3, 2}} {
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
	c.b.Run(c.WeightGrad(c.dy.View, dw, c.scratch)...)
	c.b.Run(c.BiasGrad(c.dy.View, db, c.scratch)...)
	if c.in != 4 {
		c.b.Run(c.InputGrad(c.dy.View, c.X, true)...)
	}
	return [][]float32{c.y.get(c.b, c.typ), c.x.get(c.b, c.typ), kerneltest.Get[float32](c.b, c.Partial, c.Tiles()*2*c.out),
		kerneltest.Get[float32](c.b, dw, n), kerneltest.Get[float32](c.b, db, c.out)}
}
