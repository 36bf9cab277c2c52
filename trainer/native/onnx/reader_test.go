package onnx_test

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// A small reader of ONNX, for tests: messages as lists of fields, and from these what the interpreter needs.

// fields are the fields of a message, by number, in their order.
type fields map[int][]field

type field struct {
	number uint64
	bytes  []byte
}

func parse(data []byte) fields {
	f := fields{}
	for len(data) > 0 {
		n, kind, size := protowire.ConsumeTag(data)
		if size < 0 {
			panic(protowire.ParseError(size))
		}
		data = data[size:]
		var x field
		switch kind {
		case protowire.VarintType:
			x.number, size = protowire.ConsumeVarint(data)
		case protowire.BytesType:
			x.bytes, size = protowire.ConsumeBytes(data)
		default:
			panic(fmt.Sprintf("field %d of kind %d", n, kind))
		}
		if size < 0 {
			panic(protowire.ParseError(size))
		}
		data = data[size:]
		f[int(n)] = append(f[int(n)], x)
	}
	return f
}

func (f fields) text(n int) string {
	if len(f[n]) == 0 {
		return ""
	}
	return string(f[n][0].bytes)
}

func (f fields) texts(n int) (all []string) {
	for _, x := range f[n] {
		all = append(all, string(x.bytes))
	}
	return all
}

func (f fields) ints(n int) (all []int) {
	for _, x := range f[n] {
		all = append(all, int(int64(x.number)))
	}
	return all
}

// array is a tensor: floats, or ints for shapes, axes and sizes.
type array struct {
	shape []int
	f     []float32
	i     []int64
}

type operation struct {
	op              string
	inputs, outputs []string
	ints            map[string][]int
	texts           map[string]string
}

type document struct {
	ir, opset int
	meta      map[string]string
	constants map[string]array
	nodes     []operation
	inputs    map[string][]string // extents, a name where there is no number
	outputs   map[string][]string
}

// read takes a file apart. Field numbers are those of onnx.proto.
func read(data []byte) document {
	m := parse(data)
	g := parse(m[7][0].bytes)
	d := document{ir: m.ints(1)[0], opset: parse(m[8][0].bytes).ints(2)[0], meta: map[string]string{}, constants: map[string]array{}}
	for _, e := range m[14] {
		f := parse(e.bytes)
		d.meta[f.text(1)] = f.text(2)
	}
	for _, t := range g[5] {
		f := parse(t.bytes)
		d.constants[f.text(8)] = constant(f)
	}
	for _, n := range g[1] {
		f := parse(n.bytes)
		o := operation{op: f.text(4), inputs: f.texts(1), outputs: f.texts(2), ints: map[string][]int{}, texts: map[string]string{}}
		for _, a := range f[5] {
			a := parse(a.bytes)
			o.texts[a.text(1)] = a.text(4)
			o.ints[a.text(1)] = append(a.ints(3), a.ints(8)...)
		}
		d.nodes = append(d.nodes, o)
	}
	d.inputs, d.outputs = extents(g[11]), extents(g[12])
	return d
}

func constant(f fields) array {
	a := array{shape: f.ints(1)}
	raw := f[9][0].bytes
	if f.ints(2)[0] == 7 {
		for ; len(raw) > 0; raw = raw[8:] {
			a.i = append(a.i, int64(binary.LittleEndian.Uint64(raw)))
		}
		return a
	}
	for ; len(raw) > 0; raw = raw[4:] {
		a.f = append(a.f, math.Float32frombits(binary.LittleEndian.Uint32(raw)))
	}
	return a
}

func extents(values []field) map[string][]string {
	all := map[string][]string{}
	for _, v := range values {
		f := parse(v.bytes)
		t := parse(parse(f[2][0].bytes)[1][0].bytes)
		for _, d := range parse(t[2][0].bytes)[1] {
			d := parse(d.bytes)
			s := d.text(2)
			if s == "" {
				s = fmt.Sprint(d.ints(1)[0])
			}
			all[f.text(1)] = append(all[f.text(1)], s)
		}
	}
	return all
}
