package native_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/emulator"
	"github.com/mapsweep/mapsweep/trials"
)

// onGPUs is a backend of few scenes whose trials are given GPUs of these capabilities.
func onGPUs(t *testing.T, capabilities ...string) *native.Backend {
	return backend(t, func(c *native.Config) {
		c.Load = fewScenes
		c.Place = func() (native.Place, error) {
			p := native.Place{Why: "trainer.device is auto, and there is a GPU"}
			for i, cc := range capabilities {
				p.GPUs = append(p.GPUs, native.GPU{Name: fmt.Sprintf("cuda:%d", i), Device: cuda.Device{Index: i, Name: "Paper GPU", Capability: cc}})
			}
			return p, nil
		}
	})
}

// A place that cannot be found is an error before the first trial.
func TestNoPlace(t *testing.T) {
	none := errors.New("no such thing here")
	b := backend(t, func(c *native.Config) { c.Place = func() (native.Place, error) { return native.Place{}, none } })
	if _, err := b.Prepare(t.Context()); !errors.Is(err, none) {
		t.Errorf("prepare: %v", err)
	}
}

func TestProvenanceOfDevices(t *testing.T) {
	gpus := onGPUs(t, "9.0", "8.6")
	native.FakeGPUs(gpus, nil)
	auto := backend(t, func(c *native.Config) {
		c.Place = func() (native.Place, error) {
			return native.Place{Why: "trainer.device is auto, and there is no GPU"}, nil
		}
	})
	for _, c := range []struct {
		b       *native.Backend
		devices []string
		said    string
	}{
		{backend(t, nil), []string{"cpu"}, ""},
		{auto, []string{"cpu"}, "cpu (trainer.device is auto, and there is no GPU)"},
		{gpus, nil, "cuda:0, cuda:1 (trainer.device is auto, and there is a GPU)"}, // who leases them names them
	} {
		p, err := c.b.Prepare(t.Context())
		if err != nil || !reflect.DeepEqual(p.Devices, c.devices) || p.Extra[trials.ExtraDevice] != c.said {
			t.Errorf("devices %q, %q, %v; want %q, %q", p.Devices, p.Extra[trials.ExtraDevice], err, c.devices, c.said)
		}
	}
}

func TestDevicesOfJobs(t *testing.T) {
	emulator.Use(t) // so that other tests find it: a process loads one driver
	t.Setenv("MAPSWEEP_NCCL", "/none/libnccl.so.2")
	b := onGPUs(t, "9.0", "9.0")
	native.FakeGPUs(b, nil)
	for _, c := range []struct {
		devices []string
		says    string // the trial's log, or the error
		ok      bool
	}{
		{nil, "cuda:0 Paper GPU (cuda 9.0, kernels ", true},
		{[]string{"cuda:1"}, "cuda:1 Paper GPU (cuda 9.0, kernels ", true},
		{[]string{"cuda:2"}, "use device cuda:2: this study's trials compute on cuda:0, cuda:1", false},
		{[]string{"cuda:0", "cuda:1"}, "or leave trainer.gpus out: trials are then spread over the GPUs, one each", false},
		{[]string{"cuda:0", "cuda:0"}, "use device cuda:0, cuda:0: this study's", false},
	} {
		dir := t.TempDir()
		held := 0.0
		res, err := b.Train(t.Context(), trainer.Job{Epochs: 1, Dir: dir, Devices: c.devices}, func(m trials.Measurement) { held = m.Metrics["gpu/memory-mib"] })
		if !c.ok {
			if !errors.Is(err, trainer.ErrNoDevice) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%q: %v", c.devices, err)
			}
			continue
		}
		if err != nil || res.PeakMiB < 1 || held != float64(res.PeakMiB) {
			t.Fatalf("%q: peak %d MiB, %v", c.devices, res.PeakMiB, err)
		}
		if log := string(read(t, filepath.Join(dir, "trial.log"))); !strings.Contains(log, c.says) {
			t.Errorf("%q: want %q in the log:\n%s", c.devices, c.says, log)
		}
	}
}

// A checkpoint belongs to a kind of device.
func TestResumeOnAnotherDevice(t *testing.T) {
	on := func(capabilities ...string) *native.Backend {
		b := onGPUs(t, capabilities...)
		native.FakeGPUs(b, nil)
		return b
	}
	made := map[string]string{}
	for name, b := range map[string]*native.Backend{"cpu": onGPUs(t), "9.0": on("9.0"), "8.6": on("8.6")} {
		_, res := train(t, b, trainer.Job{Epochs: 1})
		made[name] = res.Checkpoint
	}
	for _, c := range []struct {
		from string
		b    *native.Backend
		says string // "": it goes on
	}{
		{"cpu", onGPUs(t), ""},
		{"9.0", on("9.0"), ""},
		{"9.0", on("9.0", "9.0"), ""},
		{"cpu", on("9.0"), `it was made on device "cpu" and this is "cuda 9.0, kernels`},
		{"9.0", onGPUs(t), `it was made on device "cuda 9.0, kernels`},
		{"9.0", on("8.6"), `and this is "cuda 8.6, kernels`},
		{"8.6", on("8.6", "9.0"), `and this is "cuda 9.0, kernels`},
	} {
		err := c.b.CanResume(made[c.from])
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("from %s: %v, want %q", c.from, err, c.says)
		}
		_, trained := c.b.Train(t.Context(), trainer.Job{Epochs: 1, Dir: t.TempDir(), Resume: made[c.from]}, func(trials.Measurement) {})
		if c.from == "8.6" {
			continue // the job is given the first GPU, which is of this kind
		}
		if (trained == nil) != (c.says == "") || trained != nil && !strings.Contains(trained.Error(), c.says) {
			t.Errorf("trained from %s: %v, want %q", c.from, trained, c.says)
		}
	}
}

// A GPU without room for a trial is that trial's failure.
func TestOutOfGPUMemory(t *testing.T) {
	b := onGPUs(t, "9.0")
	native.FakeGPUs(b, fmt.Errorf("plan memory: %w: 900 MiB are needed", cuda.ErrMemory))
	_, err := b.Train(t.Context(), trainer.Job{Epochs: 1, Dir: t.TempDir()}, nil)
	var f *trainer.Failure
	if !errors.As(err, &f) || f.Class != trials.ClassMemory || !strings.Contains(f.Reason, "900 MiB") {
		t.Errorf("error %v", err)
	}
}
