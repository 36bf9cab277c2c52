package graph

import (
	"errors"
	"fmt"
	"sync"

	_ "go4.org/unsafe/assume-no-moving-gc" // gorgonia's pin of the Go runtime; the import keeps it in go.mod
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Builder records the operations of one network in order of computation. The first mistake is kept and reported by
// [Builder.Differentiate], so that a network can be written down without checking every line. A Builder is for one
// goroutine; several may be used at the same time.
type Builder struct {
	batch   int
	tensors []*Tensor
	ops     []Op
	names   map[string]bool
	copies  bool
	err     error
}

// NewBuilder starts a network for batches of the given number of images.
func NewBuilder(batch int) *Builder {
	b := &Builder{batch: batch, names: map[string]bool{}}
	if batch < 1 {
		b.Fail(fmt.Errorf("batch of %d images: at least 1 is needed", batch))
	}
	return b
}

// Copies makes every concatenation and sum copy instead of sharing buffers. Results are the same to the bit; tests
// use it to check the planning.
func (b *Builder) Copies() { b.copies = true }

// Fail records a mistake in the definition of the network. Only the first one is kept.
func (b *Builder) Fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// Failed tells whether a mistake was recorded. Layers then return a tensor that nobody will read.
func (b *Builder) Failed() bool { return b.err != nil }

// Image declares the network's input of c channels.
func (b *Builder) Image(name string, c, h, w int) *Tensor {
	t := b.Tensor(name, c, h, w)
	t.Image = true
	return t
}

// Tensor declares an activation of c channels in one segment, to be written by one operation.
func (b *Builder) Tensor(name string, c, h, w int) *Tensor {
	return b.Segmented(name, Segments{c}, h, w)
}

// Segmented declares an activation whose channels are stored in the given segments, to be written by one operation.
func (b *Builder) Segmented(name string, segments Segments, h, w int) *Tensor {
	c := segments.Channels()
	for _, n := range segments {
		if n < 1 {
			c = 0
		}
	}
	if c < 1 || h < 1 || w < 1 {
		b.Fail(fmt.Errorf("tensor %s: %v channels of %d x %d pixels: every extent must be positive", name, []int(segments), h, w))
	}
	t := &Tensor{Name: name, Shape: Shape{N: b.batch, C: c, H: h, W: w}, Segments: segments, index: len(b.tensors)}
	b.tensors = append(b.tensors, t)
	return t
}

// Part declares an activation that is a view of c channels of parent, from channel first on, for data and gradient
// alike. Both ends must stand at whole blocks.
func (b *Builder) Part(name string, parent *Tensor, first, c int) *Tensor {
	block, segments, ok := parent.Segments.Cut(first, c)
	if !ok {
		b.Fail(fmt.Errorf("part %s: channels %d to %d of %s, which are stored as %v: no whole blocks", name, first, first+c, parent.Name, []int(parent.Segments)))
		segments = Segments{max(c, 1)}
	}
	t := b.Segmented(name, segments, parent.H, parent.W)
	t.data = Place{Owner: parent, Block: block}
	t.grad = t.data
	t.part = true
	t.first = first
	return t
}

// Apply appends an operation and returns its output. Parameter and statistics names must be unique in a network.
func (b *Builder) Apply(op Op) *Tensor {
	out := op.Output()
	if b.err != nil {
		return out
	}
	for _, p := range op.Params() {
		b.claim(p.Name)
	}
	for _, s := range op.Stats() {
		b.claim(s.Name)
	}
	if out != nil {
		if out.producer != nil {
			b.Fail(fmt.Errorf("%s %s: the tensor is written twice", op.Kind(), out.Name))
		}
		out.producer = op
	}
	b.ops = append(b.ops, op)
	return out
}

func (b *Builder) claim(name string) {
	if b.names[name] {
		b.Fail(fmt.Errorf("name %s is used twice", name))
	}
	b.names[name] = true
}

// build guards Gorgonia's package-level state (constant nodes, pools of types): one network is built at a time.
// Running needs no lock.
var build sync.Mutex

// Differentiate plans the storage, hands the operations to Gorgonia, lets it differentiate the loss by every
// parameter, and returns the sorted result. loss must be the last applied operation without an output. Concurrent
// calls wait for each other. A layer that does not reach the loss is an error.
func (b *Builder) Differentiate(loss Op) (*Graph, error) {
	if b.err != nil {
		return nil, fmt.Errorf("define network: %w", b.err)
	}
	if err := b.reachable(loss); err != nil {
		return nil, fmt.Errorf("define network: %w", err)
	}
	build.Lock()
	defer build.Unlock()
	plan := &Planner{Copies: b.copies}
	for _, op := range b.ops {
		if p, ok := op.(Placer); ok {
			p.Place(plan)
		}
	}
	g := &Graph{Tensors: b.tensors, ops: b.ops, expr: gorgonia.NewGraph(), plan: plan, loss: loss}
	if err := g.express(); err != nil {
		return nil, err
	}
	if err := g.differentiate(); err != nil {
		return nil, err
	}
	return g, g.sort()
}

// reachable reports layers whose result never reaches the loss; Gorgonia would panic on their parameters.
func (b *Builder) reachable(loss Op) error {
	if loss == nil || loss.Output() != nil {
		return errors.New("no loss: the network must end in an operation with a scalar result")
	}
	if len(b.ops) == 0 || b.ops[len(b.ops)-1] != loss {
		return errors.New("the loss is not the last operation")
	}
	seen := map[Op]bool{}
	readers := reaching(loss.Inputs(), seen)
	seen[loss] = true
	if !readers {
		return errors.New("the loss reads no layer")
	}
	for _, op := range b.ops {
		if out := op.Output(); !seen[op] && (out == nil || !out.part) {
			return fmt.Errorf("%s %s: its result does not reach the loss; connect the layer or leave it out", op.Kind(), name(op))
		}
	}
	return nil
}

// reaching marks all operations that the tensors depend on and tells whether there is one.
func reaching(ts []*Tensor, seen map[Op]bool) (found bool) {
	for _, t := range ts {
		op := t.producer
		if op == nil {
			continue
		}
		found = true
		if !seen[op] {
			seen[op] = true
			reaching(op.Inputs(), seen)
		}
	}
	return found
}

func name(op Op) string {
	if op.Output() == nil {
		return op.Kind()
	}
	return op.Output().Name
}

// express makes Gorgonia's nodes: one for each input, parameter and operation. Gorgonia checks types and shapes.
func (g *Graph) express() error {
	for i, op := range g.ops {
		f := &forwardNode{op: op, graph: g, id: i}
		g.forward = append(g.forward, f)
		var in gorgonia.Nodes
		for _, t := range op.Inputs() {
			if t.node == nil && t.producer == nil {
				t.node = gorgonia.NewTensor(g.expr, tensor.Float32, 4, gorgonia.WithShape(t.N, t.C, t.H, t.W), gorgonia.WithName(t.Name))
			}
			in = append(in, t.node)
		}
		for _, p := range op.Params() {
			p.node = gorgonia.NewVector(g.expr, tensor.Float32, gorgonia.WithShape(p.Elements()), gorgonia.WithName(p.Name))
			g.Params = append(g.Params, p)
			in = append(in, p.node)
		}
		g.Stats = append(g.Stats, op.Stats()...)
		n, err := gorgonia.ApplyOp(f, in...)
		if err != nil {
			return fmt.Errorf("add %s %s to the expression graph: %w", op.Kind(), name(op), err)
		}
		if out := op.Output(); out != nil {
			out.node = n
		} else {
			g.root = n
		}
	}
	return nil
}

func (g *Graph) differentiate() error {
	var wrt gorgonia.Nodes
	for _, p := range g.Params {
		wrt = append(wrt, p.node)
	}
	if len(wrt) == 0 {
		return errors.New("differentiate network: it has no parameters")
	}
	grads, err := gorgonia.Grad(g.root, wrt...)
	if err != nil {
		return fmt.Errorf("differentiate network: %w", err)
	}
	for i, p := range g.Params {
		p.grad = grads[i]
	}
	return nil
}

// sort turns the differentiated graph into the static order of execution. gorgonia.Sort lists results before what
// they are computed from, so it is read from its end.
func (g *Graph) sort() error {
	nodes, err := gorgonia.Sort(g.expr)
	if err != nil {
		return fmt.Errorf("sort network: %w", err)
	}
	g.nodes = len(nodes)
	for i := len(nodes) - 1; i >= 0; i-- {
		switch op := nodes[i].Op().(type) {
		case *forwardNode:
			g.Forward = append(g.Forward, Step{Op: op.op})
		case *backwardNode:
			g.Backward = append(g.Backward, Step{Op: op.forward.op, Backward: true})
		}
	}
	return nil
}
