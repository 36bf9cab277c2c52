package kernel_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/emulator"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel/kerneltest"
)

// grouped is a convolution of groups, in windows of wider buffers, with room for what its kernels write: twice, for the whole
// and for its groups one by one.
type grouped struct {
	kernel.Conv
	dY   kernel.View
	b    *kerneltest.Bench
	bias cuda.Ptr
}

type groupCase struct{ n, h, w, groups, in, out, kernel, stride int } // in and out are lanes of a group

func (s groupCase) String() string {
	return fmt.Sprintf("%dx%dx%d, %d groups of %d to %d, kernel %d, stride %d", s.n, s.h, s.w, s.groups, s.in, s.out, s.kernel, s.stride)
}

func newGrouped(b *kerneltest.Bench, typ kernel.Type, s groupCase) *grouped {
	r := kerneltest.Seed(s.String())
	view := func(h, w, lanes int) kernel.View {
		all := kernel.View{P: b.PutValues(typ, kerneltest.Random(typ, r, s.n*h*w*(lanes+32))), N: int32(s.n), H: int32(h), W: int32(w), Stride: int32(lanes + 32)}
		return all.Part(typ, 16, lanes)
	}
	oh, ow := (s.h+s.stride-1)/s.stride, (s.w+s.stride-1)/s.stride
	g := &grouped{b: b, dY: view(oh, ow, s.groups*s.out), bias: kerneltest.Put(b, kerneltest.Random(kernel.Float32, r, s.groups*s.out))}
	g.Conv = kernel.Conv{Type: typ, X: view(s.h, s.w, s.groups*s.in), Y: view(oh, ow, s.groups*s.out), Kernel: s.kernel, Stride: s.stride, Groups: s.groups, Wgmma: !emulator.Real() || b.GPU.Capability == 90}
	weights := kerneltest.Random(typ, r, s.groups*s.out*s.kernel*s.kernel*s.in)
	g.W = kerneltest.Put(b, weights)
	if typ == kernel.BFloat16 {
		g.W16 = b.PutValues(typ, weights)
	}
	return g
}

func (g *grouped) weights() int { return int(g.X.C) / g.Groups * g.Kernel * g.Kernel * int(g.Y.C) }

// alone is group i as a convolution of its own, without Partial.
func (g *grouped) alone(i int) kernel.Conv {
	c, in, out := g.Conv, int(g.X.C)/g.Groups, int(g.Y.C)/g.Groups
	c.Groups, c.Partial = 1, 0
	c.X, c.Y = c.X.Part(c.Type, i*in, in), c.Y.Part(c.Type, i*out, out)
	at := int64(g.weights() / g.Groups * i)
	c.W, c.W16 = c.W.Add(4*at), c.W16.Add(2*at)
	if c.Bias != 0 {
		c.Bias = c.Bias.Add(int64(4 * i * out))
	}
	return c
}

// values are a window's buffer, the lanes beside it too.
func (g *grouped) values(v kernel.View) []float32 {
	return g.b.GetValues(g.Type, v.P-cuda.Ptr(16*g.Type.Bytes()), int(v.Pixels())*int(v.Stride))
}

// equal runs the whole, and then the groups, and wants the same bits.
func (g *grouped) equal(t *testing.T, what string, read func() []float32, whole []cuda.Launch, alone func(i int) []cuda.Launch) {
	t.Helper()
	before := read()
	g.b.Run(whole...)
	got := read()
	for i := range g.Groups {
		g.b.Run(alone(i)...)
	}
	if slices.Equal(before, got) || !slices.Equal(got, read()) {
		t.Errorf("%s differs from that of the groups alone", what)
	}
}

// form is one way to compute a convolution.
type form struct {
	tiles   int
	forward func(kernel.Conv) []cuda.Launch
	back    func(c kernel.Conv, dY, dX kernel.View, add bool) []cuda.Launch
}

// checkForward holds products with and without a bias against those of groups, and the sums of tiles, group by group.
func (g *grouped) checkForward(t *testing.T, f form) {
	product := func() []float32 { return g.values(g.Y) }
	c := g.Conv
	lanes, out := int(c.Y.C), int(c.Y.C)/c.Groups
	c.Partial = g.b.Alloc(int64(f.tiles * 2 * lanes * 4))
	g.equal(t, "product", product, f.forward(c), func(i int) []cuda.Launch { return f.forward(g.alone(i)) })
	partial := kerneltest.Get[float32](g.b, c.Partial, f.tiles*2*lanes)
	for i := range g.Groups {
		a := g.alone(i)
		a.Partial = g.b.Alloc(int64(f.tiles * 2 * out * 4))
		g.b.Run(f.forward(a)...)
		for k, v := range kerneltest.Get[float32](g.b, a.Partial, f.tiles*2*out) {
			if partial[k/out*lanes+i*out+k%out] != v {
				t.Fatalf("sum %d of group %d differs from that of the group alone", k, i)
			}
		}
	}
	g.Bias = g.bias
	g.equal(t, "output", product, f.forward(g.Conv), func(i int) []cuda.Launch { return f.forward(g.alone(i)) })
	g.Bias = 0
}

func (g *grouped) checkInputGrad(t *testing.T, f form) {
	in, out := int(g.X.C)/g.Groups, int(g.Y.C)/g.Groups
	for _, add := range []bool{false, true} {
		dX := kernel.View{N: g.X.N, H: g.X.H, W: g.X.W, Stride: g.X.Stride}
		dX.P = g.b.PutValues(g.Type, g.values(g.X))
		dX = dX.Part(g.Type, 16, int(g.X.C))
		again := dX
		again.P = g.b.PutValues(g.Type, g.values(g.X)).Add(16 * g.Type.Bytes())
		g.b.Run(f.back(g.Conv, g.dY, dX, add)...)
		for i := range g.Groups {
			g.b.Run(f.back(g.alone(i), g.dY.Part(g.Type, i*out, out), again.Part(g.Type, i*in, in), add)...)
		}
		if got := g.values(dX); slices.Equal(got, g.values(g.X)) || !slices.Equal(got, g.values(again)) {
			t.Errorf("gradient of the input (added: %v) differs from that of the groups alone", add)
		}
	}
}

func (g *grouped) checkWeightGrad(t *testing.T, scratch int64, grad func(c kernel.Conv, dY kernel.View, dW, scratch cuda.Ptr) []cuda.Launch) {
	room, dW, n, out := g.b.Alloc(scratch), g.b.Alloc(int64(4*g.weights())), g.weights(), int(g.Y.C)/g.Groups
	g.equal(t, "gradient of the weights", func() []float32 { return kerneltest.Get[float32](g.b, dW, n) }, grad(g.Conv, g.dY, dW, room),
		func(i int) []cuda.Launch {
			return grad(g.alone(i), g.dY.Part(g.Type, i*out, out), dW.Add(int64(4*n/g.Groups*i)), room)
		})
}

// TestConvGroups holds every kernel of convolutions of groups against the same kernel that is run for one group after the
// other, to the bit, and in few launches.
func TestConvGroups(t *testing.T) {
	b := kerneltest.New(t)
	for _, s := range []groupCase{{2, 5, 7, 4, 16, 16, 3, 1}, {1, 9, 6, 3, 16, 48, 3, 2}, {2, 3, 4, 2, 32, 16, 1, 1}, {1, 2, 35, 2, 16, 80, 3, 1}, {1, 20, 27, 2, 16, 16, 1, 1}} {
		t.Run(fmt.Sprintf("float32 %v", s), func(t *testing.T) {
			g := newGrouped(b, kernel.Float32, s)
			for _, f := range kernel.Forms32(g.Conv) {
				way := form{f.Tiles(g.Conv), f.Forward, f.InputGrad}
				g.checkForward(t, way)
				g.checkInputGrad(t, way)
			}
			for _, f := range kernel.WeightForms32() {
				g.checkWeightGrad(t, f.Scratch(g.Conv), f.WeightGrad)
			}
		})
		t.Run(fmt.Sprintf("bf16 %v", s), func(t *testing.T) {
			g := newGrouped(b, kernel.BFloat16, s)
			for _, f := range kernel.ForwardForms16(g.Conv) {
				g.checkForward(t, form{tiles: f.Tiles, forward: f.Forward})
			}
			for _, f := range kernel.InputGradForms16(g.Conv) {
				g.checkInputGrad(t, form{back: f.InputGrad})
			}
		})
	}
}

// TestConvGroupWeights does so for gradients of weights in bf16, whose number of slices the number of groups does not change.
func TestConvGroupWeights(t *testing.T) {
	b := kerneltest.New(t)
	for _, s := range []groupCase{{2, 9, 7, 4, 16, 16, 3, 1}, {1, 9, 16, 3, 16, 48, 3, 2}, {2, 8, 9, 2, 32, 16, 1, 1}} {
		g := newGrouped(b, kernel.BFloat16, s)
		for _, wanted := range []int64{1, 3} {
			for k, f := range kernel.WeightGradForms16(g.Conv, wanted) {
				t.Run(fmt.Sprintf("%v by %s", s, f.Name), func(t *testing.T) {
					g.checkWeightGrad(t, f.Scratch(), func(c kernel.Conv, dY kernel.View, dW, scratch cuda.Ptr) []cuda.Launch {
						return kernel.WeightGradForms16(c, wanted)[k].WeightGrad(c, dY, dW, scratch)
					})
				})
			}
		}
	}
}

// TestConvGroupsAreOne counts launches: groups take no more than a convolution without.
func TestConvGroupsAreOne(t *testing.T) {
	for _, typ := range kerneltest.Types {
		v := kernel.View{N: 16, H: 16, W: 16, C: 64, Stride: 64}
		c := kernel.Conv{Type: typ, X: v, Y: v, Kernel: 3, Stride: 1, Groups: 4}
		if n := len(c.Forward()) + len(c.InputGrad(v, v, false)); n != 2 {
			t.Errorf("%v: %d launches for a product and a gradient of the input, want 2", typ, n)
		}
		if n := len(c.WeightGrad(v, 0, 0)); n > 2 {
			t.Errorf("%v: %d launches for a gradient of weights, want 2 at most", typ, n)
		}
	}
}
