//go:build linux && cgo && (amd64 || arm64)

package cuda_test

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// The functions that extend.c and dependent.c call beside those of cu.
func extended(t *testing.T) (names []string) {
	t.Helper()
	for _, file := range []string{"extend.c", "dependent.c"} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`"(cu[A-Z]\w+)"`).FindAllStringSubmatch(string(source), -1) {
			names = append(names, m[1])
		}
	}
	if len(names) < 10 {
		t.Fatalf("found only %q", names)
	}
	return names
}

// The stand-in has a few of the functions; what it lacks is named.
func TestMissing(t *testing.T) {
	missing := child(t, fakeDriver(t)).Missing
	if slices.Contains(missing, "cuDeviceGetName") || !slices.Contains(missing, "cuMemGetInfo_v2") || !slices.Contains(missing, "cuGraphLaunch") {
		t.Errorf("missing are %q", missing)
	}
}

// A GPU's driver has them all. With MAPSWEEP_TEST_GPU=1 only.
func TestDriverLacksNothingGPU(t *testing.T) {
	if os.Getenv("MAPSWEEP_TEST_GPU") != "1" {
		t.Skip("MAPSWEEP_TEST_GPU is not 1")
	}
	devices, err := cuda.Devices()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("devices: %+v", devices)
	if missing := cuda.Missing(extended(t)...); len(missing) > 0 {
		t.Errorf("the driver lacks %q", missing)
	}
}
