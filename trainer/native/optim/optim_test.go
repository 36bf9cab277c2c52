package optim_test

import (
	"encoding/json"
	"math"
	"os"
	"reflect"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/optim"
)

// schedule is one of testdata/optim.json.
type schedule struct {
	LR0, LRF, Momentum, Warmup, WMom, Bias float64
	Cosine                                 bool
	Steps                                  int
	At                                     []int
	Rates                                  [][3]float64
}

func (s schedule) of() optim.Schedule {
	return optim.Schedule{LR0: s.LR0, LRF: s.LRF, Cosine: s.Cosine, Momentum: s.Momentum, Warmup: s.Warmup,
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

func TestStepsAgreeWithPyTorch(t *testing.T) {
	f := load(t).SGD
	ps, floats := params(f.Sizes)
	w, g, m := make([]float32, floats), make([]float32, floats), make([]float32, floats)
	var at []int // logical index to place
	for _, p := range ps {
		for i := range p.Len {
			at = append(at, p.Off+i)
		}
	}
	for i, p := range at {
		w[p] = float32(i*7%13-6) / 10
	}
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
