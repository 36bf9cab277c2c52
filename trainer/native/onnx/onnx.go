package onnx

import (
	"bufio"
	"io"

	"github.com/mapsweep/mapsweep/trainer/native/fold"
	"github.com/mapsweep/mapsweep/trainer/native/model/spec"
)

// Names of the graph's input and output.
const (
	input  = "images"
	output = "output"
)

// Entry is a word about the model that is kept in the file.
type Entry struct{ Key, Value string }

// File is a model that is ready to be written.
type File struct {
	Anchors int // A
	Nodes   int // operations

	network  network
	model    *spec.Model
	producer string // version of what made it
	meta     []Entry
}

// New makes the graph of m for images of height x width pixels, multiples of [spec.Model.Multiple], with the weights of
// a trained model: those that serve training alone may be missing. version is mapsweep's.
func New(m *spec.Model, t fold.Tensors, height, width int, version string, meta ...Entry) (*File, error) {
	if k := m.Multiple(); height < k || width < k || height%k != 0 || width%k != 0 {
		return nil, &spec.SizeError{Width: width, Height: height, Multiple: k}
	}
	n := network{graph: graph{known: map[string]bool{}}, weights: t, height: height, width: width}
	f := &File{network: n, model: m, producer: version, meta: meta}
	main, _ := spec.Build(m, &f.network, false)
	f.network.decode(m, main)
	for _, x := range main.Box {
		f.Anchors += x.height * x.width
	}
	f.Nodes = f.network.count
	return f, f.network.err
}

// Write writes the file.
func (f *File) Write(w io.Writer) error {
	g := &f.network
	head := g.nodes.text(graphName, f.model.Name)
	head = head.message(graphInput, info(input, 3, g.height, g.width))
	head = head.message(graphOutput, info(output, 4+f.model.Classes, f.Anchors))
	size := len(head)
	for _, t := range g.tensors {
		size += t.size()
	}
	m := message(nil).number(modelIRVersion, irVersion).text(modelProducerName, "mapsweep").text(modelProducerVersion, f.producer)
	m = m.message(modelOpsetImport, message(nil).text(opsetDomain, "").number(opsetVersion, opset))
	for _, e := range f.meta {
		m = m.message(modelMetadata, message(nil).text(entryKey, e.Key).text(entryValue, e.Value))
	}
	out := bufio.NewWriter(w)
	_, err := out.Write(append(m.opening(modelGraph, size), head...))
	var buf []byte
	for i := 0; i < len(g.tensors) && err == nil; i++ {
		buf, err = g.tensors[i].write(out, buf)
	}
	if err == nil {
		err = out.Flush()
	}
	return err
}

// info describes a value of any number of images and the given other extents.
func info(name string, extents ...int) message {
	shape := message(nil).message(shapeDim, message(nil).text(dimParam, "batch"))
	for _, n := range extents {
		shape = shape.message(shapeDim, message(nil).number(dimValue, int64(n)))
	}
	t := message(nil).number(tensorElem, float32Type).message(tensorShape, shape)
	return message(nil).text(valueName, name).message(valueType, message(nil).message(typeTensor, t))
}
