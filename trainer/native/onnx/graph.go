package onnx

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// graph collects nodes, in order of computation, and the tensors that they read.
type graph struct {
	nodes   message // GraphProto's, each with its tag
	tensors []tensor
	known   map[string]bool // names of tensors
	count   int
}

// tensor is a constant: floats or ints.
type tensor struct {
	name   string
	shape  []int
	floats []float32
	ints   []int64
}

// attribute is an argument of a node: a text, or ints of which one alone stands for itself.
type attribute struct {
	name string
	text string
	ints []int64
	list bool
}

func integer(name string, v int) attribute {
	return attribute{name: name, ints: []int64{int64(v)}}
}

func integers(name string, v ...int64) attribute {
	return attribute{name: name, ints: v, list: true}
}

func word(name, v string) attribute { return attribute{name: name, text: v} }

func (a attribute) encode() message {
	m := message(nil).text(attributeName, a.name)
	switch {
	case a.ints == nil:
		return m.text(attributeText, a.text).number(attributeType, kindText)
	case !a.list:
		return m.number(attributeInt, a.ints[0]).number(attributeType, kindInt)
	}
	for _, v := range a.ints {
		m = m.number(attributeInts, v)
	}
	return m.number(attributeType, kindInts)
}

// apply adds an operation; it is called as its first output. The name of that is returned.
func (g *graph) apply(op string, inputs, outputs []string, attributes ...attribute) string {
	m := message(nil)
	for _, s := range inputs {
		m = m.text(nodeInput, s)
	}
	for _, s := range outputs {
		m = m.text(nodeOutput, s)
	}
	m = m.text(nodeName, outputs[0]).text(nodeOpType, op)
	for _, a := range attributes {
		m = m.message(nodeAttribute, a.encode())
	}
	g.nodes = g.nodes.message(graphNode, m)
	g.count++
	return outputs[0]
}

// one adds an operation of one output.
func (g *graph) one(op, output string, inputs []string, attributes ...attribute) string {
	return g.apply(op, inputs, []string{output}, attributes...)
}

// floats adds a constant.
func (g *graph) floats(name string, values []float32, shape ...int) string {
	g.tensors = append(g.tensors, tensor{name: name, shape: shape, floats: values})
	return name
}

// ints adds a constant list, once for equal values; what is the first part of its name.
func (g *graph) ints(what string, values ...int64) string {
	name := what
	for _, v := range values {
		name += fmt.Sprintf(".%d", v)
	}
	if !g.known[name] {
		g.known[name] = true
		g.tensors = append(g.tensors, tensor{name: name, shape: []int{len(values)}, ints: values})
	}
	return name
}

// head is the tensor's message up to its values, and bytes the number of those.
func (t tensor) head() (m message, bytes int) {
	for _, d := range t.shape {
		m = m.number(tensorDims, int64(d))
	}
	kind := int64(float32Type)
	if bytes = 4 * len(t.floats); t.ints != nil {
		kind, bytes = int64Type, 8*len(t.ints)
	}
	m = m.number(tensorType, kind).text(tensorName, t.name)
	return m.opening(tensorRaw, bytes), bytes
}

// size is that of the tensor as a field of the graph.
func (t tensor) size() int {
	m, bytes := t.head()
	return len(message(nil).opening(graphInitializer, len(m)+bytes)) + len(m) + bytes
}

// write writes the tensor as a field of the graph. buf is reused.
func (t tensor) write(w io.Writer, buf []byte) ([]byte, error) {
	m, bytes := t.head()
	buf = append(message(buf[:0]).opening(graphInitializer, len(m)+bytes), m...)
	for _, v := range t.floats {
		buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v))
	}
	for _, v := range t.ints {
		buf = binary.LittleEndian.AppendUint64(buf, uint64(v))
	}
	_, err := w.Write(buf)
	return buf, err
}
