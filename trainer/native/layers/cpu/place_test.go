package cpu_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
	"github.com/mapsweep/mapsweep/trainer/native/layers/cpu"
	"github.com/mapsweep/mapsweep/trainer/native/layers/layerstest"
)

func TestArrange(t *testing.T) {
	if n := cpu.Arrange(nil); n != 0 {
		t.Errorf("no buffers take %d floats", n)
	}
	one := []cpu.Extent{{Floats: 5, First: 3, Last: 3}}
	if n := cpu.Arrange(one); n != 5 || one[0].At != 0 {
		t.Errorf("one buffer of 5 floats takes %d, at %d", n, one[0].At)
	}
	chain := []cpu.Extent{{Floats: 32, First: 0, Last: 1}, {Floats: 32, First: 1, Last: 2}, {Floats: 32, First: 2, Last: 3}, {Floats: 32, First: 3, Last: 4}}
	if n := cpu.Arrange(chain); n != 64 {
		t.Errorf("a chain of buffers of 32 floats, two at a time, takes %d floats", n)
	}
	for seed := range uint64(50) {
		arranged(t, rand.New(rand.NewPCG(seed, 1)))
	}
}

// arranged places random buffers: none of one time may overlap, and the arena holds at least what lives at once and at
// most everything.
func arranged(t *testing.T, r *rand.Rand) {
	t.Helper()
	const steps = 40
	all := make([]cpu.Extent, 1+r.IntN(60))
	sum := 0
	for i := range all {
		first := r.IntN(steps)
		all[i] = cpu.Extent{Floats: 1 + r.IntN(1000), First: first, Last: first + r.IntN(steps-first)}
		sum += (all[i].Floats + graph.Align - 1) / graph.Align * graph.Align
	}
	n := cpu.Arrange(all)
	most := 0
	for s := range steps {
		live := 0
		for _, a := range all {
			if a.First <= s && s <= a.Last {
				live += a.Floats
			}
		}
		most = max(most, live)
	}
	if n < most || n > sum {
		t.Errorf("arena of %d floats: %d live at once, %d in all", n, most, sum)
	}
	for i, a := range all {
		if a.At < 0 || a.At%graph.Align != 0 || a.At+a.Floats > n {
			t.Errorf("buffer %+v in an arena of %d", a, n)
		}
		for _, b := range all[:i] {
			if a.First <= b.Last && b.First <= a.Last && a.At < b.At+b.Floats && b.At < a.At+a.Floats {
				t.Errorf("%+v and %+v overlap", a, b)
			}
		}
	}
}

// TestMemory: of what a row of convolutions makes, activations and products stay and gradients come and go, so that a
// little more than two thirds of the memory is needed.
func TestMemory(t *testing.T) {
	row := func(b *graph.Builder) (*graph.Tensor, *layers.Loss) {
		i := b.Image("image", 3, 64, 64)
		x := layers.ConvBNSiLU(b, "stem", i, 16, 3, 1)
		for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i"} {
			x = layers.ConvBNSiLU(b, name, x, 16, 3, 1)
		}
		return head(b, i, x)
	}
	shared, apart := build(t, 2, all, row), build(t, 2, joined, row)
	apart.run(t)
	if x, y := shared.d.Bytes(), apart.d.Bytes(); x > y*3/4 {
		t.Errorf("%d bytes with shared memory, %d without", x, y)
	}
}

// TestScratchIsCounted: the kernels of convolutions hold at least their turned weights, the gradient of whose inputs they make,
// and those that look at the first image alone no more memory.
func TestScratchIsCounted(t *testing.T) {
	b := graph.NewBuilder(2)
	i := b.Image("image", 3, 16, 16)
	_, loss := head(b, i, layers.ConvBNSiLU(b, "wide", layers.ConvBNSiLU(b, "stem", i, 64, 3, 2), 64, 3, 1))
	g, err := b.Differentiate(loss)
	if err != nil {
		t.Fatal(err)
	}
	d := cpu.New(g)
	defer func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}()
	d.UseDirect()
	compiled := func() int64 {
		t.Helper()
		if _, err := d.Compile(append(slices.Clone(g.Forward), g.Backward...)); err != nil {
			t.Fatal(err)
		}
		return d.Bytes()
	}
	before, after := d.Bytes(), compiled()
	if least := int64(4 * kernels.WeightLen(64, 64, 3)); after-before < least {
		t.Errorf("%d bytes for kernels, want %d at least", after-before, least)
	}
	if _, err := d.CompileFront(g.ForwardTo(loss.Sets[0].Box...), 1); err != nil {
		t.Fatal(err)
	}
	if n := d.Bytes(); n != after {
		t.Errorf("%d bytes with kernels for one image, %d without", n, after)
	}
}

// TestEvaluationAfterTraining: a tensor of the main branch lies in a buffer that begins with a step of the auxiliary branch,
// which an evaluation leaves out. What training left in the buffer's halo must not be read.
func TestEvaluationAfterTraining(t *testing.T) {
	for _, first := range []bool{false, true} {
		define := func(b *graph.Builder) (*graph.Tensor, *layers.Loss) {
			i := b.Image("image", 3, 32, 32)
			x := layers.ConvBNSiLU(b, "stem", i, 16, 3, 2)
			x = layers.ConvBNSiLU(b, "down", x, 16, 3, 2)
			parts := make([]*graph.Tensor, 2)
			for k := range parts {
				if k == 0 == first {
					parts[0] = layers.ConvBNSiLU(b, "training", x, 16, 3, 1)
				} else {
					parts[1] = layers.ConvBNSiLU(b, "main", x, 16, 3, 1)
				}
			}
			joined := layers.Join(b, "joined", parts...)
			d := layers.ConvBNSiLU(b, "after", parts[1], 16, 3, 1)
			var sets []*layers.HeadSet
			for _, x := range []*graph.Tensor{d, layers.ConvBNSiLU(b, "aux", joined, 16, 3, 1)} {
				name := x.Name
				sets = append(sets, &layers.HeadSet{Name: name, Bins: 3, Classes: 5, Strides: []int{4}, Func: layerstest.Smooth(1),
					Box:   []*graph.Tensor{layers.HeadConv(b, name+".box", x, 12)},
					Class: []*graph.Tensor{layers.HeadConv(b, name+".class", x, 5)}})
			}
			return i, layers.AddLoss(b, sets...)
		}
		n, apart := build(t, 2, all, define), build(t, 2, joined, define)
		for range 2 {
			got, want := n.everything(t), apart.everything(t)
			for what, v := range want {
				same(t, what+" in shared memory and apart", got[what], v)
			}
		}
	}
}
