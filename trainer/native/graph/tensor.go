package graph

import "gorgonia.org/gorgonia"

// Block is the number of channels that are stored together; see [Segments] for counts that are no multiple of it.
const Block = 16

// Shape is the logical extent of an activation.
type Shape struct{ N, C, H, W int }

// Place says where a tensor's data or gradient lies: from channel block Block on in the buffer of Owner, or in a
// buffer of its own when Owner is nil.
type Place struct {
	Owner *Tensor
	Block int
}

// Tensor describes one activation and its gradient. It holds no data.
type Tensor struct {
	Name string
	Shape
	// Segments is how the channels are stored; their sum is C.
	Segments Segments
	// Image marks the network's input: it has no gradient, and its channels are not blocked.
	Image bool

	index      int
	data, grad Place
	part       bool // a view of its owner by construction, made by a split
	first      int  // of a part: its first channel in its parent
	producer   Op
	touched    []bool         // of an owner of gradients: blocks that have a contribution
	last       *gorgonia.Node // of an owner of gradients: last backward node on the buffer
	node       *gorgonia.Node
}

// Blocks is the number of channel blocks the tensor occupies.
func (t *Tensor) Blocks() int { return t.Segments.Blocks() }

// First is the first channel of a part in its parent.
func (t *Tensor) First() int { return t.first }

// Producer is the operation that computes the tensor; nil for an input.
func (t *Tensor) Producer() Op { return t.producer }

// Data resolves where the activation lies: the tensor that owns the buffer and the first channel block in it.
func (t *Tensor) Data() (owner *Tensor, block int) {
	for owner = t; owner.data.Owner != nil; owner = owner.data.Owner {
		block += owner.data.Block
	}
	return owner, block
}

// Grad resolves where the gradient lies, which may be elsewhere than the data.
func (t *Tensor) Grad() (owner *Tensor, block int) {
	for owner = t; owner.grad.Owner != nil; owner = owner.grad.Owner {
		block += owner.grad.Block
	}
	return owner, block
}

// PartOf tells whether t is a part of a split tensor, and which: parent and first channel block in it.
func (t *Tensor) PartOf() (parent *Tensor, block int, ok bool) {
	if !t.part {
		return nil, 0, false
	}
	return t.data.Owner, t.data.Block, true
}

// Group says how an optimiser treats a parameter.
type Group int

// The groups, in the order in which they lie in an arena.
const (
	Decay Group = iota // convolution weights: weight decay applies
	Norm               // scales of batch normalisation
	Bias               // biases of convolutions and shifts of batch normalisation
	Groups
)

// String returns the group's name.
func (g Group) String() string {
	switch g {
	case Decay:
		return "decay"
	case Norm:
		return "norm"
	case Bias:
		return "bias"
	}
	return "unknown"
}

// Param describes one learned tensor. Shape is logical: output channels, input channels, kernel height, kernel width
// for a convolution (OIHW), channels for everything else. With Groups above 1 the output channels are divided into as
// many runs of equal length, each of which reads one run of the input's; input channels in Shape are those of one run.
// Out and In are how the layer's output and whole input store their channels (In for weights only): the weights follow
// them. Off and Len are the place in the flat arenas, in floats, as a device stores it; they are set by [Graph.Arrange].
type Param struct {
	Name     string
	Shape    []int
	Group    Group
	Groups   int // of a convolution's weights; 0 means 1
	Out, In  Segments
	Image    bool // of a convolution of the network's image, whose channels are not blocked
	Off, Len int

	node, grad *gorgonia.Node
}

// Elements is the number of values in the logical shape.
func (p *Param) Elements() int { return elements(p.Shape) }

// GradNode is the node that gorgonia.Grad returned for the parameter.
func (p *Param) GradNode() *gorgonia.Node { return p.grad }

// Stat describes one running statistic of a layer, a value for each channel: state that training moves but no gradient
// reaches. Off and Len are the place in the arena of statistics, set by [Graph.Arrange].
type Stat struct {
	Name     string
	Channels int
	Segments Segments // of the layer's output
	Initial  float32
	Off, Len int
}

func elements(shape []int) int {
	n := 1
	for _, s := range shape {
		n *= s
	}
	return n
}
