//go:build linux && cgo

package telemetry_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/telemetry"
)

// driver is a library that answers as NVML does, with a device that fell off the bus.
const driver = `
#include <string.h>
typedef unsigned int u; typedef unsigned long long q;
int nvmlInit_v2(void) { return RESULT; }
const char *nvmlErrorString(int r) { return r == 15 ? "GPU is lost" : "some error"; }
int nvmlDeviceGetCount_v2(u *n) { *n = 3; return 0; }
int nvmlDeviceGetHandleByIndex_v2(u i, void **d) { *d = (void *)(long)(i + 1); return i == 1 ? 15 : 0; }
int nvmlDeviceGetUUID(void *d, char *s, u n) { strncpy(s, (long)d == 1 ? "GPU-aaaa" : "GPU-cccc", n); return 0; }
int nvmlDeviceGetName(void *d, char *s, u n) { strncpy(s, "NVIDIA Test 24GB", n); return 0; }
int nvmlDeviceGetMemoryInfo(void *d, q *m) { m[0] = 24576ull << 20; m[1] = 20000ull << 20; m[2] = 4576ull << 20; return 0; }
int nvmlDeviceGetUtilizationRates(void *d, u *r) { r[0] = 37; r[1] = 5; return (long)d == 1 ? 0 : 3; }
struct p { u pid; q used; u gi, ci; };
int nvmlDeviceGetComputeRunningProcesses_v3(void *d, u *n, struct p *l) {
	if ((long)d == 3) { *n = 1000; return 7; }
	l[0].pid = 11; l[0].used = 300ull << 20; l[1].pid = 12; l[1].used = ~0ull; *n = 2; return 0;
}
`

// TestDriverChild prints what the driver of its process says; TestDriver starts it with one.
func TestDriverChild(t *testing.T) {
	if os.Getenv("NVML_CHILD") == "" {
		t.Skip("runs as a child of TestDriver only")
	}
	gpus, err := telemetry.GPUs()
	for _, g := range gpus {
		fmt.Printf("%s %s %v %d/%d %.2f %v\n", g.Device(), g.UUID, g.Name, g.FreeMiB, g.TotalMiB, g.Utilisation, g.Processes)
	}
	if err != nil {
		fmt.Printf("error %v, none %v\n", err, errors.Is(err, telemetry.ErrNone))
	}
}

func TestDriver(t *testing.T) {
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("no gcc to build a library that plays the driver")
	}
	for _, c := range []struct{ result, source, want string }{
		{"0", driver, "cuda:0 GPU-aaaa NVIDIA Test 24GB 20000/24576 0.37 [{11 300} {12 0}]\ncuda:2 GPU-cccc NVIDIA Test 24GB 20000/24576 NaN []\n"},
		{"9", driver, "error no GPU: the NVIDIA kernel module is not loaded, none true\n"},
		{"18", driver, "error no GPU: kernel module and library of the NVIDIA driver are of different versions; reboot after an update, none true\n"},
		{"999", driver, "error no GPU: the NVIDIA driver refused to start: some error (NVML error 999), none true\n"},
		{"0", strings.ReplaceAll(driver, "nvmlDeviceGetMemoryInfo", "other"), "error no GPU: the NVIDIA driver is too old for this program, none true\n"},
		{"0", strings.ReplaceAll(driver, "_v3", "_v2"), "cuda:0 GPU-aaaa NVIDIA Test 24GB 20000/24576 0.37 [{11 300} {12 0}]\ncuda:2 GPU-cccc NVIDIA Test 24GB 20000/24576 NaN []\n"},
		{"0", strings.ReplaceAll(driver, "_v3", "_v1"), "cuda:0 GPU-aaaa NVIDIA Test 24GB 20000/24576 0.37 []\ncuda:2 GPU-cccc NVIDIA Test 24GB 20000/24576 NaN []\n"},
		{"0", strings.ReplaceAll(driver, "*n = 3; return 0", "*n = 0; return 0"), "error no GPU: the NVIDIA driver has no device, none true\n"},
		{"0", "", "error no GPU: no NVIDIA driver: libnvidia-ml.so.1 is not there, none true\n"},
	} {
		dir := t.TempDir()
		if c.source != "" {
			source := filepath.Join(dir, "driver.c")
			if err := os.WriteFile(source, []byte(c.source), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command(gcc, "-shared", "-fPIC", "-DRESULT="+c.result, "-o", filepath.Join(dir, "libnvidia-ml.so.1"), source).CombinedOutput(); err != nil {
				t.Fatalf("build the library: %v\n%s", err, out)
			}
		} else if _, err := os.Stat("/dev/nvidiactl"); err == nil {
			continue // this machine has a driver of its own
		}
		cmd := exec.Command(os.Args[0], "-test.run=^TestDriverChild$")
		cmd.Env = append(os.Environ(), "NVML_CHILD=1", "LD_LIBRARY_PATH="+dir, telemetry.EnvFake+"=", "GORACE=atexit_sleep_ms=0")
		out, err := cmd.Output()
		if got, _, _ := strings.Cut(string(out), "PASS"); err != nil || got != c.want {
			t.Errorf("result %s: %v\n got %s\nwant %s", c.result, err, got, c.want)
		}
	}
}
