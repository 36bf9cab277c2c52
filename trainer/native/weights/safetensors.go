package weights

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// A safetensors file (https://github.com/huggingface/safetensors) is the length of a JSON header (8 bytes, little-
// endian), the header, and the bytes of the tensors without gaps. The header is one object: for each name the type,
// the shape, and begin and end of the bytes, counted from the end of the header.
const (
	metadata  = "__metadata__" // name in the header of an object of words
	maxHeader = 100 << 20
	alignment = 8 // of the header's end; blanks fill it up
)

// entry is one tensor in the header.
type entry struct {
	Type  Type    `json:"dtype"`
	Shape []int   `json:"shape"`
	At    []int64 `json:"data_offsets"`

	name string
}

// DecodeSafetensors reads a whole file. Every byte must belong to exactly one tensor, and no name may stand twice.
// Tensors are in the order of their bytes.
func DecodeSafetensors(data []byte) (*Set, error) {
	if len(data) < 8 {
		return nil, fmt.Errorf("%d bytes: %w", len(data), ErrFormat)
	}
	n := binary.LittleEndian.Uint64(data)
	if n > maxHeader || n > uint64(len(data)-8) {
		return nil, fmt.Errorf("header of %d bytes in a file of %d: %w", n, len(data), ErrFormat)
	}
	entries, meta, err := parseHeader(data[8 : 8+n])
	if err != nil {
		return nil, fmt.Errorf("header: %w: %w", err, ErrFormat)
	}
	slices.SortStableFunc(entries, func(a, b entry) int { return slices.Compare(a.At, b.At) })
	body, s, next := data[8+n:], &Set{Meta: meta}, int64(0)
	for _, e := range entries {
		if err := e.check(next, int64(len(body))); err != nil {
			return nil, fmt.Errorf("tensor %s: %w: %w", e.name, err, ErrFormat)
		}
		next = e.At[1]
		s.Tensors = append(s.Tensors, e.tensor(body[e.At[0]:e.At[1]]))
	}
	if next != int64(len(body)) {
		return nil, fmt.Errorf("%d bytes follow the last tensor: %w", int64(len(body))-next, ErrFormat)
	}
	return s, nil
}

// parseHeader reads the header's object. The standard decoder alone would keep the last of two equal names.
func parseHeader(head []byte) (entries []entry, meta map[string]string, err error) {
	if len(head) == 0 || head[0] != '{' {
		return nil, nil, errors.New("it does not begin with {")
	}
	d := json.NewDecoder(bytes.NewReader(head))
	d.DisallowUnknownFields()
	if _, err := d.Token(); err != nil {
		return nil, nil, err
	}
	seen := map[string]bool{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, nil, err
		}
		name, _ := key.(string)
		if seen[name] {
			return nil, nil, fmt.Errorf("name %q stands twice", name)
		}
		seen[name] = true
		if name == metadata {
			err = d.Decode(&meta)
		} else {
			e := entry{name: name}
			err = d.Decode(&e)
			entries = append(entries, e)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("%q: %w", name, err)
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, nil, errors.New("something follows its object")
	}
	return entries, meta, nil
}

// check says what is wrong with an entry whose bytes must begin at next, in a file with size bytes of tensors.
func (e entry) check(next, size int64) error {
	n := elements(e.Shape)
	switch {
	case e.Type.size() == 0:
		return fmt.Errorf("type %q is not read: F32, F16, BF16 and I64 are", e.Type)
	case n < 0 || e.Shape == nil:
		return fmt.Errorf("shape %v", e.Shape)
	case len(e.At) != 2:
		return fmt.Errorf("%d offsets", len(e.At))
	case e.At[0] != next:
		return fmt.Errorf("its bytes begin at %d, and not at %d where the one before ends", e.At[0], next)
	case e.At[1] < e.At[0] || e.At[1] > size:
		return fmt.Errorf("its bytes end at %d of %d", e.At[1], size)
	case e.At[1]-e.At[0] != int64(n)*int64(e.Type.size()):
		return fmt.Errorf("%d bytes for shape %v of %s", e.At[1]-e.At[0], e.Shape, e.Type)
	}
	return nil
}

func (e entry) tensor(raw []byte) Tensor {
	t := Tensor{Name: e.name, Type: e.Type, Shape: e.Shape}
	t.Values, t.Ints = decode(e.Type, raw)
	return t
}

// decode reads little-endian values of a type.
func decode(t Type, raw []byte) (values []float32, ints []int64) {
	n := len(raw) / t.size()
	if t == Int64 {
		ints = make([]int64, n)
		for i := range ints {
			ints[i] = int64(binary.LittleEndian.Uint64(raw[8*i:]))
		}
		return nil, ints
	}
	values = make([]float32, n)
	for i := range values {
		switch t {
		case Float32:
			values[i] = float32frombytes(raw[4*i:])
		case Float16:
			values[i] = fromHalf(binary.LittleEndian.Uint16(raw[2*i:]))
		case BFloat16:
			values[i] = fromBrain(binary.LittleEndian.Uint16(raw[2*i:]))
		}
	}
	return values, nil
}
