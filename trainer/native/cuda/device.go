package cuda

import (
	"errors"
	"fmt"
)

// ErrNone is what Devices' error wraps where there is no usable device.
var ErrNone = errors.New("no CUDA device")

// Device is one GPU as the driver describes it.
type Device struct {
	Index       int    // the driver's number, from 0; CUDA_VISIBLE_DEVICES changes what is counted
	Name        string // such as "NVIDIA H100 80GB HBM3"
	MemoryBytes int64  // all of its memory
	Capability  string // compute capability, such as "9.0"
	Driver      string // CUDA version of the driver, such as "13.0"
	UUID        string // as nvidia-smi shows it, "GPU-..."; "" where the driver does not tell
}

// Devices lists the GPUs. Where there is none the error wraps ErrNone and says why.
func Devices() ([]Device, error) {
	if why := Why(); why != "" {
		return nil, fmt.Errorf("%w: %s", ErrNone, why)
	}
	return list()
}
