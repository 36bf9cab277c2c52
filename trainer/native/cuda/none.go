//go:build !(linux && cgo && (amd64 || arm64))

package cuda

import (
	"fmt"
	"runtime"
)

// Why says in words why there is no device: in this build there never is one.
func Why() string {
	return fmt.Sprintf("this binary was built for %s/%s without a CUDA driver interface, which needs cgo and Linux on amd64 or arm64", runtime.GOOS, runtime.GOARCH)
}

// Missing names no function: in this build there is no driver to have any.
func Missing(...string) []string { return nil }

func list() ([]Device, error) { return nil, ErrNone }
