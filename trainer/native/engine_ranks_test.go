package native_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/emulator"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/nccl/nccltest"
	"github.com/mapsweep/mapsweep/trials"
)

// withNCCL has so many GPUs and the stand-in for NCCL, or those of the machine.
func withNCCL(t *testing.T, gpus string) {
	t.Helper()
	t.Setenv("FAKE_CUDA_COUNT", gpus)
	emulator.Use(t)
	if emulator.Real() {
		if devices, err := cuda.Devices(); err != nil || gpus == "2" && len(devices) < 2 {
			t.Skipf("two GPUs are needed, there are %d: %v", len(devices), err)
		}
		return
	}
	nccltest.Use(t)
}

// onRanks is a backend of few scenes, each of whose trials takes two GPUs.
func onRanks(t *testing.T, change func(*native.Config)) *native.Backend {
	t.Helper()
	withNCCL(t, "2")
	return backend(t, func(c *native.Config) {
		c.Load, c.GPUs = fewScenes, 2
		c.Place = func() (native.Place, error) {
			devices, err := cuda.Devices()
			if err != nil {
				return native.Place{}, err
			}
			return native.Place{GPUs: []native.GPU{{Name: "cuda:0", Device: devices[0]}, {Name: "cuda:1", Device: devices[1]}}}, nil
		}
		if change != nil {
			change(c)
		}
	})
}

// TestGPUsTrainAsOne: two GPUs with half of each batch and synchronised normalisation come to the losses of one with the whole
// batch, but for sums in another order: of every step's gradients in float32, which grow from 1e-6 in a few steps; 1e-4 is allowed.
func TestGPUsTrainAsOne(t *testing.T) {
	for name, c := range map[string]struct {
		job    trainer.Job
		change func(*native.Config)
	}{
		"defaults":                     {trainer.Job{Epochs: 2, Seed: 3, Params: trials.Params{"sync_bn": true}}, nil},
		"AdamW, pictures of all sides": {trainer.Job{Epochs: 1, Seed: 4, Params: trials.Params{"sync_bn": true, "multi_scale": 0.5, "optimizer": "AdamW", "lr0": 0.001}}, nil},
		"an auxiliary head": {trainer.Job{Epochs: 1, Seed: 3, Params: trials.Params{"sync_bn": true, "nominal_batch": 16, "aux": 0.25}},
			func(c *native.Config) { c.Load = twoBatches }},
	} {
		t.Run(name, func(t *testing.T) { sameLosses(t, c.job, 1e-4, onEmulator(t, c.change), onRanks(t, c.change)) })
	}
}

// TestGPUsAddUpGradients holds the gradients of one step, at the initial weights, against those that one GPU finds: with
// synchronised normalisation in the whole batch, without in each half by itself. A half alone divides by its own scores T and
// multiplies by its own images, so that its gradients count T/4 of what they are, and the sum 8/(T1+T2).
func TestGPUsAddUpGradients(t *testing.T) {
	step := func(b *native.Backend, params trials.Params, n int) native.Step {
		t.Helper()
		s, err := native.StepAt(t.Context(), b, trainer.Job{Epochs: 1, Seed: 7, Params: params, Dir: t.TempDir()}, n)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	whole := step(onEmulator(t, nil), nil, 0)
	halves := func(c *native.Config) { c.Batch = 4 }
	apart := native.Step{Grads: make([]float32, len(whole.Grads))}
	for i := range 2 {
		h := step(onEmulator(t, halves), nil, i)
		if h.Normaliser <= 1 {
			t.Fatalf("half %d has scores of %v, no more than the least divisor", i, h.Normaliser)
		}
		apart.Normaliser += h.Normaliser
		apart.Value += h.Value * h.Normaliser
		for k, v := range h.Grads {
			apart.Grads[k] += v * float32(h.Normaliser/4)
		}
	}
	apart.Value /= apart.Normaliser
	for k := range apart.Grads {
		apart.Grads[k] *= float32(8 / apart.Normaliser)
	}
	sameStep(t, "synchronised", step(onRanks(t, nil), trials.Params{"sync_bn": true}, 0), whole)
	sameStep(t, "each by itself", step(onRanks(t, nil), nil, 0), apart)
	if d := math.Abs(whole.Value - apart.Value); d < 1e-4 {
		t.Errorf("statistics of halves and of the whole give losses that differ by %g only", d)
	}
}

// sameStep allows for sums of float32 in another order.
func sameStep(t *testing.T, what string, got, want native.Step) {
	t.Helper()
	largest, off := 0.0, 0.0
	for i, v := range want.Grads {
		largest, off = max(largest, math.Abs(float64(v))), max(off, math.Abs(float64(got.Grads[i]-v)))
	}
	t.Logf("%s: loss %v, want %v; gradients off by %g of %g", what, got.Value, want.Value, off, largest)
	if !(off <= 1e-4*largest) || largest == 0 {
		t.Errorf("%s: gradients off by %g of %g", what, off, largest)
	}
	if !(math.Abs(got.Value-want.Value) <= 1e-5*want.Value) || !(math.Abs(got.Normaliser-want.Normaliser) <= 1e-5*want.Normaliser) {
		t.Errorf("%s: loss %v, divided by %v, want %v by %v", what, got.Value, got.Normaliser, want.Value, want.Normaliser)
	}
}

// TestOneRankIsNone: a GPU that adds up over itself alone leaves the checkpoint of one that does not, to the bit.
func TestOneRankIsNone(t *testing.T) {
	withNCCL(t, "1")
	job := trainer.Job{Epochs: 1, Seed: 3}
	want := last(t, onEmulator(t, nil), job)
	for _, sync := range []bool{false, true} {
		b := onEmulator(t, nil)
		native.OneRank(b, sync)
		if got := last(t, b, job); len(want) == 0 || !bytes.Equal(got, want) {
			t.Errorf("synchronised %v: another checkpoint", sync)
		}
	}
}

// TestGPUsResume: a run on two GPUs that is stopped within an epoch goes on to the bits of one that was not.
func TestGPUsResume(t *testing.T) {
	b := onRanks(t, func(c *native.Config) { c.Load = twoBatches })
	for name, params := range map[string]trials.Params{
		"synchronised":   {"sync_bn": true, "nominal_batch": 16},
		"each by itself": {"optimizer": "AdamW", "lr0": 0.001},
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
			path, _ := b.Latest(cut.Dir)
			if err := b.CanResume(path); err != nil {
				t.Fatal(err)
			}
			if err := onEmulator(t, nil).CanResume(path); err == nil || !strings.Contains(err.Error(), `it was made on device "2 x cuda`) {
				t.Errorf("on one GPU: %v", err)
			}
			job.Dir, job.Resume = cut.Dir, path
			if got := last(t, b, job); len(want) == 0 || !bytes.Equal(got, want) {
				t.Error("the resumed run has another checkpoint")
			}
		})
	}
}

// TestGPUsGrowTogether: where one rank's part of a batch has more polygons than was reckoned, all of them capture their steps anew.
func TestGPUsGrowTogether(t *testing.T) {
	job := trainer.Job{Epochs: 4, Seed: 3, Params: trials.Params{"copy_paste_polygons": 1.0}}
	outlined := func(c *native.Config) { c.Load, c.Batch = dots, 4 }
	want := last(t, onRanks(t, outlined), job)
	narrow := onRanks(t, outlined)
	native.NoPolygons(narrow, 1)
	if got := last(t, narrow, job); len(want) == 0 || !bytes.Equal(got, want) {
		t.Error("with little room at first: another checkpoint")
	}
}

// TestGPUsFailTogether: a rank that fails ends the trial, as one that may be run again; the others do not wait for it, and the
// next trial finds everything in order.
func TestGPUsFailTogether(t *testing.T) {
	t.Setenv("FAKE_NCCL_WAIT", "600") // nobody waits that long
	job := trainer.Job{Epochs: 1, Seed: 3}
	want := last(t, onRanks(t, nil), job)
	for number := range 2 {
		b := onRanks(t, nil)
		native.FailRank(b, number, 2)
		start := time.Now()
		f := failureOf(t, b, nil)
		if f.Class != trials.ClassDevice || !errors.Is(f, cuda.ErrLost) || time.Since(start) > time.Minute {
			t.Errorf("rank %d: failure %v after %v", number, f, time.Since(start))
		}
		if got := last(t, onRanks(t, nil), job); len(want) == 0 || !bytes.Equal(got, want) {
			t.Errorf("rank %d: another checkpoint in the trial after it", number)
		}
	}
}

// TestGPUsGiveUp: where NCCL gives up without an error of any rank, what the step came to is not taken.
func TestGPUsGiveUp(t *testing.T) {
	if emulator.Real() {
		t.Skip("the stand-in's failure")
	}
	t.Setenv("FAKE_NCCL_WAIT", "1")
	b := onRanks(t, nil)
	native.SkipRank(b, 1, 2)
	if f := failureOf(t, b, nil); f.Class != trials.ClassDevice || !strings.Contains(f.Reason, "remote process exited") {
		t.Errorf("failure %v", f)
	}
}

// TestGPUsNeedTwoValues: one small picture on each GPU is refused, unless they normalise together.
func TestGPUsNeedTwoValues(t *testing.T) {
	b := onRanks(t, func(c *native.Config) { c.Batch = 2 })
	job := trainer.Job{Epochs: 1, Seed: 3, Dir: t.TempDir(), Params: trials.Params{"multi_scale": 0.75}}
	_, err := b.Train(t.Context(), job, func(trials.Measurement) {})
	var f *trainer.Failure
	if !errors.As(err, &f) || f.Class != trials.ClassInfeasible || !strings.Contains(f.Reason, "one picture of 16 pixels on each GPU") || !strings.Contains(f.Reason, "or set sync_bn") {
		t.Errorf("each by itself: %v", err)
	}
	job.Params["sync_bn"] = true
	if _, err := native.StepAt(t.Context(), b, job, 0); err != nil {
		t.Errorf("synchronised: %v", err)
	}
}

// TestGPUsAreRefused before the first trial, with what to do.
func TestGPUsAreRefused(t *testing.T) {
	if emulator.Real() {
		t.Skip("the machine may have NCCL")
	}
	b := onRanks(t, nil)
	t.Setenv("MAPSWEEP_NCCL", "/none/libnccl.so.2")
	_, err := b.Prepare(t.Context())
	if !errors.Is(err, trainer.ErrNoDevice) || !strings.Contains(err.Error(), "cannot open shared object file") || !strings.Contains(err.Error(), "leave trainer.gpus out") {
		t.Errorf("without NCCL: %v", err)
	}
	if _, err := native.New(native.Config{Data: []string{"shapes"}, Batch: 9, GPUs: 2}); err == nil || !strings.Contains(err.Error(), "use a batch that 2 divides") {
		t.Errorf("9 images on 2 GPUs: %v", err)
	}
}
