package model

import (
	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/kernels"
)

// Timed is one operation of a training step and the processor time that the calling thread spent on it.
type Timed struct {
	graph.Step
	Seconds float64
}

// TimedStep runs a training step as Step does, with a look at the clock after each operation.
func (n *Network) TimedStep() ([]Timed, error) {
	n.pass = graph.Pass{Train: true}
	var all []Timed
	for _, s := range append(append([]graph.Step(nil), n.graph.Forward...), n.graph.Backward...) {
		k, err := n.device.Bind(s)
		if err != nil {
			return nil, err
		}
		if k == nil {
			continue
		}
		start := kernels.ThreadSeconds()
		if err := k.Run(&n.pass); err != nil {
			return nil, err
		}
		all = append(all, Timed{s, kernels.ThreadSeconds() - start})
	}
	return all, nil
}
