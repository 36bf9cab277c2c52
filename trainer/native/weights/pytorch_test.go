package weights_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/weights"
)

// TestPyTorch holds the reading of .pt files to PyTorch's own (testdata/gen.py).
func TestPyTorch(t *testing.T) {
	for name, tensors := range map[string]int{"module": 9, "state": 12} {
		t.Run(name, func(t *testing.T) {
			got, err := weights.Read("testdata/" + name + ".pt")
			if err != nil {
				t.Fatal(err)
			}
			want, err := weights.Read("testdata/" + name + ".safetensors")
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Tensors) != tensors || len(want.Tensors) != tensors {
				t.Errorf("%d tensors, PyTorch has %d, want %d", len(got.Tensors), len(want.Tensors), tensors)
			}
			for _, w := range want.Tensors {
				if g := got.Find(w.Name); g == nil || !reflect.DeepEqual(*g, w) {
					t.Errorf("%s is %+v, in PyTorch %+v", w.Name, g, w)
				}
			}
		})
	}
}

// What a checkpoint says about itself: class names, epochs, image size, and which weights they are.
func TestPyTorchWords(t *testing.T) {
	s, err := weights.Read("testdata/module.pt")
	if want := map[string]string{"names": `["a","b"]`, "epoch": "4", "image_size": "320", "part": "average"}; err != nil || !reflect.DeepEqual(s.Meta, want) {
		t.Errorf("words %v (%v), want %v", s.Meta, err, want)
	}
	w := tensor("Float", 2, "K\x00", "K\x02\x85", "K\x01\x85")
	model := text("model") + module("models.yolo\nModel", "}("+text("names")+"%s"+text("_parameters")+"}"+text("w")+w+"su")
	for _, c := range []struct {
		name, pickle string
		want         map[string]string
	}{
		{"a state alone", dict("w", w), nil},
		{"a list of names, options, and training that is over", begin + "}(" + strings.Replace(model, "%s", "]("+text("cat")+text("dog")+"e", 1) + text("ema") + "N" +
			text("opt") + "}" + text("imgsz") + "M\x40\x01s" + text("epoch") + "J\xff\xff\xff\xffu" + end,
			map[string]string{"names": `["cat","dog"]`, "image_size": "320", "part": "weights"}},
		{"names and numbers that are none", begin + "}(" + strings.Replace(model, "%s", "](K\x01"+text("dog")+"e", 1) + text("epoch") + text("last") + text("opt") + "K\x01u" + end,
			map[string]string{"part": "weights"}},
		{"names by other numbers than those from 0", begin + "}(" + strings.Replace(model, "%s", "}(K\x01"+text("cat")+"K\x02"+text("dog")+"u", 1) + "u" + end,
			map[string]string{"part": "weights"}},
		{"shared names, longer than the file", begin + "}(" + strings.Replace(model, "%s", "]("+text(strings.Repeat("a", 500))+"q\x01"+strings.Repeat("h\x01", 100)+"e", 1) + "u" + end,
			map[string]string{"part": "weights"}},
	} {
		s, err := weights.DecodePyTorch(archive(t, zip.Store, c.pickle, map[string]string{"data/0": "12345678"}))
		if err != nil || !reflect.DeepEqual(s.Meta, c.want) {
			t.Errorf("%s: words %v (%v), want %v", c.name, s, err, c.want)
		}
	}
}

// archive is a .pt file of the given pickle and storages.
func archive(t testing.TB, method uint16, pickle string, storages map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	add := func(name, body string) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err == nil {
			_, err = w.Write([]byte(body))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	add("x/data.pkl", pickle)
	for k, v := range storages {
		add("x/"+k, v)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Pieces of pickles, protocol 2.
const begin, end = "\x80\x02", "."

func text(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

// tensor is the pickle of a tensor of one float32 storage "0"; offset, shape and strides are pickles.
func tensor(kind string, elements byte, offset, shape, strides string) string {
	return "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + "ctorch\n" + kind + "Storage\n" + text("0") + text("cpu") +
		"K" + string(rune(elements)) + "tQ" + offset + shape + strides + "\x89}tR"
}

func dict(key, value string) string { return begin + "}" + text(key) + value + "s" + end }

// module is the pickle of a module of the named class with a dictionary of attributes.
func module(class, attrs string) string { return "c" + class + "\n)\x81" + attrs + "b" }

func TestPyTorchRefused(t *testing.T) {
	good := tensor("Float", 2, "K\x00", "K\x02\x85", "K\x01\x85")
	data := map[string]string{"data/0": "12345678"}
	if s, err := weights.DecodePyTorch(archive(t, zip.Store, dict("w", good), data)); err != nil || len(s.Tensors) != 1 {
		t.Fatalf("the good file: %v", err)
	}
	itself := begin + module("models.a\nA", "q\x00}"+text("_modules")+"}"+text("m")+"h\x00ss") + end
	tests := []struct {
		name, pickle string
		files        map[string]string
		want         string
	}{
		{"a command", begin + "cposix\nsystem\n" + text("touch /tmp/owned") + "\x85R" + end, data, "asks for posix.system"},
		{"a builtin", begin + "c__builtin__\neval\n" + text("1") + "\x85R" + end, data, "asks for __builtin__.eval"},
		{"a function of PyTorch", begin + "ctorch.hub\nload\n" + text("1") + "\x85R" + end, data, "asks for torch.hub.load"},
		{"another protocol", "\x80\x04N.", data, "protocol 2"},
		{"an instruction that is not needed", begin + "\x82\x01.", data, "0x82"},
		{"instance by name", begin + "(iposix\nsystem\n.", data, "instruction 0x69"},
		{"a text longer than the file", begin + "X\xff\xff\xff\xff" + end, data, "beyond the end"},
		{"a name without end", begin + "cposix\nsystem", data, "beyond the end"},
		{"no end", begin + "N", data, "no end"},
		{"two ends", begin + "N.N.", data, "2 bytes follow"},
		{"an empty stack", begin + "R.", data, "stack"},
		{"an odd number of items", begin + "}(K\x01u.", data, "do not fit together"},
		{"nothing in it", begin + "N.", data, "holds no model"},
		{"numbers only", dict("model", "K\x01"), data, "holds no model"},
		{"a missing storage", dict("w", good), nil, "no data/0"},
		{"a storage of another size", dict("w", good), map[string]string{"data/0": "1234567"}, "7 bytes for 2 of Float"},
		{"a tensor beyond its storage", dict("w", tensor("Float", 2, "K\x01", "K\x02\x85", "K\x01\x85")), data, "outside its storage"},
		{"strides beyond the storage", dict("w", tensor("Float", 2, "K\x00", "K\x02\x85", "J\xff\xff\xff\x7f\x85")), data, "outside its storage"},
		{"negative strides", dict("w", tensor("Float", 2, "K\x00", "K\x02\x85", "J\xff\xff\xff\xff\x85")), data, "strides [-1]"},
		{"a negative offset", dict("w", tensor("Float", 2, "J\xff\xff\xff\xff", "K\x02\x85", "K\x01\x85")), data, "malformed"},
		{"a tensor of one value repeated", dict("w", tensor("Float", 2, "K\x00", "J\x00\x00\x00\x10\x85", "K\x00\x85")), data, "outside its storage"},
		{"extents that overflow", dict("w", tensor("Float", 2, "K\x00", "J\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x86", "K\x00K\x00\x86")), data, "outside its storage"},
		{"a type of storage that does not exist", dict("w", tensor("Evil", 2, "K\x00", "K\x02\x85", "K\x01\x85")), data, "torch.EvilStorage"},
		{"a module that contains itself", itself, data, "nested deeper"},
		{"a module without anything", begin + module("models.a\nA", "}") + end, data, "holds no model"},
		{"a big-endian file", dict("w", good), map[string]string{"data/0": "12345678", "byteorder": "big"}, "byte order"},
		{"TorchScript", dict("w", good), map[string]string{"data/0": "12345678", "constants.pkl": "x"}, "TorchScript"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := weights.DecodePyTorch(archive(t, zip.Store, tt.pickle, tt.files))
			if !errors.Is(err, weights.ErrFormat) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
	for name, file := range map[string][]byte{
		"compressed": archive(t, zip.Deflate, dict("w", good), data),
		"no archive": []byte("PK\x03\x04 and then nothing"),
	} {
		if _, err := weights.DecodePyTorch(file); !errors.Is(err, weights.ErrFormat) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// TestPyTorchSharing: a file whose modules share one large tensor a thousand times must not become a thousand copies.
func TestPyTorchSharing(t *testing.T) {
	values := strings.Repeat("1234", 200)
	p := begin + "}(" + text("w0") + tensor("Float", 200, "K\x00", "K\xc8\x85", "K\x01\x85")
	p = strings.Replace(p, "K"+string(rune(200)), "K\xc8", 1) + "q\x00"
	for i := range 200 {
		p += text(strings.Repeat("x", 1+i)) + "h\x00"
	}
	_, err := weights.DecodePyTorch(archive(t, zip.Store, p+"u.", map[string]string{"data/0": values}))
	if !errors.Is(err, weights.ErrFormat) || !strings.Contains(err.Error(), "more values than the file can hold") {
		t.Errorf("error %v", err)
	}
}

func FuzzPyTorch(f *testing.F) {
	for _, name := range []string{"state", "module"} {
		data, err := os.ReadFile("testdata/" + name + ".pt")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := weights.DecodePyTorch(data); err != nil && !errors.Is(err, weights.ErrFormat) {
			t.Fatal(err)
		}
	})
}

// FuzzPickle changes the program alone, which the checksums of an archive would hide from FuzzPyTorch.
func FuzzPickle(f *testing.F) {
	for _, name := range []string{"state", "module"} {
		z, err := zip.OpenReader("testdata/" + name + ".pt")
		if err != nil {
			f.Fatal(err)
		}
		var b bytes.Buffer
		r, err := z.Open(name + "/data.pkl")
		if err == nil {
			_, err = b.ReadFrom(r)
		}
		if err := errors.Join(err, r.Close(), z.Close()); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Add([]byte(dict("w", tensor("Float", 2, "K\x00", "K\x02\x85", "K\x01\x85"))))
	f.Fuzz(func(t *testing.T, program []byte) {
		data := archive(t, zip.Store, string(program), map[string]string{"data/0": "12345678"})
		if _, err := weights.DecodePyTorch(data); err != nil && !errors.Is(err, weights.ErrFormat) {
			t.Fatal(err)
		}
	})
}
