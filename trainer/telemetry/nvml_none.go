//go:build !linux || !cgo

package telemetry

import (
	"fmt"
	"runtime"
)

func driverGPUs() ([]GPU, error) {
	return nil, fmt.Errorf("%w: this binary was built for %s/%s without NVML, which needs Linux and cgo", ErrNone, runtime.GOOS, runtime.GOARCH)
}
