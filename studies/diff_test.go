package studies_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mapsweep/mapsweep/studies"
)

const fixed = `name: a
trainer: {backend: native, model: gelan-n, data: builtin:digits, epochs: 2}
baseline: {lr0: 0.01, mosaic: 1}
factors: {mixup: [0.15, 0], lr0: {low: 0.001, high: 0.1, levels: [0.01, 0.02]}}
design: one-factor
replicates: 3
`

func TestDiff(t *testing.T) {
	search := strings.Replace(fixed, "design: one-factor\nreplicates: 3", "design: search\nsearch: {trials: 10}", 1)
	loo := strings.Replace(fixed, "one-factor", "leave-one-out", 1)
	for _, c := range []struct {
		name, from string
		set        []string
		extend     bool
		want       []string
	}{
		{"nothing", fixed, nil, true, nil},
		{"the same value otherwise written", fixed, []string{"baseline.mosaic=1.0", "baseline.lr0=1e-2"}, true, nil},
		{"more replicates", fixed, []string{"replicates=5"}, true, []string{"replicates: 3 -> 5"}},
		{"fewer replicates", fixed, []string{"replicates=2"}, false, []string{"replicates: 3 -> 2"}},
		{"budget, keep, time limit, words", fixed,
			[]string{"budget.parallel=4", "budget.device_hours=1.5", "keep.best=1", "keep.last=0", "trainer.timeout=1h", "description=new words"}, true,
			[]string{"description: (nothing) -> new words", "trainer.timeout: (nothing) -> 1h", "budget.parallel: 0 -> 4",
				"budget.device_hours: 0 -> 1.5", "keep.best: 3 -> 1", "keep.last: 1 -> 0"}},
		{"a level more", fixed, []string{"factors.mixup=[0.15, 0, 0.5]"}, true, []string{"factors.mixup.levels: [0.15, 0] -> [0.15, 0, 0.5]"}},
		{"levels in another order", fixed, []string{"factors.mixup=[0.15, 0.5, 0]"}, false, []string{"factors.mixup.levels: [0.15, 0] -> [0.15, 0.5, 0]"}},
		{"another level", fixed, []string{"factors.mixup=[0.15, 0.5]"}, false, []string{"factors.mixup.levels: [0.15, 0] -> [0.15, 0.5]"}},
		{"a level more in leave-one-out", loo, []string{"factors.mixup=[0.15, 0, 0.5]"}, false, []string{"factors.mixup.levels: [0.15, 0] -> [0.15, 0, 0.5]"}},
		{"a level more in a search", search, []string{"factors.mixup=[0.15, 0, 0.5]"}, false, []string{"factors.mixup.levels: [0.15, 0] -> [0.15, 0, 0.5]"}},
		{"a level more beside a range in a search", search, []string{"factors.lr0.levels=[0.01, 0.03]"}, true, []string{"factors.lr0.levels: [0.01, 0.02] -> [0.01, 0.03]"}},
		{"more trials", search, []string{"search.trials=20"}, true, []string{"search.trials: 10 -> 20"}},
		{"fewer trials, other sampler", search, []string{"search.trials=5", "search.sampler=sobol", "search.pruner=median"}, false,
			[]string{"search.sampler: tpe -> sobol", "search.trials: 10 -> 5", "search.pruner: none -> median"}},
		{"range", search, []string{"factors.lr0.high=0.2", "factors.lr0.log=true"}, false, []string{"factors.lr0.high: 0.1 -> 0.2", "factors.lr0.log: false -> true"}},
		{"trainer", fixed, []string{"trainer.epochs=3", "trainer.data=[builtin:digits, builtin:trees]", "trainer.device=cuda"}, false,
			[]string{"trainer.data: builtin:digits -> builtin:digits, builtin:trees", "trainer.epochs: 2 -> 3", "trainer.device: cpu -> cuda"}},
		{"the default device written out", fixed, []string{"trainer.device=cpu"}, true, nil},
		{"precision", fixed, []string{"trainer.precision=bf16"}, false, []string{"trainer.precision: fp32 -> bf16"}},
		{"convolution", fixed, []string{"trainer.convolution=direct"}, false, []string{"trainer.convolution: auto -> direct"}},
		{"the default convolution written out", fixed, []string{"trainer.convolution=auto"}, true, nil},
		{"the default precision written out", fixed, []string{"trainer.precision=fp32"}, true, nil},
		{"baseline", fixed, []string{"baseline.mosaic=0", "baseline.box=7.5"}, false, []string{"baseline.box: (nothing) -> 7.5", "baseline.mosaic: 1 -> 0"}},
		{"a new factor", fixed, []string{"factors.box=[7.5, 10]"}, false, []string{"baseline.box: (nothing) -> 7.5", "factors.box: (nothing) -> [7.5, 10]"}},
		{"requires", fixed, []string{"factors.mixup.requires.mosaic=1"}, false, []string{"factors.mixup.requires.mosaic: (nothing) -> 1"}},
		{"objective, seed and name", fixed, []string{"name=b", "seed=1", "objective.metric=loss/box", "objective.epoch=best"}, false,
			[]string{"name: a -> b", "objective.metric: mAP50-95 -> loss/box", "objective.direction: maximize -> minimize", "objective.epoch: last -> best", "seed: 0 -> 1"}},
		{"defaults written out", search, []string{"search={trials: 10, sampler: tpe, pruner: none}", "trainer.batch=16", "keep={best: 3}"}, true, nil},
	} {
		old, err := studies.Parse([]byte(c.from), studies.Options{})
		if err != nil {
			t.Fatal(err)
		}
		now, err := studies.Parse([]byte(c.from), studies.Options{Set: c.set})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		extend, changes := studies.Diff(old, now)
		var got []string
		for _, ch := range changes {
			got = append(got, ch.String())
		}
		if extend != c.extend {
			t.Errorf("%s: extend %v, want %v", c.name, extend, c.extend)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
	}
}

// Versions that trained on the CPU alone recorded auto where a study said nothing.
func TestDiffDevice(t *testing.T) {
	for _, c := range []struct {
		backend, old, now string
		want              int
	}{
		{"native", "auto", "", 0}, {"native", "", "auto", 1}, {"native", "auto", "auto", 0}, {"native", "auto", "cpu", 1}, {"native", "cpu", "", 0},
		{"native", "cuda:0", "", 1}, {"yolov9", "auto", "cpu", 1}, {"yolov9", "auto", "auto", 0},
	} {
		spec := func(device string) studies.Spec {
			return studies.Spec{Trainer: studies.Trainer{Backend: c.backend, Device: device}}
		}
		if _, changes := studies.Diff(spec(c.old), spec(c.now)); len(changes) != c.want {
			t.Errorf("%s, from %q to %q: %v", c.backend, c.old, c.now, changes)
		}
	}
}

func TestDiffFactors(t *testing.T) {
	old, err := studies.Parse([]byte(fixed), studies.Options{})
	if err != nil {
		t.Fatal(err)
	}
	swapped := old
	swapped.Factors = []studies.Factor{old.Factors[1], old.Factors[0]}
	extend, changes := studies.Diff(old, swapped)
	if extend || len(changes) != 1 || changes[0].String() != "factors: mixup, lr0 -> lr0, mixup" {
		t.Errorf("another order: %v %v", extend, changes)
	}
	fewer := old
	fewer.Factors = old.Factors[:1]
	extend, changes = studies.Diff(old, fewer)
	if extend || len(changes) != 1 || changes[0].String() != "factors.lr0: 0.001 to 0.1 [0.01, 0.02] -> (nothing)" {
		t.Errorf("a factor less: %v %v", extend, changes)
	}
	other := old
	other.Design = studies.DesignGrid
	if extend, _ := studies.Diff(old, other); extend {
		t.Error("another design extends")
	}
}

func TestJSON(t *testing.T) {
	for _, src := range []string{whole, minimal, fixed} {
		s, err := studies.Parse([]byte(src), studies.Options{})
		if err != nil {
			t.Fatal(err)
		}
		b, err := s.JSON()
		if err != nil {
			t.Fatal(err)
		}
		got, err := studies.FromJSON(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s, got); diff != "" {
			t.Error(diff)
		}
	}
	for _, bad := range []string{"", "[]", `{"factors": [{"levels": [[1]]}]}`, `{"factors": [{"name": 3}]}`} {
		if _, err := studies.FromJSON([]byte(bad)); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}
