package weights

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/nlpodyssey/gopickle/pickle"
	"github.com/nlpodyssey/gopickle/types"
)

// unpickle runs a program that scan has passed. No name in it reaches any code but that of this file.
func unpickle(program []byte, a *archive) (root any, err error) {
	if err := scan(program); err != nil {
		return nil, err
	}
	defer func() {
		if p := recover(); p != nil { // the interpreter trusts that programs are well-formed
			root, err = nil, fmt.Errorf("its instructions do not fit together: %v", p)
		}
	}()
	u := pickle.NewUnpickler(bytes.NewReader(program))
	u.FindClass = findClass
	u.PersistentLoad = a.persistent
	return u.Load()
}

// kinds are the types of storages by PyTorch's names, with the bytes of a value.
var kinds = map[string]int{"Float": 4, "Half": 2, "BFloat16": 2, "Double": 8, "Long": 8, "Int": 4, "Short": 2, "Char": 1, "Byte": 1, "Bool": 1}

// records are classes and functions that checkpoints of detectors mention besides modules. What they make is kept as
// an inert record, and never a tensor.
var records = map[string]bool{
	"torch.Size": true, "torch.device": true, "torch.dtype": true,
	"numpy.dtype": true, "numpy.ndarray": true, "_codecs.encode": true,
	"numpy.core.multiarray.scalar": true, "numpy.core.multiarray._reconstruct": true,
	"numpy._core.multiarray.scalar": true, "numpy._core.multiarray._reconstruct": true,
	"pathlib.PosixPath": true, "pathlib.WindowsPath": true, "argparse.Namespace": true, "datetime.datetime": true,
}

// findClass knows the few names that a checkpoint needs. Classes of modules may have any name in a package of models.
func findClass(module, name string) (any, error) {
	full := module + "." + name
	if kind, ok := strings.CutSuffix(name, "Storage"); ok && module == "torch" && kinds[kind] > 0 {
		return storageClass(kind), nil
	}
	switch full {
	case "torch._utils._rebuild_tensor_v2":
		return function(rebuildTensor), nil
	case "torch._utils._rebuild_parameter":
		return function(rebuildParameter), nil
	case "__builtin__.set", "builtins.set":
		return function(makeNames), nil
	}
	if records[full] {
		return &class{full}, nil
	}
	for _, p := range []string{"torch.nn.modules.", "models.", "ultralytics.nn."} {
		if strings.HasPrefix(full, p) {
			return &class{full}, nil
		}
	}
	return nil, fmt.Errorf("it asks for %s, which no checkpoint of a detector needs", full)
}

type storageClass string

// function is one of this file, called by the program.
type function func(args []any) (any, error)

func (f function) Call(args ...any) (any, error) { return f(args) }

// class makes records.
type class struct{ name string }

// PyNew implements types.PyNewable.
func (c *class) PyNew(...any) (any, error) { return &record{class: c.name}, nil }

// Call implements types.Callable.
func (c *class) Call(...any) (any, error) { return &record{class: c.name}, nil }

// record is what an object of Python becomes: its attributes by name.
type record struct {
	class string
	attrs map[string]any
}

// PySetState implements types.PyStateSettable. What has no attributes of names stays without.
func (r *record) PySetState(state any) error {
	if t, ok := state.(*types.Tuple); ok && t.Len() == 2 {
		state = t.Get(0)
	}
	if d, ok := state.(*types.Dict); ok {
		r.attrs = map[string]any{}
		for _, e := range *d {
			if k, ok := e.Key.(string); ok {
				r.attrs[k] = e.Value
			}
		}
	}
	return nil
}

// persistent resolves a reference to a storage: ("storage", class, key, place, elements).
func (a *archive) persistent(id any) (any, error) {
	t, ok := id.(*types.Tuple)
	if !ok || t.Len() != 5 || t.Get(0) != "storage" {
		return nil, errors.New("a reference is not to a storage")
	}
	kind, okKind := t.Get(1).(storageClass)
	key, okKey := t.Get(2).(string)
	n, okSize := t.Get(4).(int)
	if !okKind || !okKey || !okSize {
		return nil, errors.New("a reference to a storage is malformed")
	}
	return a.storage(string(kind), key, n)
}

// view is a tensor: elements of a storage, from Offset on, at strides.
type view struct {
	from           *storage
	offset         int
	shape, strides []int
}

// rebuildTensor takes storage, offset, shape, strides and what concerns gradients.
func rebuildTensor(args []any) (any, error) {
	if len(args) < 4 {
		return nil, errors.New("a tensor is malformed")
	}
	s, okStorage := args[0].(*storage)
	offset, okOffset := args[1].(int)
	shape, okShape := ints(args[2])
	strides, okStrides := ints(args[3])
	if !okStorage || !okOffset || !okShape || !okStrides || len(shape) != len(strides) || offset < 0 {
		return nil, errors.New("a tensor is malformed")
	}
	n, last := elements(shape), offset
	for i, d := range shape {
		if strides[i] < 0 || strides[i] > maxElements {
			return nil, fmt.Errorf("a tensor has strides %v", strides)
		}
		if n > 0 && (d-1) > 0 && strides[i] > (1<<62)/(d-1)-last {
			return nil, fmt.Errorf("a tensor of shape %v and strides %v lies outside its storage", shape, strides)
		}
		last += max(0, d-1) * strides[i]
	}
	have := len(s.raw) / kinds[s.kind]
	if n < 0 || n > have || (n > 0 && last >= have) {
		return nil, fmt.Errorf("a tensor of shape %v and strides %v lies outside its storage of %d", shape, strides, have)
	}
	return &view{s, offset, shape, strides}, nil
}

// rebuildParameter takes a tensor and what concerns gradients.
func rebuildParameter(args []any) (any, error) {
	if len(args) == 0 {
		return nil, errors.New("a parameter is malformed")
	}
	v, ok := args[0].(*view)
	if !ok {
		return nil, errors.New("a parameter is no tensor")
	}
	return v, nil
}

// names are the elements of a set.
type names []any

// makeNames takes the list of a set's elements.
func makeNames(args []any) (any, error) {
	if len(args) == 1 {
		if l, ok := args[0].(*types.List); ok {
			n := names(*l)
			return &n, nil
		}
	}
	return &names{}, nil
}

func ints(v any) ([]int, bool) {
	t, ok := v.(*types.Tuple)
	if !ok || t.Len() > 16 {
		return nil, false
	}
	out := make([]int, t.Len())
	for i := range out {
		if out[i], ok = t.Get(i).(int); !ok {
			return nil, false
		}
	}
	return out, true
}
