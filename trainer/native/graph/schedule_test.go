package graph_test

import (
	"math/rand/v2"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
)

// Buffers that are needed at one time never overlap, and never less memory is taken than what one step needs.
func TestOverlay(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		const steps = 20
		n := r.IntN(40)
		buffers, sizes := make([]graph.Buffer, n), make([]int, n)
		needs, sum := make([]int, steps+1), 0
		for i := range buffers {
			first := r.IntN(steps)
			buffers[i] = graph.Buffer{First: first, Last: first + r.IntN(steps-first)}
			sizes[i] = 1 + r.IntN(100)
			rounded := (sizes[i] + 15) / 16 * 16
			sum += rounded
			for s := first; s <= buffers[i].Last; s++ {
				needs[s] += rounded
			}
		}
		offsets, total := graph.Overlay(buffers, sizes)
		for i := range buffers {
			if offsets[i]%graph.Align != 0 || offsets[i] < 0 || offsets[i]+sizes[i] > total {
				t.Fatalf("seed %d: buffer %d at %d of %d", seed, i, offsets[i], total)
			}
			for j := range i {
				apart := buffers[i].Last < buffers[j].First || buffers[j].Last < buffers[i].First
				if !apart && offsets[i] < offsets[j]+sizes[j] && offsets[j] < offsets[i]+sizes[i] {
					t.Fatalf("seed %d: buffers %d and %d overlap", seed, i, j)
				}
			}
		}
		least := 0
		for _, f := range needs {
			least = max(least, f)
		}
		if total < least || total > sum || total > 2*least {
			t.Errorf("seed %d: %d floats, at least %d are needed, %d without reuse", seed, total, least, sum)
		}
	}
}

func TestSchedule(t *testing.T) {
	b := graph.NewBuilder(1)
	image := b.Image("image", 3, 8, 8)
	conv := func(name string, x *graph.Tensor, kernel int) *graph.Tensor {
		return layers.Folded(b, name, x, layers.Form{Channels: 16, Kernel: kernel}, true).Out
	}
	one := conv("one", image, 3)
	two := conv("two", one, 3)
	unused := conv("unused", one, 3)
	joined := layers.Join(b, "joined", two, one)
	last := conv("last", joined, 1)
	again := conv("again", image, 3)
	s, err := b.Schedule(last, again)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Steps) != 5 || len(s.Params) != 8 {
		t.Errorf("%d steps, %d parameters", len(s.Steps), len(s.Params))
	}
	// one and two lie in joined, which is written by the first step already.
	want := map[*graph.Tensor]graph.Buffer{
		image: {image, -1, 4}, joined: {joined, 0, 3}, last: {last, 3, 5}, again: {again, 4, 5},
	}
	for _, buffer := range s.Buffers {
		if want[buffer.Owner] != buffer {
			t.Errorf("%s: steps %d to %d", buffer.Owner.Name, buffer.First, buffer.Last)
		}
	}
	if len(s.Buffers) != len(want) {
		t.Errorf("%d buffers", len(s.Buffers))
	}
	if _, err := b.Schedule(image); err == nil {
		t.Error("a network without layers")
	}
	if _, err := b.Differentiate(layers.AddLoss(b)); err == nil {
		t.Error("a gradient of inference")
	}
	_ = unused
}
