package studies_test

import (
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trials"
)

const tunable = `name: a
objective: {split: test}
trainer: {backend: native, model: gelan-n, data: builtin:digits, epochs: 2}
baseline: {mosaic: 1.0}
factors: {mosaic: [1.0, 0.0]}
design: one-factor
`

var tunedKnobs = []trials.Knob{
	{Name: "mosaic", Kind: trials.Float, Default: 1.0, Low: 0, High: 1},
	{Name: "mixup", Kind: trials.Float, Default: 0.0, Low: 0, High: 1, Requires: trials.Params{"mosaic": 1.0}},
	{Name: "lr0", Kind: trials.Float, Default: 0.01, Low: 0, High: 1},
	{Name: "ema", Kind: trials.Categorical, Default: true, Choices: []any{true, false}},
	{Name: "ema_tau", Kind: trials.Float, Default: 2000.0, Low: 1, High: 1e6, Requires: trials.Params{"ema": true}},
	{Name: "close", Kind: trials.Int, Default: int64(0), Low: 0, High: 100, Requires: trials.Params{"autoaugment": "randaugment"}},
	{Name: "autoaugment", Kind: trials.Categorical, Default: "none", Choices: []any{"none", "randaugment"}},
}

func TestTunedKnobsAreValidated(t *testing.T) {
	for _, c := range []struct{ name, knobs, want string }{
		{"fine", "{lr0: {low: 0.001, high: 0.1, log: true}}", ""},
		{"alive in one arm", "{mixup: {low: 0, high: 0.5}}", ""},
		{"alive through another knob", "{ema: [true, false], ema_tau: {low: 100, high: 1000}}", ""},
		{"unknown", "{lr: {low: 0.001, high: 0.1}}", "tune.knobs.lr: the trainer has no knob \"lr\""},
		{"out of range", "{lr0: {low: 0.001, high: 10}}", "tune.knobs.lr0.high: lr0 must be 0 to 1, not 10"},
		{"alive nowhere", "{close: {low: 0, high: 5, int: true}}", "tune.knobs.close: close changes nothing here: it requires autoaugment=randaugment"},
		{"too many", "{lr0: {low: 0.001, high: 0.1}}, repeats: 51", "tune.repeats: 51 tunings"},
		{"a factor", "{mosaic: [1.0, 0.5]}", "mosaic is a factor of the study and tuned as well"},
	} {
		spec, err := studies.Parse([]byte(tunable+"tune: {device_hours: 1, knobs: "+c.knobs+"}\n"), studies.Options{File: "a.yaml"})
		if err == nil {
			err = studies.Validate(spec, tunedKnobs, true)
		}
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want == "":
		case err == nil:
			t.Errorf("%s: no fault, want %q", c.name, c.want)
		case !strings.Contains(faultLines(err), c.want):
			t.Errorf("%s: %s, want %q", c.name, faultLines(err), c.want)
		}
	}
}

// faultLines are an error's faults with their paths.
func faultLines(err error) string {
	var b strings.Builder
	if fs, ok := err.(studies.Faults); ok {
		for _, f := range fs {
			b.WriteString(f.Path + ": " + f.Message + "\n")
		}
	}
	return b.String() + err.Error()
}

func TestActiveKnobs(t *testing.T) {
	low, high := 0.0, 0.5
	spec := studies.Spec{Baseline: trials.Params{"mosaic": 1.0}, Factors: []studies.Factor{{Name: "mosaic", Levels: []any{1.0, 0.0}}},
		Tune: &studies.Tune{Knobs: []studies.Factor{
			{Name: "mixup", Low: &low, High: &high}, {Name: "lr0", Low: &low, High: &high},
			{Name: "ema", Levels: []any{true, false}}, {Name: "ema_tau", Low: &low, High: &high}}}}
	spec = studies.WithKnobs(spec, tunedKnobs)
	for _, c := range []struct {
		arm  trials.Params
		want string
	}{
		{trials.Params{"mosaic": 1.0}, "mixup lr0 ema ema_tau"},
		{trials.Params{"mosaic": 0.5}, "mixup lr0 ema ema_tau"},
		{trials.Params{"mosaic": 0.0}, "lr0 ema ema_tau"},
	} {
		var names []string
		for _, f := range spec.Tune.Active(c.arm) {
			names = append(names, f.Name)
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("%v: %s, want %s", c.arm, got, c.want)
		}
	}
	spec.Tune.Knobs[2].Levels = []any{false}
	if got := spec.Tune.Active(trials.Params{"mosaic": 1.0}); len(got) != 3 {
		t.Errorf("a knob that requires what no level meets is sampled: %v", got)
	}
}
