package emulator

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// StandIn builds a library that plays another one beside the emulated driver, or finds the one that was made of the same source
// and flags before, and returns its path. The error wraps exec.ErrNotFound where there is no C compiler.
func StandIn(name string, source []byte, flags ...string) (string, error) {
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	args := append(flags, "-Wall", "-O3", "-shared", "-fPIC", "-pthread")
	sum := sha256.Sum256(append([]byte(gcc+" "+strings.Join(args, " ")+"\n"), source...))
	path := filepath.Join(cache, "mapsweep", "emulator", fmt.Sprintf("%s-%.8x.so", name, sum))
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
	cmd := exec.Command(gcc, append(args, "-o", f.Name(), "-x", "c", "-", "-ldl")...)
	cmd.Stdin = bytes.NewReader(source)
	out, err := cmd.CombinedOutput()
	if err := errors.Join(err, f.Close()); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", name, err, out)
	}
	return path, os.Rename(f.Name(), path)
}
