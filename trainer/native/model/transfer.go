package model

import "github.com/mapsweep/mapsweep/trainer/native/layers"

// ClassParams names the parameters whose first dimension is the classes: those of the last convolution of each class
// branch.
func (n *Network) ClassParams() map[string]bool {
	names := map[string]bool{}
	for _, op := range n.graph.Ops() {
		c, ok := op.(*layers.Conv)
		if !ok {
			continue
		}
		if set, box := n.headOf(c.Out); set == nil || box {
			continue
		}
		for _, p := range c.Learn {
			names[p.Name] = true
		}
	}
	return names
}
