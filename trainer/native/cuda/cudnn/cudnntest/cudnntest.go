// Package cudnntest builds a stand-in for cuDNN, for tests over the emulated GPU: plain loops in C that are strict about their
// arguments and put their work into the emulated driver's streams. Environment variables change what it says of itself; see the
// head of testdata/cudnn.c.
package cudnntest

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // source
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

//go:embed testdata/cudnn.c
var source []byte

// Use has cudnn.Open find the stand-in, and returns its path. It is built once for the same compiler's flags. The test is skipped
// where there is no C compiler.
func Use(t testing.TB, flags ...string) string {
	t.Helper()
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("no gcc to build the stand-in for cuDNN")
	}
	path, err := build(gcc, flags)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("MAPSWEEP_CUDNN", path)
	return path
}

func build(gcc string, flags []string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	sum := sha256.Sum256(append([]byte(gcc+" "+strings.Join(flags, " ")+"\n"), source...))
	path := filepath.Join(cache, "mapsweep", "emulator", fmt.Sprintf("libcudnn-%.8x.so", sum))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "building-*")
	if err != nil {
		return "", err
	}
	defer os.Remove(f.Name())
	if err := f.Close(); err != nil {
		return "", err
	}
	cmd := exec.Command(gcc, append(flags, "-Wall", "-O2", "-shared", "-fPIC", "-o", f.Name(), "-x", "c", "-", "-ldl")...)
	cmd.Stdin = bytes.NewReader(source)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the stand-in for cuDNN: %w\n%s", err, out)
	}
	return path, os.Rename(f.Name(), path)
}
