package weights

import (
	"errors"
	"fmt"
)

// ErrFormat is in the error for a file that is damaged, cut off, or something else than it should be.
var ErrFormat = errors.New("not a usable file of weights")

// Type is how a file stores the values of a tensor.
type Type string

// The types that are read and written. Float16 and BFloat16 are float32 in memory.
const (
	Float32  Type = "F32"
	Float16  Type = "F16"
	BFloat16 Type = "BF16"
	Int64    Type = "I64"
)

// size is the number of bytes of one value; 0 for a type that is not read.
func (t Type) size() int {
	switch t {
	case Int64:
		return 8
	case Float32:
		return 4
	case Float16, BFloat16:
		return 2
	}
	return 0
}

// Tensor is one named array, its last dimension running fastest. An empty shape is a single number.
type Tensor struct {
	Name   string
	Type   Type // in the file
	Shape  []int
	Values []float32 // of floating types
	Ints   []int64   // of Int64
}

// maxElements bounds a tensor, so that sizes in bytes fit an int.
const maxElements = 1 << 40

// elements is the number of values of a shape, or -1 for a shape that no file can hold.
func elements(shape []int) int {
	n := 1
	for _, d := range shape {
		if d < 0 || d > maxElements || (d > 0 && n > maxElements/d) {
			return -1
		}
		n *= d
	}
	return n
}

// check says what does not fit together in a tensor that is to be written.
func (t Tensor) check() error {
	n := elements(t.Shape)
	switch {
	case t.Name == "" || t.Name == metadata:
		return fmt.Errorf("tensor name %q cannot be used", t.Name)
	case t.Type.size() == 0:
		return fmt.Errorf("tensor %s: type %q: F32, F16, BF16 and I64 exist", t.Name, t.Type)
	case n < 0:
		return fmt.Errorf("tensor %s: shape %v", t.Name, t.Shape)
	case t.Type == Int64 && (len(t.Ints) != n || t.Values != nil):
		return fmt.Errorf("tensor %s: %d integers for shape %v", t.Name, len(t.Ints), t.Shape)
	case t.Type != Int64 && (len(t.Values) != n || t.Ints != nil):
		return fmt.Errorf("tensor %s: %d values for shape %v", t.Name, len(t.Values), t.Shape)
	}
	return nil
}

// Set is the content of a file.
type Set struct {
	Tensors []Tensor
	Meta    map[string]string // words about the whole; nil if there are none
}

// Find returns the tensor of a name, or nil.
func (s *Set) Find(name string) *Tensor {
	for i := range s.Tensors {
		if s.Tensors[i].Name == name {
			return &s.Tensors[i]
		}
	}
	return nil
}
