package preflight_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/yolov9/preflight"
)

// form is a data.yaml with what Resolve must say of it.
type form struct {
	name, text string
	kinds      string // of the faults
	train      string // first path of train, below the folder of the world
	later      bool   // the official code fails later than in resolving
	file       string
}

// resolutionWorld makes images and data.yaml files in many forms. CHECKOUT-RELATIVE stands for the way from the
// checkout to dir.
func resolutionWorld(t testing.TB, dir, checkout string) []form {
	t.Helper()
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	if checkout, err = filepath.EvalSymlinks(checkout); err != nil {
		t.Fatal(err)
	}
	way, err := filepath.Rel(checkout, dir)
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, map[string]string{
		"set/images/train/a.jpg": "", "set/images/val/b.jpg": "", "set/train.txt": "", "set/sub/keep": "", "odd [1]/images/a.jpg": "", "~/images/a.jpg": "",
	})
	if err := os.Symlink(filepath.Join(dir, "set"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "set", "images", "train"), filepath.Join(dir, "pictures")); err != nil {
		t.Fatal(err)
	}
	forms := []form{
		{name: "absolute path", text: "path: DIR/set\ntrain: images/train\nval: images/val\nnames: [a, b]\n", train: "set/images/train"},
		{name: "absolute splits", text: "train: DIR/set/images/train\nval: DIR/set/images/val\nnames: {0: a, 1: b}\n", train: "set/images/train"},
		{name: "from the checkout", text: "train: WAY/set/images/train\nval: WAY/set/images/val\nnames: [a]\n", train: "set/images/train"},
		{name: "path from the checkout", text: "path: WAY/set\ntrain: images/train\nval: images/val\nnames: [a]\n", train: "set/images/train"},
		{name: "beside data.yaml", text: "train: set/images/train\nval: set/images/val\nnames: [a]\n", kinds: "path-missing path-missing"},
		{name: "parent fallback", text: "path: DIR/set\ntrain: ../images/train\nval: ../images/val\nnames: [a]\n", train: "set/images/train"},
		{name: "parent that exists", text: "path: DIR/set/sub\ntrain: ../images/train\nval: ../images/val\nnames: [a]\n", train: "set/images/train"},
		{name: "no fallback in lists", text: "path: DIR/set\ntrain: [../images/train]\nval: [../images/val]\nnames: [a]\n", kinds: "path-missing path-missing"},
		{name: "lists", text: "path: DIR/set\ntrain:\n  - images/train\n  - train.txt\nval: [images/val]\ntest: images/none\nnames: [a]\n", kinds: "path-test", train: "set/images/train"},
		{name: "list file", text: "path: DIR/set\ntrain: train.txt\nval: images/val\nnames: [a]\n", train: "set/train.txt"},
		{name: "through a link", text: "path: DIR/link\ntrain: images/train\nval: images/val\nnames: [a]\n", train: "set/images/train"},
		{name: "a link to the images", text: "path: DIR\ntrain: pictures\nval: set/images/val\nnames: [a]\n", train: "set/images/train"},
		{name: "up from a link", text: "path: DIR\ntrain: pictures/../train\nval: set/images/val\nnames: [a]\n", train: "set/images/train"},
		{name: "train missing", text: "path: DIR/set\ntrain: images/none\nval: images/val\nnames: [a]\n", kinds: "path-missing", train: "set/images/none", later: true},
		{name: "val missing", text: "path: DIR/set\ntrain: images/train\nval: images/none\nnames: [a]\n", kinds: "path-missing", train: "set/images/train"},
		{name: "download", text: "path: DIR/set\ntrain: images/train\nval: images/none\nnames: [a]\ndownload: https://example.com/a.zip\n", kinds: "yaml-download", train: "set/images/train"},
		{name: "download not needed", text: "path: DIR/set\ntrain: images/train\nval: images/val\nnames: [a]\ndownload: https://example.com/a.zip\n", train: "set/images/train"},
		{name: "home", text: "path: DIR\ntrain: ~/images\nval: set/images/val\nnames: [a]\n", kinds: "path-home", train: "~/images"},
		{name: "pattern", text: "path: DIR\ntrain: odd [1]/images\nval: set/images/val\nnames: [a]\n", kinds: "path-pattern", train: "odd [1]/images"},
		{name: "no names", text: "path: DIR/set\ntrain: images/train\nval: images/val\nnc: 3\n", kinds: "yaml-field", train: "set/images/train"},
		{name: "no train", text: "path: DIR/set\nval: images/val\nnames: [a]\n", kinds: "yaml-field"},
		{name: "no val", text: "path: DIR/set\ntrain: images/train\nnames: [a]\n", kinds: "yaml-field", train: "set/images/train"},
		{name: "train empty", text: "path: DIR/set\ntrain:\nval: images/val\nnames: [a]\n", kinds: "yaml-field", later: true},
		{name: "val empty", text: "path: DIR/set\ntrain: images/train\nval: ''\nnames: [a]\n", kinds: "yaml-field", train: "set/images/train", later: true},
		{name: "train a number", text: "path: DIR/set\ntrain: 3\nval: images/val\nnames: [a]\n", kinds: "yaml-path"},
		{name: "number in a list", text: "path: DIR/set\ntrain: [images/train, 3]\nval: images/val\nnames: [a]\n", kinds: "yaml-path", train: "set/images/train"},
		{name: "path a number", text: "path: 3\ntrain: DIR/set/images/train\nval: DIR/set/images/val\nnames: [a]\n", kinds: "yaml-path", train: "set/images/train"},
		{name: "names quoted numbers", text: "path: DIR/set\ntrain: images/train\nval: images/val\nnames: {\"0\": a}\n", kinds: "yaml-names", train: "set/images/train"},
		{name: "names from 1", text: "path: DIR/set\ntrain: images/train\nval: images/val\nnames: {1: a, 2: b}\n", kinds: "yaml-names", train: "set/images/train", later: true},
		{name: "names a word", text: "path: DIR/set\ntrain: images/train\nval: images/val\nnames: a\n", kinds: "yaml-names", train: "set/images/train"},
		{name: "names truth values", text: "path: DIR/set\ntrain: images/train\nval: images/val\nnames: [yes, no]\n", kinds: "yaml-names-bool", train: "set/images/train"},
		{name: "names numbers", text: "path: DIR/set\ntrain: images/train\nval: images/val\nnames: [010, 7, null, 'on']\n", train: "set/images/train"},
		{name: "names twice", text: "path: DIR/set\ntrain: images/train\nval: images/val\nnames: [a, a]\n", kinds: "yaml-names-twice", train: "set/images/train"},
		{name: "names not ASCII", text: "path: DIR/set\ntrain: images/train\nval: images/val\nnames: [猫, 'tree 🌲', \"q\\\"uote\"]\n", kinds: "yaml-names-font", train: "set/images/train"},
		{name: "nc wrong", text: "path: DIR/set\ntrain: images/train\nval: images/val\nnc: 80\nnames: [a, b]\n", kinds: "yaml-nc", train: "set/images/train"},
		{name: "key twice", text: "path: DIR/set\ntrain: images/none\ntrain: images/train\nval: images/val\nnames: [a, b]\n", train: "set/images/train"},
		{name: "byte order mark", text: "\ufeffpath: DIR/set\ntrain: images/train\nval: images/val\nnames: [a, b]\n", train: "set/images/train"},
		{name: "anchors", text: "path: &p DIR/set\ntrain: images/train\nval: &v images/val\ntest: *v\nnames: [a, b]\n", train: "set/images/train"},
		{name: "not a map", text: "- a\n- b\n", kinds: "yaml-syntax"},
		{name: "not YAML", text: "path: [\ntrain: }\n", kinds: "yaml-syntax"},
		{name: "empty file", text: "", kinds: "yaml-syntax"},
	}
	for i := range forms {
		f := &forms[i]
		f.file = filepath.Join(dir, strings.ReplaceAll(f.name, " ", "-")+".yaml")
		put(t, dir, map[string]string{filepath.Base(f.file): strings.NewReplacer("DIR", dir, "WAY", way).Replace(f.text)})
	}
	return forms
}

func TestResolve(t *testing.T) {
	dir, checkout := t.TempDir(), t.TempDir()
	for _, f := range resolutionWorld(t, dir, checkout) {
		t.Run(f.name, func(t *testing.T) {
			d, faults := preflight.Resolve(checkout, f.file)
			if got := kinds(faults); got != f.kinds {
				t.Errorf("faults %q, want %q: %v", got, f.kinds, faults)
			}
			for _, x := range faults {
				if !strings.HasPrefix(x.Where, f.file) {
					t.Errorf("%s is at %q", x.Kind, x.Where)
				}
			}
			real, err := filepath.EvalSymlinks(dir)
			if err != nil {
				t.Fatal(err)
			}
			train := ""
			if e := d.Splits[preflight.Train]; len(e) > 0 {
				train, _ = filepath.Rel(real, e[0].Path)
			}
			if f.train != "" && train != f.train {
				t.Errorf("train %q, want %q", train, f.train)
			}
		})
	}
}

// TestResolveHint: where a path was meant otherwise than the official code takes it, the fault says how to write it.
func TestResolveHint(t *testing.T) {
	dir, checkout := t.TempDir(), t.TempDir()
	put(t, dir, map[string]string{"images/train/a.jpg": "", "data.yaml": "train: ../images/train\nval: images/val\nnames: [a]\n", "set.zip": "PK\x03\x04...", "home.yaml": "names: ["})
	_, faults := preflight.Resolve(checkout, filepath.Join(dir, "data.yaml"))
	f, ok := faults.Find("path-missing")
	if want := "write " + filepath.Join(dir, "images/train"); !ok || !strings.HasPrefix(f.Do, want) || f.Where != filepath.Join(dir, "data.yaml")+":1" {
		t.Errorf("%+v, want %q", f, want)
	}
	for file, want := range map[string]string{dir: "yaml-missing", filepath.Join(dir, "none.yaml"): "yaml-missing", "nothing.yaml": "yaml-missing",
		filepath.Join(dir, "set.zip"): "yaml-archive", "https://example.com/data.yaml": "yaml-missing", "": "yaml-missing"} {
		if _, faults := preflight.Resolve(checkout, file); kinds(faults) != want || faults.Err() == nil {
			t.Errorf("%s: %s, want %s", file, kinds(faults), want)
		}
	}
	if _, faults := preflight.Resolve(checkout, dir); !strings.Contains(faults[0].Do, filepath.Join(dir, "data.yaml")) {
		t.Errorf("a folder: %v", faults)
	}
}

func TestAbsolute(t *testing.T) {
	dir, checkout := t.TempDir(), t.TempDir()
	for _, f := range resolutionWorld(t, dir, checkout) {
		d, faults := preflight.Resolve(checkout, f.file)
		b, err := d.Absolute()
		if faults.Err() != nil {
			if err == nil && (len(d.Names) == 0 || len(d.Splits[preflight.Train]) == 0 || len(d.Splits[preflight.Val]) == 0) {
				t.Errorf("%s: written as\n%s", f.name, b)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", f.name, err)
			continue
		}
		if i := slices.IndexFunc(b, func(c byte) bool { return c >= 0x80 }); i >= 0 || strings.Contains(string(b), "\ndownload") {
			t.Errorf("%s: not plain:\n%s", f.name, b)
		}
		other := filepath.Join(t.TempDir(), "data.yaml")
		put(t, filepath.Dir(other), map[string]string{"data.yaml": string(b)})
		again, faults := preflight.Resolve(t.TempDir(), other)
		if err := faults.Err(); err != nil {
			t.Errorf("%s: %v in\n%s", f.name, err, b)
		}
		if !slices.Equal(again.Names, d.Names) {
			t.Errorf("%s: names %q, want %q", f.name, again.Names, d.Names)
		}
		for split, entries := range d.Splits {
			same := slices.EqualFunc(entries, again.Splits[split], func(a, b preflight.Entry) bool { return a.Path == b.Path })
			if !same {
				t.Errorf("%s: %s %v, want %v", f.name, split, again.Splits[split], entries)
			}
		}
	}
}

func TestRealpath(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, map[string]string{"a/b/c": "", "d": ""})
	for at, to := range map[string]string{"link": "a/b", "loop": "loop", "far": filepath.Join(dir, "a")} {
		if err := os.Symlink(to, filepath.Join(dir, at)); err != nil {
			t.Fatal(err)
		}
	}
	for in, want := range map[string]string{
		"/a/./b": "/a/b", "/link/../d": "/a/d", "/link/c": "/a/b/c", "/far/b": "/a/b", "/none/../d": "/d", "/none/x": "/none/x", "/a//b/": "/a/b", "/loop/x": "/loop/x",
	} {
		if got := preflight.Realpath(dir + in); got != dir+want {
			t.Errorf("%s: %s, want %s", in, got, dir+want)
		}
	}
	if got := preflight.Realpath("/../.."); got != "/" {
		t.Errorf("above the root: %s", got)
	}
}

// TestScalar has the answers of PyYAML 6.0.4.
func TestScalar(t *testing.T) {
	for text, want := range map[string]string{
		"a": "str a", "1": "int 1", "-3": "int -3", "+4": "int 4", "010": "int 8", "-010": "int -8", "0x1f": "int 31", "0b11": "int 3", "1_000": "int 1000", "08": "str 08", "0": "int 0",
		"yes": "bool True", "No": "bool False", "on": "bool True", "y": "str y", "TRUE": "bool True", "~": "NoneType None", "null": "NoneType None", "nULL": "str nULL",
		"1e3": "str 1e3", "1.5": "other 1.5", "2001-12-14": "other 2001-12-14", "images/train": "str images/train", "99999999999999999999": "other 99999999999999999999",
	} {
		if got := preflight.Scalar(text); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func FuzzResolve(f *testing.F) {
	dir := f.TempDir()
	checkout := f.TempDir()
	for _, x := range resolutionWorld(f, dir, checkout) {
		b, err := os.ReadFile(x.file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte("names: &a [*a]\n"))
	f.Add([]byte("? [a]\n: b\n<<: *x\n!!python/object:os.system x"))
	f.Fuzz(func(t *testing.T, b []byte) {
		at := filepath.Join(t.TempDir(), "data.yaml")
		if err := os.WriteFile(at, b, 0o666); err != nil {
			t.Fatal(err)
		}
		d, faults := preflight.Resolve(checkout, at)
		if faults.Err() != nil {
			return
		}
		out, err := d.Absolute()
		if err != nil {
			t.Fatalf("no error, but no absolute form: %v", err)
		}
		put(t, filepath.Dir(at), map[string]string{"absolute.yaml": string(out)})
		again, faults := preflight.Resolve(checkout, filepath.Join(filepath.Dir(at), "absolute.yaml"))
		if err := faults.Err(); err != nil || !slices.Equal(again.Names, d.Names) {
			t.Fatalf("the absolute form says %q, %v:\n%s", again.Names, err, out)
		}
	})
}
