package native_test

import (
	"fmt"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/emulator"
)

// TestDependentStepsGPU: training steps whose kernels may begin before the ones ahead of them have ended give the losses of plain
// ones, to the bit, after many steps, where an error anywhere would show. Most of a step's launches are such.
func TestDependentStepsGPU(t *testing.T) {
	steps, configs := 2, []native.StepConfig{{Network: "gelan-n", Size: 32, Batch: 1}}
	if emulator.Real() {
		steps, configs = 200, []native.StepConfig{{Network: "gelan-t", Size: 128, Batch: 16}, {Network: "gelan-t", Size: 320, Batch: 16}, {Network: "gelan-s", Size: 640, Batch: 4}}
	}
	t.Setenv("FAKE_CUDA_CAPABILITY", "90")
	emulator.Use(t)
	devices, err := cuda.Devices()
	if err != nil {
		t.Fatal(err)
	}
	if devices[0].Capability != "9.0" {
		t.Skipf("a GPU of compute capability 9.0 is needed; this one has %s", devices[0].Capability)
	}
	on := &native.GPU{Name: "cuda:0", Device: devices[0]}
	for _, c := range configs {
		for _, c.BF16 = range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%d/bf16=%v", c.Network, c.Size, c.BF16), func(t *testing.T) {
				want, of, all := lossAfter(t, on, c, steps, "0")
				if of != 0 {
					t.Errorf("unasked, %d of %d launches may begin early", of, all)
				}
				got, of, all := lossAfter(t, on, c, steps, "1")
				t.Logf("%d of %d launches may begin early; loss %v", of, all, got)
				if of < all/2 {
					t.Errorf("%d of %d launches may begin early, less than half of them", of, all)
				}
				if got != want {
					t.Errorf("loss %v after %d steps, with plain launches %v", got, steps, want)
				}
			})
		}
	}
}

// lossAfter takes steps, with dependent launches as asked, and counts those of a captured one.
func lossAfter(t *testing.T, on *native.GPU, c native.StepConfig, steps int, asked string) (loss float64, dependent, launches int) {
	t.Helper()
	t.Setenv("MAPSWEEP_PDL", asked)
	s, err := native.NewStepper(on, c)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	for range steps {
		if err := s.Step(); err != nil {
			t.Fatal(err)
		}
	}
	if loss, err = s.Wait(); err != nil {
		t.Fatal(err)
	}
	dependent, launches = s.Dependent()
	return loss, dependent, launches
}
