package native_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/emulator"
	"github.com/mapsweep/mapsweep/trials"
)

// last trains to the end and returns the last checkpoint.
func last(t *testing.T, b *native.Backend, job trainer.Job) []byte {
	t.Helper()
	if job.Dir == "" {
		job.Dir = t.TempDir()
	}
	if _, err := b.Train(t.Context(), job, func(trials.Measurement) {}); err != nil {
		t.Error(err)
		return nil
	}
	data, err := os.ReadFile(filepath.Join(job.Dir, "last.ckpt"))
	if err != nil {
		t.Error(err)
	}
	return data
}

// TestGPUResumes: a run that is stopped within an epoch and goes on has the bits of one that was not.
func TestGPUResumes(t *testing.T) {
	b := onEmulator(t, nil)
	for name, params := range map[string]trials.Params{
		"sums of batches and an average": {"nominal_batch": 16, "ema": true},
		"AdamW":                          {"optimizer": "AdamW", "lr0": 0.001, "ema": false},
	} {
		t.Run(name, func(t *testing.T) {
			job := trainer.Job{Epochs: 2, Seed: 5, Params: params}
			want := last(t, b, job)
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			cut := job
			cut.Dir = t.TempDir()
			cut.Progress = func(p trainer.Progress) {
				if p.Epoch == 2 {
					stop()
				}
			}
			if _, err := b.Train(ctx, cut, func(trials.Measurement) {}); !errors.Is(err, context.Canceled) {
				t.Fatalf("stopped run: %v", err)
			}
			path, epoch := b.Latest(cut.Dir)
			if path == "" || epoch != 1 {
				t.Fatalf("checkpoint %q after %d epochs", path, epoch)
			}
			job.Dir, job.Resume = cut.Dir, path
			if got := last(t, b, job); len(want) == 0 || !bytes.Equal(got, want) {
				t.Error("the resumed run has another checkpoint")
			}
		})
	}
}

func failureOf(t *testing.T, b *native.Backend, progress func(trainer.Progress)) *trainer.Failure {
	t.Helper()
	_, err := b.Train(t.Context(), trainer.Job{Epochs: 1, Seed: 3, Dir: t.TempDir(), Progress: progress}, func(trials.Measurement) {})
	var f *trainer.Failure
	if !errors.As(err, &f) {
		t.Fatalf("no failure of a trial: %v", err)
	}
	return f
}

// TestGPUOutOfMemory: a trial that does not fit says what it needs and what there is, before it takes anything.
func TestGPUOutOfMemory(t *testing.T) {
	if emulator.Real() {
		t.Skip("a GPU's memory cannot be made smaller")
	}
	b := onEmulator(t, nil)
	t.Setenv("FAKE_CUDA_MEMORY", "16000000")
	f := failureOf(t, b, nil)
	if f.Class != trials.ClassMemory || !strings.Contains(f.Reason, "at its peak") {
		t.Errorf("failure %v", f)
	}
}

// TestGPULost: a GPU that fails within a step ends the trial as one that may be run again, and can then be used again.
func TestGPULost(t *testing.T) {
	if emulator.Real() {
		t.Skip("a GPU is not broken on purpose")
	}
	b := onEmulator(t, nil)
	want := last(t, b, trainer.Job{Epochs: 1, Seed: 3})
	t.Setenv("FAKE_CUDA_LOSE", "")
	f := failureOf(t, b, func(trainer.Progress) { t.Setenv("FAKE_CUDA_LOSE", "next") })
	if f.Class != trials.ClassDevice {
		t.Errorf("failure %v", f)
	}
	t.Setenv("FAKE_CUDA_LOSE", "")
	if got := last(t, b, trainer.Job{Epochs: 1, Seed: 3}); len(got) == 0 || !bytes.Equal(got, want) {
		t.Error("another checkpoint on the GPU that was lost before")
	}
}

// TestGPULostKeepsNoPictures: pictures that are kept without users do not hold up the reset of a GPU that was lost.
func TestGPULostKeepsNoPictures(t *testing.T) {
	if emulator.Real() {
		t.Skip("a GPU is not broken on purpose")
	}
	b := dotted(t, twoSets)
	back := native.KeepPictures(b)
	defer func() {
		if err := back(); err != nil {
			t.Error(err)
		}
	}()
	outcomeOf(t, b, trainer.Job{Epochs: 1, Seed: 1, Data: "others"})
	shut(t, b) // its kit
	if users := native.Shelved(b); len(users) != 2 || users[0]+users[1] != 0 {
		t.Fatalf("pictures have %v users, want two splits with none", users)
	}
	t.Setenv("FAKE_CUDA_LOSE", "")
	failureOf(t, b, func(trainer.Progress) { t.Setenv("FAKE_CUDA_LOSE", "next") }) // on the other set
	t.Setenv("FAKE_CUDA_LOSE", "")
	if users := native.Shelved(b); len(users) > 0 {
		t.Errorf("pictures with %v users stay in a lost context", users)
	}
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	if _, err := b.Train(ctx, trainer.Job{Epochs: 1, Seed: 1, Dir: t.TempDir(), Data: "others"}, func(trials.Measurement) {}); err != nil {
		t.Error(err)
	}
}

// TestGPUStuck: a GPU that a reset does not bring back ends the study, and does not fail one trial after another.
func TestGPUStuck(t *testing.T) {
	if emulator.Real() {
		t.Skip("a GPU is not broken on purpose")
	}
	b := onEmulator(t, nil)
	t.Setenv("FAKE_CUDA_LOSE", "")
	t.Setenv("FAKE_CUDA_STAYS_LOST", "1")
	failureOf(t, b, func(trainer.Progress) { t.Setenv("FAKE_CUDA_LOSE", "next") })
	t.Setenv("FAKE_CUDA_LOSE", "")
	job := trainer.Job{Epochs: 1, Seed: 3, Dir: t.TempDir()}
	_, err := b.Train(t.Context(), job, func(trials.Measurement) {})
	if !errors.Is(err, trainer.ErrNoDevice) || !errors.Is(err, cuda.ErrStuck) {
		t.Errorf("the trial after it: %v", err)
	}
	if err := os.Unsetenv("FAKE_CUDA_STAYS_LOST"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Train(t.Context(), job, func(trials.Measurement) {}); !errors.Is(err, cuda.ErrStuck) { // and its reset, at the end, heals
		t.Errorf("the one after that: %v", err)
	}
	if got := last(t, b, trainer.Job{Epochs: 1, Seed: 3}); len(got) == 0 {
		t.Error("the GPU has not come back")
	}
}

// TestGPUOrders: a step comes to the same bits in whatever order threads, blocks, and what runs beside the way back follow
// each other.
func TestGPUOrders(t *testing.T) {
	if emulator.Real() {
		t.Skip("a GPU's order cannot be chosen")
	}
	b := onEmulator(t, func(c *native.Config) { c.Load = twoBatches })
	var want []byte
	for _, order := range []string{"forward", "reverse", "shuffle"} {
		t.Setenv("EMULATOR_ORDER", order)
		got := last(t, b, trainer.Job{Epochs: 1, Seed: 3})
		if order == "forward" {
			want = got
		} else if len(got) == 0 || !bytes.Equal(got, want) {
			t.Errorf("%s comes to another checkpoint than forward", order)
		}
	}
}
