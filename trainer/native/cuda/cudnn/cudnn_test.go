//go:build linux && cgo && (amd64 || arm64)

package cudnn_test

import (
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/cudnn"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/cudnn/cudnntest"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/emulator"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel/kerneltest"
)

// A child of a test asks for cuDNN without a driver, and says what it was told.
func TestMain(m *testing.M) {
	if os.Getenv("MAPSWEEP_CUDNN_CHILD") != "1" {
		os.Exit(m.Run())
	}
	_, err := cudnn.Open()
	if !errors.Is(err, cudnn.ErrNone) {
		os.Exit(1)
	}
	os.Stdout.WriteString(err.Error())
}

func open(t *testing.T) *cudnn.Library {
	t.Helper()
	if !emulator.Real() {
		cudnntest.Use(t)
	}
	l, err := cudnn.Open()
	if emulator.Real() && errors.Is(err, cudnn.ErrNone) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	t.Logf("cuDNN %s", l.Version)
	return l
}

// reference is what a direction writes, computed over windows of lanes in float64.
func reference(d cudnn.Direction, s cudnn.Shape, x, w, y []float32) (sums []float64) {
	sums = make([]float64, map[cudnn.Direction]int{cudnn.Forward: len(y), cudnn.Data: len(x), cudnn.Filter: len(w)}[d])
	in, out := s.In.C/s.Groups, s.Out.C/s.Groups
	for p := range s.Out.N * s.Out.H * s.Out.W {
		n, oy, ox := p/(s.Out.H*s.Out.W), p/s.Out.W%s.Out.H, p%s.Out.W
		for tap := range s.Size * s.Size {
			iy, ix := oy*s.Step+tap/s.Size-s.Pad, ox*s.Step+tap%s.Size-s.Pad
			if iy < 0 || ix < 0 || iy >= s.In.H || ix >= s.In.W {
				continue
			}
			for k := range s.Out.C {
				for c := range in {
					xi := ((n*s.In.H+iy)*s.In.W+ix)*s.In.Stride + k/out*in + c
					wi, yi := (k*s.Size*s.Size+tap)*in+c, p*s.Out.Stride+k
					switch d {
					case cudnn.Forward:
						sums[yi] += float64(x[xi]) * float64(w[wi])
					case cudnn.Data:
						sums[xi] += float64(y[yi]) * float64(w[wi])
					case cudnn.Filter:
						sums[wi] += float64(x[xi]) * float64(y[yi])
					}
				}
			}
		}
	}
	return sums
}

var shapes = map[string]cudnn.Shape{
	"3x3 within wider pixels": {In: cudnn.View{N: 2, H: 5, W: 7, C: 16, Stride: 48}, Out: cudnn.View{N: 2, H: 5, W: 7, C: 32, Stride: 64}, Size: 3, Step: 1, Pad: 1, Groups: 1},
	"1x1":                     {In: cudnn.View{N: 1, H: 4, W: 4, C: 32, Stride: 32}, Out: cudnn.View{N: 1, H: 4, W: 4, C: 16, Stride: 16}, Size: 1, Step: 1, Groups: 1},
	"step 2, odd side":        {In: cudnn.View{N: 2, H: 9, W: 6, C: 16, Stride: 16}, Out: cudnn.View{N: 2, H: 5, W: 3, C: 16, Stride: 32}, Size: 3, Step: 2, Pad: 1, Groups: 1},
	"groups":                  {In: cudnn.View{N: 1, H: 6, W: 6, C: 32, Stride: 32}, Out: cudnn.View{N: 1, H: 6, W: 6, C: 32, Stride: 32}, Size: 3, Step: 1, Pad: 1, Groups: 2},
}

// TestConvolution compares every direction and algorithm with plain sums, replaced and added to, and what lies beside the windows.
func TestConvolution(t *testing.T) {
	for name, shape := range shapes {
		for _, typ := range kerneltest.Types {
			t.Run(name+" "+typ.String(), func(t *testing.T) {
				b := kerneltest.New(t)
				l := open(t)
				h, err := l.NewHandle(b.Stream)
				if err != nil {
					t.Fatal(err)
				}
				s := shape
				s.BF16 = typ == kernel.BFloat16
				p, err := h.Plan(s)
				if err != nil {
					t.Fatal(err)
				}
				for _, d := range []cudnn.Direction{cudnn.Forward, cudnn.Data, cudnn.Filter} {
					convolve(t, b, typ, p, s, d)
				}
				p.Close()
				if err := h.Close(); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}

func convolve(t *testing.T, b *kerneltest.Bench, typ kernel.Type, p *cudnn.Plan, s cudnn.Shape, d cudnn.Direction) {
	t.Helper()
	r := kerneltest.Seed("cudnn " + typ.String())
	tensors := [][]float32{ // x, w, y
		kerneltest.Random(typ, r, s.In.N*s.In.H*s.In.W*s.In.Stride),
		kerneltest.Random(typ, r, s.Out.C*s.Size*s.Size*s.In.C/s.Groups),
		kerneltest.Random(typ, r, s.Out.N*s.Out.H*s.Out.W*s.Out.Stride),
	}
	target := map[cudnn.Direction]int{cudnn.Forward: 2, cudnn.Data: 0, cudnn.Filter: 1}[d]
	want := reference(d, s, tensors[0], tensors[1], tensors[2])
	algorithms, err := p.Algorithms(d, 64<<20)
	if err != nil || len(algorithms) == 0 {
		t.Fatalf("%v: algorithms %v, %v", d, algorithms, err)
	}
	for _, a := range algorithms {
		m := cudnn.Memory{In: uint64(b.PutValues(typ, tensors[0])), Weights: uint64(b.PutValues(typ, tensors[1])), Out: uint64(b.PutValues(typ, tensors[2]))}
		if a.Workspace > 0 {
			m.Workspace = uint64(b.Alloc(a.Workspace))
		}
		to := cuda.Ptr([]uint64{m.In, m.Weights, m.Out}[target])
		for times, add := range []bool{false, true} {
			if err := p.Run(a, m, add); err != nil {
				t.Fatal(err)
			}
			got := b.GetValues(typ, to, len(want))
			for i, v := range got {
				inside := target == 1 || target == 0 && i%s.In.Stride < s.In.C || target == 2 && i%s.Out.Stride < s.Out.C
				expect := want[i] * float64(times+1)
				if !inside {
					expect = float64(tensors[target][i])
				}
				if math.Abs(float64(v)-expect) > tolerance(typ)*(1+math.Abs(expect)) {
					t.Fatalf("%s, add %v: element %d is %v, want %v", a, add, i, v, expect)
				}
			}
		}
	}
}

// tolerance allows for other orders of sums of a few hundred products, and in bf16 for rounding of what is added to.
func tolerance(t kernel.Type) float64 {
	if t == kernel.BFloat16 {
		return 1.0 / 64
	}
	return 1e-5
}

// Work can go into another stream, captured there, and comes to the handle's own again.
func TestAnotherStream(t *testing.T) {
	b := kerneltest.New(t)
	l := open(t)
	h, err := l.NewHandle(b.Stream)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	p, err := h.Plan(shapes["1x1"])
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	algorithms, err := p.Algorithms(cudnn.Forward, 0)
	if err != nil || len(algorithms) == 0 {
		t.Fatalf("algorithms %v, %v", algorithms, err)
	}
	ones := func(n int) cuda.Ptr { return b.PutValues(kernel.Float32, slices.Repeat([]float32{1}, n)) }
	y := b.Alloc(16 * 16 * 4)
	m := cudnn.Memory{In: uint64(ones(16 * 32)), Weights: uint64(ones(16 * 32)), Out: uint64(y)}
	other, err := b.GPU.NewStream()
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := errors.Join(p.Run(algorithms[0], m, false), b.Stream.Wait()); err != nil { // what it needs is loaded before the capture
		t.Fatal(err)
	}
	captured, err := other.Capture(func() error { return p.RunOn(other, algorithms[0], m, true) })
	if err != nil {
		t.Fatal(err)
	}
	defer captured.Close()
	is := func(want float32) {
		t.Helper()
		if got := b.GetValues(kernel.Float32, y, 1)[0]; got != want {
			t.Fatalf("%v, want %v", got, want)
		}
	}
	is(32)
	for _, run := range []func() error{func() error { return captured.Launch(b.Stream) }, func() error { return p.Run(algorithms[0], m, true) }} {
		before := b.GetValues(kernel.Float32, y, 1)[0]
		if err := run(); err != nil {
			t.Fatal(err)
		}
		is(before + 32)
	}
}

// Algorithms that sum in an order of their own, that the library refuses or that take too much memory are not offered.
func TestAlgorithms(t *testing.T) {
	if emulator.Real() {
		t.Skip("the stand-in's algorithms")
	}
	b := kerneltest.New(t)
	l := open(t)
	h, err := l.NewHandle(b.Stream)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	p, err := h.Plan(shapes["1x1"])
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for workspace, want := range map[int64]string{0: "cudnn/data/1/3", 4095: "cudnn/data/1/3", 4096: "cudnn/data/1/3 cudnn/data/6/0"} {
		algorithms, err := p.Algorithms(cudnn.Data, workspace)
		var names []string
		for _, a := range algorithms {
			names = append(names, a.String())
		}
		if got := strings.Join(names, " "); err != nil || got != want {
			t.Errorf("with %d bytes: %q, %v, want %q", workspace, got, err, want)
		}
	}
	err = p.Run(cudnn.Algorithm{Direction: cudnn.Data, Number: 6, Workspace: 4096}, cudnn.Memory{In: 1, Weights: 1, Out: 1}, false)
	if err == nil || !strings.Contains(err.Error(), "workspace of 4096 bytes") {
		t.Errorf("without its workspace: %v", err)
	}
	err = p.Run(cudnn.Algorithm{Direction: cudnn.Data, Number: 3}, cudnn.Memory{}, false)
	if err == nil || !strings.Contains(err.Error(), "cuDNN: NOT_SUPPORTED (3000)") {
		t.Errorf("an algorithm that is not there: %v", err)
	}
}

func TestShapeThatDoesNotFit(t *testing.T) {
	b := kerneltest.New(t)
	l := open(t)
	h, err := l.NewHandle(b.Stream)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	for name, change := range map[string]func(*cudnn.Shape){
		"narrow":     func(s *cudnn.Shape) { s.In.Stride = 16 },
		"empty":      func(s *cudnn.Shape) { s.Out.N = 0 },
		"batches":    func(s *cudnn.Shape) { s.Out.N = 2 },
		"sides":      func(s *cudnn.Shape) { s.Out.W = 3 },
		"no step":    func(s *cudnn.Shape) { s.Step = 0 },
		"groups":     func(s *cudnn.Shape) { s.Groups = 3 },
		"too small":  func(s *cudnn.Shape) { s.Size = 5 },
		"padding":    func(s *cudnn.Shape) { s.Pad = -1 },
		"no windows": func(s *cudnn.Shape) { *s = cudnn.Shape{} },
	} {
		s := shapes["1x1"]
		change(&s)
		if _, err := h.Plan(s); err == nil || !strings.Contains(err.Error(), "plan convolution: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNoLibrary(t *testing.T) {
	emulator.Use(t)
	for _, c := range []struct{ name, path, version, want string }{
		{"no file", filepath.Join(t.TempDir(), "libcudnn.so.9"), "", "cannot open shared object file"},
		{"a function less", cudnntest.Use(t, "-DLACKS_ONE"), "", "has no cudnnDestroyConvolutionDescriptor"},
		{"version 8", cudnntest.Use(t), "8904", "of version 8.9.4, and 9 is needed"},
		{"version 10", cudnntest.Use(t), "100000", "of version 10.0.0, and 9 is needed"},
	} {
		t.Setenv("MAPSWEEP_CUDNN", c.path)
		t.Setenv("FAKE_CUDNN_VERSION", c.version)
		if _, err := cudnn.Open(); !errors.Is(err, cudnn.ErrNone) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// Without a GPU the library is not even loaded.
func TestNoDriver(t *testing.T) {
	path, trace := cudnntest.Use(t), filepath.Join(t.TempDir(), "loaded")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "MAPSWEEP_CUDNN_CHILD=1", "MAPSWEEP_CUDA_DRIVER=/nonexistent/libcuda.so.1", "MAPSWEEP_CUDNN="+path, "FAKE_CUDNN_TRACE="+trace)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "no cuDNN: no NVIDIA driver") {
		t.Errorf("%v: %s", err, out)
	}
	if _, err := os.Stat(trace); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the library was loaded (%v)", err)
	}
}
