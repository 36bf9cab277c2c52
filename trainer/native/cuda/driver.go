//go:build linux && cgo && (amd64 || arm64)

package cuda

/*
#cgo CFLAGS: -I${SRCDIR}/include
#cgo LDFLAGS: -L${SRCDIR}/linkstub -Wl,--as-needed -ldl
#include <stdlib.h>
#include "forward.h"
*/
import "C"

import (
	"fmt"
	"os"
	"unsafe"

	"gorgonia.org/cu"
)

// Why says in words why there is no device; it is empty where there is one.
func Why() string {
	switch code := int(C.mapsweep_cuda_status()); {
	case C.mapsweep_cuda_loaded() == 0:
		return "no NVIDIA driver: " + C.GoString(C.mapsweep_cuda_reason())
	case code != 0:
		return fmt.Sprintf("the NVIDIA driver refused to start: %s%s", initError(code), visible())
	}
	n, err := cu.NumDevices()
	if err != nil {
		return fmt.Sprintf("the NVIDIA driver does not count its devices: %v", err)
	}
	if n == 0 {
		return "the NVIDIA driver has no device" + visible()
	}
	return ""
}

// Missing names those driver functions, of all that cu calls and of others given, that the driver lacks. Calls of them fail.
func Missing(others ...string) (names []string) {
	for i := C.size_t(0); ; i++ {
		name := C.mapsweep_cuda_forwarded(i)
		if name == nil {
			break
		}
		if C.mapsweep_cuda_symbol(name) == nil {
			names = append(names, C.GoString(name))
		}
	}
	for _, other := range others {
		name := C.CString(other)
		if C.mapsweep_cuda_symbol(name) == nil {
			names = append(names, other)
		}
		C.free(unsafe.Pointer(name))
	}
	return names
}

// initError puts the commoner results of cuInit into words that say what to do.
func initError(code int) string {
	words := map[int]string{
		34:  "the library found is a stub for linking, not a driver",                                   // CUDA_ERROR_STUB_LIBRARY
		46:  "the device is in use or in a bad state",                                                  // CUDA_ERROR_DEVICE_UNAVAILABLE
		100: "it sees no device",                                                                       // CUDA_ERROR_NO_DEVICE
		101: "the device number is wrong",                                                              // CUDA_ERROR_INVALID_DEVICE
		802: "the system is not ready yet (on machines with NVSwitch: is the fabric manager running?)", // CUDA_ERROR_SYSTEM_NOT_READY
		803: "kernel module and driver library are of different versions; reboot after an update",      // CUDA_ERROR_SYSTEM_DRIVER_MISMATCH
		804: "compatibility mode is not supported on this device",                                      // CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE
		999: "unknown error; is the kernel module loaded, and are /dev/nvidia* there?",                 // CUDA_ERROR_UNKNOWN
	}
	if w, ok := words[code]; ok {
		return fmt.Sprintf("%s (error %d)", w, code)
	}
	return fmt.Sprintf("error %d", code)
}

func visible() string {
	if v, ok := os.LookupEnv("CUDA_VISIBLE_DEVICES"); ok {
		return fmt.Sprintf(" (CUDA_VISIBLE_DEVICES is %q)", v)
	}
	return ""
}

func list() ([]Device, error) {
	n, err := cu.NumDevices()
	if err != nil {
		return nil, fmt.Errorf("count CUDA devices: %w", err)
	}
	version := cu.Version() // 1000*major + 10*minor
	devices := make([]Device, n)
	for i := range devices {
		d := cu.Device(i)
		name, err := d.Name()
		if err != nil {
			return nil, fmt.Errorf("read name of CUDA device %d: %w", i, err)
		}
		memory, err := d.TotalMem()
		if err != nil {
			return nil, fmt.Errorf("read memory of CUDA device %d: %w", i, err)
		}
		major, minor, err := d.ComputeCapability()
		if err != nil {
			return nil, fmt.Errorf("read compute capability of CUDA device %d: %w", i, err)
		}
		uuid := ""
		if id, err := d.UUID(); err == nil { // what nothing but a look at several lists of devices needs
			uuid = "GPU-" + id.String()
		}
		devices[i] = Device{
			UUID:  uuid,
			Index: i, Name: name, MemoryBytes: memory,
			Capability: fmt.Sprintf("%d.%d", major, minor),
			Driver:     fmt.Sprintf("%d.%d", version/1000, version%1000/10),
		}
	}
	return devices, nil
}
