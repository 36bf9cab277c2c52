package preflight_test

import (
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trainer/yolov9/preflight"
)

// goodSet is a small data set without faults: 6 images of train and 3 of val, classes a and b in both.
func goodSet(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{"data.yaml": "path: " + dir + "\ntrain: images/train\nval: images/val\nnames: [a, b]\n"}
	for i := range 9 {
		split := "train"
		if i >= 6 {
			split = "val"
		}
		files[fmt.Sprintf("images/%s/%d.jpg", split, i)] = asJPEG(t, pic(40, 30, uint8(i)))
		files[fmt.Sprintf("labels/%s/%d.txt", split, i)] = "0 .5 .5 .2 .2\n1 .3 .3 .1 .1\n"
	}
	return files
}

// look makes a data set on disk and inspects it.
func look(t *testing.T, dir string, files map[string]string, opts preflight.InspectOptions) (preflight.Summary, preflight.Faults) {
	t.Helper()
	put(t, dir, files)
	d, faults := preflight.Resolve(t.TempDir(), filepath.Join(dir, "data.yaml"))
	sum, more, err := preflight.Inspect(t.Context(), d, opts)
	if err != nil {
		t.Fatal(err)
	}
	return sum, append(faults, more...)
}

func TestInspectGood(t *testing.T) {
	dir := t.TempDir()
	var stages []string
	sum, faults := look(t, dir, goodSet(t, dir), preflight.InspectOptions{ImageSize: 80, Progress: func(p preflight.Progress) {
		if p.Done == p.Total {
			stages = append(stages, fmt.Sprintf("%s %d", p.Stage, p.Total))
		}
	}})
	if len(faults) != 0 {
		t.Errorf("%v", faults)
	}
	train := sum.Splits[preflight.Train]
	want := preflight.Split{Listed: 6, Images: 6, Boxes: 12, PerClass: []int{6, 6}, BoxFiles: 6, Cache: filepath.Join(dir, "labels/train.cache"), RAM: 6 * 3 * 80 * 60, Raw: 6 * 3 * 40 * 30}
	if got := exported(train); !reflect.DeepEqual(got, exported(want)) {
		t.Errorf("%+v, want %+v", train, want)
	}
	if val := sum.Splits[preflight.Val]; val.Images != 3 || val.Boxes != 6 || sum.Labels() != preflight.Boxes || sum.Batches(4, 1) != 2 {
		t.Errorf("%+v", sum)
	}
	if train.With(2) != 6 || train.With(3) != 0 {
		t.Errorf("with 2 objects: %d, with 3: %d", train.With(2), train.With(3))
	}
	if got := strings.Join(stages, ", "); got != "train 6, val 3" {
		t.Errorf("progress %q", got)
	}
}

// exported lists the exported fields of a split.
func exported(s preflight.Split) []any {
	return []any{s.Listed, s.Images, s.Unlabelled, s.Empty, s.Boxes, s.PerClass, s.BoxFiles, s.PolyFiles, s.Cache, s.RAM, s.Raw}
}

func TestInspectFaults(t *testing.T) {
	type files = map[string]string
	const poly = "0 .1 .1 .5 .1 .5 .6\n1 .2 .2 .3 .2 .3 .3\n"
	every := func(split, text string) func(files) {
		return func(f files) {
			for name := range f {
				if strings.HasPrefix(name, "labels/"+split) {
					f[name] = text
				}
			}
		}
	}
	without := func(prefix string) func(files) {
		return func(f files) {
			for name := range f {
				if strings.HasPrefix(name, prefix) {
					delete(f, name)
				}
			}
		}
	}
	set := func(name, content string) func(files) { return func(f files) { f[name] = content } }
	tests := []struct {
		name   string
		edit   func(files)
		opts   preflight.InspectOptions
		kinds  string
		level  preflight.Level // of the first
		place  string          // in the first: its end
		images int             // of train; 0: not looked at
		labels preflight.Labelling
	}{
		{name: "class too high", edit: set("labels/train/2.txt", "0 .5 .5 .2 .2\n9 .5 .5 .2 .2\n"), kinds: "class-range", level: preflight.Error, place: "labels/train/2.txt:2: class 9, but there are 2", images: 6},
		{name: "class too high in val", edit: set("labels/val/7.txt", "2 .5 .5 .2 .2\n"), kinds: "class-range", level: preflight.Error, place: "labels/val/7.txt:1: class 2, but there are 2"},
		{name: "class too high, one class", edit: set("labels/train/2.txt", "9 .5 .5 .2 .2\n"), opts: preflight.InspectOptions{SingleClass: true}},
		{name: "pixels", edit: set("labels/train/2.txt", "0 20 .5 .2 .2\n"), kinds: "label-range", level: preflight.Warning, place: "labels/train/2.txt:1: x is 20", images: 5},
		{name: "polygons", edit: func(f files) { every("train", poly)(f); every("val", poly)(f) }, images: 6, labels: preflight.Polygons},
		{name: "mixed files", edit: set("labels/train/1.txt", poly), kinds: "labels-mixed-train", level: preflight.Error, place: "labels/train/1.txt: polygons", images: 6, labels: preflight.Mixed},
		{name: "mixed files in val", edit: set("labels/val/7.txt", poly), kinds: "labels-mixed-val", level: preflight.Note, place: "labels/val/7.txt: polygons"},
		{name: "mixed rows", edit: func(f files) {
			every("train", poly)(f)
			every("val", poly)(f)
			f["labels/train/1.txt"] = poly + "0 .5 .5 .2 .2\n"
		}, kinds: "label-mixed-rows", level: preflight.Error, place: "labels/train/1.txt:3: 5 columns in a file of polygons", images: 6, labels: preflight.Polygons},
		{name: "no label file", edit: without("labels/train/1.txt"), kinds: "label-none", level: preflight.Note, place: "images/train/1.jpg", images: 6},
		{name: "empty label file", edit: set("labels/train/1.txt", "\n"), images: 6},
		{name: "no label files", edit: without("labels/train"), kinds: "no-labels-train label-none", level: preflight.Error},
		{name: "no labels folder", edit: without("labels/"), kinds: "no-labels-train no-labels-val cache-folder label-none", level: preflight.Error},
		{name: "all labels empty", edit: every("train", ""), kinds: "no-boxes-train", level: preflight.Error},
		{name: "val without labels", edit: every("val", ""), kinds: "no-labels-val", level: preflight.Error},
		{name: "all left out", edit: every("train", "0 5 5 5 5"), kinds: "none-used-train label-range", level: preflight.Error},
		{name: "orphan", edit: set("labels/train/99.txt", "0 .5 .5 .2 .2\n"), kinds: "label-orphan", level: preflight.Note, place: "labels/train/99.txt"},
		{name: "classes.txt is no orphan", edit: set("labels/train/classes.txt", "a\nb\n")},
		{name: "one label file for two", edit: func(f files) { f["images/train/1.png"] = asPNG(t, pic(40, 30, 77)) }, kinds: "label-shared", level: preflight.Warning, place: "labels/train/1.txt: 1.jpg and 1.png", images: 7},
		{name: "twice in train", edit: func(f files) {
			f["images/train/x.jpg"], f["labels/train/x.txt"] = f["images/train/1.jpg"], f["labels/train/1.txt"]
		}, kinds: "image-twice", level: preflight.Warning, place: "images/train/x.jpg: as DIR/images/train/1.jpg"},
		{name: "in both", edit: func(f files) { f["images/val/7.jpg"] = f["images/train/1.jpg"] }, kinds: "split-overlap", level: preflight.Warning, place: "images/val/7.jpg: as DIR/images/train/1.jpg"},
		{name: "same folder", edit: func(f files) { f["data.yaml"] = strings.Replace(f["data.yaml"], "images/val", "images/train", 1) }, kinds: "split-overlap", level: preflight.Warning, place: "images/train/0.jpg: the same file"},
		{name: "same end, other content", edit: func(f files) {
			f["images/train/x.bmp"], f["labels/train/x.txt"] = bmpOf(t, 9), "0 .5 .5 .2 .2\n"
			f["images/train/y.bmp"], f["labels/train/y.txt"] = bmpOf(t, 10), "0 .5 .5 .2 .2\n"
		}, images: 8},
		{name: "class never trained", edit: every("train", "0 .5 .5 .2 .2\n"), kinds: "class-untrained", level: preflight.Warning, place: "class 1, b"},
		{name: "class never scored", edit: every("val", "1 .5 .5 .2 .2\n"), kinds: "class-unscored", level: preflight.Warning, place: "class 0, a"},
		{name: "truncated image", edit: func(f files) { f["images/train/1.jpg"] = f["images/train/1.jpg"][:700] }, kinds: "image-truncated", level: preflight.Warning, images: 5},
		{name: "no images", edit: func(f files) { without("images/train")(f); f["images/train/readme"] = "" }, kinds: "no-images", level: preflight.Error},
		{name: "picture that is passed over", edit: set("images/train/a.gif", "GIF89a"), kinds: "image-ending", level: preflight.Warning, images: 6},
		{name: "hidden files", edit: func(f files) { f["images/train/.a.jpg"], f["images/train/.b/c.jpg"] = "x", "y" }, images: 6},
		{name: "no images folder in the path", edit: func(f files) {
			for i := range 6 {
				f[fmt.Sprintf("photos/%d.jpg", i)] = f[fmt.Sprintf("images/train/%d.jpg", i)]
			}
			without("labels/train")(f)
			without("images/train")(f)
			f["data.yaml"] = strings.Replace(f["data.yaml"], "images/train", "photos", 1)
		}, kinds: "no-labels-train label-none", level: preflight.Error},
		{name: "shared cache", edit: func(f files) {
			for name, content := range f {
				for _, s := range []string{"train", "val"} {
					if strings.Contains(name, "/"+s+"/") {
						delete(f, name)
						f[strings.Replace(name, "/"+s+"/", "/v1."+s+"/", 1)] = content
					}
				}
			}
			f["data.yaml"] = strings.NewReplacer("images/train", "images/v1.train", "images/val", "images/v1.val").Replace(f["data.yaml"])
		}, kinds: "cache-shared", level: preflight.Warning, place: "labels/v1.cache"},
		{name: "list with a missing image", edit: func(f files) {
			f["train.txt"] = "./images/train/1.jpg\n./images/train/none.jpg\n./images/train/2.jpg\n./notes.md\n"
			f["data.yaml"] = strings.Replace(f["data.yaml"], "images/train", "train.txt", 1)
		}, kinds: "list-dropped image-missing label-orphan", level: preflight.Warning, images: 2},
		{name: "list relative to where training starts", edit: func(f files) {
			f["train.txt"] = "images/train/1.jpg\n"
			f["data.yaml"] = strings.Replace(f["data.yaml"], "images/train", "train.txt", 1)
		}, kinds: "none-used-train image-missing list-relative", level: preflight.Error},
		{name: "list that is no text", edit: func(f files) {
			f["train.txt"] = "\xff\xd8\xff"
			f["data.yaml"] = strings.Replace(f["data.yaml"], "images/train", "train.txt", 1)
		}, kinds: "list-encoding no-images", level: preflight.Error},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			all := goodSet(t, dir)
			tt.edit(all)
			sum, faults := look(t, dir, all, tt.opts)
			if got := kinds(faults); got != tt.kinds {
				t.Fatalf("%q, want %q: %v", got, tt.kinds, faults)
			}
			if len(faults) > 0 {
				f := faults[0]
				if f.Level != tt.level || f.Area != preflight.AreaData || f.What == "" {
					t.Errorf("%+v", f)
				}
				if want := strings.ReplaceAll(tt.place, "DIR", dir); want != "" && !slices.ContainsFunc(f.Places, func(p string) bool { return strings.HasSuffix(p, want) }) {
					t.Errorf("%q is not in %q", want, f.Places)
				}
			}
			if got := sum.Splits[preflight.Train].Images; tt.images > 0 && got != tt.images {
				t.Errorf("%d images, want %d", got, tt.images)
			}
			if tt.labels != "" && sum.Labels() != tt.labels {
				t.Errorf("labels are %s, want %s", sum.Labels(), tt.labels)
			}
		})
	}
}

// TestInspectMany: thousands of bad labels make one entry with a few places, the same every time.
func TestInspectMany(t *testing.T) {
	dir := t.TempDir()
	files := goodSet(t, dir)
	for i := range 600 {
		files[fmt.Sprintf("images/train/n%04d.png", i)] = asPNG(t, pic(10+i%50, 10+i/50, uint8(i)))
		files[fmt.Sprintf("labels/train/n%04d.txt", i)] = "7 .5 .5 .2 .2\n0 .5 .5 0 .2\n"
	}
	sum, faults := look(t, dir, files, preflight.InspectOptions{Workers: 8})
	f, ok := faults.Find("class-range")
	if !ok || f.Count != 600 || len(f.Places) != 5 || !strings.HasSuffix(f.Places[4], "n0004.txt:1: class 7, but there are 2") || sum.Splits[preflight.Train].Images != 606 {
		t.Errorf("%+v", f)
	}
	if n := len(faults); n > 4 {
		t.Errorf("%d entries: %s", n, kinds(faults))
	}
	again, faults2 := look(t, dir, files, preflight.InspectOptions{Workers: 3})
	if !reflect.DeepEqual(faults, faults2) || !reflect.DeepEqual(sum, again) {
		t.Error("another result with other workers")
	}
}

// TestInspectStaleCache writes a cache as the official code knows it: with the MD5 of the total size of labels and
// images, the names of the labels, and those of the images.
func TestInspectStaleCache(t *testing.T) {
	dir := t.TempDir()
	files := goodSet(t, dir)
	total := 0
	labels, images := "", ""
	for i := range 6 {
		label, image := fmt.Sprintf("labels/train/%d.txt", i), fmt.Sprintf("images/train/%d.jpg", i)
		total += len(files[label]) + len(files[image])
		labels, images = labels+filepath.Join(dir, label), images+filepath.Join(dir, image)
	}
	hash := fmt.Sprintf("%x", md5.Sum([]byte(fmt.Sprint(total)+labels+images)))
	for _, tt := range []struct {
		name, cache string
		newer       time.Duration // of a label than the cache
		stale       bool
	}{
		{"fits", hash, -time.Hour, false}, {"label edited", hash, time.Hour, true}, {"of other files", strings.Repeat("0", 32), time.Hour, false},
	} {
		files["labels/train.cache"] = "numpy, pickle, hash " + tt.cache + " and so on"
		put(t, dir, files)
		at := time.Now().Add(tt.newer)
		for i := range 6 {
			if err := os.Chtimes(filepath.Join(dir, fmt.Sprintf("labels/train/%d.txt", i)), at, at); err != nil {
				t.Fatal(err)
			}
		}
		d, _ := preflight.Resolve(t.TempDir(), filepath.Join(dir, "data.yaml"))
		_, faults, err := preflight.Inspect(t.Context(), d, preflight.InspectOptions{})
		if _, stale := faults.Find("cache-stale"); stale != tt.stale || err != nil {
			t.Errorf("%s: %v, %v", tt.name, faults, err)
		}
	}
}

// TestInspectReadOnly: a folder of labels that cannot be written costs every trial a scan.
func TestInspectReadOnly(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("the superuser may write everywhere")
	}
	dir := t.TempDir()
	put(t, dir, goodSet(t, dir))
	labels := filepath.Join(dir, "labels")
	if err := os.Chmod(labels, 0o555); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(labels, 0o755)
	d, _ := preflight.Resolve(t.TempDir(), filepath.Join(dir, "data.yaml"))
	_, faults, err := preflight.Inspect(t.Context(), d, preflight.InspectOptions{})
	if err != nil || kinds(faults) != "cache-folder" {
		t.Errorf("%v, %v", faults, err)
	}
}

// TestInspectRelative: relative lines of a list are seen from the checkout.
func TestInspectRelative(t *testing.T) {
	dir, checkout := t.TempDir(), t.TempDir()
	files := goodSet(t, dir)
	files["data.yaml"] = strings.Replace(files["data.yaml"], "images/train", "train.txt", 1)
	files["train.txt"] = "sets/images/1.jpg\nimages/train/2.jpg\n"
	put(t, dir, files)
	put(t, checkout, map[string]string{"sets/images/1.jpg": files["images/train/1.jpg"], "sets/labels/1.txt": files["labels/train/1.txt"]})
	d, _ := preflight.Resolve(checkout, filepath.Join(dir, "data.yaml"))
	sum, faults, err := preflight.Inspect(t.Context(), d, preflight.InspectOptions{})
	if err != nil || sum.Splits[preflight.Train].Images != 1 || sum.Splits[preflight.Train].Boxes != 2 {
		t.Errorf("%+v, %v", sum, err)
	}
	f, _ := faults.Find("list-relative")
	if want := "images/train/2.jpg is not there, but " + filepath.Join(dir, "images/train/2.jpg") + " is"; f.Count != 2 || !strings.HasSuffix(f.Places[1], want) {
		t.Errorf("%+v", f)
	}
}

func TestInspectLoop(t *testing.T) {
	dir := t.TempDir()
	files := goodSet(t, dir)
	put(t, dir, files)
	if err := os.Symlink("..", filepath.Join(dir, "images/train/up")); err != nil {
		t.Fatal(err)
	}
	_, faults := look(t, dir, files, preflight.InspectOptions{})
	if _, ok := faults.Find("folder-loop"); !ok {
		t.Errorf("%v", faults)
	}
}

func TestInspectCancelled(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, goodSet(t, dir))
	d, _ := preflight.Resolve(t.TempDir(), filepath.Join(dir, "data.yaml"))
	why := errors.New("why")
	ctx, cancel := context.WithCancelCause(t.Context())
	sawOne := preflight.InspectOptions{Workers: 2, Progress: func(preflight.Progress) { cancel(why) }}
	if _, _, err := preflight.Inspect(ctx, d, sawOne); !errors.Is(err, why) {
		t.Error(err)
	}
}

func bmpOf(t testing.TB, seed uint8) string {
	head := asBMP(t, pic(100, 60, seed))
	return head[:len(head)-4096] + strings.Repeat("x", 4096) // the same end
}

func TestCheck(t *testing.T) {
	checkout := fakeCheckout(t)
	put(t, checkout, map[string]string{".git/HEAD": preflight.StudiedCommit})
	python := fakePython(t, `echo; echo "$5"'`+answer311+`}'`)
	good, bad := t.TempDir(), t.TempDir()
	put(t, good, goodSet(t, good))
	files := goodSet(t, bad)
	files["labels/train/1.txt"] = "5 .5 .5 .2 .2\n"
	put(t, bad, files)
	opts := preflight.Options{Checkout: checkout, Python: python, Models: []string{"yolov9-t.yaml", "gelan-c.yaml"}, Data: []string{filepath.Join(good, "data.yaml")},
		Batch: 4, Kept: 3, Out: t.TempDir()}
	r, err := preflight.Check(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	if want := "modules-missing"; kinds(r.Faults)[:len(want)] != want { // the fake Python has nothing
		t.Errorf("%v", r.Faults)
	}
	for _, f := range r.Faults {
		if f.Area != preflight.AreaPython {
			t.Errorf("%v", f)
		}
	}
	if len(r.Models) != 2 || r.Models[0].Kind != preflight.Dual || r.Models[1].Kind != preflight.Single || r.Need.CheckpointBytes < 25_000_000*8 || r.Data[0].Summary.Batches(4, 1) != 2 {
		t.Errorf("%+v", r)
	}
	opts.Python, opts.Models, opts.Batch = "/no/python", []string{"none.yaml"}, 64
	opts.Data = append(opts.Data, filepath.Join(bad, "data.yaml"), "nowhere.yaml")
	r, err = preflight.Check(t.Context(), opts)
	if got := kinds(r.Faults); err != nil || got != "model python class-range yaml-missing batch-large batch-large" {
		t.Errorf("%s, %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := preflight.Check(ctx, opts); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if r, err := preflight.Check(t.Context(), preflight.Options{}); err != nil || kinds(r.Faults) != "checkout-none python" {
		t.Errorf("%s, %v", kinds(r.Faults), err)
	}
}

// BenchmarkInspect looks at 2,000 images of 640 x 480 pixels, of which it opens header and end.
func BenchmarkInspect(b *testing.B) {
	dir := b.TempDir()
	files := map[string]string{"data.yaml": "path: " + dir + "\ntrain: images/train\nval: images/val\nnames: [a, b]\n"}
	jpg := asJPEG(b, pic(640, 480, 1))
	for i := range 2000 {
		split := "train"
		if i%10 == 0 {
			split = "val"
		}
		// a comment makes sizes and contents differ
		files[fmt.Sprintf("images/%s/%d.jpg", split, i)] = jpg[:2] + "\xff\xfe\x00\x08" + fmt.Sprintf("%06d", i) + jpg[2:]
		files[fmt.Sprintf("labels/%s/%d.txt", split, i)] = strings.Repeat(fmt.Sprintf("0 .5 .5 .%d .2\n", i+1), 1) + "1 .3 .3 .1 .1\n"
	}
	put(b, dir, files)
	d, faults := preflight.Resolve(b.TempDir(), filepath.Join(dir, "data.yaml"))
	if len(faults) > 0 {
		b.Fatal(faults)
	}
	began := time.Now()
	n := 0
	for b.Loop() {
		if _, _, err := preflight.Inspect(b.Context(), d, preflight.InspectOptions{}); err != nil {
			b.Fatal(err)
		}
		n += 2000
	}
	b.ReportMetric(float64(n)/time.Since(began).Seconds(), "images/s")
}
