//go:build soak

package inference_test

import (
	"math"
	"testing"
)

// Coverage of the two intervals over 20,000 studies each, as docs/STATISTICS.md has it.
func TestTunedCoverageSoak(t *testing.T) {
	for _, c := range []struct {
		tunings, seeds  int
		between, within float64
		boot            float64 // what it was when the table was written
	}{
		{2, 3, 1, 1, 0.74}, {3, 3, 1, 1, 0.836}, {3, 3, 1, 0, 0.739}, {3, 3, 0, 1, 0.94}, {5, 3, 1, 1, 0.89}, {10, 3, 1, 1, 0.933},
	} {
		covers, boot := coverage(20000, c.tunings, c.seeds, c.between, c.within, 500)
		t.Logf("R=%d k=%d between %v within %v: t %.3f, bootstrap %.3f", c.tunings, c.seeds, c.between, c.within, covers, boot)
		if math.Abs(covers-0.95) > 0.01 {
			t.Errorf("%+v: the t interval covers %.3f", c, covers)
		}
		if math.Abs(boot-c.boot) > 0.01 {
			t.Errorf("%+v: the bootstrap covers %.3f", c, boot)
		}
	}
}
