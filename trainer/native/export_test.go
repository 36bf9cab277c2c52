package native

import (
	"context"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trials"
)

// BestF1 is bestF1, for its test.
var BestF1 = bestF1

// Exhausted is what a run of so many epochs with the given knobs says after the given ones.
func Exhausted(params trials.Params, epochs int, finished []map[string]float64) (string, error) {
	set, _, err := resolve(knobs(), params)
	r := run{set: set, job: trainer.Job{Epochs: epochs}}
	for i, m := range finished {
		r.curves = append(r.curves, curve{Epoch: i + 1, Metrics: m})
	}
	return r.exhausted(), err
}

// Scored returns the tensors that training scores with.
func Scored(path string) (map[string][]float32, error) {
	_, _, named, err := readScored(path)
	return named, err
}

// FakeGPUs makes a backend train on GPUs that are the CPU. err, if there is one, is what opening one comes to.
func FakeGPUs(b *Backend, err error) {
	b.openGPU = func(_ context.Context, _ GPU, c engineConfig) (engine, error) {
		if err != nil {
			return nil, err
		}
		return newCPUEngine(c)
	}
}
