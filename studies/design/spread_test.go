package design_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/trials"
)

// Without scrambling the points are those of scipy.stats.qmc.Sobol, in all 21 dimensions.
func TestSobolOfScipy(t *testing.T) {
	want := references(t).Sobol
	for i, p := range design.SobolBits(64, studies.MostDimensions) {
		for j, x := range p {
			if x>>2 != want[i][j] || x&3 != 0 { // scipy's are of 30 digits
				t.Fatalf("point %d, dimension %d: %d, scipy %d", i, j, x, want[i][j])
			}
		}
	}
}

// Scrambled points keep what makes the sequence even: each of the first 2^m points has an interval of length 2^-m to
// itself in every dimension, and in dimensions 1 and 2 each box of that area has one. They depend on the seed.
func TestScrambledSobol(t *testing.T) {
	const m, d = 6, 21
	n := 1 << m
	for seed := range int64(4) {
		points := design.Scrambled(n, d, seed)
		for j := range d {
			if got := strata(points, j, n); got != n {
				t.Errorf("seed %d, dimension %d: %d of %d intervals have a point", seed, j, got, n)
			}
		}
		for a := 0; a <= m; a++ {
			boxes := map[[2]int]bool{}
			for _, p := range points {
				boxes[[2]int{int(p[0] * float64(int(1)<<a)), int(p[1] * float64(int(1)<<(m-a)))}] = true
			}
			if len(boxes) != n {
				t.Errorf("seed %d: %d of %d boxes of %d by %d have a point", seed, len(boxes), n, 1<<a, 1<<(m-a))
			}
		}
		if !cmp.Equal(points[:20], design.Scrambled(20, d, seed)) {
			t.Errorf("seed %d: fewer points are others", seed)
		}
	}
	if cmp.Equal(design.Scrambled(4, 2, 1), design.Scrambled(4, 2, 2)) {
		t.Error("two seeds give the same points")
	}
	mean := 0.0 // of 2,000 first points: each is uniform, with a standard error of 0.29/sqrt(2000) = 0.0065
	for seed := range int64(2000) {
		mean += design.Scrambled(1, 3, seed)[0][2] / 2000
	}
	if math.Abs(mean-0.5) > 0.026 {
		t.Errorf("the first point has mean %v over seeds", mean)
	}
}

// strata counts the equal intervals of a dimension that have a point.
func strata(points [][]float64, j, n int) int {
	seen := map[int]bool{}
	for _, p := range points {
		seen[int(p[j]*float64(n))] = true
	}
	return len(seen)
}

func TestLatinHypercube(t *testing.T) {
	for _, c := range []struct{ n, d int }{{1, 1}, {2, 3}, {7, 2}, {30, 8}, {200, 12}, {3000, 2}} {
		points := design.Latin(c.n, c.d, 3)
		if len(points) != c.n {
			t.Fatalf("%d points", len(points))
		}
		for j := range c.d {
			if got := strata(points, j, c.n); got != c.n {
				t.Errorf("%d x %d: %d strata of dimension %d have a point", c.n, c.d, got, j)
			}
		}
		if !cmp.Equal(points, design.Latin(c.n, c.d, 3)) || cmp.Equal(points, design.Latin(c.n, c.d, 4)) {
			t.Errorf("%d x %d: the seed does not decide", c.n, c.d)
		}
	}
	// Of many draws the best is farther from itself than single draws are on average.
	closest := func(points [][]float64) float64 {
		least := math.Inf(1)
		for i, p := range points {
			for _, q := range points[:i] {
				least = min(least, math.Hypot(p[0]-q[0], p[1]-q[1]))
			}
		}
		return least
	}
	if got := closest(design.Latin(20, 2, 1)); got < 0.08 { // a random one has 0.045 on average
		t.Errorf("closest points are %v apart", got)
	}
}

const ranges = head + `baseline: {mosaic: 1, z: 3, lr: 0.01}
factors:
  lr: {low: 0.0001, high: 0.1, log: true}
  momentum: {low: 0.6, high: 0.98}
  warmup: {low: 0, high: 5, int: true}
  size: {low: 64, high: 256, step: 64, int: true}
  gain: {low: 0.5, high: 2, step: 0.5}
  depth: {low: 1, high: 32, int: true, log: true}
  mosaic: [1, 0]
  mixup: {low: 0, high: 0.5, requires: {mosaic: 1}}
  opt: [sgd, adam, adamw]
`

// Values lie in their ranges, on their steps, and level by level as often as can be; mixup is not set without mosaic.
func TestSpreadValues(t *testing.T) {
	for _, kind := range []string{"latin-hypercube", "sobol"} {
		p := points(t, ranges+"design: {kind: "+kind+", runs: 48}\nseed: 7\n")
		if p.Reference != "" || p.Resolution != "" || p.Words() != nil || len(p.Points) != 48 {
			t.Errorf("%s: %q %q %v, %d points", kind, p.Reference, p.Resolution, p.Words(), len(p.Points))
		}
		spec, err := studies.Parse([]byte(ranges+"design: {kind: "+kind+", runs: 48}\n"), studies.Options{})
		if err != nil {
			t.Fatal(err)
		}
		counts := map[string]int{}
		for _, q := range p.Points {
			for _, dim := range spec.Space() {
				v, has := q.Params[dim.Name]
				if !has {
					if dim.Name != "mixup" || q.Params["mosaic"] == int64(1) {
						t.Errorf("%s: %s has no %s", kind, q.Key, dim.Name)
					}
					continue
				}
				if dim.Name == "mixup" && q.Params["mosaic"] == int64(0) {
					t.Errorf("%s: %s has mixup", kind, q.Key)
				}
				if !dim.Contains(v) {
					t.Errorf("%s: %s=%v is out of range", kind, dim.Name, v)
				}
				counts[dim.Name+"="+trials.FormatValue(v)]++
			}
			if q.Params["z"] != int64(3) {
				t.Errorf("%s: z is %v", kind, q.Params["z"])
			}
		}
		for name, want := range map[string][2]int{"mosaic=0": {24, 24}, "opt=adam": {15, 17}, "opt=sgd": {15, 17}, "warmup=5": {7, 9}, "warmup=0": {7, 9}, "size=256": {11, 13}, "gain=1.5": {11, 13}, "depth=1": {10, 14}} {
			if kind == "sobol" { // 48 is no power of 2
				want[0], want[1] = want[0]-2, want[1]+2
			}
			if n := counts[name]; n < want[0] || n > want[1] {
				t.Errorf("%s: %s %d times, want %v", kind, name, n, want)
			}
		}
		below := 0
		for _, q := range p.Points {
			if q.Params["lr"].(float64) < 0.00316 { // the middle of the logarithmic range
				below++
			}
		}
		if below < 23 || below > 25 {
			t.Errorf("%s: %d of 48 learning rates in the lower half of the logarithmic range", kind, below)
		}
		if !strings.HasPrefix(p.Arms[0].Name, "lr=") || !strings.Contains(p.Arms[0].Name, " opt=") {
			t.Errorf("%s: arm %q", kind, p.Arms[0].Name)
		}
		if got := design.NameOf(spec, p.Arms[0].Params); got != p.Arms[0].Name {
			t.Errorf("%s: %q is called %q", kind, p.Arms[0].Name, got)
		}
	}
}

// Points over few levels come several times: they are replicates, as many as there are points.
func TestSpreadOverLevels(t *testing.T) {
	p := points(t, head+"factors: {a: [1, 2], b: [x, y, z]}\ndesign: {kind: latin-hypercube, runs: 24}\n")
	n := 0
	for _, a := range p.Arms {
		n += max(1, a.Times)
	}
	if len(p.Arms) > 6 || n != 24 || len(p.Points) != 24 {
		t.Errorf("%d arms, %d times, %d points", len(p.Arms), n, len(p.Points))
	}
	if !strings.Contains(strings.Join(p.Notes, "\n"), "of 24 runs train what another one trains") {
		t.Error(p.Notes)
	}
}

// More points of a Sobol study leave those that there are, and the study goes on; a Latin hypercube begins anew.
func TestMorePoints(t *testing.T) {
	for _, kind := range []string{"latin-hypercube", "sobol"} {
		small := points(t, ranges+"design: {kind: "+kind+", runs: 16}\n")
		large := points(t, ranges+"design: {kind: "+kind+", runs: 32}\n")
		keys := map[string]bool{}
		for _, q := range large.Points {
			keys[q.Key] = true
		}
		kept := !slices.ContainsFunc(small.Points, func(q design.Point) bool { return !keys[q.Key] })
		if kept != (kind == "sobol") {
			t.Errorf("%s: points are kept: %v", kind, kept)
		}
		var specs []studies.Spec
		for _, n := range []int{16, 32} {
			s, err := studies.Parse(fmt.Appendf(nil, "%sdesign: {kind: %s, runs: %d}\n", ranges, kind, n), studies.Options{})
			if err != nil {
				t.Fatal(err)
			}
			specs = append(specs, s)
		}
		if extends, _ := studies.Diff(specs[0], specs[1]); extends != kept {
			t.Errorf("%s: the study goes on: %v", kind, extends)
		}
	}
}
