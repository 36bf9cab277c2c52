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

// TestDependentLayer: a layer forward and back, recorded several times over, each on what the one before gave, and replayed, has the same bits whether or not its
// kernels may begin before the ones ahead of them have ended. A kernel that does not wait reads what is not there yet, or writes
// what another still reads; that shows on a GPU of capability 9.0, where grids are as small and as large as those of networks.
func TestDependentLayer(t *testing.T) {
	cases := []layerCase{{n: 1, size: 9, lanes: 32}, {n: 1, size: 3, lanes: 128}}
	chain, replays := 2, 2
	if emulator.Real() {
		cases = []layerCase{{n: 1, size: 9, lanes: 32}, {n: 16, size: 4, lanes: 256}, {n: 16, size: 20, lanes: 128}, {n: 16, size: 40, lanes: 64}, {n: 4, size: 160, lanes: 32}}
		chain, replays = 10, 100
	}
	t.Setenv("FAKE_CUDA_CAPABILITY", "90")
	for _, typ := range kerneltest.Types {
		for _, c := range cases {
			t.Run(fmt.Sprintf("%v/%dx%dx%dx%d", typ, c.n, c.size, c.size, c.lanes), func(t *testing.T) {
				var plain, dependent layerRun
				t.Run("plain", func(t *testing.T) { plain = c.run(t, typ, chain, replays, "0") })
				t.Run("dependent", func(t *testing.T) { dependent = c.run(t, typ, chain, replays, "1") })
				if t.Failed() || dependent.nodes == 0 { // or skipped
					return
				}
				if plain.dependent != 0 || dependent.dependent != dependent.nodes-1 {
					t.Errorf("of %d kernels %d and %d may begin early, want none and all but the first", dependent.nodes, plain.dependent, dependent.dependent)
				}
				for i := range plain.bits {
					if !slices.Equal(plain.bits[i], dependent.bits[i]) {
						t.Errorf("%s: other bits", layerParts[i])
					}
				}
			})
		}
	}
}

// layerCase is a 3x3 convolution with normalisation on square maps, lanes to lanes.
type layerCase struct{ n, size, lanes int }

type layerRun struct {
	nodes, dependent int
	bits             [][]float32 // of layerParts
}

var layerParts = []string{"activation", "gradient of the product", "input", "gradient of the input", "gradients of the weights", "gradients of the normalisation", "running statistics"}

// run records the layer, an even number of times (chain), and replays that.
func (c layerCase) run(t *testing.T, typ kernel.Type, chain, replays int, asked string) (r layerRun) {
	t.Setenv("MAPSWEEP_PDL", asked)
	b := kerneltest.New(t)
	if b.GPU.Capability != 90 {
		t.Skipf("a GPU of compute capability 9.0 is needed; this one has %d", b.GPU.Capability)
	}
	s := kerneltest.Seed("dependent")
	window := func() kernel.View {
		return b.PutWindow(typ, kerneltest.RandomWindow(typ, s, c.n, c.size, c.size, 0, c.lanes, c.lanes))
	}
	lanes := func() cuda.Ptr { return b.Alloc(int64(4 * c.lanes)) }
	ones := make([]float32, c.lanes)
	for i := range ones {
		ones[i] = 1
	}
	w := kerneltest.Random(typ, s, c.lanes*9*c.lanes)
	conv := kernel.Conv{Type: typ, X: window(), Y: window(), Kernel: 3, Stride: 1, W: kerneltest.Put(b, w), Wgmma: true}
	if typ == kernel.BFloat16 {
		conv.W16 = b.PutValues(typ, w)
	}
	conv.Partial = b.Alloc(kernel.SumsBytes(conv.Tiles(), int32(c.lanes)))
	running := kerneltest.Put(b, slices.Concat(ones, ones))
	norm := kernel.Norm{Type: typ, Y: conv.Y, A: window(), Gamma: kerneltest.Put(b, ones), Beta: lanes(), Mean: running, Var: running.Add(int64(4 * c.lanes)), Eps: 1e-3,
		Momentum: 0.03, Batch: b.Alloc(int64(8 * c.lanes)), Counters: b.Alloc(kernel.CounterBytes(conv.Tiles(), int32(c.lanes)))}
	conv.Norm = &norm
	dA, dX, dW, dNorm := window(), window(), b.Alloc(int64(4*len(w))), b.Alloc(int64(8*c.lanes))
	dGamma, dBeta, scratch, sums := dNorm, dNorm.Add(int64(4*c.lanes)), b.Alloc(norm.ScratchBytes()), b.Alloc(conv.ScratchBytes())
	var all []cuda.Launch
	for range chain { // the gradient of the input is the next input: an error anywhere is in all that follows
		all = slices.Concat(all, conv.Forward(), norm.Activate(), norm.Backward(dA, dGamma, dBeta, scratch),
			conv.InputGrad(norm.Y, dX, false), conv.WeightGrad(norm.Y, dW, sums))
		conv.X, dX = dX, conv.X
	}
	if err := b.Module.Ready(all...); err != nil {
		t.Fatal(err)
	}
	g, err := b.Stream.Capture(func() error { return b.Module.Run(b.Stream, all...) })
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	}()
	b.Run(all...) // not recorded
	for range replays {
		if err := g.Launch(b.Stream); err != nil {
			t.Fatal(err)
		}
	}
	r.nodes, r.dependent = g.Nodes, g.Dependent
	pixels := c.n * c.size * c.size * c.lanes
	for _, v := range []kernel.View{norm.A, norm.Y, conv.X, dX} {
		r.bits = append(r.bits, b.GetValues(typ, v.P, pixels))
	}
	r.bits = append(r.bits, kerneltest.Get[float32](b, dW, len(w)), kerneltest.Get[float32](b, dNorm, 2*c.lanes), kerneltest.Get[float32](b, running, 2*c.lanes))
	return r
}
