package graph

import (
	"fmt"

	"gorgonia.org/gorgonia"
)

// Tape runs a graph in Gorgonia's TapeMachine. It is the oracle of the static order, which must give the same
// numbers to the bit; it allocates at each run, and is not for production.
type Tape struct {
	g  *Graph
	vm gorgonia.VM
}

// NewTape makes a machine over the graph's nodes, with kernels from bind, which returns nil where a step has nothing
// to do. Only one Tape of a graph may be in use.
func NewTape(g *Graph, bind func(Step) (Kernel, error)) (*Tape, error) {
	build.Lock()
	defer build.Unlock()
	for _, f := range g.forward {
		k, err := bind(Step{Op: f.op})
		if err != nil {
			return nil, fmt.Errorf("bind %s: %w", f, err)
		}
		f.kernel = k
	}
	for _, b := range g.backward {
		k, err := bind(Step{Op: b.forward.op, Backward: true})
		if err != nil {
			return nil, fmt.Errorf("bind %s: %w", b, err)
		}
		b.kernel = k
	}
	for _, t := range g.Tensors {
		if t.producer == nil && t.node != nil {
			if err := gorgonia.Let(t.node, tensorValue{t}); err != nil {
				return nil, fmt.Errorf("let %s: %w", t.Name, err)
			}
		}
	}
	for _, p := range g.Params {
		if err := gorgonia.Let(p.node, paramValue{p}); err != nil {
			return nil, fmt.Errorf("let %s: %w", p.Name, err)
		}
	}
	return &Tape{g: g, vm: gorgonia.NewTapeMachine(g.expr)}, nil
}

// Run runs forward and backward once.
func (t *Tape) Run(p *Pass) error {
	t.g.pass = p
	t.vm.Reset()
	return t.vm.RunAll()
}

// Close releases the machine.
func (t *Tape) Close() error { return t.vm.Close() }
