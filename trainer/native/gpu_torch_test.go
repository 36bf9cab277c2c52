//go:build peers

package native_test

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda/emulator"
)

// interpreter is a Python that has PyTorch: that of MAPSWEEP_TORCH_PYTHON, or python3.
var interpreter = sync.OnceValues(func() (string, error) {
	name := cmp.Or(os.Getenv("MAPSWEEP_TORCH_PYTHON"), "python3")
	if out, err := exec.Command(name, "-c", "import torch").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s has no PyTorch (%v): ours alone is timed. MAPSWEEP_TORCH_PYTHON names a Python that has it.\n%s", name, err, out)
	}
	return name, nil
})

// python is a command that runs a script of parity/testdata/torch. Where there is no PyTorch it says so and returns nil.
func python(t *testing.T, script string, args ...string) *exec.Cmd {
	t.Helper()
	name, err := interpreter()
	if err != nil {
		t.Log(err)
		return nil
	}
	c := exec.Command(name, append([]string{filepath.Join("parity", "testdata", "torch", script)}, args...)...)
	device := "cpu"
	if emulator.Real() {
		device = "cuda"
	}
	c.Args = append(c.Args, "--device", device)
	c.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	return c
}

// torch is a process of bench_cuda.py.
type torch struct {
	what string
	in   io.Writer
	out  *bufio.Scanner
}

// String says which PyTorch it is; nil is none.
func (p *torch) String() string {
	if p == nil {
		return "no PyTorch to compare with"
	}
	return p.what
}

// newTorch starts the process; it is nil where there is no PyTorch.
func newTorch(t *testing.T, network string, size, batch, classes int) *torch {
	t.Helper()
	c := python(t, "bench_cuda.py", network, strconv.Itoa(size), strconv.Itoa(batch), strconv.Itoa(classes))
	if c == nil {
		return nil
	}
	var said strings.Builder
	c.Stderr = &said
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := in.Close(); err != nil {
			t.Error(err)
		}
		if err := c.Wait(); err != nil {
			t.Errorf("bench_cuda.py: %v\n%s", err, &said)
		}
	})
	p := &torch{in: in, out: bufio.NewScanner(out)}
	if !p.out.Scan() || strings.HasPrefix(p.out.Text(), "error") {
		t.Fatalf("bench_cuda.py does not start: %s", p.out.Text())
	}
	p.what = p.out.Text()
	return p
}

// seconds lets a variant run steps and returns the seconds of one.
func (p *torch) seconds(variant string, steps int) (float64, error) {
	if _, err := fmt.Fprintln(p.in, variant, steps); err != nil || !p.out.Scan() {
		return 0, fmt.Errorf("bench_cuda.py gave no answer for %s (%v)", variant, err)
	}
	if why, failed := strings.CutPrefix(p.out.Text(), "error: "); failed {
		return 0, errors.New(why)
	}
	return strconv.ParseFloat(p.out.Text(), 64)
}
