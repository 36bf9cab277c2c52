package studies_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mapsweep/mapsweep/studies"
)

const plain = `name: a
trainer: {backend: native, model: gelan-n, data: builtin:digits, epochs: 2}
baseline: {mosaic: 1.0, mixup: 0.15, copy_paste: 0.3}
factors: {mosaic: [1.0, 0.0], mixup: [0.15, 0.0], copy_paste: [0.3, 0.0]}
`

func read(t *testing.T, rest string, set ...string) (studies.Spec, error) {
	t.Helper()
	return studies.Parse([]byte(plain+rest), studies.Options{File: "a.yaml", Set: set})
}

func TestReplicatesForms(t *testing.T) {
	x := func(v float64) *float64 { return &v }
	looks := func(most int, at ...int) studies.Spec {
		return studies.Spec{Replicates: most, Settle: &studies.Settle{Rule: "looks", Looks: at}}
	}
	for _, c := range []struct {
		file string
		set  []string
		want studies.Spec // of which replicates, settle and rules are compared
	}{
		{"", nil, studies.Spec{Replicates: 1}},
		{"replicates: 5", nil, studies.Spec{Replicates: 5}},
		{"replicates: {count: 5, margin: 0.01}", nil, studies.Spec{Replicates: 5, Rules: studies.Rules{Margin: x(0.01)}}},
		{"replicates: {margin: 0, alpha: 0.1, correction: dunnett}", nil,
			studies.Spec{Replicates: 1, Rules: studies.Rules{Margin: x(0), Alpha: 0.1, Correction: "dunnett"}}},
		{"replicates: {until: settled}", nil, looks(12, 3, 5, 8, 12)},
		{"replicates: {until: settled, max: 8}", nil, looks(8, 3, 5, 8)},
		{"replicates: {until: settled, max: 20}", nil, looks(20, 3, 5, 8, 12, 20)},
		{"replicates: {until: settled, max: 3}", nil, looks(3, 3)},
		{"replicates: {until: settled, max: 9, looks: [4, 9]}", nil, looks(9, 4, 9)},
		{"replicates: {until: settled, rule: anytime, max: 30}", nil, studies.Spec{Replicates: 30, Settle: &studies.Settle{Rule: "anytime"}}},
		{"replicates: 5", []string{"replicates.until=settled"}, looks(12, 3, 5, 8, 12)},
		{"replicates: 5", []string{"replicates.margin=0.01"}, studies.Spec{Replicates: 5, Rules: studies.Rules{Margin: x(0.01)}}},
		{"replicates: 5", []string{"replicates=7"}, studies.Spec{Replicates: 7}},
		{"replicates: {until: settled}", []string{"replicates.max=5"}, looks(5, 3, 5)},
	} {
		got, err := read(t, "design: one-factor\n"+c.file, c.set...)
		if err != nil {
			t.Errorf("%s %v: %v", c.file, c.set, err)
			continue
		}
		if diff := cmp.Diff(c.want, studies.Spec{Replicates: got.Replicates, Settle: got.Settle, Rules: got.Rules}); diff != "" {
			t.Errorf("%s %v: %s", c.file, c.set, diff)
		}
		b, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		var again studies.Spec
		if err := json.Unmarshal(b, &again); err != nil {
			t.Fatal(err)
		}
		if _, changes := studies.Diff(got, again); len(changes) > 0 {
			t.Errorf("%s: stored and read it is another study: %v", c.file, changes)
		}
	}
}

func TestFaultsOfDesignReplicatesAndTuning(t *testing.T) {
	for _, c := range []struct{ file, want string }{
		{"design: one-factor\nreplicates: 0", "at least 1"},
		{"design: one-factor\nreplicates: {count: 5, until: settled}", "both count and until"},
		{"design: one-factor\nreplicates: {max: 5}", "until: settled only"},
		{"design: one-factor\nreplicates: {until: settled, looks: [5, 3]}", "looks must rise"},
		{"design: one-factor\nreplicates: {until: settled, looks: [0, 3]}", "replicates.looks[0] must be a whole number from 2, not 0"},
		{"design: one-factor\nreplicates: {until: settled, looks: [1, 12]}", "at least 2 replicates"},
		{"design: one-factor\nreplicates: {until: settled, looks: [3, 5]}", "the last look is at 5 replicates, and max is 12"},
		{"design: one-factor\nreplicates: {until: settled, rule: anytime, looks: [3]}", "has no looks"},
		{"design: one-factor\nreplicates: {until: settled, correction: holm}", "its own share of alpha"},
		{"design: one-factor\nreplicates: {count: 5, correction: e-bh}", "which only rule anytime has"},
		{"design: one-factor\nreplicates: {alpha: 1}", "below 1"},
		{"design: one-factor\nreplicates: {margin: 1}", "below 1"},
		{"design: one-factor\nreplicates: {alpha: 0}", "above 0"},
		{"design: one-factor\nreplicates: {alpha: 1e-300}", "from 1e-06"},
		{"design: one-factor\nreplicates: {until: settled, looks: []}", "looks is empty"},
		{"design: one-factor\nobjective: {split: test}\ntune: {knobs: {lr0: {low: 0.001, high: 0.1}}, device_hours: 1e300}", "at most"},
		{"design: one-factor\nobjective: {metric: loss/box}\nreplicates: {margin: 1e308}", "at most"},
		{"design: grid\nreplicates: {until: settled}", "no reference"},
		{"design: one-faktor", "one-faktor"},
		{"design: {kind: one-factor, resolution: 4}", "does not read resolution"},
		{"design: {kind: plackett-burman, runs: 10}", "multiple of 4"},
		{"design: {kind: fractional-factorial, runs: 12}", "power of 2"},
		{"design: sobol", "how many points"},
		{"design: {resolution: 4}", `lacks the key "kind"`},
		{"design: one-factor\ntune: {knobs: {lr0: {low: 0.001, high: 0.1}}, device_hours: 0.1}", "so are its results"},
		{"design: one-factor\nobjective: {split: test}\ntune: {knobs: {lr0: {low: 0.1, high: 0.001}}, device_hours: 0.1}", "empty"},
		{"design: one-factor\nobjective: {split: test}\ntune: {knobs: {mosaic: [0.0, 1.0]}, device_hours: 0.1}", "tuned as well"},
		{"design: one-factor\nobjective: {split: test}\ntune: {knobs: {lr0: {low: 0.001, high: 0.1}}, device_hours: 0}", "above 0"},
		{"design: grid\nobjective: {split: test}\ntune: {knobs: {lr0: {low: 0.001, high: 0.1}}, device_hours: 1}", "has none"},
	} {
		if _, err := read(t, c.file); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.file, err, c.want)
		}
	}
	for _, good := range []string{
		"design: {kind: fractional-factorial, resolution: 3}", "design: plackett-burman", "design: {kind: plackett-burman, runs: 12, fold_over: true}",
		"design: {kind: latin-hypercube, runs: 20}", "design: {kind: one-factor}", "design: one-factor\nstore_matches: false",
		"design: one-factor\nobjective: {split: test}\ntune: {knobs: {lr0: {low: 0.001, high: 0.1}}, device_hours: 0.1}",
	} {
		if _, err := read(t, good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
}
