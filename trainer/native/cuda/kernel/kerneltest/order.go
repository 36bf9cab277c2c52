package kerneltest

import (
	"math"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda/emulator"
)

// EveryOrder runs f with the emulator's threads and blocks in every order it has (on a GPU three times), and returns what f
// does. The bits must be the same each time. One order will do for the race detector, to which all are the same.
func EveryOrder(t *testing.T, f func() []float32) []float32 {
	t.Helper()
	var first []float32
	orders := []string{"forward", "reverse", "shuffle"}
	if emulator.Races() {
		orders = orders[2:]
	}
	for _, order := range orders {
		if !emulator.Real() {
			t.Setenv("EMULATOR_ORDER", order)
		}
		got := f()
		if first == nil {
			first = got
		}
		for i := range got {
			if math.Float32bits(got[i]) != math.Float32bits(first[i]) {
				t.Fatalf("value %d is %v with threads in order %q, %v forward", i, got[i], order, first[i])
			}
		}
	}
	return first
}
