//go:build linux && cgo && (amd64 || arm64)

package cuda_test

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gorgonia.org/cu"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// report is what a child process, in which the driver of the test's choice was loaded at start, found.
type report struct {
	Devices []cuda.Device
	None    bool
	Error   string
	Why     string
	MemInfo string // of a driver function that the stand-in lacks
	Missing []string
	Run     string // what launchAll returned

	Dependent bool // cuda.Dependent of a GPU of capability 9.0
}

func TestMain(m *testing.M) {
	if os.Getenv("MAPSWEEP_CUDA_CHILD") != "1" {
		os.Exit(m.Run())
	}
	var r report
	var err error
	r.Devices, err = cuda.Devices()
	r.None, r.Why = errors.Is(err, cuda.ErrNone), cuda.Why()
	if err != nil {
		r.Error = err.Error()
	}
	if _, _, err := cu.MemInfo(); err != nil {
		r.MemInfo = err.Error()
	}
	r.Missing = cuda.Missing("cuGraphLaunch")
	r.Dependent = cuda.Dependent(90)
	if wanted := os.Getenv("MAPSWEEP_CUDA_LAUNCH"); wanted != "" {
		if err := launchAll(wanted); err != nil {
			r.Run = err.Error()
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
		os.Exit(1)
	}
}

// child runs this binary again with the given driver library's folder and environment.
func child(t *testing.T, folder string, env ...string) report {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	for _, e := range os.Environ() {
		switch name, _, _ := strings.Cut(e, "="); name {
		case "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_MAX_CONNECTIONS", "MAPSWEEP_CUDA_DRIVER": // of other tests, too
		default:
			cmd.Env = append(cmd.Env, e)
		}
	}
	cmd.Env = append(cmd.Env, "MAPSWEEP_CUDA_CHILD=1", "LD_LIBRARY_PATH="+folder)
	cmd.Env = append(cmd.Env, env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("child: %v\n%s%s", err, out, stderr.String())
	}
	var r report
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("child said %q: %v", out, err)
	}
	return r
}

func fakeDriver(t *testing.T) string {
	t.Helper()
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("no gcc to build the stand-in driver")
	}
	folder := t.TempDir()
	if out, err := exec.Command(gcc, "-shared", "-fPIC", "-o", filepath.Join(folder, "libcuda.so.1"), "testdata/driver.c").CombinedOutput(); err != nil {
		t.Fatalf("build stand-in driver: %v\n%s", err, out)
	}
	return folder
}

func TestDevices(t *testing.T) {
	folder := fakeDriver(t)
	r := child(t, folder, "FAKE_CUDA_COUNT=2")
	want := []cuda.Device{
		{Index: 0, Name: "Paper GPU 0", MemoryBytes: 1 << 33, Capability: "9.0", Driver: "12.8"},
		{Index: 1, Name: "Paper GPU 1", MemoryBytes: 1 << 34, Capability: "9.1", Driver: "12.8"},
	}
	if len(r.Devices) != 2 || r.Devices[0] != want[0] || r.Devices[1] != want[1] || r.Error != "" || r.Why != "" {
		t.Errorf("found %+v, want %+v", r, want)
	}
	if !strings.Contains(r.MemInfo, "NotSupported") {
		t.Errorf("a function that the driver lacks returned %q", r.MemInfo)
	}
}

func TestNoDevice(t *testing.T) {
	folder := fakeDriver(t)
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, "libcuda.so.1"), []byte("not a library"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, folder string
		env          []string
		words        []string
	}{
		{"none counted", folder, []string{"FAKE_CUDA_COUNT=0"}, []string{"has no device"}},
		{"hidden", folder, []string{"FAKE_CUDA_INIT=100", "CUDA_VISIBLE_DEVICES=-1"}, []string{"sees no device", `CUDA_VISIBLE_DEVICES is "-1"`}},
		{"mismatch", folder, []string{"FAKE_CUDA_INIT=803"}, []string{"different versions", "803"}},
		{"unnamed error", folder, []string{"FAKE_CUDA_INIT=7"}, []string{"error 7"}},
		{"broken library", broken, nil, []string{"no NVIDIA driver", "libcuda.so.1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := child(t, c.folder, c.env...)
			if !r.None || r.Devices != nil || r.Why == "" {
				t.Fatalf("found %+v", r)
			}
			for _, w := range append(c.words, r.Why, "no CUDA device") {
				if !strings.Contains(r.Error, w) {
					t.Errorf("error %q does not say %q", r.Error, w)
				}
			}
		})
	}
}

func TestNoDriver(t *testing.T) {
	r := child(t, t.TempDir())
	if r.None && !strings.Contains(r.Why, "no NVIDIA driver") || len(r.Devices) > 0 {
		t.Skip("this machine has an NVIDIA driver")
	}
	if !r.None || !strings.Contains(r.Error, "libcuda.so.1: cannot open shared object file") || !strings.Contains(r.MemInfo, "NoDevice") {
		t.Errorf("found %+v", r)
	}
}

// A binary that needed libcuda would not start without a driver; one that exported cu* would capture the driver's own calls.
func TestBinaryIsFreeOfTheDriver(t *testing.T) {
	f, err := elf.Open(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	libraries, err := f.ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range libraries {
		if strings.Contains(l, "cuda") {
			t.Errorf("the binary needs %s to start", l)
		}
	}
	symbols, err := f.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range symbols {
		if strings.HasPrefix(s.Name, "cu") {
			t.Errorf("the binary shows %s to the dynamic linker", s.Name)
		}
	}
}

// cu is compiled against the copy beside it.
func TestVendoredHeader(t *testing.T) {
	ours, err := os.ReadFile("include/cuda.h")
	if err != nil {
		t.Fatal(err)
	}
	copied, err := os.ReadFile("../../../vendor/gorgonia.org/cu/cuda.h")
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("no vendor folder")
	}
	if err != nil || !bytes.Equal(ours, copied) {
		t.Errorf("vendor/gorgonia.org/cu/cuda.h is not include/cuda.h (%v); run .ci/vendor.sh", err)
	}
}
