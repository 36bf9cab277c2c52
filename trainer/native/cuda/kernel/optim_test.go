package kernel_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel/kerneltest"
	native "github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trainer/native/optim"
)

// solved is an optimiser with arenas of its own on the GPU, beside one of trainer/native/optim.
type solved struct {
	o    kernel.Optimizer
	ring *kernel.Ring
	loss cuda.Ptr

	segments                                            []optim.Segment
	w, g, m, v, peak, sum, average, stats, averageStats []float32
	decaying                                            optim.Average
	updates                                             int
}

// kindOf is one way to train.
type kindOf struct {
	name                       string
	kind                       kernel.Kind
	amsgrad, sums, freeze, all bool // all: without average and copy in bf16
	clip                       float64
}

var kinds = []kindOf{
	{name: "SGD", kind: kernel.SGD},
	{name: "SGD clipped", kind: kernel.SGD, clip: 0.5},
	{name: "SGD, sums over batches", kind: kernel.SGD, clip: 3, sums: true},
	{name: "SGD, frozen", kind: kernel.SGD, clip: 2, freeze: true},
	{name: "SGD, frozen, sums", kind: kernel.SGD, clip: 2, freeze: true, sums: true},
	{name: "SGD, weights alone", kind: kernel.SGD, all: true},
	{name: "Adam", kind: kernel.Adam, clip: 1},
	{name: "AdamW", kind: kernel.AdamW, clip: 1, sums: true},
	{name: "AdamW, AMSGrad", kind: kernel.AdamW, clip: 1, amsgrad: true, freeze: true},
	{name: "LION", kind: kernel.LION, clip: 1},
	{name: "LION, frozen, sums", kind: kernel.LION, freeze: true, sums: true},
}

const (
	arena  = 9*1024 + 48 // floats: three blocks of the norm, and a part
	statsN = 96
)

// parts are segments as networks have them, with padding between.
func parts(freeze bool) []optim.Segment {
	return []optim.Segment{
		{Off: 0, Len: 5000, Decay: true}, {Off: 5008, Len: 3001, Decay: true, Frozen: freeze}, {Off: 8016, Len: 800},
		{Off: 8832, Len: 5, Bias: true}, {Off: 8848, Len: 300, Bias: true, Frozen: freeze}, {Off: 9152, Len: 16},
	}
}

// fill puts random values where there are parameters.
func (s *solved) fill(r *rand.Rand, v []float32, scale float32) {
	for _, p := range s.segments {
		for i := range p.Len {
			v[p.Off+i] = scale * (2*r.Float32() - 1)
		}
	}
}

func setUp(b *kerneltest.Bench, t *testing.T, k kindOf, r *rand.Rand) *solved {
	s := &solved{segments: parts(k.freeze), decaying: optim.Average{Decay: 0.9, Tau: 5}}
	for _, v := range []*[]float32{&s.w, &s.g, &s.m, &s.v, &s.peak, &s.sum} {
		*v = make([]float32, arena)
	}
	s.fill(r, s.w, 1)
	s.stats = kerneltest.Random(kernel.Float32, r, statsN)
	s.average, s.averageStats = slices.Clone(s.w), slices.Clone(s.stats)
	var segments []kernel.Segment
	for _, p := range s.segments {
		segments = append(segments, kernel.Segment{Off: int64(p.Off), Len: int64(p.Len), Decay: p.Decay, Bias: p.Bias, Frozen: p.Frozen})
	}
	s.o = kernel.Optimizer{
		Kind: k.kind, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 0.05, ClipNorm: k.clip,
		Floats: arena, Table: kerneltest.Put(b, kernel.Table(arena, segments)),
		Weights: kerneltest.Put(b, s.w), Grads: b.Alloc(arena * 4), Momentum: b.Alloc(arena * 4),
		StatFloats: statsN, Stats: kerneltest.Put(b, s.stats), KeptStats: b.Alloc(statsN * 4),
	}
	if k.kind == kernel.LION {
		s.o.Beta2 = 0.99
	}
	if k.kind == kernel.Adam || k.kind == kernel.AdamW {
		s.o.Square = b.Alloc(arena * 4)
	}
	if k.amsgrad {
		s.o.Peak = b.Alloc(arena * 4)
	} else {
		s.peak = nil
	}
	if k.sums {
		s.o.Sum = b.Alloc(arena * 4)
	}
	if !k.all {
		s.o.W16, s.o.Average, s.o.AverageStats = b.PutValues(kernel.BFloat16, s.w), kerneltest.Put(b, s.w), kerneltest.Put(b, s.stats)
	}
	s.o.Scratch = b.Alloc(s.o.ScratchBytes())
	s.loss = kerneltest.Put(b, []float64{1.5, 2.5, 3.5})
	var err error
	if s.ring, err = kernel.NewRing(b.GPU, 3); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.ring.Close(); err != nil {
			t.Error(err)
		}
	})
	s.o.Step = s.ring.Step(b.Alloc(kernel.StateBytes), kernel.Doubles{P: s.loss, N: 1}, kernel.Doubles{P: s.loss.Add(8), N: 2})
	return s
}

// launches are those of a whole step.
func (s *solved) launches() []cuda.Launch {
	l := append([]cuda.Launch{s.o.Step.Begin()}, s.o.Launches()...)
	return append(l, s.o.Step.End())
}

// rates are those of a step, counted from 0.
func (s *solved) rates(step int, move bool) (optim.Rates, kernel.StepInput) {
	r := optim.Rates{Weights: 0.01 + 0.003*float64(step), Bias: 0.1 - 0.004*float64(step), Momentum: 0.8 + 0.01*float64(step)}
	return r, s.o.Input(kernel.Rates{Weights: r.Weights, Bias: r.Bias, Momentum: r.Momentum,
		Average: s.decaying.Weight(s.updates + 1), Update: s.updates + 1, Move: move})
}

// cpu makes the step with the CPU's optimiser, as solver.step of trainer/native does.
func (s *solved) cpu(k kindOf, r optim.Rates, move bool) (norm float64) {
	g := s.g
	if k.sums {
		native.Accumulate(s.sum, g)
		g = s.sum
	}
	if !move {
		return 0
	}
	s.updates++
	switch k.kind {
	case kernel.SGD:
		o := optim.SGD{Segments: s.segments, WeightDecay: 0.05, ClipNorm: k.clip}
		norm = o.Step(s.w, g, s.m, r)
	case kernel.LION:
		o := optim.LION{Segments: s.segments, Beta1: 0.9, WeightDecay: 0.05, ClipNorm: k.clip}
		norm = o.Step(s.w, g, s.m, r)
	default:
		o := optim.AdamW{Segments: s.segments, Beta1: 0.9, WeightDecay: 0.05, ClipNorm: k.clip, L2: k.kind == kernel.Adam}
		norm = o.Step(s.w, g, optim.Moments{Mean: s.m, Square: s.v, Peak: s.peak}, s.updates, r)
	}
	clear(s.sum)
	s.decaying.Move(s.average, s.w, s.updates)
	s.decaying.Move(s.averageStats, s.stats, s.updates)
	return norm
}

// agree compares an arena with the CPU's: to 4 units in the last place of the largest value, for the GPU may fuse what the
// CPU rounds, in every one of the steps before.
func agree(t *testing.T, b *kerneltest.Bench, what string, p cuda.Ptr, want []float32) {
	t.Helper()
	if p == 0 {
		return
	}
	got := kerneltest.Get[float32](b, p, len(want))
	largest := 0.0
	for _, v := range want {
		largest = max(largest, math.Abs(float64(v)))
	}
	for i := range want {
		if d := math.Abs(float64(got[i]) - float64(want[i])); !(d <= 4*largest/(1<<23)) {
			t.Fatalf("%s: value %d is %g, and %g on the CPU", what, i, got[i], want[i])
		}
	}
}

func (s *solved) compare(t *testing.T, b *kerneltest.Bench, what string) {
	t.Helper()
	agree(t, b, what+": weights", s.o.Weights, s.w)
	agree(t, b, what+": gradients", s.o.Grads, s.g)
	agree(t, b, what+": momentum", s.o.Momentum, s.m)
	agree(t, b, what+": squares", s.o.Square, s.v)
	agree(t, b, what+": peaks", s.o.Peak, s.peak)
	agree(t, b, what+": sums", s.o.Sum, s.sum)
	agree(t, b, what+": average", s.o.Average, s.average)
	agree(t, b, what+": average of statistics", s.o.AverageStats, s.averageStats)
	if s.o.W16 != 0 {
		w, h := kerneltest.Get[float32](b, s.o.Weights, arena), kerneltest.Get[uint16](b, s.o.W16, arena)
		for i := range w {
			if h[i] != kerneltest.Bits(w[i]) {
				t.Fatalf("%s: weight %d is %g, its copy in bf16 %#x", what, i, w[i], h[i])
			}
		}
	}
}

// next puts gradients and statistics of another batch in place.
func (s *solved) next(t *testing.T, b *kerneltest.Bench, r *rand.Rand, scale float32) {
	s.fill(r, s.g, scale)
	for i := range s.stats {
		s.stats[i] += r.Float32() - 0.5
	}
	for p, v := range map[cuda.Ptr][]float32{s.o.Grads: s.g, s.o.Stats: s.stats} {
		putArena(t, b, p, v)
	}
}

func putArena[T any](t *testing.T, b *kerneltest.Bench, p cuda.Ptr, v []T) {
	t.Helper()
	from := kerneltest.Put(b, v)
	if err := b.Stream.Copy(p, from, int64(len(v))*int64(unsafe.Sizeof(*new(T)))); err != nil {
		t.Fatal(err)
	}
	if err := b.Stream.Wait(); err != nil {
		t.Fatal(err)
	}
}

// one submits a step and returns its result.
func (s *solved) one(t *testing.T, b *kerneltest.Bench, in kernel.StepInput) kernel.StepResult {
	t.Helper()
	if err := s.ring.Submit(b.Stream, in, func() error { return b.Module.Run(b.Stream, s.launches()...) }); err != nil {
		t.Fatal(err)
	}
	results, err := s.ring.Drain()
	if err != nil || len(results) != 1 {
		t.Fatalf("results %+v, error %v", results, err)
	}
	return results[0]
}

// TestOptimizers makes steps of every kind beside the CPU's optimisers.
func TestOptimizers(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			b := kerneltest.New(t)
			r := kerneltest.Seed(k.name)
			s := setUp(b, t, k, r)
			for step := range 10 {
				s.next(t, b, r, []float32{0.02, 0.5}[step%2])
				move := !k.sums || step%3 == 2 || step > 6
				rates, in := s.rates(step, move)
				got, want := s.one(t, b, in), s.cpu(k, rates, move)
				if math.Abs(got.Norm-want) > 1e-12*want || got.Moved() != move || got.Halt != kernel.Running || got.Idle() {
					t.Fatalf("step %d: %+v, norm %g on the CPU", step, got, want)
				}
				if got.Losses != [12]float64{1.5, 2.5, 3.5} {
					t.Fatalf("step %d: losses %v", step, got.Losses)
				}
				s.compare(t, b, fmt.Sprintf("step %d", step))
			}
		})
	}
}

// TestNotFinite spoils a step: the weights stay, statistics and averages are as the CPU leaves them, and steps after it
// change nothing.
func TestNotFinite(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		name       string
		k          kindOf
		loss, grad float64
		at         int // a float of the arena
		move       bool
		want       kernel.Halt
	}{
		{name: "loss", k: kinds[0], loss: nan, move: true, want: kernel.BadLoss},
		{name: "loss, sums", k: kinds[2], loss: -inf, move: false, want: kernel.BadLoss},
		{name: "gradient", k: kinds[0], grad: nan, at: 8016, move: true, want: kernel.BadNorm},
		{name: "gradient, AMSGrad", k: kinds[8], grad: inf, at: 9167, move: true, want: kernel.BadNorm},
		{name: "gradient, sums", k: kinds[2], grad: -inf, at: 4999, move: true, want: kernel.BadNorm},
		{name: "gradient of a batch that moves nothing yet", k: kinds[2], grad: inf, at: 3, move: false, want: kernel.Running},
		{name: "frozen gradient", k: kinds[3], grad: nan, at: 5010, move: true, want: kernel.Running},
		{name: "gradient, LION", k: kinds[9], grad: nan, at: 8833, move: true, want: kernel.BadNorm},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := kerneltest.New(t)
			r := kerneltest.Seed(c.name)
			s := setUp(b, t, c.k, r)
			for range 2 {
				s.next(t, b, r, 0.3)
				rates, in := s.rates(1, true)
				s.one(t, b, in)
				s.cpu(c.k, rates, true)
			}
			s.next(t, b, r, 0.3)
			if c.grad != 0 {
				s.g[c.at] = float32(c.grad)
				putArena(t, b, s.o.Grads, s.g)
			}
			rates, in := s.rates(2, c.move)
			if c.loss != 0 {
				putArena(t, b, s.loss, []float64{1.5, 2.5, c.loss})
				if got := s.one(t, b, in); got.Halt != c.want || got.Idle() || got.Moved() || got.Norm != 0 {
					t.Errorf("result %+v", got)
				}
			} else {
				norm := s.cpu(c.k, rates, c.move)
				if got := s.one(t, b, in); got.Halt != c.want || got.Idle() || got.Moved() != c.move ||
					math.IsNaN(norm) != math.IsNaN(got.Norm) || math.IsInf(norm, 0) != math.IsInf(got.Norm, 0) {
					t.Errorf("result %+v, norm %g on the CPU", got, norm)
				}
			}
			if c.want == kernel.Running {
				return
			}
			if s.o.Sum == 0 {
				clearBad(s.g)
				putArena(t, b, s.o.Grads, s.g)
			} else {
				s.g = kerneltest.Get[float32](b, s.o.Grads, arena)
				clearBad(s.g)
				putArena(t, b, s.o.Grads, s.g)
			}
			s.compare(t, b, "that step")
			stats := slices.Clone(s.stats)
			putArena(t, b, s.loss, []float64{1.5, 2.5, 3.5})
			for step := range 3 {
				s.next(t, b, r, 0.3)
				_, in := s.rates(3, true)
				if got := s.one(t, b, in); got.Halt != c.want || !got.Idle() || got.Moved() {
					t.Errorf("step %d after: %+v", step, got)
				}
				s.compare(t, b, "after")
				agree(t, b, "statistics", s.o.Stats, stats)
			}
		})
	}
}

func clearBad(v []float32) {
	for i, x := range v {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			v[i] = 0
		}
	}
}

// TestSteps holds captured steps that run ahead of the host against steps that are launched one by one, bit for bit, in any
// order of threads and blocks, and with few blocks.
func TestSteps(t *testing.T) {
	type end struct {
		w, m, v, average, sum, stats []float32
		results                      []kernel.StepResult
	}
	k := kindOf{name: "ahead", kind: kernel.AdamW, clip: 1, sums: true}
	const steps = 11
	take := func(order string, captured, few bool) (e end) {
		t.Setenv("EMULATOR_ORDER", order)
		b := kerneltest.New(t)
		r := kerneltest.Seed(k.name)
		s := setUp(b, t, k, r)
		s.next(t, b, r, 0.3)
		launches := s.launches()
		if few {
			launches[2].Grid = [3]int{3}
		}
		launch := func() error { return b.Module.Run(b.Stream, launches...) }
		if captured {
			c, err := b.Stream.Capture(launch)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := c.Close(); err != nil {
					t.Error(err)
				}
			}()
			launch = func() error { return c.Launch(b.Stream) }
		}
		for step := range steps {
			move := step%3 != 0
			_, in := s.rates(step, move)
			if move {
				s.updates++
			}
			if err := s.ring.Submit(b.Stream, in, launch); err != nil {
				t.Fatal(err)
			}
			if step == 6 || !captured {
				some, err := s.ring.Results()
				if err != nil {
					t.Fatal(err)
				}
				e.results = append(e.results, some...)
			}
		}
		rest, err := s.ring.Drain()
		if err != nil {
			t.Fatal(err)
		}
		e.results = append(e.results, rest...)
		get := func(p cuda.Ptr) []float32 { return kerneltest.Get[float32](b, p, arena) }
		e.w, e.m, e.v, e.average, e.sum = get(s.o.Weights), get(s.o.Momentum), get(s.o.Square), get(s.o.Average), get(s.o.Sum)
		e.stats = kerneltest.Get[float32](b, s.o.AverageStats, statsN)
		return e
	}
	want := take("", false, false)
	if len(want.results) != steps {
		t.Fatalf("%d results of %d steps", len(want.results), steps)
	}
	for i, r := range want.results {
		if r.Number != uint64(i) || r.Moved() != (i%3 != 0) || (r.Norm > 0) != r.Moved() {
			t.Errorf("result %d: %+v", i, r)
		}
	}
	for _, c := range []struct {
		order         string
		captured, few bool
	}{{"", true, false}, {"reverse", false, false}, {"shuffle", true, true}} {
		got := take(c.order, c.captured, c.few)
		for i, pair := range [][2][]float32{{got.w, want.w}, {got.m, want.m}, {got.v, want.v}, {got.average, want.average}, {got.sum, want.sum}, {got.stats, want.stats}} {
			if !slices.Equal(pair[0], pair[1]) {
				t.Errorf("%+v: arena %d differs", c, i)
			}
		}
		if !slices.Equal(got.results, want.results) {
			t.Errorf("%+v: results %+v, want %+v", c, got.results, want.results)
		}
	}
}

// TestRingNotices lets a step be launched twice for one input.
func TestRingNotices(t *testing.T) {
	b := kerneltest.New(t)
	s := setUp(b, t, kinds[0], kerneltest.Seed("twice"))
	_, in := s.rates(0, true)
	twice := func() error { return b.Module.Run(b.Stream, append(s.launches(), s.launches()...)...) }
	for range 3 {
		if err := s.ring.Submit(b.Stream, in, twice); err != nil {
			t.Fatal(err)
		}
	}
	if r, err := s.ring.Drain(); err == nil {
		t.Errorf("results %+v of six launches for three inputs", r)
	}
}

// TestSumSquares sums arenas of one block and of several, and finds what is not finite.
func TestSumSquares(t *testing.T) {
	b := kerneltest.New(t)
	total := b.Alloc(8)
	for _, n := range []int{4, 16, 4096, 4100, 20000} {
		v := kerneltest.Random(kernel.Float32, kerneltest.Seed("squares"), n)
		p, scratch := kerneltest.Put(b, v), b.Alloc(kernel.SumSquaresScratch(int64(n)))
		want := native.SumSquares(v)
		b.Run(kernel.SumSquares(p, int64(n), total, scratch)...)
		if got := kerneltest.Get[float64](b, total, 1)[0]; math.Abs(got-want) > 1e-13*want {
			t.Errorf("%d values: %g, want %g", n, got, want)
		}
		for _, bad := range []float32{float32(math.Inf(-1)), float32(math.NaN())} {
			v[n-1] = bad
			putArena(t, b, p, v)
			b.Run(kernel.SumSquares(p, int64(n), total, scratch)...)
			if got := kerneltest.Get[float64](b, total, 1)[0]; !math.IsNaN(got) && !math.IsInf(got, 0) {
				t.Errorf("%d values, one of them %g: %g", n, bad, got)
			}
		}
		v[n-1] = math.MaxFloat32
		putArena(t, b, p, v)
		b.Run(kernel.SumSquares(p, int64(n), total, scratch)...)
		if got := kerneltest.Get[float64](b, total, 1)[0]; math.IsInf(got, 0) {
			t.Errorf("%d values that are all finite: %g", n, got)
		}
	}
}

func TestTable(t *testing.T) {
	got := kernel.Table(96, []kernel.Segment{{Off: 0, Len: 17, Decay: true}, {Off: 48, Len: 16, Frozen: true}, {Off: 64, Len: 3, Bias: true}})
	if want := []byte{3, 3, 0, 8, 5, 0}; !slices.Equal(got, want) {
		t.Errorf("table %v, want %v", got, want)
	}
}
