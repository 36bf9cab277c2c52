package native_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/cudnn"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/cudnn/cudnntest"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/emulator"
	"github.com/mapsweep/mapsweep/trials"
)

// fastest is a backend on the GPU whose convolutions are computed by cuDNN, without a GPU the stand-in for it, where
// their names have the word in them.
func fastest(t *testing.T, word string, change func(*native.Config)) *native.Backend {
	t.Helper()
	if !emulator.Real() {
		cudnntest.Use(t)
	}
	emulator.Use(t)
	l, err := cudnn.Open()
	if emulator.Real() && err != nil {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return reckoned(t, word, change)
}

// reckoned is fastest with whatever library there is.
func reckoned(t *testing.T, word string, change func(*native.Config)) *native.Backend {
	t.Helper()
	b := onEmulator(t, func(c *native.Config) {
		c.Load, c.Convolution = twoBatches, native.Fastest
		if change != nil {
			change(c)
		}
	})
	native.Reckon(b, func(pass, way string) float64 {
		if (way == "ours") == strings.Contains(pass, word) {
			return 2
		}
		return 1
	})
	return b
}

// TestGPUTrainsByCuDNN: losses are those of our kernels within what sums in another order, and in bf16 rounded gradients of weights,
// change, whether cuDNN computes all convolutions or the gradients of weights alone.
func TestGPUTrainsByCuDNN(t *testing.T) {
	for _, c := range []struct {
		name, word string
		job        trainer.Job
		tolerance  float64
		change     func(*native.Config)
	}{
		{"all in bf16", "", trainer.Job{Epochs: 2, Seed: 3}, 2e-2, func(c *native.Config) { c.Load, c.Precision = twoBatches, native.BF16 }},
		{"gradients of weights, beside other sizes", "filter", trainer.Job{Epochs: 1, Seed: 4, Params: trials.Params{"multi_scale": 0.5, "nominal_batch": 8, "warmup_epochs": 0.0}}, 1e-4, func(c *native.Config) { c.Load = twoBatches }},
	} {
		t.Run(c.name, func(t *testing.T) {
			sameLosses(t, c.job, c.tolerance, onEmulator(t, c.change), fastest(t, c.word, c.change))
		})
	}
}

// storedChoice is the choice that a trial's effective.json lists.
func storedChoice(t *testing.T, dir string) (all struct {
	Convolutions struct {
		GPU, CuDNN string
		Ways       map[string]string
	}
}) {
	t.Helper()
	if err := json.Unmarshal(read(t, filepath.Join(dir, "effective.json")), &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestGPUKeepsItsChoice: a run that goes on has the ways of its checkpoint, and so the bits of one that was not stopped, where times
// have fallen otherwise since; another trial of the backend has the first one's. On another library it does not go on.
func TestGPUKeepsItsChoice(t *testing.T) {
	if emulator.Real() {
		t.Skip("the stand-in's versions")
	}
	whole, cut := trainer.Job{Epochs: 2, Seed: 5, Dir: t.TempDir()}, trainer.Job{Epochs: 2, Seed: 5, Dir: t.TempDir()}
	b := fastest(t, "forward", nil)
	want, _ := train(t, b, whole)
	ways := storedChoice(t, whole.Dir)
	if c := ways.Convolutions; c.CuDNN != "9.28.0" || c.GPU == "" || len(c.Ways) < 10 {
		t.Errorf("stored: %+v", c)
	}
	for pass, way := range ways.Convolutions.Ways {
		if (way == "ours") == strings.HasPrefix(pass, "forward ") {
			t.Errorf("%s is computed by %s", pass, way)
		}
	}
	if text := read(t, filepath.Join(whole.Dir, "trial.log")); !bytes.Contains(text, []byte("by cuDNN 9.28.0")) || !bytes.Contains(text, []byte(", fastest convolutions")) {
		t.Errorf("trial.log: %s", text)
	}
	native.Reckon(b, func(_, way string) float64 { return float64(len(way)) }) // ours, were it asked
	if _, err := b.Train(&countdown{t.Context(), 4}, cut, func(trials.Measurement) {}); err == nil {
		t.Fatal("the run was not stopped")
	}
	if got := storedChoice(t, cut.Dir); !reflect.DeepEqual(got, ways) {
		t.Errorf("another trial chose %v", got)
	}
	cut.Resume, _ = b.Latest(cut.Dir)
	for name, env := range map[string][2]string{
		"computed by cuDNN 9.28.0 and this is 9.29.0": {"FAKE_CUDNN_VERSION", "92900"},
		"computed by cuDNN 9.28.0: no cuDNN: ":        {"MAPSWEEP_CUDNN", "/nonexistent/libcudnn.so.9"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(env[0], env[1])
			other := reckoned(t, "", nil)
			if err := other.CanResume(cut.Resume); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("can resume: %v", err)
			}
			if _, err := other.Train(t.Context(), cut, func(trials.Measurement) {}); err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "remove it to start anew") {
				t.Errorf("resume: %v", err)
			}
		})
	}
	other := fastest(t, "data", nil)
	if err := other.CanResume(cut.Resume); err != nil {
		t.Error(err)
	}
	got, _ := train(t, other, cut)
	if last := len(want) - 1; !reflect.DeepEqual(got[len(got)-1].Metrics["loss/box"], want[last].Metrics["loss/box"]) {
		t.Errorf("the resumed run ended with %v, the uninterrupted one with %v", got[len(got)-1].Metrics, want[last].Metrics)
	}
	if got := storedChoice(t, cut.Dir); !reflect.DeepEqual(got, ways) {
		t.Errorf("the resumed run has %v", got)
	}
}

// TestGPUWithoutCuDNN has the bits of our kernels, and says once why.
func TestGPUWithoutCuDNN(t *testing.T) {
	t.Setenv("MAPSWEEP_CUDNN", "/nonexistent/libcudnn.so.9")
	var log bytes.Buffer
	b := reckoned(t, "", func(c *native.Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	job := trainer.Job{Epochs: 1, Seed: 3, Dir: t.TempDir()}
	got, _ := train(t, b, job)
	train(t, b, trainer.Job{Epochs: 1, Seed: 4})
	if n := strings.Count(log.String(), "mapsweep's kernels compute all convolutions"); n != 1 || !strings.Contains(log.String(), "no cuDNN: ") {
		t.Errorf("log: %s", log.String())
	}
	if text := read(t, filepath.Join(job.Dir, "trial.log")); !bytes.Contains(text, []byte("convolutions: all by mapsweep's kernels")) {
		t.Errorf("trial.log: %s", text)
	}
	want, _ := train(t, onEmulator(t, func(c *native.Config) { c.Load = twoBatches }), trainer.Job{Epochs: 1, Seed: 3})
	if got, want := got[0].Metrics["loss/box"], want[0].Metrics["loss/box"]; got != want {
		t.Errorf("loss/box is %v, and %v with convolution auto", got, want)
	}
	p, err := b.Prepare(t.Context())
	if err != nil || !strings.HasPrefix(p.Extra["convolution"], "fastest (no cuDNN: ") {
		t.Errorf("provenance: %v, %v", p.Extra, err)
	}
}

func TestFastestNeedsAGPU(t *testing.T) {
	b := backend(t, func(c *native.Config) { c.Convolution = native.Fastest })
	const want = `convolution "fastest" chooses between kernels of a GPU, and trials compute on cpu: use auto, or direct`
	if _, err := b.Prepare(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("prepare: %v", err)
	}
	if _, err := b.Train(t.Context(), trainer.Job{Epochs: 1, Dir: t.TempDir()}, func(trials.Measurement) {}); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("train: %v", err)
	}
}
