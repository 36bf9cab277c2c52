package graph_test

import (
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
)

// Buffers are needed from the step that writes them first to the one that reads them last.
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
