package gpu_test

import (
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/layers/gpu"
)

// TestWgmma: only where it is asked for, and only on GPUs of capability 9.0.
func TestWgmma(t *testing.T) {
	for _, c := range []struct {
		asked      string
		capability int
		want       bool
	}{{"", 90, false}, {"0", 90, false}, {"1", 90, true}, {"1", 80, false}, {"1", 89, false}, {"1", 100, false}} {
		t.Setenv("MAPSWEEP_WGMMA", c.asked)
		if got := gpu.Wgmma(c.capability); got != c.want {
			t.Errorf("MAPSWEEP_WGMMA=%s, capability %d: %v", c.asked, c.capability, got)
		}
	}
}
