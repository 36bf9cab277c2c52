package weights

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/nlpodyssey/gopickle/types"
)

// maxDepth bounds how deep modules may be nested: a malicious one may contain itself.
const maxDepth = 32

// pairs lists the entries of a dictionary, ordered or not; ok tells whether v is one.
func pairs(v any) (entries []types.DictEntry, ok bool) {
	switch d := v.(type) {
	case *types.Dict:
		return *d, true
	case *types.OrderedDict:
		for e := d.List.Front(); e != nil; e = e.Next() {
			if x, ok := e.Value.(*types.OrderedDictEntry); ok {
				entries = append(entries, types.DictEntry{Key: x.Key, Value: x.Value})
			}
		}
		return entries, true
	}
	return nil, false
}

// stateOf finds the model in what a checkpoint holds. limit bounds the number of values, names' bytes and modules, since
// all of these may be shared.
func stateOf(root any, limit int64) (*Set, error) {
	c := &collector{left: limit, seen: map[string]bool{}}
	if entries, ok := pairs(root); ok {
		for _, key := range []string{"ema", "model", "state_dict"} {
			for _, e := range entries {
				if e.Key == key && e.Value != nil {
					s, err := c.run(e.Value)
					if err == nil {
						c.describe(key, e.Value, entries)
					}
					return s, err
				}
			}
		}
	}
	s, err := c.run(root)
	if err == nil {
		c.describe("", root, nil)
	}
	return s, err
}

// collector gathers the tensors of a model.
type collector struct {
	set  Set
	left int64
	seen map[string]bool
}

func (c *collector) run(v any) (*Set, error) {
	var err error
	if m, ok := v.(*record); ok {
		err = c.module("", m, 0)
	} else {
		err = c.flat(v)
	}
	if err == nil && len(c.set.Tensors) == 0 {
		err = errors.New("it holds no model: a state dict or a module is needed, alone or as ema, model or state_dict")
	}
	if err != nil {
		return nil, err
	}
	return &c.set, nil
}

// flat takes a state dict.
func (c *collector) flat(v any) error {
	entries, _ := pairs(v)
	for _, e := range entries {
		name, ok := e.Key.(string)
		if t, isTensor := e.Value.(*view); ok && isTensor {
			if err := c.add(name, t); err != nil {
				return err
			}
		}
	}
	return nil
}

// module takes the parameters and buffers of a module and of those inside, as PyTorch's state_dict does.
func (c *collector) module(prefix string, m *record, depth int) error {
	if c.left--; depth > maxDepth || c.left < 0 {
		return fmt.Errorf("modules are nested deeper than %d, or there are more than the file can hold", maxDepth)
	}
	transient := map[any]bool{}
	if s, ok := m.attrs["_non_persistent_buffers_set"].(*names); ok {
		for _, n := range *s {
			transient[n] = true
		}
	}
	for _, part := range []string{"_parameters", "_buffers"} {
		entries, _ := pairs(m.attrs[part])
		for _, e := range entries {
			name, ok := e.Key.(string)
			t, isTensor := e.Value.(*view)
			if !ok || !isTensor || (part == "_buffers" && transient[name]) {
				continue
			}
			if err := c.add(prefix+name, t); err != nil {
				return err
			}
		}
	}
	children, _ := pairs(m.attrs["_modules"])
	for _, e := range children {
		name, ok := e.Key.(string)
		child, isModule := e.Value.(*record)
		if !ok || !isModule {
			continue
		}
		if err := c.module(prefix+name+".", child, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (c *collector) add(name string, v *view) error {
	n := elements(v.shape)
	if c.left -= int64(n) + int64(len(name)); c.left < 0 {
		return fmt.Errorf("tensor %s: more values than the file can hold", name)
	}
	if name == "" || c.seen[name] || strings.ContainsAny(name, "\x00\n") {
		return fmt.Errorf("tensor name %q stands twice or cannot be used", name)
	}
	c.seen[name] = true
	t := Tensor{Name: name, Shape: v.shape, Type: v.from.fileType()}
	if t.Type == Int64 {
		t.Ints = make([]int64, 0, n)
		v.each(func(i int) { t.Ints = append(t.Ints, v.from.integer(i)) })
	} else {
		t.Values = make([]float32, 0, n)
		v.each(func(i int) { t.Values = append(t.Values, v.from.float(i)) })
	}
	c.set.Tensors = append(c.set.Tensors, t)
	return nil
}

// each calls f with the place in the storage of every element, last dimension fastest.
func (v *view) each(f func(i int)) {
	var walk func(d, at int)
	walk = func(d, at int) {
		if d == len(v.shape) {
			f(at)
			return
		}
		for range v.shape[d] {
			walk(d+1, at)
			at += v.strides[d]
		}
	}
	walk(0, v.offset)
}

// fileType is the type that a tensor of this storage has here: doubles become F32, all integers I64.
func (s *storage) fileType() Type {
	switch s.kind {
	case "Float", "Double":
		return Float32
	case "Half":
		return Float16
	case "BFloat16":
		return BFloat16
	}
	return Int64
}

func (s *storage) float(i int) float32 {
	switch s.kind {
	case "Half":
		return fromHalf(binary.LittleEndian.Uint16(s.raw[2*i:]))
	case "BFloat16":
		return fromBrain(binary.LittleEndian.Uint16(s.raw[2*i:]))
	case "Double":
		return float32(math.Float64frombits(binary.LittleEndian.Uint64(s.raw[8*i:])))
	}
	return math.Float32frombits(binary.LittleEndian.Uint32(s.raw[4*i:]))
}

func (s *storage) integer(i int) int64 {
	switch s.kind {
	case "Long":
		return int64(binary.LittleEndian.Uint64(s.raw[8*i:]))
	case "Int":
		return int64(int32(binary.LittleEndian.Uint32(s.raw[4*i:])))
	case "Short":
		return int64(int16(binary.LittleEndian.Uint16(s.raw[2*i:])))
	case "Char":
		return int64(int8(s.raw[i]))
	}
	return int64(s.raw[i])
}
