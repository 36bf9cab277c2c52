// Package cudnntest builds a stand-in for cuDNN, for tests over the emulated GPU: plain loops in C that are strict about their
// arguments and put their work into the emulated driver's streams. Environment variables change what it says of itself; see the
// head of testdata/cudnn.c.
package cudnntest

import (
	_ "embed" // source
	"errors"
	"os/exec"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda/emulator"
)

//go:embed testdata/cudnn.c
var source []byte

// Use has cudnn.Open find the stand-in, and returns its path. It is built once for the same compiler's flags. The test is skipped
// where there is no C compiler.
func Use(t testing.TB, flags ...string) string {
	t.Helper()
	path, err := emulator.StandIn("libcudnn", source, flags...)
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip("no gcc to build the stand-in for cuDNN")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("MAPSWEEP_CUDNN", path)
	return path
}
