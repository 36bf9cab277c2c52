package model

import (
	"fmt"
	"iter"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
)

// Weights is the arena of all parameters, as the device stores them: sorted by group, padded with zeros.
func (n *Network) Weights() []float32 { return n.device.Weights() }

// Grads is the arena of gradients of the last step, arranged as Weights.
func (n *Network) Grads() []float32 { return n.device.Grads() }

// Stats is the arena of running means and variances of batch normalisation.
func (n *Network) Stats() []float32 { return n.device.Stats() }

// Alloc returns zeroed memory outside of Go's heap that lives until Close: for momentum, averages and the like,
// arranged as Weights or Stats. It panics where memory is exhausted, as make does.
func (n *Network) Alloc(floats int) []float32 { return n.device.Alloc(floats) }

// Params describes the parameters in the order of computation.
func (n *Network) Params() []*graph.Param { return n.graph.Params }

// Device is what the network runs on, for images of its size.
func (n *Network) Device() Device { return n.device }

// Image is the network's input.
func (n *Network) Image() *graph.Tensor { return n.image }

// Heads are the outputs of the main head and of the auxiliary one, which is nil without.
func (n *Network) Heads() (main, aux *layers.HeadSet) { return n.head, n.aux }

// Graph is the differentiated graph that the network runs.
func (n *Network) Graph() *graph.Graph { return n.graph }

// Bind returns the kernel of one step of the graph, for a [graph.Tape].
func (n *Network) Bind(s graph.Step) (graph.Kernel, error) { return n.device.Bind(s) }

// Bytes is the memory that the network holds outside of Go's heap, for all of its sizes.
func (n *Network) Bytes() (total int64) {
	for _, m := range n.family.all {
		total += m.device.Bytes()
	}
	return total
}

// ParamCount is the number of learned values, padding not counted.
func (n *Network) ParamCount() int {
	total := 0
	for _, p := range n.graph.Params {
		total += p.Elements()
	}
	return total
}

// ForwardFLOP is the number of floating-point operations of the convolutions for one image, a multiply-add counted as
// two: in evaluation, and forward in training, where the auxiliary head runs too. A training step is counted as three
// times its forward pass.
func (n *Network) ForwardFLOP() (eval, train int64) {
	return flop(n.graph.ForwardTo(append(append([]*graph.Tensor(nil), n.head.Box...), n.head.Class...)...)), flop(n.graph.Forward)
}

func flop(steps []graph.Step) (total int64) {
	for _, s := range steps {
		if c, ok := s.Op.(interface{ MultiplyAdds() int64 }); ok {
			total += 2 * c.MultiplyAdds()
		}
	}
	return total
}

// NamedTensor gives access to one parameter or running statistic in its logical form, independent of how a device
// stores it: OIHW for convolution weights, channels for the rest. This is the form for checkpoints.
type NamedTensor struct {
	Name  string
	Shape []int
	// Stat marks a running statistic: it lies in an arena arranged as Stats; all others lie in one arranged as Weights.
	Stat bool

	n     *Network
	param *graph.Param
	stat  *graph.Stat
}

// NamedTensors lists all parameters and then all running statistics, in order of computation.
func (n *Network) NamedTensors() iter.Seq[NamedTensor] {
	return func(yield func(NamedTensor) bool) {
		for _, p := range n.graph.Params {
			if !yield(NamedTensor{Name: p.Name, Shape: p.Shape, n: n, param: p}) {
				return
			}
		}
		for _, s := range n.graph.Stats {
			if !yield(NamedTensor{Name: s.Name, Shape: []int{s.Channels}, Stat: true, n: n, stat: s}) {
				return
			}
		}
	}
}

// Elements is the number of values.
func (t NamedTensor) Elements() int {
	if t.Stat {
		return t.stat.Channels
	}
	return t.param.Elements()
}

// Get returns the tensor's values in an arena that is arranged as Weights (or Stats, for a statistic): the weights
// themselves, an average of them, or an optimiser's state.
func (t NamedTensor) Get(arena []float32) ([]float32, error) {
	if err := t.fits(arena); err != nil {
		return nil, err
	}
	if t.Stat {
		return t.n.device.ExportStat(t.stat, arena), nil
	}
	return t.n.device.ExportParam(t.param, arena), nil
}

// Set writes the tensor's values into such an arena.
func (t NamedTensor) Set(arena, values []float32) error {
	if err := t.fits(arena); err != nil {
		return err
	}
	if len(values) != t.Elements() {
		return fmt.Errorf("set %s: %d values: %v needs %d", t.Name, len(values), t.Shape, t.Elements())
	}
	if t.Stat {
		t.n.device.ImportStat(t.stat, arena, values)
	} else {
		t.n.device.ImportParam(t.param, arena, values)
	}
	return nil
}

func (t NamedTensor) fits(arena []float32) error {
	want := len(t.n.device.Weights())
	if t.Stat {
		want = len(t.n.device.Stats())
	}
	if len(arena) != want {
		return fmt.Errorf("access %s: arena of %d floats: %d are needed", t.Name, len(arena), want)
	}
	return nil
}
