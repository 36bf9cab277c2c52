package graph

import (
	"fmt"
	"hash"
	"hash/fnv"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// forwardNode is the one operation type that Gorgonia sees for every layer.
type forwardNode struct {
	op     Op
	graph  *Graph
	id     int // makes the hash unique: nodes of equal hash would be merged
	kernel Kernel
}

var _ gorgonia.SDOp = (*forwardNode)(nil)

// backwardNode computes all gradients of one layer. Its value is a scalar token.
type backwardNode struct {
	forward *forwardNode
	inputs  []hm.Type
	token   gorgonia.Value
	kernel  Kernel
}

var _ gorgonia.Op = (*backwardNode)(nil)

func tensorType(dims int) hm.Type { return gorgonia.TensorType{Dims: dims, Of: tensor.Float32} }

func (f *forwardNode) String() string        { return fmt.Sprintf("%s#%d", f.op.Kind(), f.id) }
func (f *forwardNode) WriteHash(h hash.Hash) { _, _ = h.Write([]byte(f.String())) }
func (f *forwardNode) Hashcode() uint32      { return hashcode(f) }
func (f *forwardNode) ReturnsPtr() bool      { return true }
func (f *forwardNode) CallsExtern() bool     { return false }
func (f *forwardNode) OverwritesInput() int  { return -1 }
func (f *forwardNode) Arity() int            { return len(f.op.Inputs()) + len(f.op.Params()) }

// Type returns a new function type at each call: Gorgonia hands the old one back to a pool.
func (f *forwardNode) Type() hm.Type {
	var types []hm.Type
	for range f.op.Inputs() {
		types = append(types, tensorType(4))
	}
	for range f.op.Params() {
		types = append(types, tensorType(1))
	}
	if f.op.Output() == nil {
		return hm.NewFnType(append(types, tensor.Float32)...)
	}
	return hm.NewFnType(append(types, tensorType(4))...)
}

func (f *forwardNode) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	if out := f.op.Output(); out != nil {
		return tensorValue{out}.Shape(), nil
	}
	return tensor.ScalarShape(), nil
}

func (f *forwardNode) DiffWRT(n int) []bool {
	in := f.op.Inputs()
	d := make([]bool, n)
	for i := range d {
		d[i] = i >= len(in) || !in[i].Image
	}
	return d
}

// Do runs the layer's kernel; only Gorgonia's machines call it.
func (f *forwardNode) Do(...gorgonia.Value) (gorgonia.Value, error) {
	if f.kernel != nil {
		if err := f.kernel.Run(f.graph.pass); err != nil {
			return nil, err
		}
	}
	if out := f.op.Output(); out != nil {
		return tensorValue{out}, nil
	}
	return gorgonia.NewF32(float32(f.graph.pass.Loss)), nil
}

// SymDiff plans the layer's gradients and makes its one backward node, whose token stands for the gradient of every
// input. The node depends on the incoming token, on the forward node, and on the last backward node of each gradient
// buffer that the layer reads or writes.
func (f *forwardNode) SymDiff(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	if err := f.op.Plan(f.graph.plan); err != nil {
		return nil, err
	}
	b := &backwardNode{forward: f, token: gorgonia.NewF32(0)}
	depends := gorgonia.Nodes{grad, out}
	b.inputs = []hm.Type{tensor.Float32, out.Type()}
	owners := f.gradOwners()
	for _, owner := range owners {
		if owner.last != nil && !contains(depends, owner.last) {
			depends = append(depends, owner.last)
			b.inputs = append(b.inputs, tensor.Float32)
		}
	}
	n, err := gorgonia.ApplyOp(b, depends...)
	if err != nil {
		return nil, fmt.Errorf("differentiate %s: %w", f, err)
	}
	for _, owner := range owners {
		owner.last = n
	}
	f.graph.backward = append(f.graph.backward, b)
	tokens := make(gorgonia.Nodes, len(in))
	for i := range tokens {
		tokens[i] = n
	}
	return tokens, nil
}

// gradOwners lists the owners of all gradient buffers that the layer's backward pass touches, each once.
func (f *forwardNode) gradOwners() []*Tensor {
	var owners []*Tensor
	add := func(t *Tensor) {
		owner, _ := t.Grad()
		for _, o := range owners {
			if o == owner {
				return
			}
		}
		owners = append(owners, owner)
	}
	if out := f.op.Output(); out != nil {
		add(out)
	}
	for _, t := range f.op.Inputs() {
		if !t.Image {
			add(t)
		}
	}
	return owners
}

func contains(ns gorgonia.Nodes, n *gorgonia.Node) bool {
	for _, m := range ns {
		if m == n {
			return true
		}
	}
	return false
}

func (b *backwardNode) String() string        { return "backward-" + b.forward.String() }
func (b *backwardNode) WriteHash(h hash.Hash) { _, _ = h.Write([]byte(b.String())) }
func (b *backwardNode) Hashcode() uint32      { return hashcode(b) }
func (b *backwardNode) ReturnsPtr() bool      { return true }
func (b *backwardNode) CallsExtern() bool     { return false }
func (b *backwardNode) OverwritesInput() int  { return -1 }
func (b *backwardNode) Arity() int            { return len(b.inputs) }

func (b *backwardNode) Type() hm.Type {
	types := append([]hm.Type(nil), b.inputs...)
	return hm.NewFnType(append(types, tensor.Float32)...)
}

func (b *backwardNode) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return tensor.ScalarShape(), nil
}

func (b *backwardNode) Do(...gorgonia.Value) (gorgonia.Value, error) {
	if b.kernel != nil {
		if err := b.kernel.Run(b.forward.graph.pass); err != nil {
			return nil, err
		}
	}
	return b.token, nil
}

func hashcode(o interface{ WriteHash(hash.Hash) }) uint32 {
	h := fnv.New32a()
	o.WriteHash(h)
	return h.Sum32()
}

// tensorValue is a Tensor as a gorgonia.Value. It carries the descriptor and no data.
type tensorValue struct{ t *Tensor }

var _ gorgonia.Value = tensorValue{}

func (v tensorValue) Shape() tensor.Shape        { return tensor.Shape{v.t.N, v.t.C, v.t.H, v.t.W} }
func (v tensorValue) Size() int                  { return v.t.N * v.t.C * v.t.H * v.t.W }
func (v tensorValue) Data() any                  { return nil }
func (v tensorValue) Dtype() tensor.Dtype        { return tensor.Float32 }
func (v tensorValue) Uintptr() uintptr           { return 0 }
func (v tensorValue) MemSize() uintptr           { return 0 }
func (v tensorValue) Format(s fmt.State, _ rune) { _, _ = fmt.Fprintf(s, "%s %v", v.t.Name, v.Shape()) }
func (v tensorValue) Type() hm.Type              { return tensorType(4) }

// paramValue is a Param as a gorgonia.Value.
type paramValue struct{ p *Param }

var _ gorgonia.Value = paramValue{}

func (v paramValue) Shape() tensor.Shape        { return tensor.Shape{v.p.Elements()} }
func (v paramValue) Size() int                  { return v.p.Elements() }
func (v paramValue) Data() any                  { return nil }
func (v paramValue) Dtype() tensor.Dtype        { return tensor.Float32 }
func (v paramValue) Uintptr() uintptr           { return 0 }
func (v paramValue) MemSize() uintptr           { return 0 }
func (v paramValue) Format(s fmt.State, _ rune) { _, _ = fmt.Fprintf(s, "%s %v", v.p.Name, v.p.Shape) }
func (v paramValue) Type() hm.Type              { return tensorType(1) }
