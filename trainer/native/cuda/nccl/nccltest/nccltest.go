// Package nccltest builds a stand-in for NCCL, for tests over emulated GPUs: its ranks are threads of one process, and its sums go
// into the emulated driver's streams. Environment variables change what it says of itself; see the head of testdata/nccl.c.
package nccltest

import (
	_ "embed" // source
	"errors"
	"os/exec"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda/emulator"
)

//go:embed testdata/nccl.c
var source []byte

// Build makes the stand-in, once for the same compiler's flags, and returns its path, which MAPSWEEP_NCCL may name. The error
// wraps exec.ErrNotFound where there is no C compiler.
func Build(flags ...string) (string, error) { return emulator.StandIn("libnccl", source, flags...) }

// Use has nccl.Open find the stand-in. The test is skipped where there is no C compiler.
func Use(t testing.TB, flags ...string) {
	t.Helper()
	path, err := Build(flags...)
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip("no gcc to build the stand-in for NCCL")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("MAPSWEEP_NCCL", path)
}
