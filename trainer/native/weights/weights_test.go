package weights_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/weights"
)

// file is a safetensors file with the given header and body.
func file(header, body string) []byte {
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header+body...)
}

func TestRoundTrip(t *testing.T) {
	s := &weights.Set{
		Tensors: []weights.Tensor{
			{Name: "half", Type: weights.Float16, Shape: []int{2}, Values: []float32{1.5, -65504}},
			{Name: "a \"quoted\" name, <ü>", Type: weights.Float32, Shape: []int{2, 1, 3}, Values: []float32{1, -2, 3.25, 4, float32(math.Inf(1)), 6}},
			{Name: "brain", Type: weights.BFloat16, Shape: []int{1}, Values: []float32{-3}},
			{Name: "count", Type: weights.Int64, Shape: nil, Ints: []int64{-7}},
			{Name: "nothing", Type: weights.Float32, Shape: []int{0, 4}, Values: []float32{}},
		},
		Meta: map[string]string{"format": "pt"},
	}
	path := filepath.Join(t.TempDir(), "w.safetensors")
	if err := weights.WriteSafetensors(path, s); err != nil {
		t.Fatal(err)
	}
	got, err := weights.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Tensors) != len(s.Tensors) || !reflect.DeepEqual(got.Meta, s.Meta) {
		t.Errorf("%d tensors and words %v came back", len(got.Tensors), got.Meta)
	}
	for _, want := range s.Tensors {
		if want.Shape == nil {
			want.Shape = []int{}
		}
		if g := got.Find(want.Name); g == nil || !reflect.DeepEqual(*g, want) {
			t.Errorf("%s came back as %+v, want %+v", want.Name, g, want)
		}
	}
	if got.Find("no") != nil {
		t.Error("a tensor was found that is not there")
	}
	again, err := weights.EncodeSafetensors(got)
	if data, _ := os.ReadFile(path); err != nil || !bytes.Equal(again, data) {
		t.Errorf("writing what was read gives other bytes (%v)", err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(left) != 1 {
		t.Errorf("files left: %v", left)
	}
}

// TestPeers reads what the safetensors package of Python has written.
func TestPeers(t *testing.T) {
	s, err := weights.Read("testdata/state.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	half := s.Find("half")
	if half == nil || half.Type != weights.Float16 || half.Values[2] != 65504 || half.Values[3] != 1.0/(1<<24) {
		t.Errorf("half is %+v", half)
	}
	if one := s.Find("one"); one == nil || len(one.Shape) != 0 || one.Values[0] != 2.5 {
		t.Errorf("one is %+v", one)
	}
	if long := s.Find("long"); long == nil || !reflect.DeepEqual(long.Ints, []int64{1, -2, 1 << 40}) {
		t.Errorf("long is %+v", long)
	}
}

func TestRefused(t *testing.T) {
	const eight = `"dtype":"F32","shape":[2],"data_offsets":[0,8]`
	tests := []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "0 bytes"},
		{"header longer than the file", append(binary.LittleEndian.AppendUint64(nil, 1<<40), "{}"...), "header of 1099511627776 bytes"},
		{"no object", file(`[]`, ""), "begin with {"},
		{"two objects", file(`{}{}`, ""), "follows its object"},
		{"name twice", file(`{"a":{`+eight+`},"a":{`+eight+`}}`, "12345678"), `"a" stands twice`},
		{"metadata twice", file(`{"__metadata__":{},"__metadata__":{}}`, ""), "stands twice"},
		{"metadata that is no words", file(`{"__metadata__":{"a":1}}`, ""), "__metadata__"},
		{"unknown field", file(`{"a":{`+eight+`,"x":1}}`, "12345678"), "unknown field"},
		{"type", file(`{"a":{"dtype":"F8","shape":[8],"data_offsets":[0,8]}}`, "12345678"), `type "F8"`},
		{"no shape", file(`{"a":{"dtype":"F32","data_offsets":[0,4]}}`, "1234"), "shape"},
		{"negative extent", file(`{"a":{"dtype":"F32","shape":[-1,-2],"data_offsets":[0,8]}}`, "12345678"), "shape [-1 -2]"},
		{"huge shape", file(`{"a":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,0]}}`, ""), "shape"},
		{"gap", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, "12345678"), "begin at 4"},
		{"overlap", file(`{"a":{`+eight+`},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, "12345678"), "begin at 4"},
		{"beyond the end", file(`{"a":{`+eight+`}}`, "1234"), "end at 8 of 4"},
		{"rest", file(`{"a":{`+eight+`}}`, "123456789"), "1 bytes follow"},
		{"backwards", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,-4]}}`, "1234"), "end at -4"},
		{"one offset", file(`{"a":{"dtype":"F32","shape":[0],"data_offsets":[0]}}`, ""), "1 offsets"},
		{"three offsets", file(`{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0,0]}}`, ""), "3 offsets"},
		{"bytes do not fit the shape", file(`{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}`, "12345678"), "8 bytes for shape [3]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := weights.DecodeSafetensors(tt.data)
			if !errors.Is(err, weights.ErrFormat) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestNotWritten(t *testing.T) {
	ok := weights.Tensor{Name: "a", Type: weights.Float32, Shape: []int{1}, Values: []float32{1}}
	change := func(f func(*weights.Tensor)) []weights.Tensor { x := ok; f(&x); return []weights.Tensor{x} }
	for name, ts := range map[string][]weights.Tensor{
		"twice":          {ok, ok},
		"no name":        change(func(x *weights.Tensor) { x.Name = "" }),
		"reserved name":  change(func(x *weights.Tensor) { x.Name = "__metadata__" }),
		"type":           change(func(x *weights.Tensor) { x.Type = "F64" }),
		"shape":          change(func(x *weights.Tensor) { x.Shape = []int{2} }),
		"negative shape": change(func(x *weights.Tensor) { x.Shape = []int{-1, -1} }),
		"floats as ints": change(func(x *weights.Tensor) { x.Type = weights.Int64 }),
	} {
		path := filepath.Join(t.TempDir(), "w")
		if err := weights.WriteSafetensors(path, &weights.Set{Tensors: ts}); err == nil {
			t.Errorf("%s: was written", name)
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s: a file stands there", name)
		}
	}
	if err := weights.WriteSafetensors(filepath.Join(t.TempDir(), "no", "w"), &weights.Set{}); err == nil {
		t.Error("a file was written into a folder that does not exist")
	}
	if _, err := weights.Read(filepath.Join(t.TempDir(), "no")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("reading a file that does not exist: %v", err)
	}
}

// TestHalves goes through all values of 16 bits, and rounds values between neighbours.
func TestHalves(t *testing.T) {
	for _, kind := range []weights.Type{weights.Float16, weights.BFloat16} {
		raw := make([]byte, 2<<16)
		for i := range 1 << 16 {
			binary.LittleEndian.PutUint16(raw[2*i:], uint16(i))
		}
		head := fmt.Sprintf(`{"a":{"dtype":"%s","shape":[65536],"data_offsets":[0,131072]}}`, kind)
		s, err := weights.DecodeSafetensors(file(head, string(raw)))
		if err != nil {
			t.Fatal(err)
		}
		back, err := weights.EncodeSafetensors(s)
		if err != nil {
			t.Fatal(err)
		}
		back = back[len(back)-len(raw):]
		for i, v := range s.Tensors[0].Values {
			got := binary.LittleEndian.Uint16(back[2*i:])
			if nan := v != v; !nan && got != uint16(i) || nan && got&0x7fff <= map[weights.Type]uint16{weights.Float16: 0x7c00, weights.BFloat16: 0x7f80}[kind] {
				t.Fatalf("%s %#04x is %g and becomes %#04x", kind, i, v, got)
			}
		}
		// Halfway between two neighbours goes to the even one, anything beyond it to the nearer.
		values := s.Tensors[0].Values
		for i := range 0x7b00 {
			middle := float32((float64(values[i]) + float64(values[i+1])) / 2)
			up := math.Nextafter32(middle, float32(math.Inf(1)))
			set := &weights.Set{Tensors: []weights.Tensor{{Name: "a", Type: kind, Shape: []int{2}, Values: []float32{middle, up}}}}
			data, err := weights.EncodeSafetensors(set)
			if err != nil {
				t.Fatal(err)
			}
			data = data[len(data)-4:]
			if got := binary.LittleEndian.Uint16(data); got != uint16(i+i&1) {
				t.Fatalf("%s: the middle of %#04x and the next becomes %#04x", kind, i, got)
			}
			if got := binary.LittleEndian.Uint16(data[2:]); got != uint16(i+1) {
				t.Fatalf("%s: more than the middle of %#04x and the next becomes %#04x", kind, i, got)
			}
		}
	}
}

func FuzzSafetensors(f *testing.F) {
	for _, name := range []string{"state", "module"} {
		data, err := os.ReadFile("testdata/" + name + ".safetensors")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add(file(`{"a":{"dtype":"BF16","shape":[1,2],"data_offsets":[0,4]},"__metadata__":{"x":"y"}}  `, "1234"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := weights.DecodeSafetensors(data)
		if err != nil {
			if !errors.Is(err, weights.ErrFormat) {
				t.Fatal(err)
			}
			return
		}
		back, err := weights.EncodeSafetensors(s)
		if err != nil {
			if s.Find("") != nil {
				return // the one name that is read and not written
			}
			t.Fatal(err)
		}
		again, err := weights.DecodeSafetensors(back)
		if err != nil || len(again.Tensors) != len(s.Tensors) {
			t.Fatalf("what was written cannot be read: %v", err)
		}
	})
}
