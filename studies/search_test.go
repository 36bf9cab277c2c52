package studies_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trials"
)

// searching is a search with every key; tests change it by overrides.
const searching = `name: s
objective:
  metric: mAP50-95
  also: [{metric: time/image}, {metric: recall, direction: maximize}]
trainer: {backend: native, model: gelan-n, data: builtin:digits, epochs: 20}
baseline: {mosaic: 1.0}
factors:
  lr0: {low: 0.001, high: 0.1, log: true}
  mosaic: [1.0, 0.0]
  mixup: {low: 0, high: 0.5, step: 0.25, requires: {mosaic: 1.0}}
  warmup: {low: 0, high: 2, int: true}
  policy: [none, randaugment]
design: search
search:
  sampler: tpe
  sampler_options: {startup: 7, liar: true}
  trials: 40
  fix: {warmup: 1}
  forbid: [{policy: randaugment, mixup: 0.5}]
  try: [{lr0: 0.01, mixup: 0.25}, {lr0: 0.02, policy: randaugment}]
  warm_start: [first, second]
constraints: [{metric: time/epoch, at_most: 60}, {metric: precision, at_least: 0.5}]
data_split: {tune: val, report: test}
budget: {parallel: 2, epochs: 400, wall_clock: 12h}
`

func TestParseSearch(t *testing.T) {
	got, err := studies.Parse([]byte(searching), studies.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := &studies.Search{Sampler: "tpe", SamplerOptions: trials.Params{"startup": int64(7), "liar": true}, Trials: 40, Pruner: "none",
		Fix: trials.Params{"warmup": int64(1)}, Forbid: []trials.Params{{"policy": "randaugment", "mixup": 0.5}},
		Try:       []trials.Params{{"lr0": 0.01, "mixup": 0.25}, {"lr0": 0.02, "policy": "randaugment"}},
		WarmStart: []string{"first", "second"}}
	if diff := cmp.Diff(want, got.Search); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]trials.Goal{{Metric: "mAP50-95", Direction: trials.Maximize}, {Metric: "time/image", Direction: trials.Minimize},
		{Metric: "recall", Direction: trials.Maximize}}, got.Objective.Goals()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]studies.Constraint{{Metric: "time/epoch", AtMost: ptr(60)}, {Metric: "precision", AtLeast: ptr(0.5)}}, got.Constraints); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(studies.Budget{Parallel: 2, Epochs: 400, WallClock: "12h"}, got.Budget); diff != "" {
		t.Error(diff)
	}
	if *got.DataSplit != (studies.DataSplit{Tune: "val", Report: "test"}) || got.Objective.Split != "val" {
		t.Errorf("split %s, %+v", got.Objective.Split, got.DataSplit)
	}
	b, err := got.JSON()
	if err != nil {
		t.Fatal(err)
	}
	back, err := studies.FromJSON(b)
	if err != nil {
		t.Fatal(err)
	}
	if same, changes := studies.Diff(got, back); !same || len(changes) > 0 {
		t.Errorf("changed by JSON: %v", changes)
	}
	turned, err := studies.Parse([]byte(searching), studies.Options{Set: []string{"data_split={tune: test, report: val}"}})
	if err != nil || turned.Objective.Split != "test" {
		t.Errorf("tuned on test, scored on %q: %v", turned.Objective.Split, err)
	}
	stop, err := studies.Parse([]byte(searching), studies.Options{Set: []string{"objective.also=[]", "search.sampler=gp", "search.stop={no_improvement: 10, expected: 0.001}", "search.pruner=hyperband", "search.pruner_options.eta=3"}})
	if err != nil || *stop.Search.Stop != (studies.Stop{NoImprovement: 10, Expected: 0.001}) || stop.Search.PrunerOptions["eta"] != int64(3) {
		t.Errorf("stop %+v: %v", stop.Search, err)
	}
}

// one is searching with one objective.
var one = strings.Replace(searching, "\n  also: [{metric: time/image}, {metric: recall, direction: maximize}]", "", 1)

func TestSearchFaults(t *testing.T) {
	for _, c := range []struct {
		name string
		src  string
		set  []string
		want []string // message and hint of the faults
	}{
		{"sampler", one, []string{"search.sampler=nsga"}, []string{`search.sampler cannot be "nsga" (did you mean "nsga2"?)`}},
		{"pruner", one, []string{"search.pruner=asah"}, []string{`search.pruner cannot be "asah" (did you mean "asha"?)`}},
		{"options", one, []string{"search.sampler_options={a: [1]}", "search.pruner_options=3"},
			[]string{`search.sampler_options.a must be one value, not a list`, `search.pruner_options must be a mapping of knobs to values, not 3 (for instance {lr0: 0.01})`}},

		{"fixed stranger", one, []string{"search.fix={polcy: none}"}, []string{`search.fix has polcy, which is no factor of the study (did you mean "policy"?)`}},
		{"fixed baseline", one, []string{"baseline.box=7.5", "search.fix={box: 7.5}"},
			[]string{`search.fix has box, which is no factor of the study (box is set under baseline: for all trials)`}},
		{"fixed outside", one, []string{"search.fix={lr0: 1, policy: blur, warmup: 1.5}"}, []string{
			`lr0 cannot be the number 1 (its range is 0.001 to 0.1)`, `policy cannot be the text "blur" (levels are none, randaugment)`,
			`warmup cannot be the number 1.5 (its range is 0 to 2, whole numbers)`}},
		{"all fixed", one, []string{"search.try=[]", "search.forbid=[]", "search.fix={lr0: 0.01, mosaic: 1, mixup: 0, warmup: 1, policy: none}"},
			[]string{`search.fix has all factors: nothing is left to search (leave a factor out of it)`}},
		{"empty combination", one, []string{"search.forbid=[{mixup: 0.5}, {}]"}, []string{
			`search.forbid[1] is empty (name a factor and its value)`}},
		{"forbidden values", one, []string{"search.forbid=[{mxiup: 0.5}, {mixup: 0.3}]"}, []string{
			`search.forbid[0] has mxiup, which is no factor of the study (did you mean "mixup"?)`,
			`mixup cannot be the number 0.3 (its range is 0 to 0.5 in steps of 0.25)`}},
		{"forbidden point of a range", one, []string{"search.forbid=[{lr0: 0.02, policy: none}]"},
			[]string{`lr0 can have any value of its range, and a sampler will hardly ever propose just 0.02 (give the factor levels, step or int)`}},
		{"all forbidden", one, []string{"search.try=[]", "search.forbid=[{policy: none, mosaic: 1}, {policy: none, mosaic: 0}, {policy: randaugment}]"},
			[]string{`search.forbid leaves no point to try`}},
		{"all forbidden beside what is fixed", one, []string{"search.try=[]", "search.forbid=[{warmup: 1}]"}, []string{`search.forbid leaves no point to try`}},
		{"nearly all forbidden", one, []string{"search.try=[]", "search.forbid=[{warmup: 0}, {warmup: 2}, {mixup: 0}, {mixup: 0.25}]"}, nil},
		{"tried", one, []string{"search.trials=3", "search.try=[{mosiac: 1}, {lr0: 7}, {warmup: 2}, {lr0: 0.01}, {lr0: 0.01}, {policy: randaugment, mixup: 0.5}]"}, []string{
			`search.try has 6 points, and search.trials is 3 (raise search.trials to 6, or leave points out)`,
			`search.try[0] has mosiac, which is no factor of the study (did you mean "mosaic"?)`,
			`lr0 cannot be the number 7 (its range is 0.001 to 0.1)`,
			`search.fix holds warmup at 1 (leave it out)`,
			`the point {lr0=0.01} is there twice`,
			`the point {mixup=0.5 policy=randaugment} is forbidden by search.forbid[0] (leave one of them out)`}},
		{"lists", one, []string{"search.try={lr0: 1}", "search.forbid=[3]", "constraints={metric: a}"}, []string{
			`search.forbid[0] must be a mapping of knobs to values, not 3 (for instance {lr0: 0.01})`,
			`search.try must be a list of mappings of factors to values, not a mapping (for instance [{lr0: 0.01}])`,
			`constraints must be a list of constraints, not a mapping (for instance [{metric: time/epoch, at_most: 60}])`}},
		{"warm start", one, []string{"search.warm_start=[s, a, a, '../b']"}, []string{`the study cannot start from its own trials (a study that is run again goes on by itself)`,
			`study a is there twice`, `"../b" cannot name a study`}},
		{"stop", one, []string{"search.stop={no_improvement: 0, expected: -1}"}, []string{
			`search.stop.no_improvement must be at least 1, not 0`, `search.stop.expected must be at least 0, not -1`}},
		{"stop of a sampler that expects nothing", one, []string{"search.stop.expected=0.01"}, []string{
			`sampler tpe does not tell what it expects of a further point (stop by no_improvement, or write sampler: gp)`}},
		{"options of no pruner", one, []string{"search.pruner_options.warm_up=3"}, []string{
			`search.pruner_options are of no pruner: search.pruner is none (name a pruner, or leave them out)`}},
		{"stop of several", searching, []string{"search.stop.no_improvement=5"}, []string{`search.stop is read with one objective only: no point is the best of several (leave it out)`}},

		{"one objective twice", searching, []string{"objective.also=[{metric: mAP50-95}]"}, []string{`the objective mAP50-95 is there twice`}},
		{"an objective without metric", searching, []string{"objective.also=[{direction: minimize}]"}, []string{`objective.also[0] lacks the key "metric"`}},
		{"misspelt objective", searching, []string{"objective.also=[{metric: time_epoch}]"}, nil},
		{"near objective", searching, []string{"objective.also=[{metric: map-50}]"}, []string{`no trainer reports a metric "map-50" (did you mean "mAP50"?)`}},
		{"four objectives", searching, []string{"objective.also=[{metric: a}, {metric: b}, {metric: c}]"}, []string{`4 objectives are more than 3 (make one of them a constraint)`}},
		{"pruner of several", searching, []string{"search.pruner=wilcoxon"}, []string{`pruner wilcoxon compares trials by one objective, and the study has 3 (write pruner: none)`}},
		{"sampler of one", searching, []string{"search.sampler=cmaes"}, []string{`sampler cmaes knows one objective, and the study has 3 (use nsga2, tpe, random, sobol or grid)`}},
		{"not a search", searching, []string{"design=one-factor", "factors.lr0.levels=[0.01, 0.02]", "factors.mixup.levels=[0, 0.25]", "factors.warmup.levels=[0, 1]"}, []string{
			`a further objective is for a search only, not for design one-factor (leave it out, or write design: search)`,
			`a constraint is for a search only, not for design one-factor (leave it out, or write design: search)`,
			`data_split is for a search only, not for design one-factor (leave it out, or write design: search)`}},

		{"constraint without bound", one, []string{"constraints=[{metric: a}, {metric: b, at_most: 1, at_least: 0}]"}, []string{
			`the constraint on a needs one of at_most and at_least (for instance {metric: time/epoch, at_most: 60})`,
			`the constraint on b needs one of at_most and at_least (for instance {metric: time/epoch, at_most: 60})`}},
		{"constraints that contradict", one, []string{"constraints=[{metric: a, at_most: 1}, {metric: a, at_most: 2}, {metric: a, at_least: 3}]"}, []string{
			`the constraint on a is there twice`,
			`no point meets this and constraints[0]: a cannot be at least 3 and at most 1`, `no point meets this and constraints[1]: a cannot be at least 3 and at most 2`}},
		{"a band", one, []string{"constraints=[{metric: a, at_most: 3}, {metric: a, at_least: 3}]"}, nil},

		{"equal splits", one, []string{"data_split.report=val"},
			[]string{`a search that is tuned and reported on val is quoted by the pictures that chose it (for instance data_split: {tune: val, report: test})`}},
		{"two splits", one, []string{"objective.split=test"}, []string{`objective.split is test, and data_split.tune is val (leave it out)`}},
		{"budget", one, []string{"budget.epochs=10", "budget.wall_clock=soon"}, []string{
			`budget.wall_clock is no duration: "soon" (for instance 90m, 12h or 72h)`, `budget.epochs is 10, and one trial takes 20`}},
	} {
		_, err := studies.Parse([]byte(c.src), studies.Options{Set: c.set})
		fs, _ := studies.AsFaults(err)
		var got []string
		for _, f := range fs {
			text := f.Message
			if f.Hint != "" {
				text += " (" + f.Hint + ")"
			}
			got = append(got, text)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
	}
}

// A fault of a point by hand is shown where it stands.
func TestPlaceOfPoints(t *testing.T) {
	_, err := studies.Parse([]byte(strings.Replace(one, "policy: randaugment}]\n  warm", "policy: blur}]\n  warm", 1)), studies.Options{File: "s.yaml"})
	fs, _ := studies.AsFaults(err)
	if len(fs) != 1 || fs[0].Place() != "s.yaml:19:55" {
		t.Errorf("%v", err)
	}
}

func TestFixAndTryKnowRequirements(t *testing.T) {
	for _, c := range []struct{ name, set, want string }{
		{"fine", "search.fix={mosaic: 1}", ""},
		{"a fixed requirement", "search.fix={mosaic: 0}", "mixup changes nothing here: it requires mosaic=1, and search.fix has mosaic=0 (fix mixup as well, or search over mosaic)"},
		{"both fixed", "search.fix={mosaic: 0, mixup: 0}", ""},
		{"a try without its requirement", "search.try=[{mosaic: 0, mixup: 0.25}]",
			"mixup changes nothing at this point: it requires mosaic=1, and the point has mosaic=0 (add mosaic to the point, or leave mixup out of it)"},
		{"a try with its requirement", "search.try=[{mosaic: 1, mixup: 0.25}]", ""},
	} {
		spec, err := studies.Parse([]byte(one), studies.Options{Set: []string{"search.forbid=[]", "search.try=[]", c.set}})
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		var got string
		if err := studies.Validate(spec, nil, false); err != nil {
			fs, _ := studies.AsFaults(err)
			got = fs[0].Message + " (" + fs[0].Hint + ")"
		}
		if got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestDiffSearch(t *testing.T) {
	for _, c := range []struct {
		name, from, set string
		extend          bool
		want            string
	}{
		{"options", one, "search.sampler_options.startup=8", false, "search.sampler_options.startup: 7 -> 8"},
		{"the same option otherwise written", one, "search.sampler_options.startup=7.0", true, ""},
		{"pruner options", strings.Replace(one, "  trials: 40", "  trials: 40\n  pruner: asha", 1), "search.pruner_options.eta=3", false, "search.pruner_options.eta: (nothing) -> 3"},
		{"fix", one, "search.fix={warmup: 2}", false, "search.fix.warmup: 1 -> 2"},
		{"forbid", one, "search.forbid=[]", false, "search.forbid: {mixup=0.5 policy=randaugment} -> (nothing)"},
		{"a point more", one, "search.try=[{lr0: 0.01, mixup: 0.25}, {lr0: 0.02, policy: randaugment}, {lr0: 0.05}]", true,
			"search.try: {lr0=0.01 mixup=0.25}, {lr0=0.02 policy=randaugment} -> {lr0=0.01 mixup=0.25}, {lr0=0.02 policy=randaugment}, {lr0=0.05}"},
		{"a point first", one, "search.try=[{lr0: 0.05}, {lr0: 0.01, mixup: 0.25}]", false,
			"search.try: {lr0=0.01 mixup=0.25}, {lr0=0.02 policy=randaugment} -> {lr0=0.05}, {lr0=0.01 mixup=0.25}"},
		{"warm start", one, "search.warm_start=[first]", false, `search.warm_start: ["first","second"] -> ["first"]`},
		{"stop", strings.Replace(one, "sampler: tpe", "sampler: gp", 1), "search.stop={no_improvement: 5, expected: 0.01}", true, "search.stop: (nothing) -> {no_improvement: 5, expected: 0.01}"},
		{"objectives", searching, "objective.also=[{metric: time/image}]", false, "objective.also: minimize time/image, maximize recall -> minimize time/image"},
		{"constraints", one, "constraints=[{metric: time/epoch, at_most: 50}, {metric: precision, at_least: 0.5}]", false,
			"constraints: time/epoch at most 60, precision at least 0.5 -> time/epoch at most 50, precision at least 0.5"},
		{"data_split", one, "data_split={tune: test, report: val}", false, `objective.split: val -> test; data_split: {"tune":"val","report":"test"} -> {"tune":"test","report":"val"}`},
		{"budget", one, "budget={parallel: 2, epochs: 800, wall_clock: 24h}", true, "budget.epochs: 400 -> 800; budget.wall_clock: 12h -> 24h"},
	} {
		old, err := studies.Parse([]byte(c.from), studies.Options{})
		if err != nil {
			t.Fatal(err)
		}
		now, err := studies.Parse([]byte(c.from), studies.Options{Set: []string{c.set}})
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		extend, changes := studies.Diff(old, now)
		var got []string
		for _, ch := range changes {
			got = append(got, ch.String())
		}
		if text := strings.Join(got, "; "); extend != c.extend || text != c.want {
			t.Errorf("%s: extend %v\n got %s\nwant %s", c.name, extend, text, c.want)
		}
	}
}
