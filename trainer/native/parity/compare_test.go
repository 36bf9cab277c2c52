//go:build integration

package parity_test

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// difference is the largest |got-want| of a tensor, absolute and in units of the largest |want|, and the same between
// PyTorch's float32 and its float64, which is what rounding alone does.
type difference struct {
	name                    string
	most, relative, torch32 float64
}

// comparison collects the differences of one kind of tensor: outputs, gradients ...
type comparison struct {
	f     *fixture
	what  string
	least float64 // tensors whose largest value is below are measured against it
	all   []difference
}

// add compares values with the tensor of that name that PyTorch computed in float64.
func (c *comparison) add(t *testing.T, name string, got []float32) {
	t.Helper()
	want, other := c.f.values(t, "64/"+name), c.f.values(t, "32/"+name)
	if len(got) != len(want) {
		t.Fatalf("%s has %d values, in PyTorch %d", name, len(got), len(want))
	}
	d := difference{name: name}
	largest := c.least
	for i, w := range want {
		largest = math.Max(largest, math.Abs(float64(w)))
		d.most = math.Max(d.most, math.Abs(float64(got[i]-w)))
		d.torch32 = math.Max(d.torch32, math.Abs(float64(other[i]-w)))
		if math.IsNaN(float64(got[i])) {
			d.most = math.Inf(1)
		}
	}
	largest = math.Max(largest, 1e-30)
	d.relative, d.torch32 = d.most/largest, d.torch32/largest
	c.all = append(c.all, d)
}

// judge prints the worst tensor, and the median over tensors of our difference in units of that of PyTorch's own float32. It fails
// if a tensor is further from float64 than the given number, or than four times what PyTorch's is in the worst tensor of the kind.
func (c *comparison) judge(t *testing.T, limit float64) {
	t.Helper()
	if len(c.all) == 0 {
		t.Fatalf("no %s were compared", c.what)
	}
	var worst difference
	own := 0.0
	var ratios []float64
	for _, d := range c.all {
		if d.torch32 > 0 {
			ratios = append(ratios, d.relative/d.torch32)
		}
		if d.relative >= worst.relative {
			worst = d
		}
		own = math.Max(own, d.torch32)
	}
	limit = math.Max(limit, 4*own)
	t.Logf("%-12s %4d tensors   max |diff| %.1e   relative %.1e (%s)   PyTorch's float32 %.1e   median of PyTorch's %.1f",
		c.what, len(c.all), worst.most, worst.relative, worst.name, own, middle(ratios))
	for _, d := range c.all {
		if !(d.relative <= limit) {
			t.Errorf("%s differ in %s: max |diff| %.2e, %.2e of the largest; %.1e is allowed", c.what, d.name, d.most, d.relative, limit)
		}
	}
}

// middle is the median of the numbers; 0 without any.
func middle(x []float64) float64 {
	if len(x) == 0 {
		return 0
	}
	x = slices.Sorted(slices.Values(x))
	return x[len(x)/2]
}

// equalNames fails unless both sides have the same tensors.
func equalNames(t *testing.T, what string, ours, theirs []string) {
	t.Helper()
	seen := map[string]int{}
	for _, n := range ours {
		seen[n]++
	}
	for _, n := range theirs {
		seen[n] -= 2
	}
	var wrong []string
	for n, k := range seen {
		if k != -1 {
			wrong = append(wrong, n)
		}
	}
	if len(wrong) > 0 {
		t.Fatalf("%s that only one side has: %s", what, strings.Join(wrong, ", "))
	}
}
