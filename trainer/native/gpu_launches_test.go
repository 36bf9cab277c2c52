package native_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native"
)

// TestStepLaunches holds the number of launches of a captured step, which is what bounds steps on small pictures: whoever
// needs more raises the limit here, and says why. It prints them by family with -v (docs/CUDA.md has the table).
func TestStepLaunches(t *testing.T) {
	for _, c := range []struct {
		network string
		most    int
	}{{"gelan-t", 1259}, {"yolov9-t", 1259}} {
		for _, bf16 := range []bool{false, true} {
			launches, err := native.StepLaunches(native.StepConfig{Network: c.network, Size: 128, Batch: 16, BF16: bf16})
			if err != nil {
				t.Fatal(err)
			}
			families := map[string]int{}
			for _, l := range launches {
				families[launchFamily(l.Kernel)]++
			}
			if len(launches) > c.most {
				t.Errorf("a step of %s (bf16: %v) is %d launches, more than %d", c.network, bf16, len(launches), c.most)
			}
			var table strings.Builder
			for _, name := range slices.SortedFunc(maps.Keys(families), func(a, b string) int { return families[b] - families[a] }) {
				fmt.Fprintf(&table, "%5d %s\n", families[name], name)
			}
			t.Logf("%s, 128 pixels, 16 pictures, bf16: %v: %d launches\n%s", c.network, bf16, len(launches), &table)
		}
	}
}

// launchFamily is a kernel's name without the shape of its tiles and the type of its activations.
func launchFamily(name string) string {
	var parts []string
	for _, p := range strings.Split(name, "_") {
		if p != "f32" && p != "bf16" && !strings.ContainsAny(p[:1], "0123456789") {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, "_")
}

// TestOtherSizesFit: a run of several sizes of pictures reserves 8 MiB beside what the largest takes (need_gpu.go).
func TestOtherSizesFit(t *testing.T) {
	for _, c := range []native.StepConfig{
		{Network: "gelan-n", Size: 128, Batch: 8, BF16: true},
		{Network: "gelan-n", Size: 256, Batch: 2, BF16: true},
		{Network: "gelan-n", Size: 128, Batch: 8},
	} {
		bytes, err := native.OtherSizes(c)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%+v: %d KiB", c, bytes>>10)
		if bytes > 8<<20 {
			t.Errorf("%+v: other sizes take %d bytes", c, bytes)
		}
	}
}
