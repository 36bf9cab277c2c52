//go:build integration

package parity_test

import (
	"os"
	"path/filepath"
	"testing"
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

// TestOfficialModels compares the PyTorch implementation of testdata/torch, which the other tests lean on, with the
// official one: names and shapes of all tensors, outputs, losses and gradients. It prints the differences.
func TestOfficialModels(t *testing.T) {
	out, err := python(t, "official.py", checkout(t)).Output()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", out)
}
