package optim_test

import (
	"encoding/json"
	"math"
	"os"
	"reflect"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/optim"
)

// schedule is one of testdata/optim.json.
type schedule struct {
	LR0, LRF, Momentum, Warmup, WMom, Bias float64
	Shape                                  string
	Steps                                  int
	At                                     []int
	Rates                                  [][3]float64
}

func (s schedule) of() optim.Schedule {
	shape := map[string]optim.Shape{"linear": optim.Linear, "cosine": optim.Cosine, "flat": optim.FlatCosine, "fixed": optim.Fixed}[s.Shape]
	return optim.Schedule{LR0: s.LR0, LRF: s.LRF, Shape: shape, Momentum: s.Momentum, Warmup: s.Warmup,
		WarmupMomentum: s.WMom, WarmupBias: s.Bias, Steps: s.Steps}
}

// fixture holds numbers by plain Python and PyTorch 2.15 (testdata/gen.py).
type fixture struct {
	Schedules []schedule
	Average   [][4]float64 // decay, tau, update, weight
	SGD       struct {
		Sizes                   []int
		Decay, Clip             float64
		Steps                   int
		Schedule                schedule
		Norms, Weights, Average []float64
	}
	Accumulation [][5]float64 // step, steps of warm-up, batch, nominal batch, batches that are summed
	AdamW        struct {
		Schedule           schedule
		Plain, AMSGrad, L2 []float64 // weights after 20 steps; L2: of Adam
	}
}

func load(t *testing.T) fixture {
	t.Helper()
	data, err := os.ReadFile("testdata/optim.json")
	if err != nil {
		t.Fatal(err)
	}
	var f fixture
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestSchedules(t *testing.T) {
	for i, s := range load(t).Schedules {
		for j, step := range s.At {
			r := s.of().At(step)
			for k, got := range []float64{r.Weights, r.Bias, r.Momentum} {
				if math.Abs(got-s.Rates[j][k]) > 1e-15 {
					t.Errorf("schedule %d, step %d, value %d: %g, want %g", i, step, k, got, s.Rates[j][k])
				}
			}
		}
	}
}

func TestAverageWeight(t *testing.T) {
	for _, r := range load(t).Average {
		if got := (optim.Average{Decay: r[0], Tau: r[1]}).Weight(int(r[2])); math.Abs(got-r[3]) > 1e-15 {
			t.Errorf("decay %g, tau %g, update %g: %g, want %g", r[0], r[1], r[2], got, r[3])
		}
	}
}

func TestClipFactor(t *testing.T) {
	for _, c := range []struct{ norm, limit, want float64 }{
		{5, 10, 1}, {20, 10, 10 / (20 + 1e-6)}, {20, 0, 1}, {0, 10, 1},
	} {
		if got := optim.ClipFactor(c.norm, c.limit); math.Abs(got-c.want) > 1e-15 {
			t.Errorf("norm %g, limit %g: %g, want %g", c.norm, c.limit, got, c.want)
		}
	}
}

// params lays the fixture's three groups out as arenas do: aligned, with padding.
func params(sizes []int) (ps []*graph.Param, floats int) {
	groups := []graph.Group{graph.Decay, graph.Norm, graph.Bias}
	for i, n := range sizes {
		ps = append(ps, &graph.Param{Name: "p.bias", Group: groups[i], Off: floats, Len: n})
		floats += (n + graph.Align - 1) / graph.Align * graph.Align
	}
	return ps, floats
}

// start is the fixture's first weights, and the place of each logical index.
func start(ps []*graph.Param, floats int) (w []float32, at []int) {
	w = make([]float32, floats)
	for _, p := range ps {
		for i := range p.Len {
			at = append(at, p.Off+i)
		}
	}
	for i, p := range at {
		w[p] = float32(i*7%13-6) / 10
	}
	return w, at
}

func TestStepsAgreeWithPyTorch(t *testing.T) {
	f := load(t).SGD
	ps, floats := params(f.Sizes)
	w, at := start(ps, floats)
	g, m := make([]float32, floats), make([]float32, floats)
	average := append([]float32(nil), w...)
	o := optim.SGD{Segments: optim.Segments(ps), WeightDecay: f.Decay, ClipNorm: f.Clip}
	for n := range f.Steps {
		amplitude := 0.02
		if n%2 == 1 {
			amplitude = 0.5
		}
		for i, p := range at {
			g[p] = float32(float64((i*31+n*17)%23-11) * amplitude)
		}
		norm := o.Step(w, g, m, f.Schedule.of().At(n))
		if math.Abs(norm-f.Norms[n]) > 1e-6 {
			t.Errorf("step %d: norm %g, want %g", n, norm, f.Norms[n])
		}
		optim.Average{Decay: 0.9, Tau: 2}.Move(average, w, n+1)
	}
	for i, p := range at {
		if math.Abs(float64(w[p])-f.Weights[i]) > 2e-6 {
			t.Errorf("weight %d: %g, want %g", i, w[p], f.Weights[i])
		}
		if math.Abs(float64(average[p])-f.Average[i]) > 2e-6 {
			t.Errorf("average %d: %g, want %g", i, average[p], f.Average[i])
		}
	}
	for i := range w {
		if padding := !contains(at, i); padding && (w[i] != 0 || m[i] != 0) {
			t.Errorf("padding %d moved to %g", i, w[i])
		}
	}
}

func TestAdamWAgreesWithPyTorch(t *testing.T) {
	f := load(t)
	for name, want := range map[string][]float64{"plain": f.AdamW.Plain, "amsgrad": f.AdamW.AMSGrad, "Adam": f.AdamW.L2} {
		ps, floats := params(f.SGD.Sizes)
		w, at := start(ps, floats)
		g, m := make([]float32, floats), optim.Moments{Mean: make([]float32, floats), Square: make([]float32, floats)}
		if name == "amsgrad" {
			m.Peak = make([]float32, floats)
		}
		o := optim.AdamW{Segments: optim.Segments(ps), Beta1: 0.9, WeightDecay: f.SGD.Decay, ClipNorm: f.SGD.Clip, L2: name == "Adam"}
		for n := range 20 {
			amplitude := 0.02
			if n < 4 || n%5 == 0 {
				amplitude = 0.5
			}
			for i, p := range at {
				g[p] = float32(float64((i*31+n*17)%23-11) * amplitude)
			}
			o.Step(w, g, m, n+1, f.AdamW.Schedule.of().At(n))
		}
		for i, p := range at {
			if math.Abs(float64(w[p])-want[i]) > 2e-6 {
				t.Errorf("%s, weight %d: %g, want %g", name, i, w[p], want[i])
			}
		}
		for i := range w {
			if padding := !contains(at, i); padding && (w[i] != 0 || m.Mean[i] != 0 || m.Square[i] != 0) {
				t.Errorf("%s: padding %d moved to %g", name, i, w[i])
			}
		}
	}
	if reflect.DeepEqual(f.AdamW.Plain, f.AdamW.AMSGrad) || reflect.DeepEqual(f.AdamW.Plain, f.AdamW.L2) {
		t.Error("the fixture cannot tell the kinds apart")
	}
}

// TestLION holds steps over groups, with clipping, against algorithm 2 of the paper in float64.
func TestLION(t *testing.T) {
	f := load(t)
	ps, floats := params(f.SGD.Sizes)
	w, at := start(ps, floats)
	g, mean := make([]float32, floats), make([]float32, floats)
	want, average := make([]float64, len(at)), make([]float64, len(at))
	for i, p := range at {
		want[i] = float64(w[p])
	}
	o := optim.LION{Segments: optim.Segments(ps), Beta1: 0.9, WeightDecay: f.SGD.Decay, ClipNorm: f.SGD.Clip}
	for n := range 20 {
		square := 0.0
		for i, p := range at {
			g[p] = float32((i*31+n*17)%23-11) / 8
			square += float64(g[p]) * float64(g[p])
		}
		rates := f.AdamW.Schedule.of().At(n)
		if norm := o.Step(w, g, mean, rates); math.Abs(norm-math.Sqrt(square)) > 1e-6 {
			t.Errorf("step %d: norm %g, want %g", n, norm, math.Sqrt(square))
		}
		factor := min(1, f.SGD.Clip/(math.Sqrt(square)+1e-6))
		for i, p := range at {
			rate, decay := rates.Weights, 0.0
			switch {
			case i < f.SGD.Sizes[0]:
				decay = f.SGD.Decay
			case i >= f.SGD.Sizes[0]+f.SGD.Sizes[1]:
				rate = rates.Bias
			}
			d := factor * float64(g[p])
			c := 0.9*average[i] + 0.1*d
			if c != 0 {
				want[i] -= rate * (c/math.Abs(c) + decay*want[i])
			}
			average[i] = 0.99*average[i] + 0.01*d
		}
	}
	for i, p := range at {
		if math.Abs(float64(w[p])-want[i]) > 2e-6 || math.Abs(float64(mean[p])-average[i]) > 1e-7 {
			t.Errorf("weight %d: %g, average %g, want %g and %g", i, w[p], mean[p], want[i], average[i])
		}
	}
	for i := range w {
		if padding := !contains(at, i); padding && (w[i] != 0 || mean[i] != 0) {
			t.Errorf("padding %d moved to %g", i, w[i])
		}
	}
}

func TestAccumulation(t *testing.T) {
	for _, r := range load(t).Accumulation {
		if got := (optim.Schedule{Warmup: r[1]}).Accumulate(int(r[0]), int(r[2]), int(r[3])); got != int(r[4]) {
			t.Errorf("step %g of %g of warm-up, batch %g, nominal %g: %d, want %g", r[0], r[1], r[2], r[3], got, r[4])
		}
	}
}

// What is frozen stays, whatever stands in its gradient, and the norm is that of the others.
// TestThreads takes steps over more floats than are worth a thread, to an end within a vector: the same bits for any number.
func TestThreads(t *testing.T) {
	const n = 5<<16 + 77
	take := func(threads int) []float32 {
		var all []float32
		arena := func(scale float64) []float32 {
			v := make([]float32, n)
			for i := range v {
				v[i] = float32(scale * math.Sin(float64(i)*1.7))
			}
			return v
		}
		segments := []optim.Segment{{Off: 0, Len: n, Decay: true}}
		w, g, m := arena(1), arena(0.1), arena(0.01)
		sgd := optim.SGD{Segments: segments, WeightDecay: 0.01, ClipNorm: 1, Threads: threads}
		sgd.Step(w, g, m, optim.Rates{Weights: 0.1, Momentum: 0.9})
		adamw := optim.AdamW{Segments: segments, Beta1: 0.9, WeightDecay: 0.01, Threads: threads}
		state := optim.Moments{Mean: m, Square: make([]float32, n), Peak: make([]float32, n)}
		adamw.Step(w, g, state, 1, optim.Rates{Weights: 0.1})
		average := arena(2)
		optim.Average{Decay: 0.9, Tau: 10, Threads: threads}.Move(average, w, 3)
		for _, v := range [][]float32{w, m, state.Square, state.Peak, average} {
			all = append(all, v...)
		}
		return all
	}
	want := take(1)
	for _, threads := range []int{2, 3, 8} {
		if !slices.Equal(take(threads), want) {
			t.Errorf("%d threads come to something else", threads)
		}
	}
}

func TestFrozen(t *testing.T) {
	ps := []*graph.Param{{Name: "a.weight", Group: graph.Decay, Len: 4}, {Name: "b.weight", Group: graph.Decay, Off: 16, Len: 4}, {Name: "c.weight", Group: graph.Decay, Off: 32, Len: 4}}
	segments := optim.Segments(ps, ps[1])
	want := []optim.Segment{{Len: 4, Decay: true}, {Off: 16, Len: 4, Decay: true, Frozen: true}, {Off: 32, Len: 4, Decay: true}}
	if !reflect.DeepEqual(segments, want) {
		t.Fatalf("segments %+v", segments)
	}
	for name, step := range map[string]func(w, g []float32) float64{
		"SGD": func(w, g []float32) float64 {
			o := optim.SGD{Segments: segments, WeightDecay: 0.1}
			return o.Step(w, g, make([]float32, 48), optim.Rates{Weights: 1})
		},
		"AdamW": func(w, g []float32) float64 {
			o := optim.AdamW{Segments: segments, WeightDecay: 0.1}
			return o.Step(w, g, optim.Moments{Mean: make([]float32, 48), Square: make([]float32, 48)}, 1, optim.Rates{Weights: 1})
		},
		"Adam": func(w, g []float32) float64 {
			o := optim.AdamW{Segments: segments, WeightDecay: 0.1, L2: true}
			return o.Step(w, g, optim.Moments{Mean: make([]float32, 48), Square: make([]float32, 48)}, 1, optim.Rates{Weights: 1})
		},
		"LION": func(w, g []float32) float64 {
			o := optim.LION{Segments: segments, WeightDecay: 0.1}
			return o.Step(w, g, make([]float32, 48), optim.Rates{Weights: 1})
		},
	} {
		w, g := make([]float32, 48), make([]float32, 48)
		for _, p := range ps {
			for i := range p.Len {
				w[p.Off+i], g[p.Off+i] = 1, 1
			}
		}
		g[16] = float32(math.Inf(1))
		if norm := step(w, g); math.Abs(norm-math.Sqrt(8)) > 1e-9 {
			t.Errorf("%s: norm %g of 8 ones", name, norm)
		}
		if w[0] == 1 || w[16] != 1 || w[19] != 1 || w[32] == 1 {
			t.Errorf("%s: weights %v", name, w)
		}
	}
}

func contains(all []int, x int) bool {
	for _, v := range all {
		if v == x {
			return true
		}
	}
	return false
}

func TestGradientsThatAreNotFiniteMoveNothing(t *testing.T) {
	for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1))} {
		w, g, m := []float32{1, 2}, []float32{3, bad}, []float32{0, 0}
		o := optim.SGD{Segments: []optim.Segment{{Len: 2}}}
		if norm := o.Step(w, g, m, optim.Rates{Weights: 1}); !math.IsNaN(norm) && !math.IsInf(norm, 0) {
			t.Errorf("norm %g", norm)
		}
		a := optim.AdamW{Segments: o.Segments}
		if norm := a.Step(w, g, optim.Moments{Mean: m, Square: m}, 1, optim.Rates{Weights: 1}); !math.IsNaN(norm) && !math.IsInf(norm, 0) {
			t.Errorf("AdamW: norm %g", norm)
		}
		l := optim.LION{Segments: o.Segments}
		if norm := l.Step(w, g, m, optim.Rates{Weights: 1}); !math.IsNaN(norm) && !math.IsInf(norm, 0) {
			t.Errorf("LION: norm %g", norm)
		}
		if w[0] != 1 || w[1] != 2 || m[0] != 0 {
			t.Errorf("weights %v, momentum %v have moved", w, m)
		}
	}
}

func TestSegments(t *testing.T) {
	ps := []*graph.Param{ // in order of computation, as a network lists them
		{Name: "a.weight", Group: graph.Decay, Off: 0, Len: 20},
		{Name: "a.gamma", Group: graph.Norm, Off: 64, Len: 16},
		{Name: "a.beta", Group: graph.Bias, Off: 80, Len: 16},
		{Name: "h.weight", Group: graph.Decay, Off: 32, Len: 30},
		{Name: "h.bias", Group: graph.Bias, Off: 96, Len: 5},
		{Name: "i.beta", Group: graph.Bias, Off: 112, Len: 16},
	}
	want := []optim.Segment{{Off: 0, Len: 62, Decay: true}, {Off: 64, Len: 32}, {Off: 96, Len: 5, Bias: true}, {Off: 112, Len: 16}}
	if got := optim.Segments(ps); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
