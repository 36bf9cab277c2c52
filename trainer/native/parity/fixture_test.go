//go:build integration

package parity_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/loss"
	"github.com/mapsweep/mapsweep/trainer/native/weights"
)

// settings are what testdata/torch/fixture.py ran with.
type settings struct {
	Size, Batch, Classes, Steps, Bins int
	Rate, Momentum, Decay, Clip, Aux  float64
	Gains                             struct{ Box, Cls, DFL float64 }
	Torch, Rule                       string
}

// fixture is what PyTorch computed. Names are those of fixture.py.
type fixture struct {
	settings
	tensors map[string]*weights.Tensor
	truths  []loss.Truth
}

// compute runs fixture.py.
func compute(t *testing.T, network string, args ...string) *fixture {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fixture.safetensors")
	if out, err := python(t, "fixture.py", append([]string{network, path}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("fixture.py: %v\n%s", err, out)
	}
	set, err := weights.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{tensors: map[string]*weights.Tensor{}}
	if err := json.Unmarshal([]byte(set.Meta["settings"]), &f.settings); err != nil {
		t.Fatal(err)
	}
	for i := range set.Tensors {
		f.tensors[set.Tensors[i].Name] = &set.Tensors[i]
	}
	for row := f.values(t, "truths"); len(row) > 0; row = row[6:] {
		f.truths = append(f.truths, loss.Truth{Image: int(row[0]), Class: int(row[1]), X0: row[2], Y0: row[3], X1: row[4], Y1: row[5]})
	}
	return f
}

func (f *fixture) values(t *testing.T, name string) []float32 {
	t.Helper()
	x := f.tensors[name]
	if x == nil {
		t.Fatalf("PyTorch has no tensor %s", name)
	}
	return x.Values
}

// names lists the tensors below a prefix, without it.
func (f *fixture) names(prefix string) []string {
	var all []string
	for name := range f.tensors {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			all = append(all, rest)
		}
	}
	return all
}
