package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/telemetry"
)

// Where trials of the native trainer compute, by what the study asks for, what NVML lists and what the driver gives.
func TestNativePlace(t *testing.T) {
	gpu := func(i int, uuid string) telemetry.GPU {
		return telemetry.GPU{Index: i, UUID: uuid, Name: "Paper GPU", TotalMiB: 8192, FreeMiB: 8000}
	}
	dev := func(i int, uuid, capability string) cuda.Device {
		return cuda.Device{Index: i, UUID: uuid, Name: "Paper GPU", MemoryBytes: 8 << 30, Capability: capability}
	}
	listed, none := []telemetry.GPU{gpu(0, "GPU-a"), gpu(1, "GPU-b"), gpu(2, "GPU-c")}, []telemetry.GPU(nil)
	fake := []telemetry.GPU{{Index: 0, UUID: "GPU-a", Fake: true}}
	reversed := []cuda.Device{dev(0, "GPU-c", "9.0"), dev(1, "GPU-a", "8.0")}
	for _, c := range []struct {
		name    string
		device  string
		listed  []telemetry.GPU
		driver  []cuda.Device
		visible string // of CUDA_VISIBLE_DEVICES; "": not set
		names   string // of the GPUs, with the driver's number
		says    string // why, or the error
	}{
		{"left out", "", listed, reversed, "", "", ""},
		{"cpu", "cpu", listed, reversed, "", "", ""},
		{"auto", "auto", listed, reversed, "", "cuda:0=1 cuda:2=0", "trainer.device is auto, and there is a GPU"},
		{"cuda", "cuda", listed, reversed, "", "cuda:0=1 cuda:2=0", "trainer.device is cuda"},
		{"one", "cuda:2", listed, reversed, "", "cuda:2=0", "trainer.device is cuda:2"},
		{"one that the driver keeps back", "cuda:1", listed, reversed, "", "", "error: there is no cuda:1 here, only cuda:0, cuda:2"},
		{"limited", "auto", listed, reversed, "2,0", "cuda:0=1 cuda:2=0", "there is a GPU"},
		{"limited to one", "auto", listed, reversed[:1], "GPU-c", "cuda:2=0", "there is a GPU"},
		{"limited to none", "auto", listed, reversed, "7", "", "there is no GPU to use: CUDA_VISIBLE_DEVICES leaves none"},
		{"no driver", "auto", listed, nil, "", "", "trainer.device is auto, and there is no GPU to use: no GPU: no CUDA device: no driver here"},
		{"no driver and cuda", "cuda:0", listed, nil, "", "", "error: no CUDA device: no driver here"},
		{"an old one", "auto", listed, []cuda.Device{dev(0, "GPU-a", "7.5")}, "", "", "compute capability 8.0 is needed, and Paper GPU has 7.5"},
		{"an old one of two", "auto", listed, []cuda.Device{dev(0, "GPU-a", "7.5"), dev(1, "GPU-b", "10.0")}, "", "cuda:1=1", "there is a GPU"},
		{"a driver without UUIDs", "auto", listed, []cuda.Device{dev(0, "", "9.0"), dev(1, "", "9.0")}, "", "cuda:0=0 cuda:1=1", "there is a GPU"},
		{"no NVML", "auto", none, reversed, "", "cuda:0=0 cuda:1=1", "there is a GPU"},
		{"no NVML and limited", "auto", none, reversed, "1", "", "CUDA_VISIBLE_DEVICES is set"},
		{"fakes", "auto", fake, reversed, "", "", "none of those that NVML lists"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv(telemetry.EnvFake, "")
			t.Setenv("CUDA_VISIBLE_DEVICES", c.visible)
			if c.visible == "" {
				_ = os.Unsetenv("CUDA_VISIBLE_DEVICES") // until the end of the test
			}
			n := nativeGPUs{
				func() ([]telemetry.GPU, error) {
					if c.listed == nil {
						return nil, fmt.Errorf("%w: no NVML", telemetry.ErrNone)
					}
					return c.listed, nil
				},
				func() ([]cuda.Device, error) {
					if c.driver == nil {
						return nil, fmt.Errorf("%w: no driver here", cuda.ErrNone)
					}
					return c.driver, nil
				},
			}
			p, leased, err := n.place(studies.Trainer{Backend: studies.BackendNative, Device: c.device}, deviceKey)
			var names []string
			for _, g := range p.GPUs {
				names = append(names, fmt.Sprintf("%s=%d", g.Name, g.Index))
			}
			text, failed := strings.CutPrefix(c.says, "error: ")
			switch {
			case failed:
				if !errors.Is(err, trainer.ErrNoDevice) || !strings.Contains(err.Error(), text) {
					t.Errorf("error %v, want %q", err, text)
				}
				return
			case err != nil:
				t.Errorf("error %v", err)
			}
			if got := strings.Join(names, " "); got != c.names || len(leased) != len(p.GPUs) || !strings.Contains(p.Why, text) || c.says == "" && p.Why != "" {
				t.Errorf("GPUs %q, %d leased, because %q; want %q, %q", got, len(leased), p.Why, c.names, text)
			}
		})
	}
	busy := gpu(1, "GPU-c")
	busy.FreeMiB, busy.Processes = 1000, []telemetry.Process{{PID: os.Getpid(), MiB: 6000}, {PID: 1, MiB: 1192}}
	shared := nativeGPUs{func() ([]telemetry.GPU, error) { return []telemetry.GPU{busy}, nil }, func() ([]cuda.Device, error) { return reversed, nil }}
	if gpus, err := shared.source(); err != nil || gpus[0].FreeMiB != 7000 || len(gpus[0].Processes) != 1 || gpus[0].Processes[0].PID != 1 || len(busy.Processes) != 2 {
		t.Errorf("with memory of this process: %+v, %v", gpus, err)
	}
	nameless := telemetry.GPU{TotalMiB: 8192, FreeMiB: 1000}
	ownLeftOut(&nameless, 6000<<20)
	named := busy
	ownLeftOut(&named, 7000<<20)
	if nameless.FreeMiB != 7000 || named.FreeMiB != 7000 {
		t.Errorf("%d MiB are free where the driver names no process, %d where it does; want 7000", nameless.FreeMiB, named.FreeMiB)
	}
	alone := nativeGPUs{func() ([]telemetry.GPU, error) { return nil, telemetry.ErrNone }, func() ([]cuda.Device, error) { return reversed[1:], nil }}
	gpus, err := alone.source()
	if err != nil || len(gpus) != 1 || gpus[0].FreeMiB != 8192 || !math.IsNaN(gpus[0].Utilisation) || !slices.ContainsFunc(gpus, func(g telemetry.GPU) bool { return g.UUID == "GPU-a" }) {
		t.Errorf("without NVML: %+v, %v", gpus, err)
	}
}
