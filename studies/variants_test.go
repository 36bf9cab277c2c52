package studies_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trials"
)

const named = `name: a
trainer: {backend: native, model: gelan-n, data: builtin:digits, epochs: 2}
baseline: {mosaic: 1.0, mixup: 0.15, lr0: 0.02, warmup_epochs: 3}
design: variants
`

func TestVariants(t *testing.T) {
	s, err := studies.Parse([]byte(named+"variants:\n  gentle: {lr0: 0.01, warmup_epochs: 1}\n  gentle-plain: {lr0: 0.01, warmup_epochs: 1, mixup: 0}\n"), studies.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]studies.Variant{{"gentle", trials.Params{"lr0": 0.01, "warmup_epochs": int64(1)}},
		{"gentle-plain", trials.Params{"lr0": 0.01, "warmup_epochs": int64(1), "mixup": int64(0)}}}, s.Variants); diff != "" {
		t.Error(diff)
	}
	want := []studies.Factor{{Name: "lr0", Levels: []any{0.02, 0.01}}, {Name: "warmup_epochs", Levels: []any{int64(3), int64(1)}}, {Name: "mixup", Levels: []any{0.15, int64(0)}}}
	if diff := cmp.Diff(want, s.Factors); diff != "" {
		t.Error(diff)
	}
	if !s.Referenced() || s.Screens() {
		t.Error("variants have a reference")
	}
	b, err := s.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if back, err := studies.FromJSON(b); err != nil || back.Variants[0].Name != "gentle" || !trials.SameValue(back.Variants[0].Params["lr0"], 0.01) {
		t.Errorf("read back: %+v, %v", back.Variants, err)
	}
	if s, err = studies.Parse([]byte(named+"variants: {x: {lr0: 0.01}}"), studies.Options{Set: []string{"variants.y={mixup: 0}", "variants.x.warmup_epochs=1"}}); err != nil || len(s.Variants) != 2 || len(s.Variants[0].Params) != 2 {
		t.Errorf("overrides: %+v, %v", s.Variants, err)
	}
}

func TestVariantFaults(t *testing.T) {
	for rest, want := range map[string]string{
		"":                             `needs the key "variants"`,
		"variants: [a]":                "variants must be a mapping of names to knobs",
		"variants: {a: 1}":             "variants.a must be a mapping",
		"variants: {a: {}}":            "variant a changes nothing",
		"variants: {a: {mixup: 0.15}}": "variant a is the same as the baseline",
		"variants: {a: {mixup: 0}, b: {mixup: 0.0}}":              "variant b is the same as variant a",
		"variants: {baseline: {mixup: 0}}":                        `"baseline" cannot name a variant`,
		"variants: {a b: {mixup: 0}}":                             `"a b" cannot name a variant`,
		"variants: {a: {box: 3}}":                                 "changes box, which the baseline does not name",
		"variants: {a: {mixup: 0}, a: {lr0: 1}}":                  `duplicate variant "a"`,
		"variants: {a: {mixup: 0}}\nfactors: {lr0: [0.02, 0.01]}": "and no factors",
	} {
		if _, err := studies.Parse([]byte(named+rest), studies.Options{File: "a.yaml"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", rest, err, want)
		}
	}
	other := strings.Replace(named, "design: variants", "design: one-factor", 1) + "variants: {a: {mixup: 0}}"
	if _, err := studies.Parse([]byte(other), studies.Options{}); err == nil || !strings.Contains(err.Error(), "design variants only") {
		t.Errorf("another design: %v", err)
	}
	knobs := []trials.Knob{{Name: "mixup", Kind: trials.Float, High: 1, Requires: trials.Params{"mosaic": 1.0}}, {Name: "mosaic", Kind: trials.Float, Default: 0.0, High: 1},
		{Name: "lr0", Kind: trials.Float, High: 1}, {Name: "warmup_epochs", Kind: trials.Float, High: 100}}
	for rest, want := range map[string]string{
		"variants: {a: {mixup: 0}}":                            "",
		"variants: {a: {mixup: 7}}":                            "a.yaml:5:23: mixup must be 0 to 1, not 7",
		"variants: {a: {mixp: 0}}":                             "",
		"variants: {a: {mixup: 0, mosaic: 0}, b: {mosaic: 0}}": "",
	} {
		src := []byte(named + rest)
		opts := studies.Options{File: "a.yaml"}
		if strings.Contains(rest, "mixp") {
			opts.Set, want = []string{"baseline.mixp=1"}, `no knob "mixp"`
		}
		s, err := studies.Parse(src, opts)
		if err != nil {
			t.Fatal(err)
		}
		err = studies.Locate(studies.Validate(s, knobs, true), src, opts)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", rest, err, want)
		}
	}
	// What a variant changes must matter somewhere.
	src := []byte(strings.Replace(named, "mosaic: 1.0", "mosaic: 0.0", 1) + "variants: {a: {mixup: 0}}")
	s, err := studies.Parse(src, studies.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := studies.Validate(s, knobs, true); err == nil || !strings.Contains(err.Error(), "mixup changes nothing here") {
		t.Errorf("mixup without mosaic: %v", err)
	}
}

func TestVariantsDiff(t *testing.T) {
	parse := func(variants string) studies.Spec {
		s, err := studies.Parse([]byte(named+"variants: "+variants), studies.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	old := parse("{a: {mixup: 0}}")
	for variants, extends := range map[string]bool{
		"{a: {mixup: 0}}": true, "{a: {mixup: 0}, b: {mixup: 0.5}}": true, "{a: {mixup: 0.5}}": false, "{b: {mixup: 0}}": false,
		"{b: {mixup: 0.5}, a: {mixup: 0}}": false, "{a: {mixup: 0}, b: {lr0: 0.01}}": true,
	} {
		if got, changes := studies.Diff(old, parse(variants)); got != extends {
			t.Errorf("%s: extends %v: %v", variants, got, changes)
		}
	}
}
