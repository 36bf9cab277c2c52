package native_test

import (
	"math"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/emulator"
	"github.com/mapsweep/mapsweep/trials"
)

// onEmulator is a backend of few scenes on the emulated GPU.
func onEmulator(t *testing.T, change func(*native.Config)) *native.Backend {
	t.Helper()
	emulator.Use(t)
	return backend(t, func(c *native.Config) {
		c.Load = fewScenes
		c.Place = func() (native.Place, error) {
			devices, err := cuda.Devices()
			if err != nil {
				return native.Place{}, err
			}
			return native.Place{GPUs: []native.GPU{{Name: "cuda:0", Device: devices[0]}}}, nil
		}
		if change != nil {
			change(c)
		}
	})
}

func curves(t *testing.T, b *native.Backend, job trainer.Job) (all []trials.Measurement) {
	t.Helper()
	job.Dir = t.TempDir()
	start := time.Now()
	if _, err := b.Train(t.Context(), job, func(m trials.Measurement) { all = append(all, m) }); err != nil {
		t.Fatal(err)
	}
	t.Logf("%v", time.Since(start))
	return all
}

// TestGPUTrainsAsCPU: the same job on both comes to the same losses, as far as sums in another order allow.
func TestGPUTrainsAsCPU(t *testing.T) {
	job := trainer.Job{Epochs: 2, Seed: 3}
	here := curves(t, backend(t, func(c *native.Config) { c.Load = fewScenes }), job)
	there := curves(t, onEmulator(t, nil), job)
	for i := range here {
		for name, want := range here[i].Metrics {
			got := there[i].Metrics[name]
			t.Logf("epoch %d, %s: %g, on the CPU %g", i+1, name, got, want)
			if len(name) > 5 && name[:5] == "loss/" && math.Abs(got-want) > 1e-3*want {
				t.Errorf("epoch %d, %s: %g, on the CPU %g", i+1, name, got, want)
			}
		}
	}
}
