//go:build integration

package preflight_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mapsweep/mapsweep/trainer/yolov9/preflight"
)

// The tests of this file compare what this package says with what the official functions do. They need a checkout of
// the official code and a Python that has torch:
//
//	YOLOV9_DIR=... YOLOV9_PYTHON=... go test -tags integration -run Official ./trainer/yolov9/preflight

// official returns the checkout and the Python, or skips.
func official(t *testing.T) (dir, python string) {
	t.Helper()
	dir, python = os.Getenv("YOLOV9_DIR"), os.Getenv("YOLOV9_PYTHON")
	if dir == "" || python == "" {
		t.Skip("YOLOV9_DIR and YOLOV9_PYTHON do not name a checkout of the official YOLOv9 and a Python with torch")
	}
	return dir, python
}

// question is asked of testdata/official.py.
type question struct {
	Ask   string   `json:"ask"`
	File  string   `json:"file,omitempty"`
	Image string   `json:"image,omitempty"`
	Label string   `json:"label,omitempty"`
	Path  any      `json:"path,omitempty"`
	Batch int      `json:"batch,omitempty"`
	Name  string   `json:"name,omitempty"`
	Texts []string `json:"texts,omitempty"`
}

// answer holds what the official function returned, or its exception.
type answer struct {
	OK    json.RawMessage `json:"ok"`
	Error string          `json:"error"`
}

// ask starts the Python once for all questions.
func ask(t *testing.T, questions []question) []answer {
	t.Helper()
	dir, python := official(t)
	script, err := os.ReadFile("testdata/official.py")
	if err != nil {
		t.Fatal(err)
	}
	fonts := t.TempDir()
	put(t, fonts, map[string]string{"Arial.ttf": "no download", "Arial.Unicode.ttf": "no download"})
	in, err := json.Marshal(questions)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, "-W", "ignore", "-c", string(script))
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(in)
	cmd.Env = append(os.Environ(), "YOLOV5_CONFIG_DIR="+fonts, "PYTHONDONTWRITEBYTECODE=1", "OMP_NUM_THREADS=1", "YOLOv5_AUTOINSTALL=false")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	_, text, ok := bytes.Cut(out, []byte("\nanswers:"))
	var answers []answer
	if err := json.Unmarshal(text, &answers); !ok || err != nil || len(answers) != len(questions) {
		t.Fatalf("%d answers to %d questions, %v", len(answers), len(questions), err)
	}
	return answers
}

func decode[T any](t *testing.T, a answer) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(a.OK, &v); err != nil {
		t.Fatalf("%v in %s%s", err, a.OK, a.Error)
	}
	return v
}

// TestOfficialLabels: the official verdict on every label file is ours, and so are the boxes.
func TestOfficialLabels(t *testing.T) {
	official(t)
	dir := t.TempDir()
	put(t, dir, map[string]string{"a.png": asPNG(t, pic(20, 20, 1))})
	var texts, names []string
	for _, c := range labelCases {
		texts, names = append(texts, c.text), append(names, c.name)
	}
	for seed := range 400 {
		texts, names = append(texts, randomLabels(uint64(seed))), append(names, fmt.Sprint("random ", seed))
	}
	var questions []question
	for i, text := range texts {
		at := filepath.Join(dir, fmt.Sprint(i, ".txt"))
		put(t, dir, map[string]string{filepath.Base(at): text})
		questions = append(questions, question{Ask: "verify", Image: filepath.Join(dir, "a.png"), Label: at})
	}
	ignored := 0
	for i, a := range ask(t, questions) {
		theirs := decode[struct {
			Ignored  bool
			Rows     [][5]float64
			Polygons bool
			Message  string
		}](t, a)
		ours := preflight.ParseLabels([]byte(texts[i]), 3)
		if ours.Ignored != theirs.Ignored {
			t.Errorf("%s: left out %v, officially %v: %q: %s; %v", names[i], ours.Ignored, theirs.Ignored, texts[i], theirs.Message, ours.Findings)
			continue
		}
		if ours.Ignored {
			ignored++
			continue
		}
		var rows [][5]float64
		for _, r := range ours.Rows {
			row := [5]float64{float64(r.Class), float64(r.CX), float64(r.CY), float64(r.W), float64(r.H)}
			rows = append(rows, [5]float64{min(row[0], 1e30), row[1], row[2], row[3], row[4]})
		}
		byValue := func(a, b [5]float64) int { return slices.Compare(a[:], b[:]) }
		slices.SortFunc(rows, byValue)
		slices.SortFunc(theirs.Rows, byValue)
		if len(rows) != len(theirs.Rows) || len(rows) > 0 && !cmp.Equal(rows, theirs.Rows) {
			t.Errorf("%s: rows %v, officially %v: %q", names[i], rows, theirs.Rows, texts[i])
		}
		if len(rows) > 0 && ours.Polygons != theirs.Polygons {
			t.Errorf("%s: polygons %v, officially %v", names[i], ours.Polygons, theirs.Polygons)
		}
	}
	t.Logf("%d label files, %d of them left out", len(texts), ignored)
}

// randomLabels makes a label file, about half of them bad.
func randomLabels(seed uint64) string {
	rng := rand.New(rand.NewPCG(seed, 4))
	words := []string{"0", "1", "2", "3", "1.5", "-1", "0.25", ".5", "0.999999999", "1.0000002", "1e-3", "+.4", "nan", "x", "1_0", "", "\u00a0", "\x1f"}
	var b strings.Builder
	columns := 5
	if rng.IntN(3) == 0 {
		columns = 7 + 2*rng.IntN(3)
	}
	for range rng.IntN(5) {
		n := columns
		if rng.IntN(8) == 0 {
			n = rng.IntN(10)
		}
		for c := range n {
			switch {
			case rng.IntN(25) == 0:
				b.WriteString(words[rng.IntN(len(words))])
			case c == 0:
				fmt.Fprint(&b, rng.IntN(3))
			default:
				fmt.Fprintf(&b, "%.4g", rng.Float64())
			}
			b.WriteString([]string{" ", "\t", "  "}[rng.IntN(3)])
		}
		b.WriteString([]string{"\n", "\n", "\r\n", "\n\n", "\r", "\v"}[rng.IntN(6)])
	}
	return b.String()
}

// TestOfficialPictures: the official verdict on every image file is ours.
func TestOfficialPictures(t *testing.T) {
	official(t)
	dir := t.TempDir()
	put(t, dir, map[string]string{"a.txt": "0 .5 .5 .2 .2\n"})
	var questions []question
	all := pictures(t)
	for _, p := range all {
		put(t, dir, map[string]string{p.name: p.content})
		questions = append(questions, question{Ask: "verify", Image: filepath.Join(dir, p.name), Label: filepath.Join(dir, "a.txt")})
	}
	questions = append(questions, question{Ask: "verify", Image: filepath.Join(dir, "none.jpg"), Label: filepath.Join(dir, "a.txt")})
	for i, a := range ask(t, questions) {
		theirs := decode[struct {
			Ignored bool
			Message string
		}](t, a)
		name, want, restored := "none.jpg", true, false
		if i < len(all) {
			name, want, restored = all[i].name, all[i].ignored, all[i].rule == "image-restored"
		}
		if theirs.Ignored != want {
			t.Errorf("%s: left out %v, officially %v: %s", name, want, theirs.Ignored, theirs.Message)
		}
		if wrote := strings.Contains(theirs.Message, "restored and saved"); wrote != restored {
			t.Errorf("%s: written anew %v, officially %v: %s", name, restored, wrote, theirs.Message)
		}
	}
}

// TestOfficialResolution: the official function resolves every data.yaml to the paths that we do, and stops where we
// report an error; and our absolute form means the same to it.
func TestOfficialResolution(t *testing.T) {
	checkout, _ := official(t)
	dir := t.TempDir()
	w := resolutionWorld(t, dir, checkout)
	var questions []question
	var resolved []preflight.Data
	var errors []bool
	for _, c := range w {
		d, faults := preflight.Resolve(checkout, c.file)
		resolved = append(resolved, d)
		failed := slices.ContainsFunc(faults, func(f preflight.Fault) bool {
			return f.Level == preflight.Error && f.Kind != "path-pattern" && f.Kind != "path-home" && !c.later
		})
		errors = append(errors, failed)
		questions = append(questions, question{Ask: "dataset", File: c.file})
		absolute := c.file
		if b, err := d.Absolute(); err == nil && !failed {
			absolute = filepath.Join(dir, "absolute", filepath.Base(c.file))
			put(t, filepath.Dir(absolute), map[string]string{filepath.Base(absolute): string(b)})
		}
		questions = append(questions, question{Ask: "dataset", File: absolute})
	}
	answers := ask(t, questions)
	for i, c := range w {
		a, b := answers[2*i], answers[2*i+1]
		if (a.Error != "") != errors[i] {
			t.Errorf("%s: an error %v, officially %q", c.name, errors[i], a.Error)
			continue
		}
		if a.Error != "" {
			continue
		}
		theirs := decode[officialData](t, a)
		for split, want := range map[string]any{"train": theirs.Train, "val": theirs.Val, "test": theirs.Test} {
			var paths []string
			switch v := want.(type) {
			case string:
				if v != "" {
					paths = []string{v}
				}
			case []any:
				for _, x := range v {
					paths = append(paths, x.(string))
				}
			}
			var ours []string
			for _, e := range resolved[i].Splits[split] {
				ours = append(ours, e.Path)
			}
			if !slices.Equal(ours, paths) {
				t.Errorf("%s: %s is %q, officially %q", c.name, split, ours, paths)
			}
		}
		if theirs.NC != len(resolved[i].Names) && resolved[i].Names != nil {
			t.Errorf("%s: %d classes, officially %d", c.name, len(resolved[i].Names), theirs.NC)
		}
		for n, name := range resolved[i].Names {
			if theirs.Names[fmt.Sprint(n)] != name {
				t.Errorf("%s: class %d is %q, officially %q", c.name, n, name, theirs.Names[fmt.Sprint(n)])
			}
		}
		if c.later {
			continue
		}
		if b.Error != "" {
			t.Errorf("%s: the absolute form fails: %s", c.name, b.Error)
		} else if diff := cmp.Diff(theirs, decode[officialData](t, b)); diff != "" {
			t.Errorf("%s: the absolute form means something else: %s", c.name, diff)
		}
	}
}

type officialData struct {
	Train, Val, Test any
	NC               int
	Names            map[string]string
}

// TestOfficialListing: the official loader lists the images that we list, in our order, keeps those that we keep, and
// writes its cache where we say; and it reads that cache again as long as we would call it stale.
func TestOfficialListing(t *testing.T) {
	checkout, _ := official(t)
	dir := t.TempDir()
	type set struct {
		data  preflight.Data
		batch int
	}
	var sets []set
	var questions []question
	for _, c := range listingWorld(t, dir, checkout) {
		d, faults := preflight.Resolve(checkout, c)
		if err := faults.Err(); err != nil {
			t.Fatal(err)
		}
		for _, batch := range []int{1, 3, 100} {
			var path any
			var paths []string
			for _, e := range d.Splits[preflight.Train] {
				paths = append(paths, e.Path)
			}
			if path = paths; len(paths) == 1 {
				path = paths[0]
			}
			sets = append(sets, set{d, batch})
			questions = append(questions, question{Ask: "load", Path: path, Batch: batch})
		}
	}
	for i, a := range ask(t, questions) {
		s := sets[i]
		sum, faults, err := preflight.Inspect(t.Context(), s.data, preflight.InspectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		train := sum.Splits[preflight.Train]
		if a.Error != "" {
			if faults.Count(preflight.Error) == 0 {
				t.Errorf("%s: no error, officially %s", s.data.File, a.Error)
			}
			continue
		}
		theirs := decode[struct {
			Images, Labels []string
			Boxes, Batches int
		}](t, a)
		names, _ := preflight.ListImages(s.data, preflight.Train)
		kept := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !slices.Contains(theirs.Images, n) })
		if len(names) != train.Listed || !slices.Equal(kept, theirs.Images) {
			t.Errorf("%s: images %q, officially %q", s.data.File, names, theirs.Images)
		}
		var labels []string
		for _, n := range theirs.Images {
			labels = append(labels, preflight.LabelPath(n))
		}
		if !slices.Equal(labels, theirs.Labels) {
			t.Errorf("%s: labels %q, officially %q", s.data.File, labels, theirs.Labels)
		}
		if train.Images != len(theirs.Images) || train.Boxes != theirs.Boxes || sum.Batches(s.batch, 1) != theirs.Batches {
			t.Errorf("%s: %d images, %d boxes, %d batches of %d; officially %d, %d, %d", s.data.File,
				train.Images, train.Boxes, sum.Batches(s.batch, 1), s.batch, len(theirs.Images), theirs.Boxes, theirs.Batches)
		}
		if _, err := os.Stat(train.Cache); err != nil {
			t.Errorf("%s: the official cache is not at %s", s.data.File, train.Cache)
		}
		if _, stale := faults.Find("cache-stale"); stale {
			t.Errorf("%s: a fresh cache counts as stale", s.data.File)
		}
		label := ""
		if _, all := preflight.ListImages(s.data, preflight.Train); len(all) > 0 {
			label = all[0]
		}
		later := time.Now().Add(time.Hour)
		if err := os.Chtimes(label, later, later); err != nil {
			t.Fatal(err)
		}
		_, faults, err = preflight.Inspect(t.Context(), s.data, preflight.InspectOptions{})
		if _, stale := faults.Find("cache-stale"); err != nil || !stale {
			t.Errorf("%s: an edited label beside the official cache is no fault: %s, %v", s.data.File, kinds(faults), err)
		}
		if err := os.Chtimes(label, time.Time{}, time.Unix(1e9, 0)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestOfficialMixed: where some label files hold boxes and some polygons, mosaic loses most of the objects, as the
// fault labels-mixed-train says.
func TestOfficialMixed(t *testing.T) {
	official(t)
	dir := t.TempDir()
	row := map[bool]string{false: " .5 .5 .6 .6\n", true: " .2 .2 .8 .2 .8 .8 .2 .8\n"}
	var questions []question
	for _, set := range []struct {
		name  string
		polys func(i int) bool
	}{{"boxes", func(int) bool { return false }}, {"polygons", func(int) bool { return true }}, {"mixed", func(i int) bool { return i%2 == 0 }}} {
		for i := range 8 {
			put(t, dir, map[string]string{
				fmt.Sprintf("%s/images/%d.png", set.name, i): asPNG(t, pic(64, 64, uint8(i))),
				fmt.Sprintf("%s/labels/%d.txt", set.name, i): fmt.Sprint(i%2) + row[set.polys(i)],
			})
		}
		questions = append(questions, question{Ask: "mosaic", Path: filepath.Join(dir, set.name, "images"), Batch: 200})
	}
	var boxes [3]int
	for i, a := range ask(t, questions) {
		boxes[i] = decode[struct{ Boxes int }](t, a).Boxes
	}
	t.Logf("objects of 200 mosaics: %d as boxes, %d as polygons, %d mixed", boxes[0], boxes[1], boxes[2])
	if 10*boxes[2] > 8*min(boxes[0], boxes[1]) {
		t.Error("mixed labels lose no objects")
	}
}

// TestOfficialFind: names of models are found as the official function finds them, and every model has a script.
func TestOfficialFind(t *testing.T) {
	checkout, _ := official(t)
	names := []string{"yolov9-t.yaml", "models/detect/gelan-c.yaml", "detect/gelan-s.yaml", "gelan-t", "nothing.yaml", "hyp.scratch-high.yaml",
		filepath.Join(checkout, "models/detect/yolov9-cf.yaml"), "/nowhere/yolov9-t.yaml", "gelan-c-seg.yaml"}
	var questions []question
	for _, n := range names {
		questions = append(questions, question{Ask: "find", Name: n})
	}
	for i, a := range ask(t, questions) {
		ours, err := preflight.Find(checkout, names[i])
		if (err != nil) != (a.Error != "") {
			t.Errorf("%s: %v, officially %q", names[i], err, a.Error)
		} else if err == nil && ours != decode[string](t, a) {
			t.Errorf("%s: %s, officially %s", names[i], ours, a.OK)
		}
	}
	models, err := filepath.Glob(filepath.Join(checkout, "models/detect/*.yaml"))
	if err != nil || len(models) < 10 {
		t.Fatalf("%d models, %v", len(models), err)
	}
	for _, m := range models {
		if model, err := preflight.ReadModel(checkout, filepath.Base(m)); err != nil || model.Params == 0 {
			t.Errorf("%s: %+v, %v", m, model, err)
		}
	}
}

// TestOfficialYAML: plain scalars have the types that PyYAML gives them.
func TestOfficialYAML(t *testing.T) {
	texts := []string{"a", "1", "-3", "+4", "010", "0x1f", "0b11", "1_000", "08", "1.5", "1e3", "1.0e+3", "1E6", ".5", "yes", "No", "on", "y", "n", "true", "TRUE", "~", "null", "Null", "nULL",
		"2001-12-14", "12:30", "images/train", "../x", "007", "-0x10", "0", "00", "_1", "1__2", ".inf", ".nan"}
	for i, s := range decode[[]string](t, ask(t, []question{{Ask: "scalars", Texts: texts}})[0]) {
		ours := preflight.Scalar(texts[i])
		if kind, _, _ := strings.Cut(ours, " "); kind == "other" {
			if k, _, _ := strings.Cut(s, " "); k != "float" && k != "date" && k != "datetime" && k != "int" {
				t.Errorf("%q is %s, officially %s", texts[i], ours, s)
			}
		} else if ours != s {
			t.Errorf("%q is %q, officially %q", texts[i], ours, s)
		}
	}
}

// TestOfficialPython: the given Python is judged fit, and the given checkout is the studied one.
func TestOfficialPython(t *testing.T) {
	checkout, python := official(t)
	p, err := preflight.Probe(t.Context(), python, preflight.ProbeOptions{Import: true})
	if err != nil {
		t.Fatal(err)
	}
	if p.CUDA == nil || p.Imported["torch"] == "" || p.Imported["cv2"] == "" {
		t.Errorf("%+v", p)
	}
	faults := preflight.JudgePython(p, preflight.Uses{})
	if faults.Count(preflight.Error) != 0 {
		t.Errorf("%v", faults)
	}
	c, more := preflight.ReadCheckout(checkout)
	if !c.Studied() || c.Commit != preflight.StudiedCommit || len(more) != 0 {
		t.Errorf("%+v %v", c, more)
	}
	for _, f := range append(faults, more...) {
		t.Log(f)
	}
}

// TestOfficialCheck: a sound data set, the given checkout and the given Python pass as a whole.
func TestOfficialCheck(t *testing.T) {
	checkout, python := official(t)
	dir := t.TempDir()
	put(t, dir, goodSet(t, dir))
	r, err := preflight.Check(t.Context(), preflight.Options{Checkout: checkout, Python: python, Models: []string{"yolov9-t.yaml", "gelan-t.yaml"},
		Data: []string{filepath.Join(dir, "data.yaml")}, Batch: 4, Kept: 4, Out: t.TempDir(), Probe: preflight.ProbeOptions{Import: true}})
	if err != nil || r.Faults.Err() != nil || r.Models[0].Kind != preflight.Dual || r.Models[1].Kind != preflight.Single {
		t.Errorf("%+v, %v", r, err)
	}
}
