package native_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trials"
)

// Threads change nothing: the same metrics and the same checkpoint to the bit, whether they are the trainer's or the job's
// cores.
func TestThreads(t *testing.T) {
	params := trials.Params{"mosaic": 0.5, "aux": 0.25, "optimizer": "AdamW", "lr0": 0.002}
	few := func(c *native.Config) { c.Load = fewScenes }
	want, alone := train(t, backend(t, few), trainer.Job{Params: params, Epochs: 2, Threads: 1})
	weights := read(t, alone.Checkpoint)
	for name, c := range map[string]struct {
		config func(*native.Config)
		cores  int
	}{
		"3 cores":              {few, 3},
		"2 threads on 4 cores": {func(c *native.Config) { few(c); c.Threads = 2 }, 4},
		"5 threads on 1 core":  {func(c *native.Config) { few(c); c.Threads = 5 }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			got, res := train(t, backend(t, c.config), trainer.Job{Params: params, Epochs: 2, Threads: c.cores})
			if !reflect.DeepEqual(metrics(got), metrics(want)) {
				t.Errorf("%v, want %v", metrics(got), metrics(want))
			}
			if !bytes.Equal(read(t, res.Checkpoint), weights) {
				t.Error("the checkpoint is another")
			}
		})
	}
}

// A probe measures what a trial does: with its threads, its loaders and its precision.
func TestProbe(t *testing.T) {
	for says, c := range map[string]struct {
		config func(*native.Config)
		cores  int
	}{
		", with 1 thread":                      {nil, 1},
		", with 2 threads":                     {nil, 2},
		", with 3 threads":                     {func(c *native.Config) { c.Threads, c.Batch = 3, 32 }, 2},
		", with 2 threads in bf16":             {func(c *native.Config) { c.Precision = native.BF16 }, 2},
		", with 1 thread, direct convolutions": {func(c *native.Config) { c.Convolution = native.Direct }, 1},
	} {
		e, err := backend(t, c.config).Probe(t.Context(), trainer.Job{Params: trials.Params{"multi_scale": 0.5}, Epochs: 3, Threads: c.cores, Split: "val"})
		if err != nil || !(e.Seconds > 0) || e.Checkpoint < 1<<20 || !strings.HasSuffix(e.Note, says) {
			t.Errorf("%s: %+v, %v", says, e, err)
		}
	}
}
