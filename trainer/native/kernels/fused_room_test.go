package kernels_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/kernels"
)

// TestFusedRoom: a convolution of inference follows a room that has grown for a later one, and gives what it gives alone.
func TestFusedRoom(t *testing.T) {
	const n, h, w = 2, 24, 24
	bind := func(channels int, room *kernels.Room) (*kernels.Fused, func() []float64) {
		x, y := newGuarded(t, n, channels, h, w), newGuarded(t, n, channels, h, w)
		x.put(x.fill(rand.New(rand.NewPCG(1, uint64(channels)))))
		weights, bias := mem(t, kernels.WeightLen(channels, channels, 3)), mem(t, channels)
		set(weights, random(rand.New(rand.NewPCG(2, 3)), len(weights), 0.1, 0))
		f, err := kernels.NewFused(kernels.FusedSpec{K: 3, S: 1, IC: channels, OC: channels, X: x.View, Y: y.View, W: transformed(t, weights), Bias: bias, Winograd: true, Room: room})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(f.Close)
		return f, y.get
	}
	alone, want := bind(16, nil)
	alone.Forward(n)
	shared := &kernels.Room{}
	t.Cleanup(shared.Close)
	first, got := bind(16, shared)
	before := shared.Floats()
	bind(512, shared)
	if shared.Floats() <= before {
		t.Fatalf("the room has %d floats, as before: nothing is tested", before)
	}
	// What the small room was is likely to be another's by now.
	noise := mem(t, before)
	first.Forward(n)
	if slices.ContainsFunc(noise, func(f float32) bool { return f != 0 }) {
		t.Error("memory of another is written to")
	}
	if !slices.Equal(got(), want()) {
		t.Error("another result than with a room of its own")
	}
}
