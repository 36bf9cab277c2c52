//go:build linux && cgo && (amd64 || arm64)

package cuda_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// launchAll opens the driver's first device and launches kernels, in a child process: words NAME:SHARED, where shared is the dynamic
// shared memory in bytes; a word with ? in front is only made ready.
func launchAll(words string) (err error) {
	g, err := cuda.Open(0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	m, err := g.Load([]byte("image"))
	if err != nil {
		return err
	}
	s, err := g.NewStream()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	for _, word := range strings.Fields(words) {
		name, only := strings.CutPrefix(word, "?")
		name, number, _ := strings.Cut(name, ":")
		l := cuda.Launch{Kernel: name}
		if _, err := fmt.Sscan(number, &l.Shared); err != nil {
			return err
		}
		if only {
			err = m.Ready(l)
		} else {
			err = m.Run(s, l)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", word, err)
		}
	}
	return nil
}

// The driver allows a block 48 KiB of shared memory, those that the kernel declares counted in, unless it is asked for more
// first. What was asked for by one launch must not be taken back by another.
func TestSharedMemory(t *testing.T) {
	folder := fakeDriver(t)
	for _, c := range []struct{ launches, want string }{
		{"kernel:0 kernel:1024", ""},
		{"kernel:48384", ""}, // below 48 KiB, and above with the kernel's 3712
		{"kernel:87040 kernel:48384 kernel:87040", ""},
		{"kernel:87040 ?kernel:1024 kernel:87040", ""},
		{"?kernel:228736 kernel:228736", ""}, // 227 KiB with the kernel's
		{"kernel:228737", "kernel:228737: launch kernel kernel: CUDA error InvalidValue"},
		{"?other:0", "?other:0: launch kernel other: CUDA error NotFound"},
	} {
		r := child(t, folder, "FAKE_CUDA_COUNT=1", "MAPSWEEP_CUDA_LAUNCH="+c.launches)
		if r.Error != "" || r.Run != c.want {
			t.Errorf("%q: %q, want %q; devices: %q", c.launches, r.Run, c.want, r.Error)
		}
	}
}

// Kernels that the device or the driver cannot run are told apart from other failures.
func TestUnfit(t *testing.T) {
	folder := fakeDriver(t)
	for code, unfit := range map[int]bool{200: true, 209: true, 218: true, 221: true, 222: true, 304: false} {
		for _, step := range []string{"LOAD", "FUNCTION"} {
			r := child(t, folder, "FAKE_CUDA_COUNT=1", "MAPSWEEP_CUDA_LAUNCH=kernel:0", fmt.Sprintf("FAKE_CUDA_%s=%d", step, code))
			if !strings.HasPrefix(r.Run, "load kernels: ") || strings.Contains(r.Run, "compute capability 8.0 and later and a driver of CUDA 13") != unfit {
				t.Errorf("result %d of loading: %q", code, r.Run)
			}
		}
	}
}

// The driver makes as many queues as it can, or as the environment says.
func TestQueues(t *testing.T) {
	folder := fakeDriver(t)
	for _, env := range [][]string{{"FAKE_CUDA_QUEUES=32"}, {"FAKE_CUDA_QUEUES=4", "CUDA_DEVICE_MAX_CONNECTIONS=4"}} {
		if r := child(t, folder, env...); r.Error != "" {
			t.Errorf("%q: %s", env, r.Error)
		}
	}
}

// A driver without the functions for it starts kernels plainly, also where the other way is asked for.
func TestTooOldToDepend(t *testing.T) {
	r := child(t, fakeDriver(t), "FAKE_CUDA_COUNT=1", "MAPSWEEP_PDL=1", "MAPSWEEP_CUDA_LAUNCH=kernel:0 kernel:0")
	if r.Error != "" || r.Run != "" || r.Dependent {
		t.Errorf("dependent: %v, launches: %q, devices: %q", r.Dependent, r.Run, r.Error)
	}
}
