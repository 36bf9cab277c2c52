package dataset_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/dataset"
)

func load(t *testing.T, ref string, size int) *dataset.Dataset {
	t.Helper()
	d, err := dataset.Load(t.Context(), ref, dataset.Options{Size: size})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// digits is the default data set, loaded once for several tests.
var digits = sync.OnceValues(func() (*dataset.Dataset, error) {
	return dataset.Load(context.Background(), "builtin:digits", dataset.Options{})
})

func theDigits(t *testing.T) *dataset.Dataset {
	t.Helper()
	d, err := digits()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func boxes(images []dataset.Image) (n int) {
	for _, m := range images {
		n += len(m.Boxes)
	}
	return n
}

// Image counts as specified. The box counts of trees are those of an independent script over the same boxes
// (130 / 615 and 36 / 204); those of digits are our own, pinned so that a change of the data is seen.
func TestBuiltins(t *testing.T) {
	for _, c := range []struct {
		ref                                                        string
		classes, train, trainBoxes, val, valBoxes, test, testBoxes int
		native                                                     float32
	}{
		{"builtin:digits", 5, 256, 1415, 192, 988, 192, 1065, 1},
		{"builtin:digits-dense", 3, 256, 3594, 128, 1704, 128, 1826, 1},
		{"builtin:digits-uniform", 3, 256, 1132, 128, 547, 128, 577, 1},
		{"builtin:digits-few", 5, 64, 351, 192, 988, 192, 1065, 1},
		{"builtin:trees", 1, 130, 615, 36, 204, 0, 0, 1.5},
	} {
		t.Run(c.ref, func(t *testing.T) {
			if testing.Short() && c.ref != "builtin:digits-few" {
				t.Skip("short: other sets are made alike")
			}
			d := load(t, c.ref, 0)
			if d.Name != c.ref || d.Size != 128 || len(d.Classes) != c.classes || d.Native != c.native || len(d.Notes) != 0 {
				t.Errorf("name %q, size %d, classes %v, native %v, notes %v", d.Name, d.Size, d.Classes, d.Native, d.Notes)
			}
			got := [6]int{len(d.Train), boxes(d.Train), len(d.Val), boxes(d.Val), len(d.Test), boxes(d.Test)}
			if want := [6]int{c.train, c.trainBoxes, c.val, c.valBoxes, c.test, c.testBoxes}; got != want {
				t.Errorf("images and boxes of train, val, test: %v, want %v", got, want)
			}
			names := map[string]bool{}
			for _, m := range append(append(append([]dataset.Image{}, d.Train...), d.Val...), d.Test...) {
				if m.W != 128 || m.H != 128 || len(m.Pix) != 128*128*3 || names[m.Name] {
					t.Errorf("image %q: %dx%d, %d samples, seen %v", m.Name, m.W, m.H, len(m.Pix), names[m.Name])
				}
				names[m.Name] = true
				for _, b := range m.Boxes {
					if b.X0 < 0 || b.Y0 < 0 || b.X1 > 128 || b.Y1 > 128 || b.X1 <= b.X0 || b.Y1 <= b.Y0 || b.Class < 0 || b.Class >= c.classes {
						t.Errorf("image %q: box %+v", m.Name, b)
					}
				}
			}
		})
	}
}

func TestHash(t *testing.T) {
	if testing.Short() {
		t.Skip("short: loads many pictures")
	}
	a, b := load(t, "builtin:trees", 0), load(t, "builtin:trees", 0)
	if a.Hash != b.Hash || len(a.Hash) != 64 {
		t.Errorf("two loads: %s and %s", a.Hash, b.Hash)
	}
	if c := load(t, "builtin:trees", 64); c.Hash == a.Hash || c.Size != 64 || c.Native != 3 {
		t.Errorf("at 64 px: size %d, native %v, hash %s", c.Size, c.Native, c.Hash)
	} else {
		for i, m := range c.Train { // the same tiles, half as large
			for j, b := range m.Boxes {
				if w := a.Train[i].Boxes[j]; b.X0*2 != w.X0 || b.Y1*2 != w.Y1 || b.Class != w.Class {
					t.Fatalf("image %d box %d: %+v, want half of %+v", i, j, b, w)
				}
			}
		}
	}
}

// val and test are different scenes, and no picture of either equals one of train.
func TestDigitsSplitsDiffer(t *testing.T) {
	if testing.Short() {
		t.Skip("short: loads many pictures")
	}
	d := theDigits(t)
	seen := map[string]string{}
	for _, m := range append(append(append([]dataset.Image{}, d.Train...), d.Val...), d.Test...) {
		if was, dup := seen[string(m.Pix)]; dup {
			t.Errorf("%s equals %s", m.Name, was)
		}
		seen[string(m.Pix)] = m.Name
	}
}

// A digit overlaps another by at most 15 % of the smaller one, and differs from what surrounds it.
func TestDigitsOverlap(t *testing.T) {
	if testing.Short() {
		t.Skip("short: loads many pictures")
	}
	d := theDigits(t)
	for _, m := range d.Train {
		for i, a := range m.Boxes {
			for _, b := range m.Boxes[:i] {
				w, h := min(a.X1, b.X1)-max(a.X0, b.X0), min(a.Y1, b.Y1)-max(a.Y0, b.Y0)
				small := min((a.X1-a.X0)*(a.Y1-a.Y0), (b.X1-b.X0)*(b.Y1-b.Y0))
				if w > 0 && h > 0 && w*h > .15*small {
					t.Errorf("%s: %+v over %+v", m.Name, a, b)
				}
			}
		}
	}
}

func TestSplit(t *testing.T) {
	d := load(t, "builtin:trees", 0)
	if v, err := d.Split("val"); err != nil || len(v) != 36 {
		t.Errorf("val: %d images, %v", len(v), err)
	}
	for _, s := range []string{"test", "other"} {
		if _, err := d.Split(s); !errors.Is(err, trainer.ErrNoData) || !strings.Contains(err.Error(), s) {
			t.Errorf("%s: %v", s, err)
		}
	}
}

func TestUnknownBuiltin(t *testing.T) {
	_, err := dataset.Load(t.Context(), "builtin:cats", dataset.Options{})
	if !errors.Is(err, trainer.ErrNoData) || !strings.Contains(err.Error(), "builtin:digits-few") {
		t.Error(err)
	}
}

func TestLoadStops(t *testing.T) {
	reason := errors.New("enough")
	for _, ref := range dataset.Builtins() {
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(reason)
		if _, err := dataset.Load(ctx, ref, dataset.Options{}); !errors.Is(err, reason) {
			t.Errorf("%s: %v", ref, err)
		}
	}
}

func BenchmarkLoadDigits(b *testing.B) {
	for b.Loop() {
		if _, err := dataset.Load(b.Context(), "builtin:digits", dataset.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
