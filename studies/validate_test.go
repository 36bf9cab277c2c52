package studies_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trials"
)

// knobs is a part of what a native trainer has.
var knobs = []trials.Knob{
	{Name: "lr0", Kind: trials.Float, Default: 0.01, Low: 1e-6, High: 1, Help: "peak learning rate"},
	{Name: "warmup_epochs", Kind: trials.Int, Default: int64(3), Low: 0, High: 100},
	{Name: "mosaic", Kind: trials.Float, Default: 1.0, Low: 0, High: 1},
	{Name: "mixup", Kind: trials.Float, Default: 0.0, Low: 0, High: 1, Requires: trials.Params{"mosaic": 1.0}},
	{Name: "ema", Kind: trials.Categorical, Default: true, Choices: []any{false, true}},
	{Name: "ema_decay", Kind: trials.Float, Default: 0.9999, Low: 0, High: 1, Requires: trials.Params{"ema": true}},
	{Name: "autoaugment", Kind: trials.Categorical, Default: "none", Choices: []any{"none", "randaugment"}},
	{Name: "randaugment_n", Kind: trials.Int, Default: int64(2), Low: 0, High: 9, Requires: trials.Params{"autoaugment": "randaugment"}},
	{Name: "weight_decay", Kind: trials.Float, Default: 5e-4, High: -1}, // unbounded
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		name, add, design string
		loose             bool
		want              []string
	}{
		{name: "whole numbers do for floats", add: "baseline: {lr0: 1, mosaic: 1, weight_decay: 1000}"},
		{name: "unknown knob", add: "baseline: {mosiac: 1}", want: []string{`s.yaml:4:20: the trainer has no knob "mosiac" (did you mean "mosaic"?)`}},
		{name: "unknown factor", add: "factors: {mix_up: [0, 1]}", want: []string{`s.yaml:4:19: the trainer has no knob "mix_up" (did you mean "mixup"?)`}},
		{name: "unknown, but not strict", add: "baseline: {mosiac: 1}\nfactors: {x: [0, 1]}", loose: true},
		{name: "known and wrong, not strict", add: "baseline: {mosaic: 2}", loose: true, want: []string{`s.yaml:4:20: mosaic must be 0 to 1, not 2`}},
		{name: "trainer key among knobs", add: "baseline: {epochs: 5}", want: []string{
			`s.yaml:4:20: the trainer has no knob "epochs" (epochs is set under trainer: and is the same for all trials)`}},
		{name: "out of range with help", add: "baseline: {lr0: 2}", want: []string{`s.yaml:4:17: lr0 must be 1e-06 to 1, not 2 (peak learning rate)`}},
		{name: "fraction", add: "baseline: {warmup_epochs: 2.5}", want: []string{`s.yaml:4:27: warmup_epochs must be a whole number, not 2.5`}},
		{name: "text", add: "baseline: {mosaic: on}", want: []string{`s.yaml:4:20: mosaic must be a number, not "on"`}},
		{name: "switch", add: "baseline: {ema: off}", want: []string{`s.yaml:4:17: ema cannot be "off" (write true or false)`}},
		{name: "choice", add: "baseline: {autoaugment: randaugmnt}", want: []string{
			`s.yaml:4:25: autoaugment cannot be "randaugmnt" (did you mean "randaugment"?)`}},
		{name: "choice by number", add: "baseline: {autoaugment: 1}", want: []string{`s.yaml:4:25: autoaugment cannot be 1 (one of none, randaugment)`}},
		{name: "levels", add: "factors:\n  mosaic: [1, 1.5, half]", want: []string{
			`s.yaml:5:15: mosaic must be 0 to 1, not 1.5`, `s.yaml:5:20: mosaic must be a number, not "half"`}},
		{name: "range", add: "factors: {mosaic: {low: -1, high: 2, levels: [0, 1]}}", want: []string{
			`s.yaml:4:25: mosaic must be 0 to 1, not -1`, `s.yaml:4:35: mosaic must be 0 to 1, not 2`}},
		{name: "range of a choice", add: "factors: {autoaugment: {low: 0, high: 1, levels: [0, 1]}}", want: []string{
			`s.yaml:4:11: autoaugment is no number and has no range (give levels: none, randaugment)`,
			`s.yaml:4:51: autoaugment cannot be 0 (one of none, randaugment)`, `s.yaml:4:54: autoaugment cannot be 1 (one of none, randaugment)`}},
		{name: "range of fractions for an int", add: "factors: {warmup_epochs: {low: 0, high: 5, levels: [0, 1]}}", want: []string{
			`s.yaml:4:11: warmup_epochs takes whole numbers only, its range does not (add int: true)`}},
		{name: "requires unknown", add: "baseline: {foo: 1}\nfactors: {mosaic: {levels: [0, 1], requires: {foo: 1}}}", want: []string{
			`s.yaml:4:17: the trainer has no knob "foo" (known here: lr0, warmup_epochs, mosaic, mixup, ema, ema_decay, autoaugment, randaugment_n, weight_decay)`,
			`s.yaml:5:52: the trainer has no knob "foo" (known here: lr0, warmup_epochs, mosaic, mixup, ema, ema_decay, autoaugment, randaugment_n, weight_decay)`}},

		{name: "alive by the default", add: "factors: {mixup: [0, 0.2]}"},
		{name: "dead by the baseline", add: "baseline: {mosaic: 0}\nfactors: {mixup: [0, 0.2]}", want: []string{
			`s.yaml:5:18: mixup changes nothing here: it requires mosaic=1, and the baseline has mosaic=0 (set baseline.mosaic to 1, or leave the factor out)`}},
		{name: "half on is on", add: "baseline: {mosaic: 0.5}\nfactors: {mixup: [0, 0.2]}"},
		{name: "dead by the default", add: "factors: {randaugment_n: [2, 3]}", want: []string{
			`s.yaml:4:26: randaugment_n changes nothing here: it requires autoaugment=randaugment, and the baseline has autoaugment=none (set baseline.autoaugment to randaugment, or leave the factor out)`}},
		{name: "one factor alone never meets it", add: "factors: {randaugment_n: [2, 3], autoaugment: [none, randaugment]}", want: []string{
			`s.yaml:4:26: randaugment_n changes nothing here: it requires autoaugment=randaugment, and the baseline has autoaugment=none (set baseline.autoaugment to randaugment, or leave the factor out)`}},
		{name: "the full configuration meets it", design: "leave-one-out", add: "factors: {randaugment_n: [2, 3], autoaugment: [none, randaugment]}"},
		{name: "the full configuration does not", design: "leave-one-out", add: "factors: {randaugment_n: [2, 3], autoaugment: [randaugment, none]}", want: []string{
			`s.yaml:4:26: randaugment_n changes nothing here: it requires autoaugment=randaugment, and the full configuration has autoaugment=none (set baseline.autoaugment to randaugment, or leave the factor out)`}},
		{name: "a combination meets it", design: "factorial", add: "factors: {randaugment_n: [2, 3], autoaugment: [none, randaugment]}"},
		{name: "no combination meets it", design: "grid", add: "baseline: {ema: false}\nfactors: {ema_decay: [0.9, 0.99], mosaic: [0, 1]}", want: []string{
			`s.yaml:5:22: ema_decay changes nothing here: it requires ema=true, and every trial of the study has ema=false (set baseline.ema to true, or leave the factor out)`}},
		{name: "search over a range", design: "search\nsearch: {trials: 2}", add: "factors: {mosaic: {low: 0, high: 1}, mixup: {low: 0, high: 1}}"},
	} {
		design := c.design
		if design == "" {
			design = "one-factor"
		}
		src := []byte(strings.Replace(minimal, "one-factor", design, 1) + c.add + "\n")
		if strings.Contains(design, "\n") {
			src = []byte(strings.Replace(minimal, "design: one-factor\n", "", 1) + c.add + "\ndesign: " + design + "\n")
		}
		opts := studies.Options{File: "s.yaml"}
		s, err := studies.Parse(src, opts)
		if err != nil {
			t.Errorf("%s: parse: %v", c.name, err)
			continue
		}
		var got []string
		if err := studies.Validate(s, knobs, !c.loose); err != nil {
			fs, ok := studies.AsFaults(studies.Locate(err, src, opts))
			if !ok {
				t.Fatalf("%s: %v", c.name, err)
			}
			for _, f := range fs {
				got = append(got, f.Error())
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
	}
}

// Faults of overridden values name the override.
func TestLocateSet(t *testing.T) {
	opts := studies.Options{File: "s.yaml", Set: []string{"baseline.mosaic=7", "factors.mixup=[0, 3]"}}
	s, err := studies.Parse([]byte(minimal), opts)
	if err != nil {
		t.Fatal(err)
	}
	err = studies.Locate(studies.Validate(s, knobs, true), []byte(minimal), opts)
	fs, _ := studies.AsFaults(err)
	var got []string
	for _, f := range fs {
		got = append(got, f.Error())
	}
	want := []string{"--set baseline.mosaic=7: mosaic must be 0 to 1, not 7", "--set factors.mixup=[0, 3]: mixup must be 0 to 1, not 3"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if studies.Locate(nil, nil, opts) != nil {
		t.Error("no error became one")
	}
}

func TestWithKnobs(t *testing.T) {
	s := studies.Spec{
		Baseline: trials.Params{"mosaic": 1.0, "mixup": 0.1},
		Factors: []studies.Factor{
			{Name: "mixup", Levels: []any{0.1, 0.0}},
			{Name: "ema_decay", Requires: trials.Params{"mosaic": 1.0}}, // ema is not named: it has its default everywhere
			{Name: "randaugment_n"},
			{Name: "autoaugment"},
			{Name: "other"},
		}}
	got := studies.WithKnobs(s, knobs)
	want := []trials.Params{{"mosaic": 1.0}, {"mosaic": 1.0}, {"autoaugment": "randaugment"}, nil, nil}
	for i, f := range got.Factors {
		if diff := cmp.Diff(want[i], f.Requires); diff != "" {
			t.Errorf("%s: %s", f.Name, diff)
		}
	}
	if s.Factors[0].Requires != nil {
		t.Error("the given study was changed")
	}
}
