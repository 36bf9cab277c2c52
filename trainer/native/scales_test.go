package native_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/native"
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
