package kernel_test

import (
	"math"
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

// onGPU is a case's loss on the GPU.
type onGPU struct {
	b *kerneltest.Bench
	l kernel.Loss
}

// putLoss places a case with room for capacity objects. All memory that is written is full of what must be overwritten.
func putLoss(t testing.TB, b *kerneltest.Bench, c lossCase, capacity int) onGPU {
	t.Helper()
	h := c.heads
	l := kernel.Loss{
		Heads:  kernel.Heads{N: h.N, A: h.A, K: h.K, R: h.R, Box: kerneltest.Put(b, h.Box), Class: kerneltest.Put(b, h.Class), Points: kerneltest.Put(b, h.Points), Strides: kerneltest.Put(b, h.Stride)},
		Method: c.method, Settings: kerneltest.Put(b, kernel.LossSettings(lossGains, c.weight, c.classes, c.method)),
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

// off is by how much a gradient may differ from the CPU's, as a share of the largest, and a part as a share of itself: class
// terms are made of about ten operations of float32, each rounded by 2^-24 of its result, or several times that by functions
// of a GPU.
const off = 2e-6

// compare holds what the GPU left against the CPU. Targets are equal.
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
		if !(math.Abs(v.got-v.want) <= off*math.Abs(v.want)) {
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
		if !(math.Abs(float64(got[i])-float64(want[i])) <= off*largest) {
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
			g := putLoss(t, b, c, len(c.truths)+3)
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
			g := putLoss(t, b, c, len(truths))
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
	main, aux := putLoss(t, b, c, capacity), putLoss(t, b, d, capacity)
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
		g := putLoss(t, b, lossCase{heads: h, truths: truths, method: m, weight: 1}, 1)
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
