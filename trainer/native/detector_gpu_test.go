package native_test

import (
	"bytes"
	"errors"
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/evaluate"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/emulator"
	"github.com/mapsweep/mapsweep/trials"
)

// onGPU says which GPU a detector gets, and notes what it asks for.
func onGPU(t *testing.T, asked *int64) func(int64) (native.GPU, error) {
	return func(bytes int64) (native.GPU, error) {
		if asked != nil {
			*asked = bytes
		}
		devices, err := cuda.Devices()
		if err != nil {
			t.Fatal(err)
		}
		return native.GPU{Name: "cuda:0", Device: devices[0]}, nil
	}
}

// found are the detections of images by several limits.
func found(t *testing.T, d *native.Detector, images []dataset.Image, limits ...evaluate.NMSOptions) [][]evaluate.Detection {
	t.Helper()
	all := make([][]evaluate.Detection, len(limits))
	err := d.Find(t.Context(), images, limits, func(i, l int, list []evaluate.Candidate) {
		for _, c := range list {
			all[l] = append(all[l], evaluate.Detection{Image: i, Class: c.Class, Score: float64(c.Score),
				Box: evaluate.Corners(float64(c.X0), float64(c.Y0), float64(c.X1), float64(c.Y1))})
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// matchesOf are what a run would keep of detections.
func matchesOf(t *testing.T, d *dataset.Dataset, list []evaluate.Detection) []byte {
	t.Helper()
	data, err := evaluate.Match(native.Truths(d.Val), list, len(d.Val), d.Classes).Encode()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// taught is a checkpoint that finds something in dots.
func taught(t *testing.T, model string) string {
	t.Helper()
	b := backend(t, func(c *native.Config) { c.Load, c.Batch, c.Model = dots, 7, model })
	_, res := train(t, b, trainer.Job{Epochs: 12, Params: trials.Params{"mosaic": 0.0, "warmup_epochs": 0.0, "lr0": 0.02, "warmup_floor": 0}})
	return res.Checkpoint
}

// TestGPUDetectorScoresAsTraining: a detector on a GPU finds to the bit what the run scored last on it, in the checkpoint's
// precision, and the CPU's in float32 but for rounding. It takes less memory than the run, and gives all of it back.
func TestGPUDetectorScoresAsTraining(t *testing.T) {
	for name, c := range map[string]struct {
		model, precision string
		params           trials.Params
	}{
		"float32":                    {"gelan-n", native.FP32, trials.Params{"ema": false}},
		"bf16 with auxiliary layers": {"yolov9-t", native.BF16, nil},
	} {
		t.Run(name, func(t *testing.T) {
			b := dotted(t, func(n *native.Config) {
				n.Model, n.Precision, n.Weights = c.model, c.precision, taught(t, c.model)
			})
			dir := t.TempDir()
			params := trials.Params{"lr0": 1e-5}.With(c.params)
			_, res := train(t, b, trainer.Job{Epochs: 1, Params: params, Dir: dir})
			var asked int64
			d, err := native.OpenDetector(dir, native.DetectorOptions{GPU: onGPU(t, &asked)})
			if err != nil {
				t.Fatal(err)
			}
			set, _ := dots(t.Context(), "", dataset.Options{})
			lists := found(t, d, set.Val, evaluate.DefaultNMS, evaluate.NMSOptions{Score: .001, IoU: .7, Top: 30000, Keep: 300})
			if len(lists[0]) == 0 || len(lists[1]) < len(lists[0]) {
				t.Fatalf("%d and %d detections", len(lists[0]), len(lists[1]))
			}
			if !bytes.Equal(matchesOf(t, set, lists[0]), res.Artifacts[0].Data) {
				t.Error("other detections than the run's own")
			}
			if mib := asked >> 20; d.Note != "" || d.Batch() != 2 || mib > res.PeakMiB/2 {
				t.Errorf("note %q, batches of %d, %d MiB where the run had %d", d.Note, d.Batch(), mib, res.PeakMiB)
			}
			// Suppression on the host finds the same, and so do copies that run at the same time.
			var same sync.WaitGroup
			for range 3 {
				twin, err := d.Copy()
				if err != nil {
					t.Fatal(err)
				}
				same.Go(func() {
					if !reflect.DeepEqual(detections(t, twin, set.Val), lists[0]) && !emulator.Real() {
						t.Error("a copy finds something else")
					}
				})
			}
			same.Wait()
			if err := d.Close(); err != nil {
				t.Error(err)
			}
			if c.precision == native.FP32 {
				nearCPU(t, dir, set, lists[1])
			}
		})
	}
}

// nearCPU compares scores with those on the CPU.
func nearCPU(t *testing.T, dir string, set *dataset.Dataset, list []evaluate.Detection) {
	t.Helper()
	d, err := native.OpenDetector(dir, native.DetectorOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	here := found(t, d, set.Val, evaluate.NMSOptions{Score: .001, IoU: .7, Top: 30000, Keep: 300})[0]
	if len(here) != len(list) {
		t.Fatalf("%d detections, on the CPU %d", len(list), len(here))
	}
	for i := range here {
		if math.Abs(here[i].Score-list[i].Score) > 1e-4*here[i].Score || here[i].Class != list[i].Class || here[i].Image != list[i].Image {
			t.Fatalf("detection %d: %+v, on the CPU %+v", i, list[i], here[i])
		}
	}
}

// TestGPUDetectorOfFastest: with the run's size of images cuDNN computes what it did in the run; with another size nothing was chosen,
// and our kernels compute all, which is noted.
func TestGPUDetectorOfFastest(t *testing.T) {
	dir := t.TempDir()
	b := fastest(t, "", func(c *native.Config) { c.Load, c.Batch = dots, 2 })
	train(t, b, trainer.Job{Epochs: 1, Seed: 3, Dir: dir})
	set, _ := dots(t.Context(), "", dataset.Options{})
	for size, note := range map[int]string{0: "", 64: "mapsweep's kernels compute all convolutions, and results differ from those of training by rounding: choose who computes the convolution forward "} {
		d, err := native.OpenDetector(dir, native.DetectorOptions{Size: size, GPU: onGPU(t, nil)})
		if err != nil {
			t.Errorf("size %d: %v", size, err)
			continue
		}
		if !strings.HasPrefix(d.Note, note) || (d.Note == "") != (note == "") {
			t.Errorf("size %d: note %q", size, d.Note)
		}
		if size == 0 {
			found(t, d, set.Val[:1], evaluate.DefaultNMS)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestGPUDetectorFaults: what a detector says where the GPU is full, is refused, or is of another kind than the checkpoint's.
func TestGPUDetectorFaults(t *testing.T) {
	if emulator.Real() {
		t.Skip("a GPU's memory cannot be made smaller")
	}
	b := dotted(t, nil)
	dir := t.TempDir()
	train(t, b, trainer.Job{Epochs: 1, Dir: dir})
	taken := errors.New("taken")
	if _, err := native.OpenDetector(dir, native.DetectorOptions{GPU: func(int64) (native.GPU, error) { return native.GPU{}, taken }}); !errors.Is(err, taken) {
		t.Errorf("where there is no GPU to be had: %v", err)
	}
	other := onGPU(t, nil)
	d, err := native.OpenDetector(filepath.Join(dir, "last.ckpt"), native.DetectorOptions{Size: 64, GPU: func(n int64) (native.GPU, error) {
		g, err := other(n)
		g.Capability = "12.0"
		return g, err
	}})
	if err != nil {
		t.Fatal(err)
	}
	if d.Note == "" || d.Size != 64 {
		t.Errorf("on another kind of GPU: note %q, %d pixels", d.Note, d.Size)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	t.Setenv("FAKE_CUDA_MEMORY", "2000000")
	if d, err := native.OpenDetector(dir, native.DetectorOptions{GPU: onGPU(t, nil)}); !errors.Is(err, cuda.ErrMemory) {
		t.Errorf("on a GPU that is full: %v, %v", d, err)
	} else {
		t.Log(err)
	}
	t.Setenv("FAKE_CUDA_MEMORY", "")
}
