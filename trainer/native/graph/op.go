package graph

// Op describes one layer: shapes, parameters, places and gradient contributions. It holds no kernel and no pointer
// to data, so that different devices can bind the same description. Layers embed [Base].
type Op interface {
	// Kind names the operation, such as "conv".
	Kind() string
	// Inputs are the tensors read, in order; the same tensor may stand twice.
	Inputs() []*Tensor
	// Output is the tensor written; nil for the loss, whose result is a scalar.
	Output() *Tensor
	// Params are the learned tensors, read by this operation alone.
	Params() []*Param
	// Stats are the running statistics, moved by this operation alone.
	Stats() []*Stat
	// Plan decides where the gradients of the inputs go. It is called once, in reverse order of computation, after
	// all readers of the output.
	Plan(*Planner) error
}

// Placer is an [Op] that may place its inputs' data in its output's buffer. Place is called once, in order of
// computation, before any Plan.
type Placer interface {
	Op
	Place(*Planner)
}

// Range is N channel blocks from block First on.
type Range struct{ First, N int }

// Contribution is one addition to the gradient of a tensor. With Add the value is added to what the buffer holds,
// after the blocks in Clear (relative to To) were set to zero; without, it overwrites.
type Contribution struct {
	To    *Tensor
	Add   bool
	Clear []Range
}

// Base carries what every operation has. Layers embed it and add their own properties.
type Base struct {
	In    []*Tensor
	Out   *Tensor
	Learn []*Param
	Run   []*Stat

	// Sends are the contributions that the backward kernel makes, and Gaps the blocks of the output's gradient that
	// no reader wrote and that must be set to zero before. Both are filled by Plan.
	Sends []Contribution
	Gaps  []Range
}

// Inputs returns the tensors read.
func (b *Base) Inputs() []*Tensor { return b.In }

// Output returns the tensor written; nil for a loss.
func (b *Base) Output() *Tensor { return b.Out }

// Params returns the learned tensors.
func (b *Base) Params() []*Param { return b.Learn }

// Stats returns the running statistics.
func (b *Base) Stats() []*Stat { return b.Run }

// Planner decides which buffers are shared. With Copies it shares none except split parts, which are views by
// construction; every result must be the same to the bit.
type Planner struct{ Copies bool }

// PlaceData puts t's data into owner's buffer from block on, if t still has no place elsewhere.
func (p *Planner) PlaceData(t, owner *Tensor, block int) bool {
	if p.Copies || t.Image || t.data.Owner != nil {
		return false
	}
	t.data = Place{Owner: owner, Block: block}
	return true
}

// PlaceGrad puts t's gradient into owner's buffer from block on, where it already stands as owner's gradient. That
// is only right while nobody has contributed to t yet.
func (p *Planner) PlaceGrad(t, owner *Tensor, block int) bool {
	if p.Copies || t.Image || t.grad.Owner != nil || t.touched != nil {
		return false
	}
	t.grad = Place{Owner: owner, Block: block}
	return true
}

// Contribute registers a contribution to t's gradient and says how it is to be made.
func (p *Planner) Contribute(t *Tensor) Contribution {
	touched := t.marks()
	c := Contribution{To: t}
	for i := range touched {
		c.Add = c.Add || touched[i]
	}
	for i := range touched {
		if c.Add && !touched[i] {
			c.Clear = append(c.Clear, Range{First: i, N: 1})
		}
		touched[i] = true
	}
	return c
}

// Complete registers that t's gradient is about to be read and returns the blocks that nobody has written, which the
// reader must set to zero first.
func (p *Planner) Complete(t *Tensor) []Range {
	touched := t.marks()
	var gaps []Range
	for i := range touched {
		if !touched[i] {
			gaps = append(gaps, Range{First: i, N: 1})
			touched[i] = true
		}
	}
	return gaps
}

// marks returns, for t's blocks in the buffer that holds its gradient, which have a contribution.
func (t *Tensor) marks() []bool {
	owner, block := t.Grad()
	if owner.touched == nil {
		owner.touched = make([]bool, owner.Blocks())
	}
	return owner.touched[block : block+t.Blocks()]
}
