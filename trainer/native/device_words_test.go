package native

import (
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/emulator"
)

// TestDependentWords: the log of a trial says that kernels may begin early, on a GPU whose kernels can; its checkpoints do not, as
// the bits are the same.
func TestDependentWords(t *testing.T) {
	emulator.Use(t)
	for _, c := range []struct {
		asked, capability string
		said              bool
	}{{"1", "9.0", true}, {"0", "9.0", false}, {"1", "8.9", false}, {"1", "12.0", false}} {
		t.Setenv("MAPSWEEP_PDL", c.asked)
		d := device{gpu: &GPU{Name: "cuda:0", Device: cuda.Device{Capability: c.capability}}}
		if said := strings.Contains(d.words(), ", dependent launches"); said != c.said || strings.Contains(d.arithmetic(), "dependent") {
			t.Errorf("asked %q, capability %s: %s", c.asked, c.capability, d.words())
		}
	}
}
