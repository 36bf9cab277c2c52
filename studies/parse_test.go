package studies_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trials"
)

var regen = flag.Bool("regen", false, "write golden files anew")

// golden holds got against a file, or writes it with -regen.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *regen {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (make generate writes it)", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (make generate renews it):\n%s", path, diff)
	}
}

// whole is a study with every key.
const whole = `
name: small-data
description: What is best?
objective: {metric: mAP50, direction: maximize, epoch: best, split: test}
trainer:
  backend: native
  model: gelan-n
  data: [builtin:digits, builtin:trees]
  image_size: 128
  epochs: 20
  batch: 16
  device: cuda:0
  timeout: 1h30m
baseline: {lr0: 0.02, warmup_epochs: 3, mosaic: 1.0, copy_paste: 0.3, autoaugment: none, ema: true}
factors:
  mixup: [0.15, 0.0]
  lr0: {low: 0.001, high: 0.05, log: true, levels: [0.02, 1e-2]}
  copy_paste: {levels: [0.3, 0.0], requires: {mosaic: 1.0}}
  warmup_epochs: {low: 0, high: 6, step: 3, int: true}
design: search
search: {sampler: random, trials: 40, pruner: median}
replicates: 2
seed: 7
budget: {parallel: 2, device_hours: 4.5}
keep: {best: 2, last: 0}
`

func ptr(x float64) *float64 { return &x }

func TestParseWhole(t *testing.T) {
	got, err := studies.Parse([]byte(whole), studies.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := studies.Spec{
		Name: "small-data", Description: "What is best?",
		Objective: studies.Objective{Metric: "mAP50", Direction: trials.Maximize, Epoch: "best", Split: "test"},
		Trainer: studies.Trainer{Backend: "native", Model: "gelan-n", Data: []string{"builtin:digits", "builtin:trees"},
			ImageSize: 128, Epochs: 20, Batch: 16, Device: "cuda:0", Timeout: "1h30m"},
		Baseline: trials.Params{"lr0": 0.02, "warmup_epochs": int64(3), "mosaic": int64(1), "copy_paste": 0.3,
			"autoaugment": "none", "ema": true, "mixup": 0.15},
		Factors: []studies.Factor{
			{Name: "mixup", Levels: []any{0.15, int64(0)}},
			{Name: "lr0", Levels: []any{0.02, 0.01}, Low: ptr(0.001), High: ptr(0.05), Log: true},
			{Name: "copy_paste", Levels: []any{0.3, int64(0)}, Requires: trials.Params{"mosaic": int64(1)}},
			{Name: "warmup_epochs", Low: ptr(0), High: ptr(6), Step: 3, Int: true},
		},
		Design: studies.DesignSearch, Search: &studies.Search{Sampler: "random", Trials: 40, Pruner: "median"},
		Replicates: 2, Seed: 7, Budget: studies.Budget{Parallel: 2, DeviceHours: 4.5}, Keep: studies.Keep{Best: 2, Last: 0},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// minimal is the shortest native study; tests add lines to it.
const minimal = `name: a
trainer: {backend: native, model: gelan-n, data: builtin:digits, epochs: 2}
design: one-factor
`

func TestDefaults(t *testing.T) {
	got, err := studies.Parse([]byte(minimal), studies.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := studies.Spec{
		Name: "a", Objective: studies.Objective{Metric: "mAP50-95", Direction: trials.Maximize, Epoch: "last", Split: "val"},
		Trainer: studies.Trainer{Backend: "native", Model: "gelan-n", Data: []string{"builtin:digits"}, ImageSize: 128, Epochs: 2,
			Batch: 16},
		Baseline: trials.Params{}, Design: "one-factor", Replicates: 1, Keep: studies.Keep{Best: 3, Last: 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}

	loss, err := studies.Parse([]byte(minimal+"objective: {metric: loss/box}\n"), studies.Options{})
	if err != nil || loss.Objective.Direction != trials.Minimize {
		t.Errorf("a loss is to be %s (%v)", loss.Objective.Direction, err)
	}
	search, err := studies.Parse([]byte(strings.Replace(minimal, "one-factor", "search", 1)+
		"search: {trials: 5}\nfactors: {lr0: {low: 0, high: 1}}\n"), studies.Options{})
	if err != nil || !reflect.DeepEqual(*search.Search, studies.Search{Sampler: "tpe", Trials: 5, Pruner: "none"}) {
		t.Errorf("search %+v (%v)", search.Search, err)
	}
}

func TestCommandBackend(t *testing.T) {
	got, err := studies.Parse([]byte(`
name: mine
trainer: {backend: command, command: [python, train.py, --workers, 4], env: {OMP_NUM_THREADS: 1, MODE: fast}}
baseline: {optimizer.lr: 0.1}
factors: {optimizer.name: [sgd, adam w], anything-at-all: [true, false]}
design: factorial
`), studies.Options{Set: []string{"factors.optimizer.name.levels=[sgd, lion]", "baseline.optimizer.lr=0.2", "trainer.env.MODE=slow"}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"python", "train.py", "--workers", "4"}, got.Trainer.Command); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"OMP_NUM_THREADS": "1", "MODE": "slow"}, got.Trainer.Env); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(trials.Params{"optimizer.lr": 0.2, "optimizer.name": "sgd", "anything-at-all": true}, got.Baseline); diff != "" {
		t.Error(diff)
	}
	if got.Trainer.Arguments != nil || got.Trainer.Metrics != nil || got.Trainer.Checkpoint != nil {
		t.Errorf("a command got ways that the file does not say: %+v", got.Trainer)
	}
	if got.Trainer.ImageSize != 0 || got.Trainer.Batch != 0 {
		t.Errorf("a command got sizes that the file does not say: %+v", got.Trainer)
	}
}

func TestSet(t *testing.T) {
	for _, c := range []struct {
		set  []string
		read func(studies.Spec) any
		want any
	}{
		{[]string{"trainer.epochs=5"}, func(s studies.Spec) any { return s.Trainer.Epochs }, 5},
		{[]string{"trainer.epochs=5", "trainer.epochs=6"}, func(s studies.Spec) any { return s.Trainer.Epochs }, 6},
		{[]string{"search.trials=12"}, func(s studies.Spec) any { return s.Search.Trials }, 12},
		{[]string{"search={trials: 3, sampler: sobol}"}, func(s studies.Spec) any { return s.Search.Sampler }, "sobol"},
		{[]string{"baseline.mosaic=0.5"}, func(s studies.Spec) any { return s.Baseline["mosaic"] }, 0.5},
		{[]string{"baseline.new_knob=on"}, func(s studies.Spec) any { return s.Baseline["new_knob"] }, "on"},
		{[]string{"replicates=3"}, func(s studies.Spec) any { return s.Replicates }, 3},
		{[]string{"name=other"}, func(s studies.Spec) any { return s.Name }, "other"},
		{[]string{"trainer.data=builtin:trees"}, func(s studies.Spec) any { return s.Trainer.Data[0] }, "builtin:trees"},
		{[]string{"trainer.data=[a=b/data.yaml]"}, func(s studies.Spec) any { return s.Trainer.Data[0] }, "a=b/data.yaml"},
		{[]string{"factors.mixup=[0.15, 0.3, 0]"}, func(s studies.Spec) any { return len(s.Factors[0].Levels) }, 3},
		{[]string{"factors.mixup.levels=[0.15,0.1]"}, func(s studies.Spec) any { return s.Factors[0].Levels[1] }, 0.1},
		{[]string{"factors.mixup.requires.mosaic=1"}, func(s studies.Spec) any { return s.Factors[0].Requires["mosaic"] }, int64(1)},
		{[]string{"factors.lr0.levels=[0.02, 0.04]"}, func(s studies.Spec) any { return s.Factors[1].Levels[1] }, 0.04},
		{[]string{"factors.lr0.log=false"}, func(s studies.Spec) any { return s.Factors[1].Log }, false},
		{[]string{"factors.box=[7.5, 10]"}, func(s studies.Spec) any { return s.Factors[4].Name }, "box"},
		{[]string{"description=a: b, c # no comment"}, func(s studies.Spec) any { return s.Description }, nil},
		{[]string{`description="a: b"`}, func(s studies.Spec) any { return s.Description }, "a: b"},
	} {
		s, err := studies.Parse([]byte(whole), studies.Options{Set: c.set})
		if c.want == nil {
			if err == nil {
				t.Errorf("%v: no error", c.set)
			}
			continue
		}
		if err != nil {
			t.Errorf("%v: %v", c.set, err)
			continue
		}
		if got := c.read(s); got != c.want {
			t.Errorf("%v: got %v (%T), want %v", c.set, got, got, c.want)
		}
	}
}

// Each line of a case is appended to the minimal study, from line 4 on.
func TestFaults(t *testing.T) {
	for _, c := range []struct {
		name, add string
		set       []string
		want      []string // Fault.Error, one each
	}{
		{"unknown key", "replicats: 3", nil, []string{`s.yaml:4:1: unknown key "replicats" in the study (did you mean "replicates"?)`}},
		{"misplaced key", "epochs: 3", nil, []string{`s.yaml:4:1: unknown key "epochs" in the study (epochs belongs under trainer:)`}},
		{"unknown nested key", "budget: {paralel: 2}", nil, []string{`s.yaml:4:10: unknown key "paralel" in budget (did you mean "parallel"?)`}},
		{"duplicate key", "seed: 1\nseed: 2", nil, []string{`s.yaml:5:1: duplicate key "seed" (remove one of the two)`}},
		{"duplicate knob", "baseline: {a: 1, a: 2}", nil, []string{`s.yaml:4:18: duplicate key "a" (remove one of the two)`}},
		{"duplicate factor", "factors: {a: [1, 2], a: [2, 3]}", nil, []string{`s.yaml:4:22: duplicate factor "a" (put all levels into one list)`}},
		{"wrong type", "replicates: five", nil, []string{`s.yaml:4:13: replicates must be a whole number, not the text "five"`}},
		{"long number", "replicates: {until: settled, max: 99999999999999999999}", nil, []string{`s.yaml:4:35: replicates.max must be a whole number of at most 18 digits, not 99999999999999999999`}},
		{"long number set", "", []string{"seed=1e30"}, []string{`--set seed=1e30: seed must be a whole number of at most 18 digits, not 1e30`}},
		{"fraction for a count", "replicates: 2.5", nil, []string{`s.yaml:4:13: replicates must be a whole number, not 2.5`}},
		{"number for text", "description: 2026", nil, []string{`s.yaml:4:14: description must be text, not 2026 (in quotes it is text: "2026")`}},
		{"list for mapping", "budget: [1]", nil, []string{`s.yaml:4:9: budget must be a mapping, not a list (keys: parallel, device_hours, epochs, wall_clock)`}},
		{"mapping for value", "seed: {a: 1}", nil, []string{`s.yaml:4:7: seed must be a whole number, not a mapping`}},
		{"empty value", "seed:", nil, []string{`s.yaml:4:1: seed must be a whole number, not empty`}},
		{"too large", "", []string{"trainer.image_size=100000000000000"}, []string{`--set trainer.image_size=100000000000000: trainer.image_size must be at most 8192, not 100000000000000`}},
		{"too small", "replicates: 0", nil, []string{`s.yaml:4:13: replicates must be at least 1, not 0`}},
		{"choice", "objective: {direction: maximise}", nil, []string{`s.yaml:4:24: objective.direction cannot be "maximise" (did you mean "maximize"?)`}},
		{"upper case", "objective: {direction: MAXIMIZE}", nil, []string{`s.yaml:4:24: objective.direction cannot be "MAXIMIZE" (did you mean "maximize"?)`}},
		{"metric", "objective: {metric: map50_95}", nil, []string{`s.yaml:4:21: no trainer reports a metric "map50_95" (did you mean "mAP50-95"?)`}},
		{"not finite", "baseline: {lr0: .inf, lrf: .nan}", nil, []string{`s.yaml:4:17: baseline.lr0 is not a finite number`, `s.yaml:4:28: baseline.lrf is not a finite number`}},
		{"empty knob", "baseline:\n  lr0:", nil, []string{`s.yaml:5:3: baseline.lr0 has no value (write a value; to switch something off use 0, false or none)`}},
		{"knob name", "baseline: {a b: 1}", nil, []string{`s.yaml:4:12: "a b" cannot name a knob (a name has no spaces, commas and no "=")`}},

		{"no levels", "factors:\n  mixup: []", nil, []string{`s.yaml:5:10: factor mixup has no levels, which design one-factor needs (for instance [0.3, 0])`}},
		{"range without levels", "factors: {mixup: {low: 0, high: 1}}", nil, []string{`s.yaml:4:11: factor mixup has no levels, which design one-factor needs (for instance [0.3, 0])`}},
		{"one level", "factors:\n  mixup: [0.15]", nil, []string{`s.yaml:5:10: factor mixup has one level only: nothing to compare (add a level, or move it to baseline:)`}},
		{"level twice", "factors:\n  mixup: [1, 0, 1.0]", nil, []string{`s.yaml:5:17: factor mixup has the level 1 twice`}},
		{"text and number as levels", "factors:\n  mixup: [1, '1', 0]", nil,
			[]string{`s.yaml:5:14: factor mixup has the number 1 and the text "1" as levels: they print alike and could not be told apart in tables (leave one of them out, or choose another word)`}},
		{"text and truth value as levels", "factors:\n  mixup: [x, 'true', true, 1]", nil,
			[]string{`s.yaml:5:22: factor mixup has the text "true" and the truth value true as levels: they print alike and could not be told apart in tables (leave one of them out, or choose another word)`}},
		{"baseline of another type", "baseline: {mixup: '1'}\nfactors:\n  mixup: [1, 0]", nil,
			[]string{`s.yaml:6:11: the baseline of mixup is the text "1", its level is the number 1 (write the level and baseline.mixup alike, in quotes or without)`}},
		{"too many replicates", "factors: {a: [1, 2]}\nreplicates: 1000000000", nil,
			[]string{`s.yaml:5:13: 2 points x 1000000000 replicates x 1 data sets are 2000000000 trials, more than 1000000`}},
		{"too many trials of a search", "factors: {a: [1, 2]}\nsearch: {trials: 900000}\nreplicates: 2", []string{"design=search"},
			[]string{`s.yaml:5:18: 900000 points x 2 replicates x 1 data sets are 1800000 trials, more than 1000000`}},
		{"level outside", "factors:\n  mixup: {low: 0, high: 0.5, levels: [0.2, 0.7]}", nil,
			[]string{`s.yaml:5:44: level 0.7 of mixup is outside its range 0 to 0.5 (widen the range or change the level)`}},
		{"level off the grid", "factors:\n  n: {low: 1, high: 9, step: 2, int: true, levels: [3, 4]}", nil,
			[]string{`s.yaml:5:56: level 4 of n is outside its range 1 to 9 in steps of 2, whole numbers (widen the range or change the level)`}},
		{"text in a range", "factors:\n  mixup: {low: 0, high: 1, levels: [0, none]}", nil,
			[]string{`s.yaml:5:40: level none of mixup is outside its range 0 to 1 (widen the range or change the level)`}},
		{"baseline not a level", "baseline: {mixup: 0.1}\nfactors:\n  mixup: [0.15, 0]", nil,
			[]string{`s.yaml:6:10: the levels of mixup do not have its baseline value 0.1 (put 0.1 first among the levels, or change baseline.mixup)`}},
		{"empty range", "factors: {a: {low: 2, high: 1, levels: [1, 2]}}", nil, []string{`s.yaml:4:20: the range of a is empty: low 2 is not below high 1`}},
		{"half a range", "factors: {a: {low: 2, levels: [1, 2]}}", nil, []string{`s.yaml:4:11: factor a has low but no high`}},
		{"log from zero", "factors: {a: {low: 0, high: 1, log: true, levels: [0, 1]}}", nil,
			[]string{`s.yaml:4:20: the range of a is logarithmic and begins at 0 (raise low, or leave log out)`}},
		{"step that does not fit", "factors: {a: {low: 0, high: 1, step: 0.3, levels: [0, 0.3]}}", nil,
			[]string{`s.yaml:4:29: high of a is not low plus a whole number of steps (high could be 0.9)`}},
		{"int with fractions", "factors: {a: {low: 0.5, high: 3, int: true, levels: [1, 2]}}", nil, []string{`s.yaml:4:20: factor a has int: true, but low is 0.5`}},
		{"log without range", "factors: {a: {log: true, levels: [1, 2]}}", nil, []string{`s.yaml:4:11: factor a has step, log or int, but no range (write low: and high:)`}},
		{"level is a list", "factors:\n  a: [1, [2]]", nil, []string{`s.yaml:5:10: factors.a.levels[1] must be one value, not a list`}},
		{"factor is a value", "factors: {mixup: 0.3}", nil,
			[]string{`s.yaml:4:18: factor mixup must be a list of levels or a mapping, not 0.3 (for instance [0.3, 0] or {low: 0, high: 0.5})`}},
		{"unknown key in factor", "factors: {a: {level: [1, 2]}}", nil, []string{`s.yaml:4:15: unknown key "level" in factors.a (did you mean "levels"?)`}},
		{"requires a stranger", "baseline: {mosaic: 1}\nfactors:\n  a: {levels: [1, 2], requires: {mosiac: 1}}", nil,
			[]string{`s.yaml:6:42: factor a requires mosiac, which neither baseline nor factors name (did you mean "mosaic"?)`}},
		{"requires itself", "factors:\n  a: {levels: [1, 2], requires: {a: 1}}", nil, []string{`s.yaml:5:37: factor a requires itself`}},
		{"require each other", "factors:\n  a: {levels: [1, 2], requires: {b: 1}}\n  b: {levels: [1, 2], requires: {a: 1}}", nil,
			[]string{`s.yaml:6:37: a and b require each other`}},

		{"leave-one-out of one", "factors: {a: [1, 2]}", []string{"design=leave-one-out"},
			[]string{`s.yaml:4:1: design leave-one-out needs at least 2 factors, the study has 1 (for instance mixup: [0.15, 0])`}},
		{"search without search", "factors: {a: [1, 2]}", []string{"design=search"},
			[]string{`s.yaml: design search needs the key search (for instance search: {sampler: tpe, trials: 40})`}},
		{"search without trials", "factors: {a: [1, 2]}\nsearch: {sampler: tpe}", []string{"design=search"},
			[]string{`s.yaml:5:1: search lacks the key "trials"`}},
		{"search without range", "factors: {a: []}\nsearch: {trials: 3}", []string{"design=search"},
			[]string{`s.yaml:4:14: factor a has no range and no levels to search (for instance {low: 0, high: 0.5} or [0.3, 0])`}},
		{"sampler", "factors: {a: [1, 2]}\nsearch: {sampler: tep, trials: 3}", []string{"design=search"},
			[]string{`s.yaml:5:19: search.sampler cannot be "tep" (did you mean "tpe"?)`}},

		{"set without value", "", []string{"replicates"}, []string{`--set replicates: an override is written key=value (for instance trainer.epochs=5)`}},
		{"set empty", "", []string{"replicates="}, []string{`--set replicates=: replicates must be a whole number, not empty`}},
		{"set unknown", "", []string{"trainer.epoch=5"}, []string{`--set trainer.epoch=5: unknown key "epoch" in trainer (did you mean "epochs"?)`}},
		{"set wrong type", "", []string{"trainer.epochs=five"}, []string{`--set trainer.epochs=five: trainer.epochs must be a whole number, not the text "five"`}},
		{"set below a value", "", []string{"name.x=5"}, []string{`--set name.x=5: name is the text "a" and has no keys`}},
		{"set bad path", "", []string{"trainer..x=5"}, []string{`--set trainer..x=5: "trainer..x" is not a path of keys with dots between`}},
		{"set bad YAML", "", []string{"factors.a=[1, 2"}, nil},
		{"set a baseline off the levels", "factors: {a: [1, 2]}", []string{"baseline.a=3"},
			[]string{`s.yaml:4:14: the levels of a do not have its baseline value 3 (put 3 first among the levels, or change baseline.a)`}},

		{"anchor", "baseline: &x {a: 1}", nil, []string{`s.yaml:4:11: anchors, aliases and merge keys are not read in a study file (write the value out)`}},
		{"tag", "seed: !!int 5", nil, []string{`s.yaml:4:7: tags are not read in a study file (write the value without its tag)`}},
		{"exponents are numbers, in quotes text", `baseline: {a: 5e-4, b: 1E3, c: -1.5e+2}` + "\nseed: '1e3'", nil,
			[]string{`s.yaml:5:7: seed must be a whole number, not the text "1e3"`}},
		{"two documents", "---\nname: b", nil, []string{`s.yaml:5:5: a second document (a study file holds one study)`}},
		{"wide characters", "description: 数据 小\nbaseline: {é: [1], b: [2]}", nil,
			[]string{`s.yaml:5:15: baseline.é must be one value, not a list`, `s.yaml:5:23: baseline.b must be one value, not a list`}},
	} {
		_, err := studies.Parse([]byte(minimal+c.add+"\n"), studies.Options{File: "s.yaml", Set: c.set})
		fs, ok := studies.AsFaults(err)
		if !ok {
			t.Errorf("%s: error %v", c.name, err)
			continue
		}
		var got []string
		for _, f := range fs {
			got = append(got, f.Error())
		}
		if c.want == nil {
			continue // any fault will do: the words are the YAML parser's
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
	}
}

// TestMadeOverrides: a fault in an override that the program made names the file; one that the user gave names that.
func TestMadeOverrides(t *testing.T) {
	for set, want := range map[string]string{"seed=1": "s.yaml as claim c: replicates.max", "replicates.max=2": "--set replicates.max=2: "} {
		o := studies.Options{File: "s.yaml as claim c", Set: []string{"replicates={until: settled, max: 1}", set}, Made: 1}
		_, err := studies.Parse([]byte("name: s\ntrainer: {backend: command, command: [x]}\nfactors: {a: [1, 2]}\ndesign: one-factor\n"), o)
		if faults, ok := studies.AsFaults(err); !ok || len(faults) != 1 || !strings.HasPrefix(faults[0].Error(), want) {
			t.Errorf("%s: %v, want %s", set, err, want)
		}
	}
}

func TestTrainerFaults(t *testing.T) {
	for _, c := range []struct{ name, trainer, want string }{
		{"no backend", "{model: a}", `s.yaml:2:1: trainer lacks the key "backend" (one of native, command, yolov9)`},
		{"backend", "{backend: nativ}", `s.yaml:2:20: trainer.backend cannot be "nativ" (did you mean "native"?)`},
		{"no data", "{backend: native, model: m, epochs: 1}", `s.yaml:2:1: trainer lacks the key "data", which backend native needs (for instance builtin:digits, or the path of a data.yaml)`},
		{"empty data", "{backend: native, model: m, epochs: 1, data: []}", `s.yaml:2:55: trainer lacks the key "data", which backend native needs (for instance builtin:digits, or the path of a data.yaml)`},
		{"data twice", "{backend: native, model: m, epochs: 1, data: [a, a]}", `s.yaml:2:59: data set a is there twice`},
		{"data a number", "{backend: native, model: m, epochs: 1, data: [3]}", `s.yaml:2:56: trainer.data must be texts, not 3`},
		{"image size", "{backend: yolov9, model: m, epochs: 1, data: a, image_size: 100}", `s.yaml:2:70: trainer.image_size must be a multiple of 32, not 100 (the nearest is 96)`},
		{"device", "{backend: native, model: m, epochs: 1, data: a, device: gpu}", `s.yaml:2:66: trainer.device cannot be "gpu" (auto, cpu, cuda, cuda:0, or several as cuda:0,2)`},
		{"device twice", "{backend: native, model: m, epochs: 1, data: a, device: \"cuda:0,0\"}", `s.yaml:2:66: trainer.device cannot be "cuda:0,0" (auto, cpu, cuda, cuda:0, or several as cuda:0,2)`},
		{"precision", "{backend: native, model: m, epochs: 1, data: a, precision: bf15}", `s.yaml:2:69: trainer.precision cannot be "bf15" (did you mean "bf16"?)`},
		{"convolution", "{backend: native, model: m, epochs: 1, data: a, convolution: winograd}", `s.yaml:2:71: trainer.convolution cannot be "winograd" (known here: auto, direct, fastest)`},
		{"fastest convolution on the cpu", "{backend: native, model: m, epochs: 1, data: a, convolution: fastest}", `s.yaml:2:71: trainer.convolution is fastest, which chooses between kernels of a GPU, and native computes on the cpu (set trainer.device: cuda, or leave it out)`},
		{"precision of another trainer", "{backend: yolov9, model: m, epochs: 1, data: a, precision: bf16}", `s.yaml:2:69: trainer.precision is read by backend native only`},
		{"gpus on the cpu", "{backend: yolov9, model: m, epochs: 1, data: a, device: cpu, gpus: 4}", `s.yaml:2:77: trainer.gpus is 4, and trainer.device says cpu (leave one of them out)`},
		{"shares of a batch", "{backend: native, model: m, epochs: 1, data: a, device: auto, batch: 9, gpus: 2}", `s.yaml:2:79: trainer.batch is 9, of which each of 2 GPUs takes an equal share (use one that 2 divides)`},
		{"gpus without a device", "{backend: native, model: m, epochs: 1, data: a, gpus: 1}", `s.yaml:2:64: trainer.gpus is 1, and where trainer.device is left out native computes on the cpu (set trainer.device: cuda, too)`},
		{"timeout", "{backend: native, model: m, epochs: 1, data: a, timeout: 5 minutes}", `s.yaml:2:67: trainer.timeout is no duration: "5 minutes" (for instance 90s, 45m or 2h30m)`},
		{"timeout without unit", "{backend: native, model: m, epochs: 1, data: a, timeout: 5}", `s.yaml:2:67: trainer.timeout must be text, not 5 (with its unit: 5s, 5m or 5h)`},
		{"command for native", "{backend: native, model: m, epochs: 1, data: a, command: [x]}", `s.yaml:2:67: trainer.command is not read by backend native (for your own program write backend: command)`},
		{"no command", "{backend: command}", `s.yaml:2:1: trainer lacks the key "command", which backend command needs (for instance [python, train.py])`},
		{"command as text", "{backend: command, command: python train.py}", `s.yaml:2:38: trainer.command must be a list of texts, not the text "python train.py" (for instance ["first", "second"])`},
		{"arguments without a place", "{backend: command, command: [x], arguments: {each: '{name}={value}'}}", `s.yaml:2:43: trainer.arguments is there, but no item of trainer.command is {args} (put it where the parameters go)`},
		{"place without arguments", "{backend: command, command: [x, '{args}']}", `s.yaml:2:38: trainer.command has {args}, but trainer.arguments does not say how parameters are written (for instance arguments: {each: "--{flag} {value}"})`},
		{"place inside an item", "{backend: command, command: [x, '--set={args}'], arguments: {each: '{name}={value}'}}", `s.yaml:2:42: {args} becomes several arguments and cannot be part of "--set={args}" (make it an item of its own)`},
		{"arguments without value", "{backend: command, command: [x, '{args}'], arguments: {each: '--{flag}'}}", `s.yaml:2:71: trainer.arguments.each lacks {value}: a program would not learn the parameters (for instance "--{flag} {value}" or "{name}={value}")`},
		{"unknown key of arguments", "{backend: command, command: [x, '{args}'], arguments: {each: '{value}', if_ture: x}}", `s.yaml:2:82: unknown key "if_ture" in trainer.arguments (did you mean "if_true"?)`},
		{"no columns", "{backend: command, command: [x], metrics: {format: csv, file: a}}", `s.yaml:2:43: trainer.metrics lacks the key "columns", which format csv needs (for instance {mAP50: metrics/mAP50(B)})`},
		{"format", "{backend: command, command: [x], metrics: {format: json}}", `s.yaml:2:61: trainer.metrics.format cannot be "json" (did you mean "jsonl"?)`},
		{"columns of lines", "{backend: command, command: [x], metrics: {columns: {mAP50-95: a}}}", `s.yaml:2:43: file, epoch and columns of trainer.metrics are read with format: csv only (add format: csv)`},
		{"column twice", "{backend: command, command: [x], metrics: {format: csv, file: a, columns: {mAP50-95: m, mAP50: m}}}", `s.yaml:2:95: mAP50 and mAP50-95 are read from one column, "m" (leave one of them out)`},
		{"metric twice", "{backend: command, command: [x], metrics: {format: csv, file: a, columns: {mAP50-95: m, mAP50-95: n}}}", `s.yaml:2:98: duplicate key "mAP50-95" (remove one of the two)`},
		{"column of the epoch", "{backend: command, command: [x], metrics: {format: csv, file: a, columns: {mAP50-95: m, e: epoch}}}", `s.yaml:2:101: e is read from column "epoch", which has the number of the epoch`},
		{"objective not read", "{backend: command, command: [x], metrics: {format: csv, file: a, columns: {mAP50_95: m}}}", `s.yaml: objective.metric mAP50-95 is not among trainer.metrics.columns (did you mean "mAP50_95"?)`},
		{"first", "{backend: command, command: [x], metrics: {format: csv, file: a, first: 2, columns: {mAP50-95: m}}}", `s.yaml:2:82: trainer.metrics.first must be 0 or 1, not 2`},
		{"one table for all", "{backend: command, command: [x], metrics: {format: csv, file: /a, columns: {mAP50-95: m}}}", `s.yaml:2:72: all trials would write to the one file /a (name it relative to the trial's folder, or with {dir} or {trial})`},
		{"no checkpoint file", "{backend: command, command: [x], checkpoint: {resume: [y]}}", `s.yaml:2:43: trainer.checkpoint lacks the key "file"`},
		{"metrics for native", "{backend: native, model: m, epochs: 1, data: a, metrics: {format: jsonl}}", `s.yaml:2:58: trainer.metrics is read by backend command only (for your own program write backend: command)`},
	} {
		_, err := studies.Parse([]byte("name: a\ntrainer: "+c.trainer+"\ndesign: one-factor\n"), studies.Options{File: "s.yaml"})
		fs, ok := studies.AsFaults(err)
		if !ok || len(fs) != 1 || fs[0].Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", c.name, err, c.want)
		}
	}
}

func TestTableOfCommand(t *testing.T) {
	got, err := studies.Parse([]byte(`
name: mine
objective: {metric: mAP_0.5:0.95}
trainer:
  backend: command
  command: [yolo, "{args}"]
  arguments: {each: "--{flag} {value}", if_false: ""}
  metrics: {format: csv, file: run/results.csv, columns: {"mAP_0.5:0.95": " a ", "loss": 5}}
  checkpoint: {file: last.pt, resume: [yolo, 5]}
design: one-factor
`), studies.Options{Set: []string{"trainer.metrics.columns.mAP_0.5=b"}})
	if err != nil {
		t.Fatal(err)
	}
	empty := ""
	if diff := cmp.Diff(&studies.Arguments{Each: "--{flag} {value}", IfFalse: &empty}, got.Trainer.Arguments); diff != "" {
		t.Error(diff)
	}
	want := &studies.Metrics{Format: "csv", File: "run/results.csv", Epoch: "epoch", First: 1, Columns: map[string]string{"mAP_0.5:0.95": "a", "mAP_0.5": "b", "loss": "5"}}
	if diff := cmp.Diff(want, got.Trainer.Metrics); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(&studies.Checkpoint{File: "last.pt", Resume: []string{"yolo", "5"}}, got.Trainer.Checkpoint); diff != "" {
		t.Error(diff)
	}
	stored, err := got.JSON()
	if err != nil {
		t.Fatal(err)
	}
	back, err := studies.FromJSON(stored)
	if err != nil {
		t.Fatal(err)
	}
	if extend, changes := studies.Diff(back, got); !extend || len(changes) > 0 {
		t.Errorf("the stored form differs: %v", changes)
	}
	back.Trainer.Metrics.First, back.Trainer.Arguments.IfFalse, back.Trainer.Checkpoint = 0, nil, nil
	if extend, changes := studies.Diff(back, got); extend || len(changes) != 3 {
		t.Errorf("changes %v", changes)
	}
}

// The whole message is kept as a golden file: it is what people see.
func TestPrettyFaults(t *testing.T) {
	_, err := studies.Parse([]byte(`name: my study
objective: {metric: mAP50-95, directoin: maximize}
trainer: {backend: native, model: gelan-n, data: builtin:digits, epochs: twenty}
baseline:
  lr0: 0.02
  mixup: 0.1
factors:
  mixup: [0.15, 0.0]
  lr0: {low: 0.001, high: 0.01, log: true, levels: [0.02, 0.01]}
  box:
design: one-facotr
`), studies.Options{File: "broken.yaml", Set: []string{"replicates=0", "budget.hours=2"}})
	if err == nil {
		t.Fatal("no error")
	}
	golden(t, "testdata/broken.txt", err.Error()+"\n")
}

func TestNotYAML(t *testing.T) {
	for name, src := range map[string]string{
		"empty":           "",
		"comment only":    "# nothing\n",
		"a list":          "- a\n",
		"a word":          "study",
		"open bracket":    "trainer: {backend: native\n",
		"tab":             "trainer:\n\tbackend: native\n",
		"bad indentation": "a: 1\n b: 2\n",
		"deep flow":       "a: " + strings.Repeat("[", 100000),
		"deep block":      strings.Repeat("- ", 100000) + "a",
		"binary":          "\x00\x01\xff\xfe",
		"huge":            "a: " + strings.Repeat("x", 1<<16),
		"alias bomb":      "a: &a [1]\nb: &b [*a, *a]\nc: [*b, *b]\n",
		"merge key":       "baseline:\n  <<: {a: 1}\n",
		"complex key":     "? [a, b]\n: 1\n",
	} {
		_, err := studies.Parse([]byte(src), studies.Options{File: "s.yaml"})
		if fs, ok := studies.AsFaults(err); !ok || len(fs) == 0 || fs[0].Message == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWindowsLineEndsAndMark(t *testing.T) {
	src := "\ufeff" + strings.ReplaceAll(whole, "\n", "\r\n")
	if _, err := studies.Parse([]byte(src), studies.Options{}); err != nil {
		t.Error(err)
	}
	_, err := studies.Parse([]byte(strings.ReplaceAll(minimal+"sede: 1\nkeep: {best: x}\n", "\n", "\r\n")), studies.Options{File: "s.yaml"})
	fs, _ := studies.AsFaults(err)
	if len(fs) != 2 || fs[0].Place() != "s.yaml:4:1" || fs[1].Place() != "s.yaml:5:14" || fs[1].Source != "keep: {best: x}" {
		t.Errorf("%#v", fs)
	}
}

func TestCheckName(t *testing.T) {
	for name, good := range map[string]bool{"quickstart": true, "a": true, "2026-11.v1_b": true, "": false, "a b": false, "../x": false,
		".hidden": false, "a/b": false, strings.Repeat("x", 64): true, strings.Repeat("x", 65): false, "a\n": false} {
		if err := studies.CheckName(name); (err == nil) != good {
			t.Errorf("%q: %v", name, err)
		}
	}
	var f studies.Fault
	if !errors.As(studies.CheckName("a b"), &f) || f.Hint == "" {
		t.Error("no hint")
	}
}

func TestNearest(t *testing.T) {
	known := []string{"lr0", "lrf", "mosaic", "mixup", "copy_paste", "warmup_epochs", "autoaugment"}
	for word, want := range map[string]string{"mosiac": "mosaic", "mix_up": "mixup", "copypaste": "copy_paste", "copy-paste": "copy_paste",
		"WarmupEpochs": "warmup_epochs", "auto_augment": "autoaugment", "lr": "lr0", "xyz": "", "": "", "momentum": "", strings.Repeat("m", 99): ""} {
		if got := studies.Nearest(word, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{whole, minimal, searching, "", "a: [", "? x", "- - -", "a: {b: {c: [1, {d: ~}]}}", "a: |\n  x\n", "{}", "name: 1e999", "&a *a", "!!x y", "<<: 1",
		"factors: {a: {low: 0, high: 1, step: 1e-300}}\ndesign: grid", searching, strings.Replace(searching, "trials: 40", "trials: 40, stop: {expected: .inf}", 1)} {
		f.Add(s, "factors.a.levels=[1]")
	}
	f.Fuzz(func(t *testing.T, src, set string) {
		spec, err := studies.Parse([]byte(src), studies.Options{File: "f", Set: []string{set}})
		if err != nil {
			fs, ok := studies.AsFaults(err)
			if !ok || len(fs) == 0 || err.Error() == "" {
				t.Fatalf("error without faults: %v", err)
			}
			return
		}
		b, err := spec.JSON()
		if err != nil {
			t.Fatalf("a valid study has no JSON: %v", err)
		}
		again, err := studies.FromJSON(b)
		if err != nil {
			t.Fatal(err)
		}
		if same, changes := studies.Diff(spec, again); !same || len(changes) > 0 {
			t.Fatalf("changed by JSON: %v", changes)
		}
	})
}
