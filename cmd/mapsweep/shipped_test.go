package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/claims"
	"github.com/mapsweep/mapsweep/studies/shipped"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trainer/yolov9"
	"github.com/mapsweep/mapsweep/trials"
)

// knobsOf are the knobs of a trainer, as its tables have them.
func knobsOf(t *testing.T, backend string) []trials.Knob {
	t.Helper()
	switch backend {
	case studies.BackendNative:
		return (&native.Backend{}).Knobs()
	case studies.BackendYOLOv9:
		return (&yolov9.Backend{}).Knobs()
	}
	t.Fatalf("no knobs of %s here", backend)
	return nil
}

// Every shipped study of every trainer has that trainer's knobs and metrics only, in their ranges, varies nothing that
// cannot matter there, and can be planned. testdata/script/shipped.txt does the same with the program.
func TestShippedStudiesPlan(t *testing.T) {
	t.Setenv("YOLOV9_DIR", t.TempDir()) // a plan without a probe looks for nothing there
	for _, s := range shipped.List() {
		for _, backend := range s.Backends() {
			src, err := shippedSource(s, backend, nil)
			if err != nil {
				t.Fatal(err)
			}
			src.sketch, src.log = true, slog.New(slog.DiscardHandler)
			spec, _, err := src.load()
			if err != nil {
				t.Errorf("%s for %s: %v", s.Name, backend, err)
				continue
			}
			p, err := layOut(spec)
			if err != nil {
				t.Fatalf("%s for %s: %v", s.Name, backend, err)
			}
			var out bytes.Buffer
			(&app{stdout: &out}).printPlan(spec, p)
			for _, f := range spec.Factors {
				if !strings.Contains(out.String(), f.Name) {
					t.Errorf("%s for %s: the plan lacks %s:\n%s", s.Name, backend, f.Name, out.String())
				}
			}
			if want := fmt.Sprintf("%d trials of %d epochs", p.Trials, spec.Trainer.Epochs); p.Trials < 2 || !strings.Contains(out.String(), want) {
				t.Errorf("%s for %s: the plan lacks %q:\n%s", s.Name, backend, want, out.String())
			}
		}
	}
}

// What a published claim compares and requires are knobs of the official trainer's backend, and of the native trainer
// where there is a study for it.
func TestClaimsAreAboutKnobs(t *testing.T) {
	for _, c := range claims.All() {
		s, err := shipped.Open(c.Study)
		if err != nil {
			t.Fatal(err)
		}
		for _, backend := range s.Backends() {
			for _, p := range c.Pairs(backend) {
				for _, side := range []trials.Params{p.From, p.To} {
					params := side.With(c.Requires)
					if backend == studies.BackendYOLOv9 {
						params = params.With(c.Official.Needs)
					}
					spec := studies.Spec{Name: c.ID, Trainer: studies.Trainer{Backend: backend}, Baseline: params}
					if err := studies.Validate(spec, knobsOf(t, backend), true); err != nil {
						t.Errorf("%s on %s: %v", c.ID, backend, err)
					}
				}
			}
		}
	}
}

// A study that still has the placeholder for the user's data is not run, whoever wrote it; it can be laid out.
func TestFits(t *testing.T) {
	official := studies.Trainer{Backend: studies.BackendYOLOv9, Data: []string{shipped.YourData}}
	given := studies.Trainer{Backend: studies.BackendYOLOv9, Data: []string{"a/data.yaml"}}
	for _, c := range []struct {
		name    string
		src     source
		trainer studies.Trainer
		want    string
	}{
		{"no data", source{}, official, "trainer.data: the study is to run on your data; add --set trainer.data=path/to/data.yaml"},
		{"one of two", source{}, studies.Trainer{Data: []string{"a/data.yaml", shipped.YourData}}, "trainer.data"},
		{"laid out only", source{sketch: true}, official, ""},
		{"data", source{backend: "yolov9"}, given, ""},
		{"another backend", source{backend: "native"}, given, "trainer.backend is yolov9, not native"},
		{"another backend laid out", source{backend: "native", sketch: true}, official, "trainer.backend is yolov9, not native"},
	} {
		err := c.src.fits(c.trainer)
		if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || exitCode(err) != exitUsage) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}
