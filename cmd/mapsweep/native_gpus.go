package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep/local"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/telemetry"
)

// nativeGPUs are the GPUs that the native trainer can use: those that the driver gives to this process, as NVML lists
// them.
type nativeGPUs struct {
	listed telemetry.Source
	driver func() ([]cuda.Device, error)
}

// machineGPUs are those of this machine.
var machineGPUs = nativeGPUs{telemetry.GPUs, cuda.Devices}

// place is where trials of a study compute, or a command, by a setting that goes by the name key. GPUs are those of it that
// trials lease; none: the CPU.
func (n nativeGPUs) place(t studies.Trainer, key string) (native.Place, []telemetry.GPU, error) {
	if t.Device == "" || t.Device == native.CPU {
		return native.Place{}, nil, nil
	}
	leased, err := local.Select(n.source, t.Device, t.GPUs)
	if err != nil {
		return native.Place{}, nil, err
	}
	p := native.Place{Why: key + " is " + t.Device}
	if t.Device == "auto" {
		p.Why += ", and there is a GPU"
	}
	if len(leased) == 0 {
		_, err := n.source()
		if err == nil {
			err = errors.New("CUDA_VISIBLE_DEVICES leaves none")
		}
		p.Why = fmt.Sprintf("%s is %s, and there is no GPU to use: %v", key, t.Device, err)
		return p, nil, nil
	}
	devices, err := n.usable()
	if err != nil {
		return p, nil, err
	}
	for _, g := range leased {
		if i := find(devices, g); i >= 0 {
			p.GPUs = append(p.GPUs, native.GPU{Name: g.Device(), Device: devices[i]})
		}
	}
	return p, leased, nil
}

// source lists the usable GPUs with what NVML knows of them. Where there is no NVML they have the driver's numbers, and
// nobody knows who else uses them.
func (n nativeGPUs) source() ([]telemetry.GPU, error) {
	devices, err := n.usable()
	if err != nil {
		return nil, err
	}
	listed, err := n.listed()
	if errors.Is(err, telemetry.ErrNone) && os.Getenv(telemetry.EnvFake) == "" {
		if _, limited := os.LookupEnv("CUDA_VISIBLE_DEVICES"); limited {
			return nil, fmt.Errorf("%w: CUDA_VISIBLE_DEVICES is set, and its numbers say nothing without NVML: %w", telemetry.ErrNone, err)
		}
		return unlisted(devices), nil
	}
	if err != nil {
		return nil, err
	}
	gpus := slices.DeleteFunc(slices.Clone(listed), func(g telemetry.GPU) bool { return g.Fake || find(devices, g) < 0 })
	if len(gpus) == 0 {
		return nil, fmt.Errorf("%w: none of those that NVML lists is one that the CUDA driver gives to this process", telemetry.ErrNone)
	}
	for i := range gpus {
		ownLeftOut(&gpus[i], cuda.Held(devices[find(devices, gpus[i])].Index))
	}
	return gpus, nil
}

// ownLeftOut takes out of a GPU what this process holds there. Its trials are counted by their leases, and the rest it keeps
// for the next ones: none of it is another program's. Where the driver names no processes it is the bytes that are given.
func ownLeftOut(g *telemetry.GPU, held int64) {
	if len(g.Processes) == 0 {
		g.FreeMiB = min(g.FreeMiB+held>>20, g.TotalMiB)
	}
	g.Processes = slices.DeleteFunc(slices.Clone(g.Processes), func(p telemetry.Process) bool {
		if p.PID != os.Getpid() {
			return false
		}
		g.FreeMiB = min(g.FreeMiB+p.MiB, g.TotalMiB)
		return true
	})
}

// usable are the driver's devices that the kernels run on.
func (n nativeGPUs) usable() ([]cuda.Device, error) {
	devices, err := n.driver()
	if errors.Is(err, cuda.ErrNone) {
		return nil, fmt.Errorf("%w: %w", telemetry.ErrNone, err)
	}
	if err != nil {
		return nil, err
	}
	var old []string
	devices = slices.DeleteFunc(slices.Clone(devices), func(d cuda.Device) bool {
		if capable(d.Capability) {
			return false
		}
		old = append(old, fmt.Sprintf("%s has %s", d.Name, d.Capability))
		return true
	})
	if len(devices) == 0 {
		return nil, fmt.Errorf("%w: compute capability %s is needed, and %s", telemetry.ErrNone, native.LeastCapability, strings.Join(old, ", "))
	}
	return devices, nil
}

// capable compares a compute capability with the least.
func capable(text string) bool {
	is, err := strconv.ParseFloat(text, 64)
	least, _ := strconv.ParseFloat(native.LeastCapability, 64)
	return err == nil && is >= least
}

// find is the place of a listed GPU among the driver's devices, -1 if it is not there. A driver that tells no UUIDs counts as
// NVML does.
func find(devices []cuda.Device, g telemetry.GPU) int {
	return slices.IndexFunc(devices, func(d cuda.Device) bool {
		if d.UUID == "" {
			return d.Index == g.Index
		}
		return d.UUID == g.UUID
	})
}

func unlisted(devices []cuda.Device) []telemetry.GPU {
	var gpus []telemetry.GPU
	for _, d := range devices {
		uuid := d.UUID
		if uuid == "" {
			uuid = fmt.Sprintf("cuda-%d", d.Index)
		}
		mib := d.MemoryBytes >> 20
		gpus = append(gpus, telemetry.GPU{Index: d.Index, UUID: uuid, Name: d.Name, TotalMiB: mib, FreeMiB: mib, Utilisation: math.NaN()})
	}
	return gpus
}
