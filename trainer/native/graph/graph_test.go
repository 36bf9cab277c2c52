package graph_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
	"github.com/mapsweep/mapsweep/trainer/native/layers/cpu"
	"github.com/mapsweep/mapsweep/trainer/native/layers/layerstest"
)

// TestGradientNodes asserts that Gorgonia made the gradients: one backward node for each operation, and for each
// parameter a gradient node returned by gorgonia.Grad that is the backward node of the parameter's own operation.
func TestGradientNodes(t *testing.T) {
	for seed := range uint64(10) {
		b := graph.NewBuilder(1)
		_, loss := layerstest.RandomNet(b, seed, 16, 16)
		g, err := b.Differentiate(loss)
		if err != nil {
			t.Fatal(err)
		}
		forward, backward, _ := g.Counts()
		if n := len(g.Ops()); forward != n || backward != n || len(g.Forward) != n || len(g.Backward) != n {
			t.Errorf("seed %d: %d operations, %d forward and %d backward nodes, %d and %d steps", seed, n, forward, backward, len(g.Forward), len(g.Backward))
		}
		seen := map[graph.Op]int{}
		for _, s := range g.Backward {
			seen[s.Op]++
		}
		for _, op := range g.Ops() {
			if seen[op] != 1 {
				t.Errorf("seed %d: %s has %d backward steps", seed, op.Kind(), seen[op])
			}
			for _, p := range op.Params() {
				if p.GradNode() == nil || graph.BackwardNodeOf(p.GradNode()) != op {
					t.Errorf("seed %d: gradient of %s is %v", seed, p.Name, p.GradNode())
				}
			}
		}
		ordered(t, g)
	}
}

// ordered checks that every step stands after what it needs: forward after the producers of its inputs, backward after
// the backward steps of all readers of its output.
func ordered(t *testing.T, g *graph.Graph) {
	t.Helper()
	done := map[graph.Op]bool{}
	for _, s := range g.Forward {
		for _, x := range s.Op.Inputs() {
			if p := x.Producer(); p != nil && !done[p] {
				t.Errorf("%s runs before its input %s", s.Op.Kind(), x.Name)
			}
		}
		done[s.Op] = true
	}
	back := map[graph.Op]bool{}
	for _, s := range g.Backward {
		for _, reader := range g.Ops() {
			for _, x := range reader.Inputs() {
				if x == s.Op.Output() && !back[reader] {
					t.Errorf("backward of %s runs before that of its reader %s", x.Name, reader.Kind())
				}
			}
		}
		back[s.Op] = true
	}
}

func TestDefinitionErrors(t *testing.T) {
	stem := func(b *graph.Builder) *graph.Tensor {
		return layers.ConvBNSiLU(b, "stem", b.Image("image", 3, 16, 16), 32, 3, 2)
	}
	end := func(b *graph.Builder, x *graph.Tensor) *layers.Loss {
		return layers.AddLoss(b, headSet(b, x))
	}
	tests := []struct {
		name   string
		batch  int
		define func(b *graph.Builder) graph.Op
		want   string
	}{
		{"unused layer", 1, func(b *graph.Builder) graph.Op {
			x := stem(b)
			layers.ConvBNSiLU(b, "lonely", x, 16, 3, 1)
			return end(b, x)
		}, "conv lonely: its result does not reach the loss"},
		{"unused sum without parameters", 1, func(b *graph.Builder) graph.Op {
			x := stem(b)
			layers.Sum(b, "lonely", x, x)
			return end(b, x)
		}, "add lonely: its result does not reach the loss"},
		{"name used twice", 1, func(b *graph.Builder) graph.Op {
			return end(b, layers.ConvBNSiLU(b, "stem", stem(b), 16, 1, 1))
		}, "name stem.weight is used twice"},
		{"no loss", 1, func(b *graph.Builder) graph.Op { stem(b); return nil }, "no loss"},
		{"an ordinary layer as loss", 1, func(b *graph.Builder) graph.Op { return stem(b).Producer() }, "no loss"},
		{"layer after the loss", 1, func(b *graph.Builder) graph.Op {
			x := stem(b)
			l := end(b, x)
			layers.Pool(b, "late", x)
			return l
		}, "the loss is not the last operation"},
		{"loss of nothing", 1, func(b *graph.Builder) graph.Op { return layers.AddLoss(b) }, "the loss reads no layer"},
		{"empty head set", 1, func(b *graph.Builder) graph.Op { return layers.AddLoss(b, &layers.HeadSet{Name: "h"}) }, "at least 1"},
		{"head of other size", 1, func(b *graph.Builder) graph.Op {
			h := headSet(b, stem(b))
			h.Bins = 4
			return layers.AddLoss(b, h)
		}, "do not fit 4 bins"},
		{"head set twice", 1, func(b *graph.Builder) graph.Op {
			h := headSet(b, stem(b))
			return layers.AddLoss(b, h, h)
		}, "stands twice"},
		{"batch of none", 0, func(b *graph.Builder) graph.Op { return end(b, stem(b)) }, "batch of 0 images"},
		{"channels", 1, func(b *graph.Builder) graph.Op { return end(b, layers.ConvBNSiLU(b, "a", stem(b), 0, 1, 1)) }, "conv a: 0 channels"},
		{"groups", 1, func(b *graph.Builder) graph.Op {
			return end(b, layers.Convolve(b, "a", stem(b), layers.Form{Channels: 24, Groups: 5}))
		}, "32 to 24 channels in 5 groups"},
		{"segments", 1, func(b *graph.Builder) graph.Op {
			return end(b, layers.Convolve(b, "a", stem(b), layers.Form{Channels: 24, Segments: graph.Segments{12, 16}}))
		}, "stored as [12 16]"},
		{"segments of groups", 1, func(b *graph.Builder) graph.Op {
			return end(b, layers.Convolve(b, "a", stem(b), layers.Form{Channels: 24, Groups: 2, Segments: graph.Segments{24}}))
		}, "24 channels in 2 groups stored as [24]"},
		{"kernel", 1, func(b *graph.Builder) graph.Op { return end(b, layers.ConvBNSiLU(b, "a", stem(b), 16, 5, 1)) }, "kernel 5, stride 1"},
		{"normalisation of one value", 1, func(b *graph.Builder) graph.Op {
			return end(b, layers.ConvBNSiLU(b, "a", b.Image("image", 3, 2, 2), 16, 3, 2))
		}, "over one value"},
		{"image of one channel", 1, func(b *graph.Builder) graph.Op {
			return end(b, layers.ConvBNSiLU(b, "a", b.Image("image", 1, 8, 8), 16, 3, 2))
		}, "3 channels"},
		{"image in a join", 1, func(b *graph.Builder) graph.Op {
			return end(b, layers.Join(b, "j", b.Image("image", 3, 8, 8)))
		}, "concat j: reads the image"},
		{"join of sizes", 1, func(b *graph.Builder) graph.Op {
			x := stem(b)
			return end(b, layers.Join(b, "j", x, layers.Double(b, "d", x)))
		}, "d has 16 x 16 pixels, stem 8 x 8"},
		{"split", 1, func(b *graph.Builder) graph.Op { return end(b, layers.Split(b, stem(b), 3)[0]) }, "32 channels into 3 parts"},
		{"cut", 1, func(b *graph.Builder) graph.Op { return end(b, layers.Cut(b, stem(b), 16, 8)[0]) }, "32 channels into parts of [16 8]"},
		{"cut of an empty part", 1, func(b *graph.Builder) graph.Op { return end(b, layers.Cut(b, stem(b), 32, 0)[0]) }, "no whole blocks"},
		{"mean of one row", 1, func(b *graph.Builder) graph.Op {
			return end(b, layers.Average(b, "p", layers.ConvBNSiLU(b, "a", b.Image("image", 3, 2, 8), 16, 3, 2)))
		}, "4 x 1 pixels"},
		{"two arms at stride 2", 1, func(b *graph.Builder) graph.Op {
			return end(b, layers.RepConv(b, "r", stem(b), layers.Form{Channels: 32, Stride: 2}))
		}, "only stride 1"},
		{"sum of unlike depth", 1, func(b *graph.Builder) graph.Op {
			x := stem(b)
			return end(b, layers.Merge(b, "f", x, layers.ConvBNSiLU(b, "a", x, 16, 1, 1)))
		}, "stem has 32 channels, a 16"},
		{"sum of nothing", 1, func(b *graph.Builder) graph.Op { return end(b, layers.Merge(b, "f")) }, "no inputs"},
		{"sum of shapes", 1, func(b *graph.Builder) graph.Op {
			x := stem(b)
			return end(b, layers.Sum(b, "s", x, layers.Pool(b, "p", layers.ConvBNSiLU(b, "a", x, 16, 1, 1))))
		}, "equal shapes are needed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := graph.NewBuilder(tt.batch)
			_, err := b.Differentiate(tt.define(b))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func headSet(b *graph.Builder, x *graph.Tensor) *layers.HeadSet {
	return &layers.HeadSet{
		Name: "head", Bins: 3, Classes: 5, Strides: []int{2}, Func: layerstest.Smooth(1),
		Box:   []*graph.Tensor{layers.HeadConv(b, "box", x, 12)},
		Class: []*graph.Tensor{layers.HeadConv(b, "class", x, 5)},
	}
}

// TestUnreadPart: a part that nobody reads is no mistake.
func TestUnreadPart(t *testing.T) {
	b := graph.NewBuilder(1)
	x := layers.ConvBNSiLU(b, "stem", b.Image("image", 3, 16, 16), 32, 3, 2)
	g, err := b.Differentiate(layers.AddLoss(b, headSet(b, layers.Split(b, x, 2)[1])))
	if err != nil {
		t.Fatal(err)
	}
	if forward, backward, _ := g.Counts(); forward != backward+1 {
		t.Errorf("%d forward and %d backward nodes, want one more forward", forward, backward)
	}
}

// TestForwardTo: a prefix of the network runs without the loss and without other branches.
func TestForwardTo(t *testing.T) {
	b := graph.NewBuilder(1)
	x := layers.ConvBNSiLU(b, "stem", b.Image("image", 3, 16, 16), 32, 3, 2)
	h := headSet(b, x)
	g, err := b.Differentiate(layers.AddLoss(b, h))
	if err != nil {
		t.Fatal(err)
	}
	steps := g.ForwardTo(h.Class...)
	if len(steps) != 2 || steps[0].Op != x.Producer() || steps[1].Op != h.Class[0].Producer() {
		t.Errorf("steps to the classes: %v", steps)
	}
}

// TestArrange: groups follow each other, everything is aligned, nothing overlaps.
func TestArrange(t *testing.T) {
	b := graph.NewBuilder(1)
	_, loss := layerstest.RandomNet(b, 1, 16, 16)
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
	end := 0
	for group, e := range d.Groups() {
		if e.Off != end || e.Len == 0 {
			t.Errorf("group %v at %v, want offset %d", graph.Group(group), e, end)
		}
		for _, p := range g.Params {
			if p.Group == graph.Group(group) {
				if p.Off != end || p.Off%graph.Align != 0 || p.Len < p.Elements() {
					t.Errorf("%s (%v): %d floats at %d, want %d", p.Name, p.Group, p.Len, p.Off, end)
				}
				end = p.Off + (p.Len+graph.Align-1)/graph.Align*graph.Align
			}
		}
	}
	if end != len(d.Weights()) || end != len(d.Grads()) {
		t.Errorf("parameters end at %d of %d", end, len(d.Weights()))
	}
}

// TestConcurrentBuilds is for the race detector: networks may be built and run side by side.
func TestConcurrentBuilds(t *testing.T) {
	var wg sync.WaitGroup
	for seed := range uint64(4) {
		wg.Go(func() {
			b := graph.NewBuilder(1)
			image, loss := layerstest.RandomNet(b, seed, 8, 8)
			g, err := b.Differentiate(loss)
			if err != nil {
				t.Error(err)
				return
			}
			d := cpu.New(g)
			d.SetImages(image, make([]float32, 8*8*3))
			tape, err := graph.NewTape(g, d.Bind)
			if err != nil {
				t.Error(err)
				return
			}
			for range 3 {
				if err := tape.Run(&graph.Pass{Train: true}); err != nil {
					t.Error(err)
				}
			}
			if err := tape.Close(); err != nil {
				t.Error(err)
			}
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
