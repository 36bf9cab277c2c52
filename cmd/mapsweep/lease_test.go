package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep/local"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/telemetry"
)

// oneGPU makes the machine one with a GPU of 8 GiB that nobody uses.
func oneGPU(t *testing.T) {
	t.Helper()
	t.Setenv(local.EnvRuntimeDir, t.TempDir())
	t.Setenv("CUDA_VISIBLE_DEVICES", "0")
	before := machineGPUs
	t.Cleanup(func() { machineGPUs = before })
	machineGPUs = nativeGPUs{
		func() ([]telemetry.GPU, error) {
			return []telemetry.GPU{{Index: 0, UUID: "GPU-a", Name: "Paper GPU", TotalMiB: 8192, FreeMiB: 8000}}, nil
		},
		func() ([]cuda.Device, error) {
			return []cuda.Device{{Index: 0, UUID: "GPU-a", Name: "Paper GPU", MemoryBytes: 8 << 30, Capability: "9.0"}}, nil
		},
	}
}

// heard is a buffer for several goroutines.
type heard struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.b.Write(p)
}

func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.b.String()
}

// Commands beside studies lease GPUs: as a whole where they cannot tell what they take, room where they can. They wait, and say
// for whom.
func TestLease(t *testing.T) {
	oneGPU(t)
	said := &heard{}
	a := &app{stdout: said, stderr: said, notes: &switchWriter{w: said}}
	on := studies.Trainer{Backend: studies.BackendNative, Device: "cuda:0"}
	lease := func(ctx context.Context, mib int64) (func(), error) {
		t.Helper()
		devices, back, err := a.lease(ctx, on, mib)
		if err == nil && !slices.Equal(devices, []string{"cuda:0"}) {
			t.Errorf("leased %v", devices)
		}
		return back, err
	}
	must := func(back func(), err error) func() {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return back
	}
	first, second := must(lease(t.Context(), 1000)), must(lease(t.Context(), 2000)) // both have room
	if c := local.Leases(os.Getenv(local.EnvRuntimeDir), "GPU-a"); len(c) != 2 || c[0].MiB != 1000+contextMiB || c[0].Alone || c[0].PID != os.Getpid() {
		t.Errorf("leases %+v", c)
	}
	if said.String() != "" {
		t.Errorf("said %q without having waited", said)
	}
	for _, mib := range []int64{0, 6000} { // neither all of it nor that much is to be had
		ctx, stop := context.WithTimeoutCause(t.Context(), quietly+quietly/2, errors.New("stopped"))
		if _, err := lease(ctx, mib); err == nil || err.Error() != "stopped" {
			t.Errorf("%d MiB of a GPU that is in use: %v", mib, err)
		}
		stop()
		if want := fmt.Sprintf("waiting for a GPU: cuda:0 is leased by mapsweep process %d", os.Getpid()); strings.Count(said.String(), want) != 1 {
			t.Errorf("said %q, want %q", said, want)
		}
		said.b.Reset()
	}
	freed := make(chan func())
	go func() {
		back, err := lease(t.Context(), 0)
		if err != nil {
			t.Error(err)
			back = func() {}
		}
		freed <- back
	}()
	time.Sleep(20 * time.Millisecond)
	first()
	second()
	(<-freed)()

	cpu := studies.Trainer{Backend: studies.BackendNative, Device: "cpu"}
	for range 2 {
		devices, back, err := a.lease(t.Context(), cpu, 0)
		if err != nil || devices != nil {
			t.Errorf("on the CPU %v, %v", devices, err)
		}
		defer back()
	}
	on.Device = "cuda:3"
	if _, _, err := a.lease(t.Context(), on, 0); !errors.Is(err, trainer.ErrNoDevice) {
		t.Errorf("a GPU that is not there: %v", err)
	}
}
