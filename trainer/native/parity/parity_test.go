//go:build integration

package parity_test

import (
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/assign"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
	"github.com/mapsweep/mapsweep/trainer/native/model"
	"github.com/mapsweep/mapsweep/trainer/native/optim"
)

// limits are the differences that are allowed, of the largest value of a tensor: about twice what was measured with
// AVX-512. Deep networks magnify rounding (see fixture.py).
type limits struct{ outputs, gradients, after float64 }

var small = limits{6e-6, 3e-5, 4e-5} // gelan-n's

// TestParity holds networks to PyTorch: outputs, assignments, losses and gradients of one step, and weights, statistics
// and averages after ten.
func TestParity(t *testing.T) {
	tests := []struct {
		network string
		config  model.Config
		args    []string
		limits  limits
	}{
		{"gelan-n", model.Config{}, []string{"--size", "64"}, small},
		{"gelan-n+aux", model.Config{Aux: true}, []string{"--size", "64"}, small},
		{"gelan-n", model.Config{}, []string{"--size", "96", "--batch", "3", "--classes", "5", "--seed", "20"}, small},
		{"gelan-n", model.Config{}, []string{"--size", "64", "--seed", "9", "--rule", "all"}, small},
		{"gelan-t", model.Config{Model: "gelan-t"}, []string{"--size", "128", "--rate", "0.000005"}, limits{1.3e-4, 2.2e-3, 5e-4}},
		{"yolov9-t", model.Config{Model: "yolov9-t", Aux: true}, []string{"--size", "128", "--rate", "0.000005"}, limits{1.8e-4, 2.8e-3, 2e-4}},
		{"gelan-s", model.Config{Model: "gelan-s"}, []string{"--size", "128", "--rate", "0.000005", "--steps", "3"}, limits{2.8e-4, 3.4e-3, 3e-5}},
		{"yolov9-m", model.Config{Model: "yolov9-m", Aux: true}, []string{"--size", "128", "--rate", "0.000005", "--steps", "2"}, limits{1e-4, 1.6e-3, 6e-6}},
	}
	for _, tt := range tests {
		t.Run(tt.network, func(t *testing.T) {
			f := compute(t, tt.network, tt.args...)
			r := newRun(t, f, tt.config)
			r.limits = tt.limits
			r.first(t)
			r.others(t)
		})
	}
}

// head is what the loss saw and found in the first step.
type head struct {
	box, class, score []float32
	owner             []int64
	parts             []float32
}

// run is one network of ours under comparison.
type run struct {
	f     *fixture
	net   *model.Network
	heads map[string]*head
	ruled int // points that have another object than by the usual rule
	limits
}

// newRun builds the network and gives it PyTorch's initial weights and images.
func newRun(t *testing.T, f *fixture, cfg model.Config) *run {
	t.Helper()
	r := &run{f: f, heads: map[string]*head{}}
	cfg.Classes, cfg.Width, cfg.Height, cfg.Batch, cfg.Bins = f.Classes, f.Size, f.Size, f.Batch, f.Bins
	cfg.Loss = r.loss("main", 1)
	if cfg.Aux {
		cfg.AuxLoss = r.loss("aux", f.Aux)
	}
	net, err := model.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := net.Close(); err != nil {
			t.Error(err)
		}
	})
	r.net = net
	var names []string
	for x := range net.NamedTensors() {
		names = append(names, x.Name)
	}
	equalNames(t, "parameters and statistics", names, f.names("start/"))
	for x := range net.NamedTensors() {
		start := f.tensors["start/"+x.Name]
		if !slices.Equal(start.Shape, x.Shape) {
			t.Fatalf("%s has shape %v, in PyTorch %v", x.Name, x.Shape, start.Shape)
		}
		if err := x.Set(r.arena(x, net.Weights(), net.Stats()), start.Values); err != nil {
			t.Fatal(err)
		}
	}
	if err := net.SetImages(f.values(t, "images")); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *run) arena(x model.NamedTensor, params, stats []float32) []float32 {
	if x.Stat {
		return stats
	}
	return params
}

// loss is the loss of one head, which remembers the first step.
func (r *run) loss(name string, weight float64) layers.LossFunc {
	l := loss.Loss{Method: assign.Usual}
	l.Method.All = r.f.Rule == "all"
	g := loss.Gains{Box: r.f.Gains.Box, Class: r.f.Gains.Cls, DFL: r.f.Gains.DFL}
	return func(h loss.Heads, dBox, dClass []float32) (float64, error) {
		targets, err := l.Assign(h, r.f.truths)
		if err != nil {
			return 0, err
		}
		if l.Method.All && r.heads[name] == nil {
			r.ruled = ruled(h, r.f.truths, targets)
		}
		p, err := l.Evaluate(h, targets, g, weight, dBox, dClass)
		if r.heads[name] == nil {
			seen := &head{box: slices.Clone(h.Box), class: slices.Clone(h.Class), score: slices.Clone(targets.Score),
				parts: []float32{float32(p.Box), float32(p.Class), float32(p.DFL)}}
			for _, o := range targets.Truth {
				seen.owner = append(seen.owner, int64(o))
			}
			r.heads[name] = seen
		}
		return weight * float64(h.N) * g.Total(p), err
	}
}

// ruled counts the points that would have another object by the usual rule; -1 where that fails.
func ruled(h loss.Heads, truths []loss.Truth, targets *loss.Targets) (n int) {
	var usual loss.Loss
	other, err := usual.Assign(h, truths)
	if err != nil {
		return -1
	}
	for i, o := range targets.Truth {
		if o != other.Truth[i] && o >= 0 && other.Truth[i] >= 0 {
			n++
		}
	}
	return n
}

// first compares one step.
func (r *run) first(t *testing.T) {
	t.Helper()
	total, err := r.net.Step()
	if err != nil {
		t.Fatal(err)
	}
	outputs, losses, gradients := r.compare("outputs"), r.compare("losses"), r.compare("gradients")
	losses.add(t, "loss", []float32{float32(total)})
	for name, h := range r.heads {
		outputs.add(t, name+"/box", h.box)
		outputs.add(t, name+"/class", h.class)
		losses.add(t, name+"/parts", h.parts)
		losses.add(t, name+"/score", h.score)
		if want := r.owners(t, name, h); !slices.Equal(h.owner, want) {
			t.Errorf("%s head: other points have objects than in PyTorch", name)
		} else {
			t.Logf("assignment   %s: the same %d of %d points", name, len(want)-count(want, -1), len(want))
		}
	}
	if r.f.Rule == "all" {
		if t.Logf("assignment   %d points have another object than by the usual rule", r.ruled); r.ruled < 1 {
			t.Error("the rule makes no difference: the comparison proves nothing")
		}
	}
	gradients.least = 1e-5 * r.largest(t, "64/grad/")
	for x := range r.net.NamedTensors() {
		if x.Stat {
			continue
		}
		g, err := x.Get(r.net.Grads())
		if err != nil {
			t.Fatal(err)
		}
		gradients.add(t, "grad/"+x.Name, g)
	}
	outputs.judge(t, r.outputs)
	losses.judge(t, r.outputs)
	gradients.judge(t, r.gradients)
}

// owners are the objects that points have in PyTorch. By the rule of all objects it also gives points to objects that they do not
// overlap at all: their score is zero, and they have no part in the loss.
func (r *run) owners(t *testing.T, name string, h *head) []int64 {
	t.Helper()
	all := slices.Clone(r.f.tensors["64/"+name+"/owner"].Ints)
	for i, score := range r.f.values(t, "64/"+name+"/score") {
		if score == 0 && h.score[i] == 0 {
			all[i] = h.owner[i]
		}
	}
	return all
}

func count(xs []int64, v int64) (n int) {
	for _, x := range xs {
		if x == v {
			n++
		}
	}
	return n
}

// others runs the optimiser on the first gradient and then the other steps, and compares what came of it.
func (r *run) others(t *testing.T) {
	t.Helper()
	net, f := r.net, r.f
	sgd := optim.SGD{Segments: optim.Segments(net.Params()), WeightDecay: f.Decay, ClipNorm: f.Clip}
	rates := optim.Rates{Weights: f.Rate, Bias: f.Rate, Momentum: f.Momentum}
	average := optim.Average{Decay: 0.9999, Tau: 2000}
	momentum, params, stats := net.Alloc(len(net.Weights())), net.Alloc(len(net.Weights())), net.Alloc(len(net.Stats()))
	r.start(t, params, stats)
	for step := 1; step <= f.Steps; step++ {
		if step > 1 {
			if _, err := net.Step(); err != nil {
				t.Fatal(err)
			}
		}
		norm := sgd.Step(net.Weights(), net.Grads(), momentum, rates)
		if step == 1 {
			norms := r.compare("norm")
			norms.add(t, "norm", []float32{float32(norm)})
			norms.judge(t, r.gradients)
		}
		average.Move(params, net.Weights(), step)
		average.Move(stats, net.Stats(), step)
	}
	end, mean := r.compare("weights"), r.compare("averages")
	for x := range net.NamedTensors() {
		now, err := x.Get(r.arena(x, net.Weights(), net.Stats()))
		if err != nil {
			t.Fatal(err)
		}
		end.add(t, "end/"+x.Name, now)
		if now, err = x.Get(r.arena(x, params, stats)); err != nil {
			t.Fatal(err)
		}
		mean.add(t, "average/"+x.Name, now)
	}
	end.judge(t, r.after)
	mean.judge(t, r.after)
}

// start fills arenas with PyTorch's initial values.
func (r *run) start(t *testing.T, params, stats []float32) {
	t.Helper()
	for x := range r.net.NamedTensors() {
		if err := x.Set(r.arena(x, params, stats), r.f.values(t, "start/"+x.Name)); err != nil {
			t.Fatal(err)
		}
	}
}

func (r *run) compare(what string) *comparison { return &comparison{f: r.f, what: what} }

// largest is the largest absolute value of all tensors below a prefix.
func (r *run) largest(t *testing.T, prefix string) (most float64) {
	t.Helper()
	for _, name := range r.f.names(prefix) {
		for _, v := range r.f.values(t, prefix+name) {
			most = max(most, float64(v), -float64(v))
		}
	}
	return most
}
