package kernel_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/assign"
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/emulator"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel/kerneltest"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
)

var lossGains = loss.Gains{Box: 7.5, Class: 0.5, DFL: 1.5}

// lossCase is a batch whose loss is computed on both sides.
type lossCase struct {
	name    string
	heads   loss.Heads
	truths  []loss.Truth
	method  assign.Method
	classes loss.Classes
	weight  float64
}

// grid makes the points of a square picture at strides 8 and 16, and lets fill make the logits.
func grid(size, n, k, r int, fill func(box bool, count int) []float32) loss.Heads {
	h := loss.Heads{N: n, K: k, R: r}
	for _, s := range []int{8, 16} {
		for y := range size / s {
			for x := range size / s {
				h.Points = append(h.Points, (float32(x)+0.5)*float32(s), (float32(y)+0.5)*float32(s))
				h.Stride = append(h.Stride, float32(s))
			}
		}
	}
	h.A = len(h.Stride)
	h.Box, h.Class = fill(true, n*h.A*4*r), fill(false, n*h.A*k)
	return h
}

// aimed makes a head that is about right: logits of sides lean to a random one of the truths that hold the point.
func aimed(r *rand.Rand, size, n, k, bins int, truths []loss.Truth) loss.Heads {
	h := grid(size, n, k, bins, func(box bool, count int) []float32 {
		v := make([]float32, count)
		for i := range v {
			v[i] = 2*r.Float32() - 1
		}
		return v
	})
	for i := range n * h.A {
		a := i % h.A
		x, y := h.Points[2*a], h.Points[2*a+1]
		for _, t := range truths {
			if t.Image != i/h.A || x <= t.X0 || y <= t.Y0 || x >= t.X1 || y >= t.Y1 || r.IntN(2) == 0 {
				continue
			}
			for s, d := range [4]float32{x - t.X0, y - t.Y0, t.X1 - x, t.Y1 - y} {
				for b := range bins {
					far := d/h.Stride[a] - float32(b)
					h.Box[(i*4+s)*bins+b] -= far * far
				}
			}
			h.Class[i*k+t.Class] += 2
		}
	}
	return h
}

// objects are random truths, many of them over each other, some on the border or beyond it.
func objects(r *rand.Rand, size, n, k, most int) (truths []loss.Truth) {
	for image := range n {
		for range r.IntN(most + 1) {
			x, y := r.Float32()*float32(size), r.Float32()*float32(size)
			w, h := 4+r.Float32()*float32(size)/2, 4+r.Float32()*float32(size)/2
			truths = append(truths, loss.Truth{Image: image, Class: r.IntN(k), X0: max(x-w/2, 0), Y0: max(y-h/2, 0), X1: x + w/2, Y1: y + h/2})
		}
	}
	return truths
}

func lossCases(t *testing.T) (all []lossCase) {
	all = fixtureCases(t)
	r := kerneltest.Seed("losses")
	methods := []assign.Method{{}, {TopK: 3, Alpha: 1, Beta: 2}, {TopK: 10, Alpha: 0.5, Beta: 6, All: true}, {TopK: 1, Alpha: 0.5, Beta: 6, All: true},
		{TopK: 1000, Alpha: 0.5, Beta: 6}, {TopK: 7, Alpha: 0, Beta: 1.5}}
	classes := []loss.Classes{{}, {Smoothing: 0.1}, {Weight: 3}, {Gamma: 1.5}, {Smoothing: 0.2, Weight: 0.5, Gamma: 0.5}}
	for i, m := range methods {
		for j, c := range classes {
			if i > 0 && j > 0 && i != j {
				continue
			}
			k := 1 + r.IntN(7)
			truths := objects(r, 96, 3, k, 9)
			all = append(all, lossCase{"random", aimed(r, 96, 3, k, 8+8*(i%2), truths), truths, m, c, 1})
		}
	}
	// Equal logits everywhere, and objects twice in one place: ties of points and of objects.
	flat := func(_ bool, count int) []float32 { return make([]float32, count) }
	two := loss.Truth{Image: 0, Class: 1, X0: 8, Y0: 8, X1: 56, Y1: 56}
	for _, m := range methods {
		all = append(all, lossCase{"ties", grid(64, 2, 2, 8, flat), []loss.Truth{two, two, {Image: 1, Class: 0, X0: 0, Y0: 4, X1: 64, Y1: 60}}, m, loss.Classes{}, 0.25})
	}
	crowd := objects(r, 64, 1, 2, 0)
	for range 120 {
		x, y := 32*r.Float32(), 32*r.Float32()
		crowd = append(crowd, loss.Truth{Class: r.IntN(2), X0: x, Y0: y, X1: x + 32, Y1: y + 32})
	}
	all = append(all, lossCase{"crowd", aimed(r, 64, 1, 2, 8, crowd), crowd, assign.Method{}, loss.Classes{}, 1},
		lossCase{"crowd, all", aimed(r, 64, 1, 2, 8, crowd), crowd, assign.Method{TopK: 5, Alpha: 0.5, Beta: 6, All: true}, loss.Classes{}, 1})
	// On the border of points, and between all points.
	edge := []loss.Truth{{Image: 1, X0: 4, Y0: 4, X1: 12, Y1: 12}, {Image: 1, X0: 5, Y0: 5, X1: 7, Y1: 7}, {Image: 1, X0: 0, Y0: 0, X1: 64, Y1: 64}}
	all = append(all, lossCase{"borders", aimed(r, 64, 3, 1, 4, edge), edge, assign.Method{}, loss.Classes{}, 1})
	wild := func(box bool, count int) []float32 {
		v := make([]float32, count)
		for i := range v {
			v[i] = 200 * (2*r.Float32() - 1)
		}
		return v
	}
	// More objects, and more points and logits, than blocks take at a time.
	many, wide := objects(r, 64, 9, 2, 300), objects(r, 512, 7, 31, 4)
	all = append(all, lossCase{"many objects", aimed(r, 64, 9, 2, 4, many), many, assign.Method{}, loss.Classes{}, 1},
		lossCase{"many points", aimed(r, 512, 7, 31, 4, wide), wide, assign.Method{}, loss.Classes{}, 1})
	return append(all, lossCase{"extreme", grid(64, 2, 3, 8, wild), objects(r, 64, 2, 3, 4), assign.Method{}, loss.Classes{}, 1},
		lossCase{"extreme, focal", grid(64, 2, 3, 8, wild), objects(r, 64, 2, 3, 4), assign.Method{}, loss.Classes{Gamma: 0.3, Smoothing: 0.1}, 1})
}

// fixtureCases are the inputs of the loss's own comparison with PyTorch.
func fixtureCases(t *testing.T) (all []lossCase) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "loss", "testdata", "loss.json"))
	if err != nil {
		t.Fatal(err)
	}
	var files []struct {
		Name          string
		Size, N, K, R int
		AmpBox        float64 `json:"amp_box"`
		AmpClass      float64 `json:"amp_cls"`
		TopK          int
		Alpha, Beta   float64
		Smoothing     float64
		ClsPW         float64 `json:"cls_pw"`
		Gamma         float64
		Truths        [][]float64
	}
	if err := json.Unmarshal(data, &files); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		c := lossCase{name: f.Name, method: assign.Method{TopK: f.TopK, Alpha: f.Alpha, Beta: f.Beta}, classes: loss.Classes{Smoothing: f.Smoothing, Weight: f.ClsPW, Gamma: f.Gamma}, weight: 1}
		for _, r := range f.Truths {
			c.truths = append(c.truths, loss.Truth{Image: int(r[0]), Class: int(r[1]), X0: float32(r[2]), Y0: float32(r[3]), X1: float32(r[4]), Y1: float32(r[5])})
		}
		c.heads = grid(f.Size, f.N, f.K, f.R, func(box bool, count int) []float32 {
			s, amplitude := 2, f.AmpClass
			if box {
				s, amplitude = 1, f.AmpBox
			}
			v := make([]float32, count)
			for i := range v {
				v[i] = float32((float64((i*7919+s*104729)%2003)/1001 - 1) * amplitude)
			}
			return v
		})
		all = append(all, c)
	}
	return all
}

// onGPU is a case's loss on the GPU.
type onGPU struct {
	b *kerneltest.Bench
	l kernel.Loss
}

// put places a case with room for capacity objects. All memory that is written is full of what must be overwritten.
func put(t testing.TB, b *kerneltest.Bench, c lossCase, capacity int) onGPU {
	t.Helper()
	h := c.heads
	l := kernel.Loss{
		Heads:  kernel.Heads{N: h.N, A: h.A, K: h.K, R: h.R, Box: kerneltest.Put(b, h.Box), Class: kerneltest.Put(b, h.Class), Points: kerneltest.Put(b, h.Points), Strides: kerneltest.Put(b, h.Stride)},
		Method: c.method, Classes: c.classes, Gains: lossGains, Weight: c.weight,
	}
	packed := make([]byte, kernel.TruthBytes(h.N, capacity))
	if err := kernel.PackTruths(packed, c.truths, h.N, h.K, capacity); err != nil {
		t.Fatal(err)
	}
	l.Truths = kernel.PlaceTruths(kerneltest.Put(b, packed), h.N, capacity)
	dirty := func(bytes int64) cuda.Ptr {
		return kerneltest.Put(b, slices.Repeat([]byte{0xa5}, int(bytes)))
	}
	l.Targets = kernel.PlaceTargets(dirty(kernel.TargetBytes(h.N, h.A)), h.N, h.A)
	l.DBox, l.DClass, l.Result, l.Scratch = dirty(int64(4*len(h.Box))), dirty(int64(4*len(h.Class))), dirty(kernel.LossResultBytes), dirty(l.ScratchBytes())
	return onGPU{b, l}
}

// outcome is everything that a loss leaves.
type outcome struct {
	truth        []int32
	score        []float32
	result       kernel.LossResult
	dBox, dClass []float32
}

func (g onGPU) get() outcome {
	h := g.l.Heads
	return outcome{kerneltest.Get[int32](g.b, g.l.Targets.Truth, h.N*h.A), kerneltest.Get[float32](g.b, g.l.Targets.Score, h.N*h.A),
		kerneltest.Get[kernel.LossResult](g.b, g.l.Result, 1)[0], kerneltest.Get[float32](g.b, g.l.DBox, h.N*h.A*4*h.R), kerneltest.Get[float32](g.b, g.l.DClass, h.N*h.A*h.K)}
}

// compare holds what the GPU left against the CPU. Targets are equal; a gradient may differ by 1e-6 of the largest, which is
// what rounding class terms to float32 costs at most (their probabilities, up to 1, are rounded by 2^-24, in a few
// operations), and parts by 1e-6 of their size.
func compare(t *testing.T, c lossCase, targets *loss.Targets, p loss.Parts, dBox, dClass []float32, got outcome) {
	t.Helper()
	for i := range targets.Truth {
		// A GPU's exp and atan differ from the host's in the last bit.
		equal := got.score[i] == targets.Score[i] || emulator.Real() && math.Abs(float64(got.score[i]-targets.Score[i])) <= 1e-6
		if got.truth[i] != targets.Truth[i] || !equal {
			t.Fatalf("point %d: truth %d, score %g, want %d, %g", i, got.truth[i], got.score[i], targets.Truth[i], targets.Score[i])
		}
	}
	points := 0
	for _, o := range targets.Truth {
		if o >= 0 {
			points++
		}
	}
	r := got.result
	if int(r.Points) != points {
		t.Errorf("%d points have an object, want %d", r.Points, points)
	}
	for _, v := range []struct {
		name      string
		got, want float64
	}{{"normaliser", r.Normaliser, targets.Total}, {"box", r.Box, p.Box}, {"class", r.Class, p.Class}, {"dfl", r.DFL, p.DFL}, {"value", r.Value, c.weight * lossGains.Total(p)}} {
		if !(math.Abs(v.got-v.want) <= 1e-6*math.Abs(v.want)) {
			t.Errorf("%s %.9g, want %.9g", v.name, v.got, v.want)
		}
	}
	withinLargest(t, "box gradient", got.dBox, dBox)
	withinLargest(t, "class gradient", got.dClass, dClass)
}

func withinLargest(t *testing.T, name string, got, want []float32) {
	t.Helper()
	largest := 0.0
	for _, v := range want {
		largest = max(largest, math.Abs(float64(v)))
	}
	for i := range want {
		if !(math.Abs(float64(got[i])-float64(want[i])) <= 1e-6*largest) {
			t.Fatalf("%s %d: %g, want %g; the largest is %g", name, i, got[i], want[i], largest)
		}
	}
}

// TestLoss compares assignment, parts and gradients with the CPU's, for every order of threads and in a captured graph.
func TestLoss(t *testing.T) {
	b := kerneltest.New(t)
	assigned := 0
	for _, c := range lossCases(t) {
		t.Run(c.name, func(t *testing.T) {
			cpu := loss.Loss{Method: c.method, Classes: c.classes}
			targets, err := cpu.Assign(c.heads, c.truths)
			if err != nil {
				t.Fatal(err)
			}
			dBox, dClass := make([]float32, len(c.heads.Box)), make([]float32, len(c.heads.Class))
			p, err := cpu.Evaluate(c.heads, targets, lossGains, c.weight, dBox, dClass)
			if err != nil {
				t.Fatal(err)
			}
			g := put(t, b, c, len(c.truths)+3)
			b.Run(append(g.l.Assign(), g.l.Evaluate()...)...)
			got := g.get()
			compare(t, c, targets, p, dBox, dClass, got)
			assigned += int(got.result.Points)
		})
	}
	if assigned < 2000 {
		t.Errorf("only %d points have an object: the cases say little", assigned)
	}
}

// TestLossOfOtherOrders holds that results have the same bits whatever order threads and blocks run in.
func TestLossOfOtherOrders(t *testing.T) {
	r := kerneltest.Seed("orders")
	truths := objects(r, 96, 2, 3, 12)
	for _, m := range []assign.Method{assign.Usual, {TopK: 10, Alpha: 0.5, Beta: 6, All: true}} {
		c := lossCase{heads: aimed(r, 96, 2, 3, 8, truths), truths: truths, method: m, classes: loss.Classes{Gamma: 1.5}, weight: 1}
		var want outcome
		for _, order := range []string{"forward", "reverse", "shuffle"} {
			t.Setenv("EMULATOR_ORDER", order)
			b := kerneltest.New(t)
			g := put(t, b, c, len(truths))
			b.Run(append(g.l.Assign(), g.l.Evaluate()...)...)
			got := g.get()
			if order == "forward" {
				want = got
			} else if got.result != want.result || !slices.Equal(got.truth, want.truth) || !slices.Equal(got.score, want.score) ||
				!slices.Equal(got.dBox, want.dBox) || !slices.Equal(got.dClass, want.dClass) {
				t.Errorf("%+v, order %s: %+v, want %+v", m, order, got.result, want.result)
			}
		}
		if want.result.Points == 0 {
			t.Error("no point has an object")
		}
	}
}

// TestLossOfTwoHeads replays a captured step of a main head and an auxiliary one that learns the main one's targets, with
// other objects each time: many, none, few.
func TestLossOfTwoHeads(t *testing.T) {
	const capacity, images, classes = 24, 2, 3
	b, r := kerneltest.New(t), kerneltest.Seed("two heads")
	many := objects(r, 96, images, classes, 12)
	c := lossCase{heads: aimed(r, 96, images, classes, 8, many), weight: 1}
	d := lossCase{heads: aimed(r, 96, images, classes, 8, many), weight: 0.25}
	main, aux := put(t, b, c, capacity), put(t, b, d, capacity)
	aux.l.Truths, aux.l.Targets = main.l.Truths, main.l.Targets
	host, err := b.GPU.NewPinned(int(kernel.TruthBytes(images, capacity)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := host.Close(); err != nil {
			t.Error(err)
		}
	}()
	step, err := b.Stream.Capture(func() error {
		if err := b.Stream.CopyIn(main.l.Truths.Box, host.Bytes); err != nil {
			return err
		}
		return b.Module.Run(b.Stream, slices.Concat(main.l.Assign(), main.l.Evaluate(), aux.l.Evaluate())...)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := step.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, truths := range [][]loss.Truth{many, nil, many[:1], many} {
		if err := kernel.PackTruths(host.Bytes, truths, images, classes, capacity); err != nil {
			t.Fatal(err)
		}
		if err := step.Launch(b.Stream); err != nil {
			t.Fatal(err)
		}
		var first, second loss.Loss
		targets, err := first.Assign(c.heads, truths)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range []struct {
			c   lossCase
			cpu *loss.Loss
			gpu onGPU
		}{{c, &first, main}, {d, &second, aux}} {
			dBox, dClass := make([]float32, len(c.heads.Box)), make([]float32, len(c.heads.Class))
			p, err := x.cpu.Evaluate(x.c.heads, targets, lossGains, x.c.weight, dBox, dClass)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, x.c, targets, p, dBox, dClass, x.gpu.get())
		}
	}
}

// TestLossIsNotANumber where a logit is not: neither its value nor its gradient hides it.
func TestLossIsNotANumber(t *testing.T) {
	b, nan := kerneltest.New(t), float32(math.NaN())
	truths := []loss.Truth{{Class: 1, X0: 4, Y0: 4, X1: 60, Y1: 60}}
	for _, m := range []assign.Method{{}, {TopK: 10, Alpha: 0.5, Beta: 6, All: true}} {
		h := aimed(kerneltest.Seed("nan"), 64, 1, 2, 8, truths)
		h.Class[7] = nan
		h.Box[3] = nan
		g := put(t, b, lossCase{heads: h, truths: truths, method: m, weight: 1}, 1)
		b.Run(append(g.l.Assign(), g.l.Evaluate()...)...)
		if got := g.get(); !math.IsNaN(got.result.Value) || got.result.Points == 0 {
			t.Errorf("%+v", got.result)
		}
	}
}

func TestTruthsThatCannotBePacked(t *testing.T) {
	box := loss.Truth{X1: 9, Y1: 9}
	at := func(image, class int) loss.Truth { t := box; t.Image, t.Class = image, class; return t }
	for want, truths := range map[string][]loss.Truth{
		"pack truths: 3 objects in a batch, and the GPU has room for 2": {box, box, box},
		"pack truths: truth 1 of 2 is out of order or of image 0 of 2":  {at(1, 0), at(0, 0)},
		"pack truths: truth 0 of 1 is out of order or of image 2 of 2":  {at(2, 0)},
		"pack truths: truth 0 of 1 is out of order or of image -1 of 2": {at(-1, 0)},
		"pack truths: class 4 of 4 in image 1":                          {at(1, 4)},
		"pack truths: class -1 of 4 in image 0":                         {at(0, -1)},
	} {
		err := kernel.PackTruths(make([]byte, kernel.TruthBytes(2, 2)), truths, 2, 4, 2)
		if err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
