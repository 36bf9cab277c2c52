//go:build integration

package parity_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/weights"
)

// checkout skips the test without the official code.
func checkout(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("YOLOV9_DIR")
	if dir == "" {
		t.Skip("needs a checkout of the official code: set YOLOV9_DIR")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestOfficialCheckpoint reads a checkpoint of yolov9-t as the official trainer writes it, made by instantiating the
// official model. PyTorch's own reading of it stands beside as safetensors.
func TestOfficialCheckpoint(t *testing.T) {
	path := filepath.Join(t.TempDir(), "last.pt")
	if out, err := python(t, "official.py", checkout(t), "--weights", path).CombinedOutput(); err != nil {
		t.Fatalf("official.py: %v\n%s", err, out)
	}
	got, err := weights.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := weights.Read(strings.TrimSuffix(path, ".pt") + ".safetensors")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d tensors, PyTorch has %d", len(got.Tensors), len(want.Tensors))
	if len(got.Tensors) != len(want.Tensors) || len(want.Tensors) != 1772 {
		t.Fatalf("%d tensors, PyTorch has %d; 1772 are known", len(got.Tensors), len(want.Tensors))
	}
	for _, w := range want.Tensors {
		g := got.Find(w.Name)
		if g == nil {
			t.Fatalf("%s is missing", w.Name)
		}
		if !slices.Equal(g.Shape, w.Shape) || !slices.Equal(g.Values, w.Values) || !slices.Equal(g.Ints, w.Ints) {
			t.Fatalf("%s of shape %v differs from PyTorch's of shape %v", w.Name, g.Shape, w.Shape)
		}
	}
}

// TestOfficialModels compares the PyTorch implementation of testdata/torch, which the other tests lean on, with the
// official one: names and shapes of all tensors, outputs, losses and gradients. It prints the differences.
func TestOfficialModels(t *testing.T) {
	out, err := python(t, "official.py", checkout(t)).Output()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", out)
}
