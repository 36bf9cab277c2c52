//go:build linux && cgo && (amd64 || arm64)

package cuda_test

import (
	"testing"

	"gorgonia.org/cu"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/emulator"
)

// TestWaitsSleep: threads that wait for a stream sleep, unless another library has made the context before, whose choice stays.
func TestWaitsSleep(t *testing.T) {
	emulator.Use(t)
	if emulator.Real() {
		t.Skip("a GPU's context may be another test's, and its driver may take flags at any time")
	}
	if _, err := cuda.Devices(); err != nil {
		t.Fatal(err)
	}
	d := cu.Device(0)
	for name, c := range map[string]struct {
		others bool
		before cu.ContextFlags
		want   cu.ContextFlags
	}{
		"first":                            {false, cu.SchedAuto, cu.SchedBlockingSync},
		"first, with a flag of another":    {false, cu.SchedSpin | cu.LMemResizeToMax, cu.SchedBlockingSync | cu.LMemResizeToMax},
		"after another library that spins": {true, cu.SchedSpin, cu.SchedSpin},
	} {
		t.Run(name, func(t *testing.T) {
			if err := d.SetPrimaryCtxFlags(c.before); err != nil {
				t.Fatal(err)
			}
			if c.others {
				if _, err := d.RetainPrimaryCtx(); err != nil {
					t.Fatal(err)
				}
				defer func() {
					if err := d.ReleasePrimaryCtx(); err != nil {
						t.Error(err)
					}
				}()
			}
			g, err := cuda.Open(0)
			if err != nil {
				t.Fatal(err)
			}
			flags, active, err := d.PrimaryCtxState()
			if err != nil || active == 0 || flags != c.want {
				t.Errorf("flags %d, active %d, %v; want %d", flags, active, err, c.want)
			}
			if err := g.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
