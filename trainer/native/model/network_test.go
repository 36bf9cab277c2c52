package model_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
	"github.com/mapsweep/mapsweep/trainer/native/layers/layerstest"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
	"github.com/mapsweep/mapsweep/trainer/native/model"
)

func config() model.Config {
	return model.Config{Classes: 5, Width: 128, Height: 128, Batch: 2, Seed: 1, Loss: layerstest.Smooth(1)}
}

func build(t testing.TB, cfg model.Config) *model.Network {
	t.Helper()
	n, err := model.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// images are smooth pictures that differ from pixel to pixel, in 0..1.
func images(cfg model.Config, n int) []float32 {
	pix := make([]float32, n*cfg.Height*cfg.Width*3)
	for i := range pix {
		pix[i] = float32(0.5 + 0.5*math.Sin(float64(i)*0.37+float64(i*i%977)))
	}
	return pix
}

func TestCounts(t *testing.T) {
	// Parameters and GFLOP were counted by PyTorch 2.15 in the same network. The parameters of convolutions leave out
	// gamma and beta of 1360 channels with normalisation, and of 128 more in the auxiliary head.
	tests := []struct {
		name          string
		aux           bool
		classes       int
		params, convs int
		evalG, trainG float64
	}{
		{"gelan-n", false, 5, 424922, 422202, 0.1140, 0.1140},
		{"auxiliary head", true, 5, 519780, 516804, 0.1140, 0.1407},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := config()
			cfg.Aux, cfg.AuxLoss = tt.aux, layerstest.Smooth(0.25)
			n := build(t, cfg)
			convs := 0
			for _, p := range n.Params() {
				if p.Group == graph.Decay || len(p.Name) > 5 && p.Name[len(p.Name)-5:] == ".bias" {
					convs += p.Elements()
				}
			}
			if got := n.ParamCount(); got != tt.params || convs != tt.convs {
				t.Errorf("%d parameters, %d of convolutions; want %d and %d", got, convs, tt.params, tt.convs)
			}
			eval, train := n.ForwardFLOP()
			if e, f := float64(eval)/1e9, float64(train)/1e9; math.Abs(e-tt.evalG) > 5e-5 || math.Abs(f-tt.trainG) > 5e-4 {
				t.Errorf("%.4f and %.4f GFLOP, want %.4f and %.4f", e, f, tt.evalG, tt.trainG)
			}
		})
	}
}

// gradient runs a step on the usual images and returns loss and gradients.
func gradient(t *testing.T, n *model.Network) (float64, []float32) {
	t.Helper()
	cfg := n.Config()
	if err := n.SetImages(images(cfg, cfg.Batch)); err != nil {
		t.Fatal(err)
	}
	l, err := n.Step()
	if err != nil {
		t.Fatal(err)
	}
	return l, slices.Clone(n.Grads())
}

// train makes plain gradient steps and returns the losses.
func train(t *testing.T, n *model.Network, steps int) []float64 {
	t.Helper()
	var losses []float64
	for range steps {
		l, g := gradient(t, n)
		losses = append(losses, l)
		w := n.Weights()
		for i := range w {
			w[i] -= 0.01 * g[i]
		}
	}
	return losses
}

func reference(t *testing.T, n *model.Network) *layerstest.Reference {
	t.Helper()
	values := map[string][]float32{}
	for x := range n.NamedTensors() {
		arena := n.Weights()
		if x.Stat {
			arena = n.Stats()
		}
		v, err := x.Get(arena)
		if err != nil {
			t.Fatal(err)
		}
		values[x.Name] = v
	}
	r := layerstest.NewReference(n.Graph(),
		func(p *graph.Param) []float32 { return values[p.Name] },
		func(s *graph.Stat) []float32 { return values[s.Name] })
	cfg := n.Config()
	r.SetImages(n.Graph().Tensors[0], images(cfg, cfg.Batch))
	return r
}

func headSets(n *model.Network) []*layers.HeadSet {
	ops := n.Graph().Ops()
	return ops[len(ops)-1].(*layers.Loss).Sets
}

// checkGradients holds one gradient of every parameter against central differences in float64. most is the largest
// difference, of the largest gradient of the parameter.
func checkGradients(t *testing.T, cfg model.Config, most float64) {
	t.Helper()
	n := build(t, cfg)
	got, _ := gradient(t, n)
	r := reference(t, n)
	want := func() float64 {
		total := 0.0
		for i, s := range headSets(n) {
			box, class := r.Heads(s)
			total += layerstest.SmoothLoss([]float64{1, 0.25}[i], box, class)
		}
		return total
	}
	grads := map[string][]float32{}
	for x := range n.NamedTensors() {
		if !x.Stat {
			g, err := x.Get(n.Grads())
			if err != nil {
				t.Fatal(err)
			}
			grads[x.Name] = g
		}
	}
	found := layerstest.CheckGradients(r, want, func(p *graph.Param) []float32 { return grads[p.Name] }, 1)
	if l := want(); math.Abs(got-l) > 1e-5*math.Abs(l) {
		t.Errorf("loss %.7f, reference %.7f", got, l)
	}
	worst := 0.0
	for _, f := range found {
		worst = math.Max(worst, f.Relative)
		if !(f.Relative < most) {
			t.Errorf("%s[%d]: gradient %g, reference %g", f.Param.Name, f.Element, f.Got, f.Want)
		}
	}
	t.Logf("%d gradients, worst difference %.1e of the largest of its parameter", len(found), worst)
}

// TestGradients holds the whole detector, auxiliary head included, against central differences in float64.
func TestGradients(t *testing.T) {
	for _, size := range [][2]int{{48, 16}, {16, 32}} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			cfg := config()
			cfg.Width, cfg.Height, cfg.Aux, cfg.AuxLoss, cfg.Classes, cfg.Bins = size[0], size[1], true, layerstest.Smooth(0.25), 3, 5
			checkGradients(t, cfg, 1e-3)
		})
	}
}

// TestEval holds the evaluation pass against the reference, and checks that it moves nothing.
func TestEval(t *testing.T) {
	cfg := config()
	cfg.Width, cfg.Height = 64, 48
	n := build(t, cfg)
	train(t, n, 3)
	stats, weights := slices.Clone(n.Stats()), slices.Clone(n.Weights())
	if err := n.Eval(); err != nil {
		t.Fatal(err)
	}
	h := n.HeadOutputs()
	if h.N != 2 || h.A != 8*6+4*3 || h.R != 8 || h.K != 5 || len(h.Box) != h.N*h.A*32 || len(h.Class) != h.N*h.A*5 {
		t.Fatalf("heads of %d images, %d anchors, %d bins, %d classes: %d and %d floats", h.N, h.A, h.R, h.K, len(h.Box), len(h.Class))
	}
	if !slices.Equal(stats, n.Stats()) || !slices.Equal(weights, n.Weights()) {
		t.Error("evaluation moved statistics or weights")
	}
	r := reference(t, n)
	r.Train = false
	r.Run(0)
	box, class := r.Heads(headSets(n)[0])
	near(t, "box", h.Box, box)
	near(t, "class", h.Class, class)

	points := []float32{h.Points[0], h.Points[1], h.Points[2], h.Points[2*48], h.Points[2*48+1], h.Points[2*59], h.Points[2*59+1]}
	if want := []float32{4, 4, 12, 8, 8, 56, 40}; !slices.Equal(points, want) || h.Stride[47] != 8 || h.Stride[48] != 16 {
		t.Errorf("anchor points %v with strides %v, %v; want %v with 8, 16", points, h.Stride[47], h.Stride[48], want)
	}
	gradient(t, n)
	if slices.Equal(stats, n.Stats()) {
		t.Error("a training step did not move the statistics")
	}
}

func near(t *testing.T, what string, got []float32, want []float64) {
	t.Helper()
	for i := range got {
		if math.Abs(float64(got[i])-want[i]) > 1e-4 {
			t.Errorf("%s %d is %g, reference %g", what, i, got[i], want[i])
			return
		}
	}
}

// TestPartialBatch: evaluation of fewer images gives the same outputs; a training step refuses.
func TestPartialBatch(t *testing.T) {
	cfg := config()
	cfg.Batch = 3
	n := build(t, cfg)
	_, before := gradient(t, n)
	if err := n.Eval(); err != nil {
		t.Fatal(err)
	}
	full := n.HeadOutputs()
	box := slices.Clone(full.Box)
	if err := n.SetImages(images(cfg, 3)[128*128*3 : 3*128*128*3]); err != nil {
		t.Fatal(err)
	}
	if err := n.Eval(); err != nil {
		t.Fatal(err)
	}
	h := n.HeadOutputs()
	if h.N != 2 || len(h.Box) != 2*h.A*32 || !slices.Equal(h.Box, box[full.A*32:]) {
		t.Errorf("images 1 and 2 alone give %d images and other outputs", h.N)
	}
	if _, err := n.Step(); err == nil || !strings.Contains(err.Error(), "2 of 3 images") {
		t.Errorf("step on a partial batch: %v", err)
	}
	if _, after := gradient(t, n); !slices.Equal(after, before) {
		t.Error("gradients are others after an evaluation of fewer images")
	}
	for _, floats := range []int{0, 100, 4 * 128 * 128 * 3} {
		if err := n.SetImages(make([]float32, floats)); err == nil {
			t.Errorf("%d floats were accepted as images", floats)
		}
	}
}

// TestTape holds the static order against Gorgonia's TapeMachine on the whole detector, to the bit.
func TestTape(t *testing.T) {
	cfg := config()
	cfg.Aux, cfg.AuxLoss = true, layerstest.Smooth(0.25)
	n := build(t, cfg)
	want, grads := gradient(t, n)
	tape, err := graph.NewTape(n.Graph(), n.Bind)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := tape.Close(); err != nil {
			t.Error(err)
		}
	}()
	clear(n.Grads())
	p := graph.Pass{Train: true}
	if err := tape.Run(&p); err != nil {
		t.Fatal(err)
	}
	if p.Loss != want || !slices.Equal(grads, n.Grads()) {
		t.Errorf("tape machine: loss %v, static order %v; equal gradients: %v", p.Loss, want, slices.Equal(grads, n.Grads()))
	}
}

// TestNodes counts the nodes that Gorgonia made for gelan-n and asserts that each gradient is one of them.
func TestNodes(t *testing.T) {
	n := build(t, config())
	forward, backward, all := n.Graph().Counts()
	// 25 convolutions with normalisation, 4 heads, 4 x 2 parts, 4 + 2 joins, 1 upsampling, 1 loss.
	if want := 25 + 4 + 8 + 6 + 1 + 1; forward != want || backward != want {
		t.Errorf("%d forward and %d backward nodes of %d, want %d each", forward, backward, all, want)
	}
	for _, op := range n.Graph().Ops() {
		for _, p := range op.Params() {
			if graph.BackwardNodeOf(p.GradNode()) != op {
				t.Errorf("gradient of %s does not come from its own layer", p.Name)
			}
		}
	}
}

// TestParallel trains two networks side by side; each must do exactly what it does alone.
func TestParallel(t *testing.T) {
	cfgs := []model.Config{config(), config()}
	cfgs[1].Seed = 2
	var alone, together [2][]float64
	var weights [2][]float32
	for i, cfg := range cfgs {
		n := build(t, cfg)
		alone[i] = train(t, n, 5)
		weights[i] = slices.Clone(n.Weights())
	}
	var wg sync.WaitGroup
	for i, cfg := range cfgs {
		wg.Go(func() {
			n, err := model.New(cfg)
			if err != nil {
				t.Error(err)
				return
			}
			together[i] = train(t, n, 5)
			if !slices.Equal(weights[i], n.Weights()) {
				t.Errorf("network %d has other weights", i)
			}
			if err := n.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for i := range alone {
		if !slices.Equal(alone[i], together[i]) {
			t.Errorf("network %d: losses %v alone, %v together", i, alone[i], together[i])
		}
	}
	if slices.Equal(alone[0], alone[1]) {
		t.Error("two seeds give the same losses")
	}
	if a := alone[0]; !(a[4] < a[0]) {
		t.Errorf("losses do not fall: %v", a)
	}
}

func TestNoAllocation(t *testing.T) {
	n := build(t, config())
	gradient(t, n)
	allocs := testing.AllocsPerRun(3, func() {
		if _, err := n.Step(); err != nil {
			t.Fatal(err)
		}
		if err := n.Eval(); err != nil {
			t.Fatal(err)
		}
		n.HeadOutputs()
	})
	if allocs != 0 {
		t.Errorf("%v allocations in a step", allocs)
	}
}

// TestInitialWeights: bounds and constants, the same for every batch, other for every seed.
func TestInitialWeights(t *testing.T) {
	cfg := config()
	n := build(t, cfg)
	cfg.Batch = 1
	same := build(t, cfg)
	cfg.Seed = 2
	other := build(t, cfg)
	if !slices.Equal(n.Weights(), same.Weights()) {
		t.Error("initial weights depend on the batch")
	}
	for x := range n.NamedTensors() {
		arena := n.Weights()
		if x.Stat {
			arena = n.Stats()
		}
		v, err := x.Get(arena)
		if err != nil {
			t.Fatal(err)
		}
		constant := math.NaN()
		switch {
		case strings.HasSuffix(x.Name, ".weight"):
			uniform(t, x, v)
			w, err := byName(other, x.Name).Get(other.Weights())
			if err != nil {
				t.Fatal(err)
			}
			if slices.Equal(v, w) {
				t.Errorf("%s is the same for two seeds", x.Name)
			}
			continue
		case strings.HasSuffix(x.Name, ".gamma"), strings.HasSuffix(x.Name, ".var"), strings.HasSuffix(x.Name, ".box.out.bias"):
			constant = 1
		case strings.HasSuffix(x.Name, ".beta"), strings.HasSuffix(x.Name, ".mean"):
			constant = 0
		case x.Name == "head8.class.out.bias":
			constant = math.Log(5.0 / 5 / 256)
		case x.Name == "head16.class.out.bias":
			constant = math.Log(5.0 / 5 / 64)
		}
		for _, f := range v {
			if f != float32(constant) {
				t.Errorf("%s starts at %g, want %g", x.Name, f, constant)
				break
			}
		}
	}
}

func byName(n *model.Network, name string) model.NamedTensor {
	for x := range n.NamedTensors() {
		if x.Name == name {
			return x
		}
	}
	return model.NamedTensor{}
}

// uniform checks range, mean and variance of uniform values in +-1/sqrt(fan in), to five standard errors.
func uniform(t *testing.T, x model.NamedTensor, v []float32) {
	t.Helper()
	bound := 1 / math.Sqrt(float64(x.Shape[1]*x.Shape[2]*x.Shape[3]))
	sum, squares, n := 0.0, 0.0, float64(len(v))
	for _, f := range v {
		if math.Abs(float64(f)) > bound {
			t.Errorf("%s: %g is outside of +-%g", x.Name, f, bound)
		}
		sum += float64(f)
		squares += float64(f) * float64(f)
	}
	variance := bound * bound / 3
	if mean := sum / n; math.Abs(mean) > 5*math.Sqrt(variance/n) {
		t.Errorf("%s: mean %g", x.Name, mean)
	}
	if got := squares / n; math.Abs(got/variance-1) > 5*math.Sqrt(0.8/n) { // E x^4 = bound^4/5: relative variance 9/5 - 1
		t.Errorf("%s: variance %g, want %g", x.Name, got, variance)
	}
}

// TestNamedTensors moves everything from one network to another of other batch size.
func TestNamedTensors(t *testing.T) {
	cfg := config()
	from := build(t, cfg)
	train(t, from, 2)
	cfg.Seed, cfg.Batch = 9, 4
	to := build(t, cfg)
	values := 0
	for x := range from.NamedTensors() {
		source, target := from.Weights(), to.Weights()
		if x.Stat {
			source, target = from.Stats(), to.Stats()
		}
		v, err := x.Get(source)
		if err != nil {
			t.Fatal(err)
		}
		values += x.Elements()
		if err := byName(to, x.Name).Set(target, v); err != nil {
			t.Fatal(err)
		}
		if err := x.Set(source, v[1:]); err == nil {
			t.Errorf("%s: too few values were accepted", x.Name)
		}
		if _, err := x.Get(source[1:]); err == nil {
			t.Errorf("%s: a foreign arena was accepted", x.Name)
		}
	}
	if want := 424922 + 2*1360; values != want {
		t.Errorf("%d values, want %d", values, want)
	}
	if !slices.Equal(from.Weights(), to.Weights()) || !slices.Equal(from.Stats(), to.Stats()) {
		t.Error("the copy differs")
	}
}

func TestErrors(t *testing.T) {
	fail := errors.New("no such truth")
	tests := []struct {
		name   string
		change func(*model.Config)
		want   string
	}{
		{"classes", func(c *model.Config) { c.Classes = 0 }, "0 classes"},
		{"size", func(c *model.Config) { c.Width = 100 }, "100 x 128 pixels"},
		{"no size", func(c *model.Config) { c.Height = 0 }, "128 x 0 pixels"},
		{"batch", func(c *model.Config) { c.Batch = 0 }, "batch of 0"},
		{"bins", func(c *model.Config) { c.Bins = 1 }, "1 bins"},
		{"auxiliary head without loss", func(c *model.Config) { c.Aux = true }, "without a loss"},
		{"one value a channel", func(c *model.Config) { c.Width, c.Height, c.Batch = 16, 16, 1 }, "over one value"},
		{"step without loss", func(c *model.Config) { c.Loss = nil }, "without a loss"},
		{"loss fails", func(c *model.Config) {
			c.Loss = func(loss.Heads, []float32, []float32) (float64, error) { return 0, fail }
		}, "loss of head: no such truth"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := config()
			tt.change(&cfg)
			n, err := model.New(cfg)
			if err == nil {
				if err := n.SetImages(images(cfg, cfg.Batch)); err != nil {
					t.Fatal(err)
				}
				_, err = n.Step()
				if e := n.Eval(); e != nil {
					t.Errorf("evaluation: %v", e)
				}
				if e := errors.Join(n.Close(), n.Close()); e != nil {
					t.Error(e)
				}
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}
