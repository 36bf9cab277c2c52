package shipped_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/studies/shipped"
	"github.com/mapsweep/mapsweep/trials"
)

func parse(t *testing.T, name string, set ...string) studies.Spec {
	t.Helper()
	s, err := shipped.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := studies.Parse(s.File, studies.Options{File: name, Set: set})
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

func TestNames(t *testing.T) {
	want := []string{"augmentation", "box-weight", "lr-warmup", "quickstart", "small-data"}
	if diff := cmp.Diff(want, shipped.Names()); diff != "" {
		t.Error(diff)
	}
}

// native lists the knobs that the native trainer has.
var native = strings.Fields(`lr0 lrf momentum weight_decay warmup_epochs warmup_momentum warmup_bias_lr schedule box cls dfl aux
	ema ema_decay ema_tau mosaic mixup copy_paste autoaugment randaugment_n randaugment_m hsv fliplr flipud scale translate close_mosaic clip_norm`)

// Every shipped study is valid, is named as its folder, and its README says what it must.
func TestShippedStudies(t *testing.T) {
	arms := map[string]int{"augmentation": 5, "box-weight": 4, "lr-warmup": 4, "quickstart": 5}
	count := map[string]int{"augmentation": 75, "box-weight": 20, "lr-warmup": 20, "quickstart": 25}
	for _, s := range shipped.List() {
		spec := parse(t, s.Name)
		if spec.Name != s.Name || spec.Description == "" {
			t.Errorf("%s: name %q, description %q", s.Name, spec.Name, spec.Description)
		}
		for _, knob := range spec.Baseline.Names() {
			if !slices.Contains(native, knob) {
				t.Errorf("%s: %s is no knob of the native trainer", s.Name, knob)
			}
		}
		readme := string(s.Readme)
		for _, part := range []string{"# " + s.Name + ": ", "**Question.**", "**Cost.**", "**How to read the answer.**", "| factor |"} {
			if !strings.Contains(readme, part) {
				t.Errorf("%s: README lacks %q", s.Name, part)
			}
		}
		if !strings.HasSuffix(s.Title, "?") || strings.Contains(s.Title, "#") {
			t.Errorf("%s: title %q", s.Name, s.Title)
		}
		for _, f := range spec.Factors {
			if !strings.Contains(readme, "| "+f.Name+" |") {
				t.Errorf("%s: README does not list factor %s", s.Name, f.Name)
			}
		}
		if !spec.Fixed() {
			continue
		}
		p, err := design.Points(spec)
		if err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
		if len(p.Arms) != arms[s.Name] || len(p.Points) != count[s.Name] {
			t.Errorf("%s: %d arms, %d trials, want %d and %d", s.Name, len(p.Arms), len(p.Points), arms[s.Name], count[s.Name])
		}
	}
}

// The setting of the reference runs, on which the numbers of the README rest.
func TestQuickstart(t *testing.T) {
	got := parse(t, "quickstart")
	want := studies.Trainer{Backend: "native", Model: "gelan-n", Data: []string{"builtin:digits"}, ImageSize: 128, Epochs: 20, Batch: 16, Device: "auto"}
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
	got := parse(t, "small-data", "search.trials=12", "trainer.epochs=5")
	if *got.Search != (studies.Search{Sampler: "tpe", Trials: 12, Pruner: "median"}) || got.Trainer.Epochs != 5 || got.Budget.Parallel != 2 {
		t.Errorf("%+v", got)
	}
	if full := parse(t, "small-data"); full.Search.Trials != 40 || len(full.Space()) != 7 {
		t.Errorf("%+v", full)
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
