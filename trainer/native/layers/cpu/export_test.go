package cpu

import (
	"slices"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trainer/native/layers/lifetime"
)

// Extent is a buffer of Floats that holds something from step First to step Last, and its place in the arena.
type Extent struct{ Floats, First, Last, At int }

// Arrange places buffers and returns the length of the arena.
func Arrange(all []Extent) int {
	var lives []*lifetime.Life
	for _, e := range all {
		lives = append(lives, &lifetime.Life{Size: e.Floats, First: e.First, Last: e.Last})
	}
	n := lifetime.Arrange(lives, graph.Align)
	for i := range all {
		all[i].At = lives[i].At
	}
	return n
}

// Cleared are the buffers of which d clears halos: in steps, and when it gets the memory that it shares.
func Cleared(d *Device) (all []kernels.View) {
	for _, vs := range d.begins {
		all = append(all, vs...)
	}
	return slices.Concat(all, d.steady)
}

// Whole binds n convolutions or none.
var Whole = whole
