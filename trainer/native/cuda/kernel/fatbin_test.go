package kernel_test

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sums reads kernels.sum: a hash for the fatbin and for each source that it was compiled from.
func sums(t *testing.T) map[string]string {
	t.Helper()
	file, err := os.Open("kernels.sum")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	read := map[string]string{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if hash, name, ok := strings.Cut(lines.Text(), "  "); ok && len(hash) == 2*sha256.Size {
			read[name] = hash
		}
	}
	return read
}

// The machine code in the binary belongs to the sources beside it: whoever edits one makes the other anew.
func TestFatbinIsOfTheSources(t *testing.T) {
	recorded := sums(t)
	found := []string{"kernels.fatbin"}
	for _, pattern := range []string{"*.cu", "*.cuh"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, names...)
	}
	for _, name := range found {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprintf("%x", sha256.Sum256(data)) != recorded[name] {
			t.Errorf("%s is not what kernels.sum was made of: run `make kernels` and commit kernels.fatbin, kernels.sum and kernels.txt", name)
		}
		delete(recorded, name)
	}
	for name := range recorded {
		t.Errorf("%s, of which kernels.sum was made, is gone: run `make kernels`", name)
	}
}
