//go:build integration || peers

package parity_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// python skips the test without an interpreter, and returns a command that runs a script of testdata/torch.
func python(t testing.TB, script string, args ...string) *exec.Cmd {
	t.Helper()
	interpreter := os.Getenv("MAPSWEEP_TORCH_PYTHON")
	if interpreter == "" {
		t.Skip(`needs PyTorch: eval "$(.ci/torch.sh)" sets MAPSWEEP_TORCH_PYTHON`)
	}
	c := exec.Command(interpreter, append([]string{filepath.Join("testdata", "torch", script)}, args...)...)
	c.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	return c
}
