package emulator_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"unsafe"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/emulator"
)

// bench is the emulated GPU with the kernels of testdata.
type bench struct {
	t      *testing.T
	gpu    *cuda.GPU
	kernel *cuda.Module
	stream *cuda.Stream
}

func open(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, gpu: emulator.OpenWith(t, "testdata/behaviour.cu", "testdata/races.cu")}
	var err error
	if b.kernel, err = b.gpu.Load([]byte{0}); err != nil {
		t.Fatal(err)
	}
	if b.stream, err = b.gpu.NewStream(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.must(b.stream.Close()) })
	return b
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) alloc(floats int) cuda.Ptr {
	b.t.Helper()
	p, err := b.gpu.Alloc(int64(4 * floats))
	b.must(err)
	b.t.Cleanup(func() { b.must(b.gpu.Free(p)) })
	return p
}

func bytesOf(v []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), 4*len(v))
}

func (b *bench) put(v []float32) cuda.Ptr {
	b.t.Helper()
	p := b.alloc(len(v))
	b.must(b.stream.CopyIn(p, bytesOf(v)))
	return p
}

func (b *bench) get(p cuda.Ptr, n int) []float32 {
	b.t.Helper()
	v := make([]float32, n)
	b.must(b.stream.CopyOut(bytesOf(v), p))
	b.must(b.stream.Wait())
	return v
}

// args are the kernels' Args.
type args struct {
	out, in cuda.Ptr
	n, _    int32
}

func launch(kernel string, grid, block [3]int, a args) cuda.Launch {
	return cuda.Launch{Kernel: kernel, Grid: grid, Block: block, Shared: 64, Args: cuda.Args(a)}
}

// run launches, and returns the first n floats of out.
func (b *bench) run(kernel string, grid, block [3]int, n int, a args) []float32 {
	b.t.Helper()
	if a.out == 0 {
		a.out = b.alloc(n)
	}
	b.must(b.kernel.Run(b.stream, launch(kernel, grid, block, a)))
	return b.get(a.out, n)
}

// alone runs the test that calls it once more, in a process of its own, where it returns true. In the first process it returns
// false, with how that ended and what it printed.
func alone(t *testing.T, env ...string) (inside bool, printed string, err error) {
	t.Helper()
	const mark = "EMULATOR_TEST_ALONE"
	if os.Getenv(mark) == t.Name() {
		return true, "", nil
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+strings.ReplaceAll(t.Name(), "/", "$/^")+"$")
	cmd.Env = append(append(os.Environ(), mark+"="+t.Name()), env...)
	out, err := cmd.CombinedOutput()
	return false, string(out), err
}
