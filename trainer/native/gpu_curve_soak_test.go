//go:build soak

package native_test

import (
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/emulator"
)

// TestBFloat16CurveEmulated has networks learn over the emulator, in float32 and in bf16: 2 seeds of 12 epochs, from nothing to
// an mAP50-95 of 0.5 and more. The rules are those of TestBFloat16CurveGPU, with 3 points instead of half a point: 24 pictures are
// scored, of which one more or less with all its objects is 4 points of recall.
func TestBFloat16CurveEmulated(t *testing.T) {
	if emulator.Real() {
		t.Skip("TestBFloat16CurveGPU does more on a GPU")
	}
	if m32 := agree(t, 2, 12, 0.03, func(c *native.Config) { c.Load = scenes }); m32 < 0.45 {
		t.Errorf("mAP50-95 is %.4f in float32: it has not learned enough for a comparison", m32)
	}
}
