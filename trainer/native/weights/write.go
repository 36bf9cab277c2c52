package weights

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
)

// WriteSafetensors writes a file in one step that either happens or does not.
func WriteSafetensors(path string, s *Set) error {
	data, err := EncodeSafetensors(s)
	if err == nil {
		err = WriteFile(path, data)
	}
	if err != nil {
		return fmt.Errorf("write weights: %w", err)
	}
	return nil
}

// EncodeSafetensors returns the bytes of a file. Types with larger values stand first, so that all are aligned;
// otherwise the order is kept. The same set gives the same bytes.
func EncodeSafetensors(s *Set) ([]byte, error) {
	order := make([]Tensor, 0, len(s.Tensors))
	seen := map[string]bool{}
	for _, t := range s.Tensors {
		if err := t.check(); err != nil {
			return nil, err
		}
		if seen[t.Name] {
			return nil, fmt.Errorf("tensor %s stands twice", t.Name)
		}
		seen[t.Name] = true
		order = append(order, t)
	}
	slices.SortStableFunc(order, func(a, b Tensor) int { return b.Type.size() - a.Type.size() })
	head, size, err := header(order, s.Meta)
	if err != nil {
		return nil, err
	}
	data := make([]byte, 0, 8+len(head)+size)
	data = binary.LittleEndian.AppendUint64(data, uint64(len(head)))
	data = append(data, head...)
	for _, t := range order {
		data = t.append(data)
	}
	return data, nil
}

// header returns the JSON object, filled up with blanks, and the number of bytes that follow it.
func header(order []Tensor, meta map[string]string) (head []byte, size int, err error) {
	var b bytes.Buffer
	field := func(name string, value any) error {
		key, err := json.Marshal(name)
		if err != nil {
			return err
		}
		v, err := json.Marshal(value)
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(v)
		return err
	}
	b.WriteByte('{')
	if meta != nil {
		err = field(metadata, meta)
	}
	for _, t := range order {
		from := size
		size += elements(t.Shape) * t.Type.size()
		shape := t.Shape
		if shape == nil {
			shape = []int{}
		}
		err = errors.Join(err, field(t.Name, entry{Type: t.Type, Shape: shape, At: []int64{int64(from), int64(size)}}))
	}
	b.WriteByte('}')
	for b.Len()%alignment != 0 {
		b.WriteByte(' ')
	}
	if b.Len() > maxHeader {
		err = errors.Join(err, fmt.Errorf("header of %d bytes", b.Len()))
	}
	return b.Bytes(), size, err
}

func (t Tensor) append(data []byte) []byte {
	for _, v := range t.Ints {
		data = binary.LittleEndian.AppendUint64(data, uint64(v))
	}
	for _, v := range t.Values {
		switch t.Type {
		case Float16:
			data = binary.LittleEndian.AppendUint16(data, toHalf(v))
		case BFloat16:
			data = binary.LittleEndian.AppendUint16(data, toBrain(v))
		default:
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
		}
	}
	return data
}

// WriteFile writes a file as Replace does.
func WriteFile(path string, data []byte) error {
	return Replace(path, func(w io.Writer) error { _, err := w.Write(data); return err })
}

// Replace lets write make a file beside its place, syncs and renames it: whoever reads the final name reads a whole file.
func Replace(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".part-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err = f.Chmod(0o644); err == nil {
		err = write(f)
	}
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
