package gpu_test

import (
	"errors"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda/cudnn"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/cudnn/cudnntest"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/emulator"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel/kerneltest"
	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers/gpu"
	"github.com/mapsweep/mapsweep/trainer/native/layers/layerstest"
)

// library is cuDNN: the machine's on a GPU, else the stand-in.
func library(t *testing.T) *cudnn.Library {
	t.Helper()
	if !emulator.Real() {
		cudnntest.Use(t)
	}
	l, err := cudnn.Open()
	if err != nil && emulator.Real() {
		t.Skip(err)
	}
	must(t, err)
	t.Cleanup(l.Close)
	return l
}

// theirs has cuDNN be faster for passes whose names have one of the words in them; without words for all.
func theirs(words ...string) *gpu.Timer {
	return &gpu.Timer{Repeats: 1, Rounds: 1, Reckon: func(pass, way string) float64 {
		wanted := len(words) == 0 || slices.ContainsFunc(words, func(w string) bool { return strings.Contains(pass, w) })
		if (way == gpu.Ours) == wanted {
			return 2
		}
		return 1
	}}
}

// chosen builds a network whose convolutions are chosen, which leaves running statistics as they are.
func chosen(t *testing.T, place gpu.Place, l *cudnn.Library, typ kernel.Type, define definition, known map[string]string, timer *gpu.Timer) (*network, map[string]string) {
	t.Helper()
	n := build(t, place, typ, 2, define)
	before := slices.Clone(n.d.Stats())
	ways, err := n.d.Choose(l, known, timer)
	must(t, err)
	must(t, n.d.Download())
	if !slices.Equal(n.d.Stats(), before) {
		t.Error("running statistics have moved")
	}
	n.step, err = n.d.Compile(append(slices.Clone(n.g.Forward), n.g.Backward...))
	must(t, err)
	return n, ways
}

// TestChosenNetworks holds networks all or some of whose convolutions cuDNN computes against the reference in float64, and in bf16
// against our kernels. A second pass, and a second device with the same choice, give the same bits.
func TestChosenNetworks(t *testing.T) {
	place := place(t)
	l := library(t)
	for _, c := range []struct {
		name   string
		timer  *gpu.Timer
		define definition
	}{{"all", theirs(), family(3)}, {"forward and 1x1", theirs("forward", "1x1"), random(1)}, {"gradients of 3x3", theirs("filter 3x3", "data 3x3"), family(0)}} {
		t.Run(c.name, func(t *testing.T) {
			n, ways := chosen(t, place, l, kernel.Float32, c.define, nil, c.timer)
			for pass, way := range ways {
				if (way == gpu.Ours) != (c.timer.Reckon(pass, gpu.Ours) < c.timer.Reckon(pass, "")) {
					t.Errorf("%s is computed by %s", pass, way)
				}
			}
			r := n.reference()
			got := n.run(t)
			r.Run(0)
			if want := n.value(r); math.Abs(got-want) > 1e-4*math.Abs(want) {
				t.Errorf("loss %g, want %g", got, want)
			}
			grads := slices.Clone(n.d.Grads())
			for _, d := range layerstest.CheckGradients(r, func() float64 { return n.value(r) }, func(p *graph.Param) []float32 { return n.d.ExportParam(p, grads) }, 1) {
				if d.Relative > 2e-3 {
					t.Errorf("%s[%d]: gradient %g, want %g", d.Param.Name, d.Element, d.Got, d.Want)
				}
			}
			if again := n.run(t); again != got || !slices.Equal(grads, n.d.Grads()) {
				t.Errorf("a second pass gives loss %g after %g, or other gradients", again, got)
			}
			same, known := chosen(t, place, l, kernel.Float32, c.define, ways, nil)
			if again := same.run(t); again != got || !slices.Equal(grads, same.d.Grads()) || !maps.Equal(known, ways) {
				t.Errorf("the choice that is known gives loss %g after %g, other gradients or another choice", again, got)
			}
		})
	}
	t.Run("bf16", func(t *testing.T) {
		ours := build(t, place, kernel.BFloat16, 2, family(3))
		n, _ := chosen(t, place, l, kernel.BFloat16, family(3), nil, theirs())
		want, got := ours.run(t), n.run(t)
		if math.Abs(got-want) > 2e-2*math.Abs(want) {
			t.Errorf("loss %g, by our kernels %g", got, want)
		}
		if d := distance(n.d.Grads(), ours.d.Grads()); d > 5e-2 || d == 0 { // activations are rounded to 2^-9 layer by layer
			t.Errorf("gradients are %g of their length away", d)
		}
	})
}

// distance of a from b, in lengths of b.
func distance(a, b []float32) float64 {
	var d, l float64
	for i := range a {
		d += math.Pow(float64(a[i]-b[i]), 2)
		l += float64(b[i]) * float64(b[i])
	}
	return math.Sqrt(d / l)
}

// TestChoiceIsMeasured takes times on the device, of ways that there are: directions without an algorithm keep our kernels.
func TestChoiceIsMeasured(t *testing.T) {
	place := place(t)
	l := library(t)
	t.Setenv("FAKE_CUDNN_LACKS", "forward filter")
	_, ways := chosen(t, place, l, kernel.BFloat16, random(2), nil, &gpu.Timer{Repeats: 2, Rounds: 1})
	if len(ways) == 0 {
		t.Fatal("nothing was chosen")
	}
	for pass, way := range ways {
		if !emulator.Real() && way != gpu.Ours && !strings.HasPrefix(pass, "data ") {
			t.Errorf("%s is computed by %s", pass, way)
		}
	}
}

func TestChoiceThatDoesNotFit(t *testing.T) {
	place := place(t)
	l := library(t)
	n, ways := chosen(t, place, l, kernel.Float32, random(2), nil, theirs())
	before := n.run(t)
	var some string
	for pass := range ways {
		some = pass
	}
	rest := maps.Clone(ways)
	delete(rest, some)
	for _, known := range []map[string]string{nil, rest} {
		if _, err := n.d.Choose(l, known, nil); !errors.Is(err, gpu.ErrNotChosen) || known != nil && !strings.Contains(err.Error(), some) {
			t.Errorf("without a timer, %d kinds known: %v", len(known), err)
		}
	}
	if again := n.run(t); again != before {
		t.Errorf("loss %g after choices that failed, %g before", again, before)
	}
	for pass := range ways {
		ways[pass] = "cudnn/forward/77/1"
	}
	if _, err := n.d.Choose(l, ways, nil); err == nil || !strings.Contains(err.Error(), "does not offer cudnn/forward/77/1") {
		t.Errorf("an algorithm that is not there: %v", err)
	}
}

// TestCountOfCuDNN: the memory for it is known before there is a device.
func TestCountOfCuDNN(t *testing.T) {
	place := place(t)
	for _, typ := range kerneltest.Types {
		n := build(t, place, typ, 2, family(3))
		before := n.d.Bytes()
		must(t, n.d.LendToCuDNN())
		nowhere, _ := gpu.Count()
		d, err := gpu.New(n.g, nowhere, typ)
		must(t, err)
		counted := d.Bytes()
		must(t, d.LendToCuDNN())
		if got, want := d.Bytes()-counted, n.d.Bytes()-before; got != want || want < 64<<20 {
			t.Errorf("%v: %d bytes were counted, %d are taken", typ, got, want)
		}
	}
}
