//go:build linux && cgo

package telemetry

// #cgo LDFLAGS: -ldl
// #include "nvml.h"
import "C"

import (
	"fmt"
	"math"
	"sync"
)

// Results of NVML that are put into words, or looked for.
const (
	nvmlTooSmall  = 7
	noLibrary     = -1
	noFunction    = -2
	processesMost = 256 // of one device that are listed
)

// start opens the driver's library once; it stays open.
var start = sync.OnceValue(func() C.int { return C.mapsweep_nvml_start() })

func driverGPUs() ([]GPU, error) {
	if ret := start(); ret != 0 {
		return nil, fmt.Errorf("%w: %s", ErrNone, refusal(int(ret)))
	}
	var n C.uint
	if ret := C.mapsweep_nvml_count(&n); ret != 0 {
		return nil, fmt.Errorf("%w: the NVIDIA driver does not count its devices: %s", ErrNone, nvmlError(ret))
	}
	if n == 0 {
		return nil, fmt.Errorf("%w: the NVIDIA driver has no device", ErrNone)
	}
	var gpus []GPU
	lost := ""
	for i := range int(n) {
		g, err := driverGPU(i)
		if err != nil { // one that fell off the bus leaves the others usable
			lost = err.Error()
			continue
		}
		gpus = append(gpus, g)
	}
	if len(gpus) == 0 {
		return nil, fmt.Errorf("%w: %s", ErrNone, lost)
	}
	return gpus, nil
}

func driverGPU(i int) (GPU, error) {
	g := GPU{Index: i, Name: "NVIDIA device", Utilisation: unknown()}
	var d C.nvml_device
	if ret := C.mapsweep_nvml_open(C.uint(i), &d); ret != 0 {
		return g, fmt.Errorf("the NVIDIA driver does not open device %d: %s", i, nvmlError(ret))
	}
	var text [128]C.char
	if ret := C.mapsweep_nvml_uuid(d, &text[0], C.uint(len(text))); ret != 0 {
		return g, fmt.Errorf("the NVIDIA driver does not name device %d: %s", i, nvmlError(ret))
	}
	g.UUID = C.GoString(&text[0])
	var mem C.nvml_memory
	if ret := C.mapsweep_nvml_memory(d, &mem); ret != 0 {
		return g, fmt.Errorf("the NVIDIA driver does not tell the memory of device %d: %s", i, nvmlError(ret))
	}
	g.TotalMiB, g.FreeMiB = int64(mem.total>>20), int64(mem.free>>20)
	if C.mapsweep_nvml_name(d, &text[0], C.uint(len(text))) == 0 {
		g.Name = C.GoString(&text[0])
	}
	var use C.nvml_utilisation
	if C.mapsweep_nvml_utilisation(d, &use) == 0 { // devices that are split (MIG) have none
		g.Utilisation = float64(use.gpu) / 100
	}
	g.Processes = driverProcesses(d)
	return g, nil
}

// driverProcesses lists who computes on a device; nothing where the driver does not tell.
func driverProcesses(d C.nvml_device) []Process {
	var list [processesMost]C.nvml_process
	n := C.uint(len(list))
	if ret := C.mapsweep_nvml_processes(d, &n, &list[0]); ret != 0 && ret != nvmlTooSmall {
		return nil
	}
	var all []Process
	for _, p := range list[:min(int(n), len(list))] {
		if p.pid == 0 {
			continue
		}
		q := Process{PID: int(p.pid)}
		if p.used != math.MaxUint64 {
			q.MiB = int64(p.used >> 20)
		}
		all = append(all, q)
	}
	return all
}

func nvmlError(ret C.int) string {
	return fmt.Sprintf("%s (NVML error %d)", C.GoString(C.mapsweep_nvml_error(ret)), int(ret))
}

// refusal says in words why the driver's library did not start.
func refusal(ret int) string {
	switch ret {
	case noLibrary:
		return "no NVIDIA driver: libnvidia-ml.so.1 is not there"
	case noFunction:
		return "the NVIDIA driver is too old for this program"
	case 4:
		return "no permission to talk to the NVIDIA driver: look at /dev/nvidiactl"
	case 9:
		return "the NVIDIA kernel module is not loaded"
	case 18:
		return "kernel module and library of the NVIDIA driver are of different versions; reboot after an update"
	}
	return "the NVIDIA driver refused to start: " + nvmlError(C.int(ret))
}
