package native_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trials"
)

// The number of loaders changes nothing where batches have different sizes, memory is that of the largest, and learning
// goes on.
func TestMultiScale(t *testing.T) {
	var first []byte
	for _, loaders := range []int{0, 3} {
		b := backend(t, func(c *native.Config) { c.Loaders = &loaders })
		job := trainer.Job{Epochs: 4, Dir: t.TempDir(), Params: trials.Params{"multi_scale": 0.5, "mosaic": 0.0, "warmup_epochs": 1}}
		all, _ := train(t, b, job)
		if a, z := all[0].Metrics, all[3].Metrics; !(z["loss/cls"] < 0.8*a["loss/cls"]) {
			t.Errorf("the class loss went from %v to %v", a["loss/cls"], z["loss/cls"])
		}
		if got := read(t, filepath.Join(job.Dir, "last.ckpt")); first == nil {
			first = got
		} else if !bytes.Equal(got, first) {
			t.Errorf("%d loaders: another checkpoint", loaders)
		}
		if log := string(read(t, filepath.Join(job.Dir, "trial.log"))); !strings.Contains(log, "batches of up to 96 pixels a side") {
			t.Errorf("log:\n%s", log)
		}
	}
}

// The same with bfloat16, whose layers share rooms that the largest size makes: threads, an emulated instruction and a stop in
// the middle of an epoch, between batches of two sizes, change no bit of a whole run.
func TestMultiScaleInBF16(t *testing.T) {
	change := func(c *native.Config) {
		c.Load, c.Precision, c.BestMetric, c.ValEvery = fewScenes, native.BF16, "mAP50-95", 1
	}
	job := trainer.Job{Epochs: 2, Seed: 6, Params: trials.Params{"multi_scale": 0.5, "mosaic": 0.5, "warmup_epochs": 1, "aux": 0.25}}
	files := func(dir string) (all []byte) {
		for _, name := range []string{"last.ckpt", "best.ckpt", "curves.csv"} {
			all = append(all, read(t, filepath.Join(dir, name))...)
		}
		return all
	}
	run := func(threads int) (string, []trials.Measurement) {
		j := job
		j.Dir, j.Threads = t.TempDir(), threads
		all, _ := train(t, backend(t, change), j)
		return j.Dir, all
	}
	dir, all := run(1)
	want := files(dir)
	if a, z := all[0].Metrics, all[1].Metrics; !(z["loss/cls"] < a["loss/cls"]) {
		t.Errorf("the class loss went from %v to %v", a["loss/cls"], z["loss/cls"])
	}
	if plain, _ := train(t, backend(t, func(c *native.Config) { change(c); c.Precision = native.FP32 }), job); plain[0].Metrics["loss/box"] == all[0].Metrics["loss/box"] {
		t.Error("float32 comes to the same loss")
	}
	if dir, _ := run(3); !bytes.Equal(files(dir), want) {
		t.Error("three threads: another result")
	}
	restore := kernels.EmulateBF16()
	if dir, _ := run(2); !bytes.Equal(files(dir), want) {
		t.Error("emulated on two threads: another result")
	}
	restore()
	for steps, line := range map[int]string{2: "stopped at epoch 1, after step 2 of 3", 5: "stopped at epoch 2, after step 1 of 3"} {
		b, broken := backend(t, change), job
		broken.Dir, broken.Threads = t.TempDir(), 2
		if _, err := b.Train(&countdown{context.Background(), steps}, broken, func(trials.Measurement) {}); !errors.Is(err, context.Canceled) {
			t.Fatalf("Train returned %v", err)
		}
		if log := string(read(t, filepath.Join(broken.Dir, "trial.log"))); !strings.Contains(log, line) {
			t.Fatalf("want %q in the log:\n%s", line, log)
		}
		broken.Resume, _ = b.Latest(broken.Dir)
		broken.Threads = 1
		train(t, b, broken)
		if !bytes.Equal(files(broken.Dir), want) {
			t.Errorf("stopped after %d steps on two threads and gone on with on one: another result", steps)
		}
	}
}

// One picture of the smallest side leaves the deepest layers a single value, which batch normalisation cannot take: that is
// said before the first step. With two pictures, or a larger smallest side, it trains.
func TestMultiScaleOfOnePicture(t *testing.T) {
	for _, c := range []struct {
		batch   int
		share   float64
		refused bool
	}{{1, 0.8, true}, {2, 0.8, false}, {1, 0.4, false}} {
		b := backend(t, func(cfg *native.Config) { cfg.Batch = c.batch })
		job := trainer.Job{Epochs: 1, Dir: t.TempDir(), Params: trials.Params{"multi_scale": c.share, "mosaic": 0.0}}
		_, err := b.Train(t.Context(), job, func(trials.Measurement) {})
		var f *trainer.Failure
		refused := errors.As(err, &f) && f.Class == trials.ClassInfeasible && strings.Contains(err.Error(), "one picture of 16 pixels")
		if refused != c.refused || !c.refused && err != nil {
			t.Errorf("batch of %d, multi_scale %g: %v", c.batch, c.share, err)
		}
	}
}

// held is how many bytes a run with the given knobs says that it holds.
func held(t *testing.T, params trials.Params) float64 {
	t.Helper()
	job := trainer.Job{Epochs: 1, Dir: t.TempDir(), Params: params}
	train(t, backend(t, nil), job)
	var file struct{ Bytes float64 }
	if err := json.Unmarshal(read(t, filepath.Join(job.Dir, "effective.json")), &file); err != nil {
		t.Fatal(err)
	}
	return file.Bytes
}

func TestMemoryOfScales(t *testing.T) {
	plain, scaled, twice := held(t, nil), held(t, trials.Params{"multi_scale": 0.5}), held(t, trials.Params{"optimizer": native.AdamW})
	if !(scaled > 1.3*plain && scaled < 2.25*plain) {
		t.Errorf("%g bytes at 64 pixels, %g at up to 96", plain, scaled)
	}
	if twice <= plain {
		t.Errorf("%g bytes with SGD, %g with AdamW", plain, twice)
	}
}
