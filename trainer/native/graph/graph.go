package graph

import "gorgonia.org/gorgonia"

// Step is one kernel of the static order: an operation, forward or backward.
type Step struct {
	Op       Op
	Backward bool
}

// Graph is a differentiated network: the order of execution, and everything that needs storage.
type Graph struct {
	Forward, Backward []Step
	Params            []*Param
	Stats             []*Stat
	Tensors           []*Tensor

	ops      []Op
	expr     *gorgonia.ExprGraph
	plan     *Planner
	loss     Op
	root     *gorgonia.Node
	forward  []*forwardNode
	backward []*backwardNode
	nodes    int
	pass     *Pass // of the machine that runs the nodes
}

// Ops lists the operations in the order in which they were applied.
func (g *Graph) Ops() []Op { return g.ops }

// Counts returns the numbers of forward nodes, backward nodes and all nodes of the differentiated graph, parameters,
// inputs and Gorgonia's own joins included.
func (g *Graph) Counts() (forward, backward, all int) {
	return len(g.forward), len(g.backward), g.nodes
}

// BackwardNodeOf returns the operation whose backward node the given node is; nil if it is none.
func BackwardNodeOf(n *gorgonia.Node) Op {
	if b, ok := n.Op().(*backwardNode); ok {
		return b.forward.op
	}
	return nil
}

// ForwardTo returns the steps of the forward order that the given tensors depend on.
func (g *Graph) ForwardTo(ts ...*Tensor) []Step {
	seen := map[Op]bool{}
	reaching(ts, seen)
	var steps []Step
	for _, s := range g.Forward {
		if seen[s.Op] {
			steps = append(steps, s)
		}
	}
	return steps
}

// Align is the alignment in floats of every parameter and statistic in its arena. The padding stays zero, so that
// norms, clipping, averaging and copies can work on whole arenas.
const Align = 16

// Extent is a run of floats in an arena.
type Extent struct{ Off, Len int }

// Layout says how many floats a device needs to store a parameter or a statistic.
type Layout interface {
	ParamFloats(*Param) int
	StatFloats(*Stat) int
}

// Arrange gives every parameter and statistic its place. Parameters are sorted by group, and by order of computation
// within a group; groups has the extent of each, without gaps between them.
func (g *Graph) Arrange(l Layout) (groups [Groups]Extent, params, stats int) {
	for group := range Groups {
		groups[group].Off = params
		for _, p := range g.Params {
			if p.Group == group {
				p.Off, p.Len = params, l.ParamFloats(p)
				params += align(p.Len)
			}
		}
		groups[group].Len = params - groups[group].Off
	}
	for _, s := range g.Stats {
		s.Off, s.Len = stats, l.StatFloats(s)
		stats += align(s.Len)
	}
	return groups, params, stats
}

func align(n int) int { return (n + Align - 1) / Align * Align }
