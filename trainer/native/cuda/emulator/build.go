// Package emulator runs kernels where there is no GPU, for tests: it builds a library with the interface of libcuda.so.1
// (source/driver.cpp) out of the same kernel sources that nvcc compiles, over an emulator of a GPU's threads (source/emulator.h). The
// backend in Go runs over it unchanged, capture and replay included. What passes here has not run on a GPU: memory spaces,
// caches, true concurrency and speed are not emulated.
//
// With MAPSWEEP_TEST_GPU=1 tests run on the machine's first GPU instead.
package emulator

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// Real tells whether tests are to run on a GPU.
func Real() bool { return os.Getenv("MAPSWEEP_TEST_GPU") == "1" }

// Open gives a test the GPU to run on: the emulated one, or the machine's where Real. It is closed with the test. The test is
// skipped where there is no C++ compiler.
func Open(t testing.TB) *cuda.GPU {
	t.Helper()
	Use(t)
	return open(t)
}

// OpenWith gives a test the emulated GPU with kernels of its own in place of those of package kernel: files beside the test. A
// process loads one driver, so all its tests must ask for the same. The test is skipped where Real.
func OpenWith(t testing.TB, kernels ...string) *cuda.GPU {
	t.Helper()
	if Real() {
		t.Skip("a GPU has no kernels of the test's own")
	}
	use(t, func() (string, error) { return build(kernels) })
	return open(t)
}

func open(t testing.TB) *cuda.GPU {
	t.Helper()
	g, err := cuda.Open(0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if n := g.Held(); n != 0 {
			t.Errorf("%d bytes of GPU memory were not given back", n)
		}
		if err := g.Close(); err != nil && !errors.Is(err, cuda.ErrLost) {
			t.Error(err)
		}
	})
	return g
}

var driver = sync.OnceValues(func() (string, error) { return build(nil) })

// Driver is the path of the emulated driver, for programs that a test starts: MAPSWEEP_CUDA_DRIVER may name it. The error wraps
// exec.ErrNotFound where there is no C++ compiler.
func Driver() (string, error) { return driver() }

// Use makes the process load the emulated driver, unless Real. It must come before anything asks for devices.
func Use(t testing.TB) {
	t.Helper()
	if !Real() {
		use(t, driver)
	}
}

func use(t testing.TB, driver func() (string, error)) {
	t.Helper()
	path, err := driver()
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip("no g++ to build the emulated driver")
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Setenv("MAPSWEEP_CUDA_DRIVER", path); err != nil {
		t.Fatal(err)
	}
}

// Races tells whether the emulator is to find races (source/races.h).
func Races() bool { return os.Getenv("EMULATOR_RACES") != "" }

// flags of the compiler. Kernels are compiled without contraction to fused multiply-adds, which GPUs do.
func flags() []string {
	f := []string{"-std=c++17", "-O2", "-fPIC", "-pthread", "-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas", "-ffp-contract=off", "-fno-strict-aliasing"}
	if Races() {
		f = append(f, "-gdwarf-4", "-DEMULATOR_RACES")
	}
	return append(f, sanitize...)
}

// watched are flags for kernels that tell the emulator of their accesses.
func watched() []string {
	if Races() {
		return []string{"-fsanitize=thread", "-fno-optimize-sibling-calls", "--param=tsan-instrument-func-entry-exit=0"}
	}
	return nil
}

// build makes the driver, or finds the one that was made of the same sources before. Without kernels it has those of package
// kernel.
func build(kernels []string) (string, error) {
	compiler, err := exec.LookPath("g++")
	if err != nil {
		return "", err
	}
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	b := builder{compiler: compiler, folder: filepath.Join(root, "trainer", "native", "cuda"), cache: filepath.Join(cache, "mapsweep", "emulator")}
	if err := os.MkdirAll(b.cache, 0o755); err != nil {
		return "", err
	}
	if len(kernels) == 0 {
		if kernels, err = b.glob("kernel/*.cu"); err != nil {
			return "", err
		}
	}
	return b.library(kernels)
}

// moduleRoot is the folder of go.mod at or above the working directory, which for a test is its package's.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, e := os.Stat(filepath.Join(dir, "go.mod")); e == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			err = errors.New("build the emulated driver: no go.mod above the working directory")
		}
		dir = up
	}
	return "", err
}

type builder struct {
	compiler, folder, cache string
	headers                 string // what all objects depend on
}

func (b *builder) library(kernels []string) (string, error) {
	headers, err := b.glob("kernel/*.cuh", "emulator/source/*.h")
	if err != nil {
		return "", err
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s %s %s %q\n", b.compiler, flags(), watched(), unit)
	for _, f := range headers {
		data, err := os.ReadFile(f)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%s %x\n", filepath.Base(f), sha256.Sum256(data))
	}
	b.headers = hex.EncodeToString(h.Sum(nil))
	sources, err := b.glob("emulator/source/*.cpp")
	if err != nil {
		return "", err
	}
	sources = append(sources, kernels...)
	objects, errs := make([]string, len(sources)), make([]error, len(sources))
	var wg sync.WaitGroup
	turn := make(chan struct{}, 2)
	for i, s := range sources {
		wg.Go(func() {
			turn <- struct{}{}
			objects[i], errs[i] = b.object(s)
			<-turn
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return "", err
	}
	name := filepath.Join(b.cache, "libcuda-"+digest(strings.Join(objects, " "))+".so")
	args := append([]string{"-shared", "-pthread", "-Wl,-Bsymbolic"}, sanitize...)
	return name, b.make(name, "", append(args, objects...))
}

func (b *builder) glob(patterns ...string) (files []string, err error) {
	for _, p := range patterns {
		found, err := filepath.Glob(filepath.Join(b.folder, p))
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	slices.Sort(files)
	return files, nil
}

func (b *builder) object(source string) (string, error) {
	source, err := filepath.Abs(source)
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(source)
	if err != nil {
		return "", err
	}
	name := filepath.Join(b.cache, filepath.Base(source)+"-"+digest(b.headers+string(data))+".o")
	text, args := fmt.Sprintf("#include %q\n", source), flags()
	if base, kernels := strings.CutSuffix(filepath.Base(source), ".cu"); kernels {
		text = fmt.Sprintf(unit, filepath.Join(b.folder, "kernel", "port.cuh"), base, source)
		args = append(args, watched()...)
	}
	return name, b.make(name, text, append(args, "-c", "-x", "c++", "-"))
}

// unit is what is compiled for a source of kernels: each has its names, and those of headers beside port.cuh, to itself, where
// the linker would take two structs or templates of one name for the same.
const unit = "#include %q\nnamespace unit_%s {\n#include %q\n}\n"

// make runs the compiler over a text unless its result is there.
func (b *builder) make(name, text string, args []string) error {
	if _, err := os.Stat(name); err == nil {
		return nil
	}
	f, err := os.CreateTemp(b.cache, "building-*")
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	defer os.Remove(f.Name())
	compile := exec.Command(b.compiler, append(args, "-o", f.Name())...)
	compile.Stdin = strings.NewReader(text)
	if out, err := compile.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", filepath.Base(name), err, out)
	}
	return os.Rename(f.Name(), name)
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:8])
}
