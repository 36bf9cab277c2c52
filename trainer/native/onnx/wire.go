package onnx

import "google.golang.org/protobuf/encoding/protowire"

// Numbers of the fields that are written, by message, as onnx.proto defines them.
const (
	modelIRVersion       protowire.Number = 1
	modelProducerName    protowire.Number = 2
	modelProducerVersion protowire.Number = 3
	modelGraph           protowire.Number = 7
	modelOpsetImport     protowire.Number = 8
	modelMetadata        protowire.Number = 14

	opsetDomain  protowire.Number = 1
	opsetVersion protowire.Number = 2

	entryKey   protowire.Number = 1
	entryValue protowire.Number = 2

	graphNode        protowire.Number = 1
	graphName        protowire.Number = 2
	graphInitializer protowire.Number = 5
	graphInput       protowire.Number = 11
	graphOutput      protowire.Number = 12

	nodeInput     protowire.Number = 1
	nodeOutput    protowire.Number = 2
	nodeName      protowire.Number = 3
	nodeOpType    protowire.Number = 4
	nodeAttribute protowire.Number = 5

	attributeName protowire.Number = 1
	attributeInt  protowire.Number = 3
	attributeText protowire.Number = 4
	attributeInts protowire.Number = 8
	attributeType protowire.Number = 20

	tensorDims protowire.Number = 1
	tensorType protowire.Number = 2
	tensorName protowire.Number = 8
	tensorRaw  protowire.Number = 9

	valueName protowire.Number = 1
	valueType protowire.Number = 2

	typeTensor  protowire.Number = 1
	tensorElem  protowire.Number = 1
	tensorShape protowire.Number = 2
	shapeDim    protowire.Number = 1
	dimValue    protowire.Number = 1
	dimParam    protowire.Number = 2
)

// Kinds of attributes (AttributeProto.AttributeType) and of values (TensorProto.DataType).
const (
	kindInt, kindText, kindInts = 2, 3, 7
	float32Type, int64Type      = 1, 7
)

// Versions: of the operators' definitions, and of the file format that came with them.
const (
	opset     = 17
	irVersion = 8
)

// message is an encoded message; methods append a field.
type message []byte

func (m message) number(field protowire.Number, v int64) message {
	return protowire.AppendVarint(protowire.AppendTag(m, field, protowire.VarintType), uint64(v))
}

func (m message) text(field protowire.Number, s string) message {
	return protowire.AppendString(protowire.AppendTag(m, field, protowire.BytesType), s)
}

func (m message) message(field protowire.Number, sub message) message {
	return protowire.AppendBytes(protowire.AppendTag(m, field, protowire.BytesType), sub)
}

// opening appends what stands before the bytes of a field that are written by others.
func (m message) opening(field protowire.Number, bytes int) message {
	return protowire.AppendVarint(protowire.AppendTag(m, field, protowire.BytesType), uint64(bytes))
}
