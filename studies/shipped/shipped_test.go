package shipped_test

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/studies/shipped"
	"github.com/mapsweep/mapsweep/trials"
)

func parse(t *testing.T, name, backend string, set ...string) studies.Spec {
	t.Helper()
	s, err := shipped.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	file, err := s.For(backend)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := studies.Parse(file, studies.Options{File: name + " for " + backend, Set: set})
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// layout is what a shipped study plans.
type layout struct {
	arms, trials int
	reference    string
}

// What there is, for which trainers, and how large it is; a search has no arms.
var want = map[string]map[string]layout{
	"augmentation":         {"native": {5, 75, "baseline"}, "yolov9": {5, 25, "baseline"}},
	"autoaugment-on":       {"native": {2, 10, "baseline"}, "yolov9": {3, 15, "baseline"}},
	"box-weight":           {"native": {4, 20, "baseline"}, "yolov9": {2, 10, "baseline"}},
	"cache":                {"yolov9": {2, 6, "baseline"}},
	"copy-paste-off":       {"native": {2, 10, "baseline"}, "yolov9": {2, 10, "baseline"}},
	"ema":                  {"native": {3, 15, "baseline"}, "yolov9": {4, 20, "baseline"}},
	"lr-small-data":        {"native": {4, 20, "baseline"}, "yolov9": {4, 20, "baseline"}},
	"mixup-off":            {"native": {2, 10, "baseline"}, "yolov9": {2, 10, "baseline"}},
	"mixup-off-autoaug-on": {"native": {4, 20, "baseline"}, "yolov9": {4, 20, "baseline"}},
	"mosaic":               {"native": {2, 10, "baseline"}, "yolov9": {2, 10, "baseline"}},
	"quickstart":           {"native": {5, 25, "baseline"}},
	"screening":            {"native": {12, 36, ""}},
	"shelf-case":           {"native": {3, 15, "baseline"}, "yolov9": {3, 15, "baseline"}},
	"small-data":           {"native": {0, 40, ""}, "yolov9": {0, 40, ""}},
	"sync-bn":              {"yolov9": {2, 10, "baseline"}},
}

// Every shipped study is there for the trainers that it should be, is valid, and plans what its README says.
// Its knobs are held against the trainers' in cmd/mapsweep.
func TestShippedStudies(t *testing.T) {
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), shipped.Names()); diff != "" {
		t.Fatal(diff)
	}
	for _, s := range shipped.List() {
		got := map[string]layout{}
		for _, backend := range s.Backends() {
			got[backend] = planOf(t, s, backend)
		}
		if diff := cmp.Diff(want[s.Name], got, cmp.AllowUnexported(layout{})); diff != "" {
			t.Errorf("%s: %s", s.Name, diff)
		}
	}
}

// planOf parses the file for a backend, holds it against its README, and lays it out.
func planOf(t *testing.T, s shipped.Study, backend string) layout {
	t.Helper()
	spec := parse(t, s.Name, backend)
	name := s.Name
	if backend != studies.BackendNative {
		name += "-" + backend // both can be in one database
	}
	if spec.Name != name || spec.Description == "" || spec.Trainer.Backend != backend {
		t.Errorf("%s for %s: name %q, description %q, backend %q", s.Name, backend, spec.Name, spec.Description, spec.Trainer.Backend)
	}
	if lacks := slices.Contains(spec.Trainer.Data, shipped.YourData); lacks != (backend == studies.BackendYOLOv9) {
		t.Errorf("%s for %s: data %v", s.Name, backend, spec.Trainer.Data)
	}
	for _, f := range spec.Factors {
		if !strings.Contains(string(s.Readme), "\n| "+f.Name+" |") {
			t.Errorf("%s for %s: README does not list factor %s", s.Name, backend, f.Name)
		}
	}
	if !spec.Fixed() {
		return layout{trials: spec.Search.Trials}
	}
	p, err := design.Points(spec)
	if err != nil {
		t.Fatalf("%s for %s: %v", s.Name, backend, err)
	}
	for _, said := range []string{fmt.Sprintf("%d trials", len(p.Points)), fmt.Sprintf("%d seeds", p.Replicates)} {
		if !strings.Contains(shipped.Section(s.Readme, "Cost"), said) {
			t.Errorf("%s for %s: the cost in the README does not say %q", s.Name, backend, said)
		}
	}
	return layout{len(p.Arms), len(p.Points), p.Reference}
}

// Every README says what it must, and no more trainers than there are files.
func TestReadmes(t *testing.T) {
	for _, s := range shipped.List() {
		readme := string(s.Readme)
		for _, part := range []string{"# " + s.Name + ": ", "\n| factor |"} {
			if !strings.Contains(readme, part) {
				t.Errorf("%s: README lacks %q", s.Name, part)
			}
		}
		sections := []string{"Question", "Backends", "Cost", "How to read the answer"}
		_, official := s.Files[studies.BackendYOLOv9]
		if official {
			sections = append(sections, "What the official code does")
		}
		for _, section := range sections {
			if shipped.Section(s.Readme, section) == "" {
				t.Errorf("%s: README lacks the section %q", s.Name, section)
			}
		}
		if !strings.HasSuffix(s.Title, "?") || strings.Contains(s.Title, "#") {
			t.Errorf("%s: title %q", s.Name, s.Title)
		}
		if one := len(s.Files) == 1; one != (s.Only != "") {
			t.Errorf("%s: %d files, README says why there is only one: %q", s.Name, len(s.Files), s.Only)
		}
		if one := len(s.Files) == 1; one && !strings.HasPrefix(shipped.Section(s.Readme, "Backends"), s.Backends()[0]+" only: ") {
			t.Errorf("%s: section Backends does not begin with %q", s.Name, s.Backends()[0]+" only: ")
		}
		if official && !strings.Contains(readme, "--backend yolov9") {
			t.Errorf("%s: README does not say how to run it with the official code", s.Name)
		}
	}
}

// What cannot be tested without hardware says so, and what needs a machine for itself runs alone.
func TestOfficialSettings(t *testing.T) {
	sync := parse(t, "sync-bn", studies.BackendYOLOv9)
	if s, _ := shipped.Open("sync-bn"); sync.Trainer.GPUs != 2 || sync.Trainer.Batch != 64 || !strings.Contains(string(s.Readme), "UNVERIFIED on GPUs") {
		t.Errorf("sync-bn: %+v", sync.Trainer)
	}
	cache := parse(t, "cache", studies.BackendYOLOv9)
	if o := cache.Objective; o.Metric != "time/epoch" || o.Direction != trials.Minimize || cache.Budget.Parallel != 1 {
		t.Errorf("cache: %+v, %+v", o, cache.Budget)
	}
	ema := parse(t, "ema", studies.BackendYOLOv9)
	if o := ema.Objective; o.Epoch != "best" || o.BestBy != "fitness" {
		t.Errorf("ema: val_interval acts through the choice of the best epoch, the objective is %+v", o)
	}
}

func TestForUnknownBackend(t *testing.T) {
	for _, c := range []struct{ name, backend, want string }{
		{"sync-bn", "native", "one for yolov9 only: the native trainer trains a trial on one device"},
		{"cache", "native", "one for yolov9 only: the native trainer has `trainer.cache`"},
		{"quickstart", "yolov9", "one for native only: this is the study"},
		{"mosaic", "command", "one for native and yolov9"},
		{"mosaic", "", "one for native and yolov9"},
	} {
		s, err := shipped.Open(c.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.For(c.backend); !errors.Is(err, shipped.ErrBackend) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s for %q: error %v, want %q", c.name, c.backend, err, c.want)
		}
	}
}

func TestSection(t *testing.T) {
	readme := []byte("# a: b?\n\n**One.** first\nline.\n\ntext **Two.** no\n\n**Two.**\n\n- x\n")
	for name, want := range map[string]string{"One": "first line.", "Two": "", "Three": ""} {
		if got := shipped.Section(readme, name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// The setting of the reference runs, on which the numbers of the README rest.
func TestQuickstart(t *testing.T) {
	got := parse(t, "quickstart", studies.BackendNative)
	want := studies.Trainer{Backend: "native", Model: "gelan-n", Data: []string{"builtin:digits"}, ImageSize: 128, Epochs: 20, Batch: 16}
	if diff := cmp.Diff(want, got.Trainer); diff != "" {
		t.Error(diff)
	}
	for name, v := range map[string]any{"lr0": 0.02, "warmup_epochs": 3.0, "mosaic": 1.0, "mixup": 0.15, "copy_paste": 0.3, "autoaugment": "none",
		"hsv": 1.0, "fliplr": 0.0, "flipud": 0.0, "scale": 0.0, "translate": 0.0, "box": 7.5, "cls": 0.5, "dfl": 1.5, "ema": true, "close_mosaic": 0.0,
		"lrf": 0.01, "schedule": "linear"} {
		if !trials.SameValue(got.Baseline[name], v) {
			t.Errorf("baseline.%s = %v, want %v", name, got.Baseline[name], v)
		}
	}
	if len(got.Baseline) != 18 || got.Replicates != 5 || got.Seed != 0 || got.Design != studies.DesignOneFactor || got.Budget.Parallel != 2 {
		t.Errorf("%+v", got)
	}
}

func TestSmallData(t *testing.T) {
	got := parse(t, "small-data", studies.BackendNative, "search.trials=12", "trainer.epochs=5")
	if !reflect.DeepEqual(*got.Search, studies.Search{Sampler: "tpe", Trials: 12, Pruner: "median"}) || got.Trainer.Epochs != 5 || got.Budget.Parallel != 2 {
		t.Errorf("%+v", got)
	}
	if full := parse(t, "small-data", studies.BackendNative); full.Search.Trials != 40 || len(full.Space()) != 7 {
		t.Errorf("%+v", full)
	}
	// The same seven dimensions on both trainers, and all of them live with the official code.
	official := parse(t, "small-data", studies.BackendYOLOv9)
	var names []string
	for _, p := range official.Space() {
		names = append(names, p.Name)
	}
	if diff := cmp.Diff([]string{"mosaic", "mixup", "copy_paste", "autoaugment", "lr0", "warmup_epochs", "box"}, names); diff != "" {
		t.Error(diff)
	}
	if official.Baseline["copy_paste_boxes"] != true || !trials.SameValue(official.Baseline["warmup_floor"], 0.0) {
		t.Errorf("baseline %v", official.Baseline)
	}
}

func TestOpenUnknown(t *testing.T) {
	_, err := shipped.Open("quikstart")
	if !errors.Is(err, shipped.ErrUnknown) || !strings.Contains(err.Error(), `"quickstart"`) {
		t.Errorf("error %v", err)
	}
	_, err = shipped.Open("zzz")
	if !errors.Is(err, shipped.ErrUnknown) || !strings.Contains(err.Error(), "small-data") {
		t.Errorf("error %v", err)
	}
	if _, err := shipped.Open("../studies"); err == nil {
		t.Error("a path was opened")
	}
}
