package telemetry

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ErrNone is what the error of GPUs wraps where there is no GPU to be had; the error says why.
var ErrNone = errors.New("no GPU")

// GPU is one device as the driver sees it now.
type GPU struct {
	Index       int    // the driver's number, as nvidia-smi shows it; trials know it as cuda:<index>
	UUID        string // names the device over restarts
	Name        string // such as "NVIDIA A100-SXM4-40GB"
	TotalMiB    int64
	FreeMiB     int64
	Utilisation float64 // 0 to 1 over the driver's last moment; NaN: not known
	Processes   []Process
	Fake        bool // it does not exist, see MAPSWEEP_FAKE_GPUS
}

// Process is a program that computes on a GPU. In a container the driver often does not name any.
type Process struct {
	PID int
	MiB int64 // 0: not known
}

// Device is the GPU's name in study files and jobs: cuda:0.
func (g GPU) Device() string { return "cuda:" + strconv.Itoa(g.Index) }

// UsedMiB is the memory that is taken, by whomever.
func (g GPU) UsedMiB() int64 { return g.TotalMiB - g.FreeMiB }

// String describes the device for people: "cuda:0 NVIDIA A100 (40960 MiB)", and says so if it is fake.
func (g GPU) String() string {
	text := fmt.Sprintf("%s %s (%d MiB)", g.Device(), g.Name, g.TotalMiB)
	if g.Fake {
		text += " [FAKE: no such device]"
	}
	return text
}

// Source lists the devices of this machine; GPUs is the usual one, tests have others.
type Source func() ([]GPU, error)

// GPUs lists the devices by index: those of MAPSWEEP_FAKE_GPUS if that is set, else those of the NVIDIA driver.
// The error wraps ErrNone where there are none, and is another where MAPSWEEP_FAKE_GPUS makes no sense.
func GPUs() ([]GPU, error) {
	if text, fake := fakeSetting(); fake {
		return fakeGPUs(text)
	}
	return driverGPUs()
}

// unknown is the value of a utilisation that nobody measured.
func unknown() float64 { return math.NaN() }

// index reads the number of a device name: cuda:2 is 2.
func index(device string) (int, bool) {
	text, ok := strings.CutPrefix(device, "cuda:")
	n, err := strconv.Atoi(text)
	return n, ok && err == nil && n >= 0
}
