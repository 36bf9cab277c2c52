package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/telemetry"
)

// A GPU that only the CUDA driver knows is listed, with what is not known of it.
func TestDevicesWithoutNVML(t *testing.T) {
	t.Setenv(telemetry.EnvFake, "")
	machine := nativeGPUs{
		listed: func() ([]telemetry.GPU, error) { return nil, fmt.Errorf("%w: no NVML here", telemetry.ErrNone) },
		driver: func() ([]cuda.Device, error) {
			return []cuda.Device{{Index: 0, Name: "Paper GPU", MemoryBytes: 8 << 30, Capability: "9.0", Driver: "13.0"}}, nil
		},
	}
	rows, why, err := listDevices(machine)
	if err != nil || len(rows) != 2 || rows[1].Name != "cuda:0" || rows[1].Description != "Paper GPU" || rows[1].Capability != "9.0" || rows[1].MemoryMiB != 8192 {
		t.Errorf("rows %+v, %v", rows, err)
	}
	if !strings.Contains(why, "no NVML here") || !strings.Contains(why, "is not known") {
		t.Errorf("said %q", why)
	}
	machine.driver = func() ([]cuda.Device, error) { return nil, fmt.Errorf("%w: none", cuda.ErrNone) }
	if rows, why, err := listDevices(machine); err != nil || len(rows) != 1 || !strings.Contains(why, "no NVML here") || strings.Contains(why, "driver's") {
		t.Errorf("without a driver: %d rows, %q, %v", len(rows), why, err)
	}
}
