package native_test

import (
	"context"
	"math"
	"testing"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/dataset"
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
	if _, err := b.Train(t.Context(), job, func(m trials.Measurement) { all = append(all, m) }); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestGPUTrainsAsCPU: the same job on both comes to the same losses, as far as sums in another order allow: settings that
// take different ways through a step, and a model with an auxiliary head and layers of all kinds.
func TestGPUTrainsAsCPU(t *testing.T) {
	for name, c := range map[string]struct {
		job    trainer.Job
		change func(*native.Config)
	}{
		"defaults":         {trainer.Job{Epochs: 2, Seed: 3}, nil},
		"pictures resized": {trainer.Job{Epochs: 1, Seed: 4, Params: trials.Params{"multi_scale": 0.5, "optimizer": "AdamW", "lr0": 0.001}}, nil},
		"sums and focal":   {trainer.Job{Epochs: 1, Seed: 5, Params: trials.Params{"nominal_batch": 16, "fl_gamma": 1.5, "optimizer": "LION", "lr0": 0.0005}}, nil},
		"yolov9-t":         {trainer.Job{Epochs: 1, Seed: 3}, func(c *native.Config) { c.Model, c.Load = "yolov9-t", twoBatches }},
	} {
		t.Run(name, func(t *testing.T) { sameLosses(t, c.job, 1e-4, onCPU(t, c.change), onEmulator(t, c.change)) })
	}
}

// TestGPUTrainsInBF16: losses of the first steps are those of float32 but for the rounding of activations.
func TestGPUTrainsInBF16(t *testing.T) {
	bf16 := func(c *native.Config) { c.Load, c.Precision = twoBatches, native.BF16 }
	sameLosses(t, trainer.Job{Epochs: 1, Seed: 3}, 2e-2, onCPU(t, func(c *native.Config) { c.Load = twoBatches }), onEmulator(t, bf16))
}

func onCPU(t *testing.T, change func(*native.Config)) *native.Backend {
	return backend(t, func(c *native.Config) {
		c.Load = fewScenes
		if change != nil {
			change(c)
		}
	})
}

// twoBatches are 16 training pictures.
func twoBatches(ctx context.Context, ref string, opts dataset.Options) (*dataset.Dataset, error) {
	d, err := fewScenes(ctx, ref, opts)
	d.Train = d.Train[:16]
	return d, err
}

// sameLosses trains on both and compares the losses of every epoch.
func sameLosses(t *testing.T, job trainer.Job, tolerance float64, cpu, gpu *native.Backend) {
	t.Helper()
	here, there := curves(t, cpu, job), curves(t, gpu, job)
	if len(here) != job.Epochs || len(there) != job.Epochs {
		t.Fatalf("%d and %d epochs", len(here), len(there))
	}
	for i := range here {
		for _, name := range []string{"loss/box", "loss/cls", "loss/dfl"} {
			got, want := there[i].Metrics[name], here[i].Metrics[name]
			t.Logf("epoch %d, %s: %g, on the CPU %g", i+1, name, got, want)
			if !(math.Abs(got-want) <= tolerance*want) {
				t.Errorf("epoch %d, %s: %g, on the CPU %g", i+1, name, got, want)
			}
		}
	}
}
