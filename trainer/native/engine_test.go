package native_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trials"
)

// A run whose engine tells late what steps saw measures and leaves what one does that is told at once.
func TestResultsMayComeLate(t *testing.T) {
	job := trainer.Job{Epochs: 3, Seed: 2, Params: trials.Params{"nominal_batch": 16, "warmup_epochs": 1.0, "multi_scale": 0.5, "ema_tau": 20.0}}
	run := func(lag, asked int) (string, []trials.Measurement) {
		t.Helper()
		b := backend(t, func(c *native.Config) { c.Load, c.ValEvery = fewScenes, 2 })
		if lag > 0 {
			native.Late(b, lag)
		}
		job := job
		job.Dir = t.TempDir()
		var all []trials.Measurement
		keep := func(m trials.Measurement) { all = append(all, m) }
		if asked > 0 {
			if _, err := b.Train(&countdown{context.Background(), asked}, job, keep); !errors.Is(err, context.Canceled) {
				t.Fatalf("Train returned %v", err)
			}
			if job.Resume, _ = b.Latest(job.Dir); job.Resume == "" {
				t.Fatal("nothing to go on from")
			}
		}
		if _, err := b.Train(t.Context(), job, keep); err != nil {
			t.Fatal(err)
		}
		return job.Dir, all
	}
	dir, want := run(0, 0)
	for _, c := range []struct {
		name       string
		lag, asked int // see countdown; 0: the run is not interrupted
	}{{"by one step", 1, 0}, {"by more than an epoch", 7, 0}, {"and stopped within an epoch", 4, 5}} {
		late, all := run(c.lag, c.asked)
		if !reflect.DeepEqual(metrics(all), metrics(want)) {
			t.Errorf("%s: measurements\n%v, want\n%v", c.name, metrics(all), metrics(want))
		}
		for _, name := range []string{"last.ckpt", "curves.csv"} {
			if !bytes.Equal(read(t, filepath.Join(late, name)), read(t, filepath.Join(dir, name))) {
				t.Errorf("%s: %s is another one", c.name, name)
			}
		}
	}
}

// Steps that were submitted after one that is not finite do not change where and why the run ended.
func TestLateDivergence(t *testing.T) {
	end := func(lag int) *trainer.Failure {
		b := backend(t, func(c *native.Config) { c.Load = fewScenes })
		native.Late(b, lag)
		job := trainer.Job{Epochs: 4, Dir: t.TempDir(), Params: trials.Params{"lr0": 1e6, "clip_norm": 0.0, "warmup_epochs": 0, "ema": false}}
		_, err := b.Train(t.Context(), job, func(trials.Measurement) {})
		var f *trainer.Failure
		if !errors.As(err, &f) {
			t.Fatalf("error %v, want a failure", err)
		}
		return f
	}
	want := end(0)
	if want.Reason != "the loss became NaN at epoch 2 of 4, step 2 of 3" {
		t.Errorf("told at once: %s", want.Reason)
	}
	for _, lag := range []int{1, 5} {
		if f := end(lag); f.Reason != want.Reason || f.Class != want.Class {
			t.Errorf("%d steps late: %s, want %s", lag, f.Reason, want.Reason)
		}
	}
}
