package reports_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/internal/fixture"
	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// specOf rewrites the resolved file of a made-up study.
func specOf(mk maker, edit func(*studies.Spec)) maker {
	return func() (trials.Study, []trials.Trial) {
		st, ts := mk()
		var spec studies.Spec
		if err := json.Unmarshal(st.Resolved, &spec); err != nil {
			panic(err)
		}
		edit(&spec)
		raw, err := json.Marshal(spec)
		if err != nil {
			panic(err)
		}
		st.Resolved = raw
		return st, ts
	}
}

// The paragraph says what is true of the study, and nothing that is not.
func TestMethods(t *testing.T) {
	quick := maker(fixture.Quickstart().Build)
	two := fixture.Quickstart()
	two.Data = []string{"builtin:digits", "builtin:trees"}
	for name, c := range map[string]struct {
		make      maker
		want, not []string
	}{
		"one factor": {quick, []string{"Each configuration of gelan-n was trained by the native trainer for 20 epochs on builtin:digits (256 train, 192 val images, 5 classes, SHA-256 9f8e7d6c5b4a…)",
			"at 128 px with batches of 16", "mAP50-95 on the val split after the last epoch", "5 replicates were planned per variant; a replicate has the same seed in every variant",
			"two-sided 95 % t intervals of the paired differences", "corrected by Holm's method over 4 comparisons at the level 0.05", "within ±0.2 points", "mapsweep 0.1.0, commit 0123456789ab",
			"not the choice of pictures"}, []string{"failed", "each data set", "tuned", "until"}},
		"two data sets": {two.Build, []string{"and on builtin:trees", "over 4 comparisons in each data set"}, nil},
		"best epoch": {specOf(quick, func(s *studies.Spec) { s.Objective.Epoch, s.Objective.BestBy = "best", "fitness" }),
			[]string{"at the best epoch of each trial, chosen by fitness"}, []string{"last epoch"}},
		"settled": {fixture.Settled, []string{"Replicates were added until a variant was settled, with verdicts possible at 3, 5, 8 and 12 of them, as planned before the first trial",
			"divided by 4 looks"}, []string{"5 replicates were planned"}},
		"anytime": {specOf(fixture.Settled, func(s *studies.Spec) { s.Settle = &studies.Settle{Rule: studies.RuleAnytime} }),
			[]string{"at most 12, with a verdict possible after each", "e-process"}, []string{"looks"}},
		"margin and level": {specOf(quick, func(s *studies.Spec) { m := 0.00125; s.Rules.Margin, s.Rules.Alpha = &m, 0.1 }),
			[]string{"within ±0.125 points", "at the level 0.1"}, []string{"0.05", "95 %"}},
		"tuned": {specOf(quick, func(s *studies.Spec) {
			s.Tune = &studies.Tune{Knobs: s.Factors[:1], DeviceHours: 0.5, Repeats: 3, Trials: 20, Sampler: "tpe", Split: "val"}
		}), []string{"tuned by itself before it was compared: 3 independent tunings over 1 knob, sampler tpe, at most 20 trials and 0.5 device-hours each, scored on the val split"}, nil},
		"screening":      {fixture.Screening, []string{"a design over 4 factors: Plackett-Burman, 8 points", "2 replicates were planned"}, []string{"Effects are", "Holm"}},
		"search":         {search, []string{"sampler tpe over 4 parameters", "pruner median", "no test was made"}, []string{"replicates", "Holm"}},
		"all failed":     {fixture.Degenerate()["all-failed"], []string{"No effect could be tested", "Of 25 planned trials, 25 failed."}, []string{"Holm"}},
		"still running":  {fixture.Degenerate()["running"], []string{"Of 25 planned trials, 1 failed, 13 have not finished."}, nil},
		"other programs": {func() (trials.Study, []trials.Trial) { return fixture.Foreign(3) }, []string{"recorded by another program"}, []string{"Software"}},
	} {
		s := snapshot(t, c.make)
		got := reports.Methods(s)
		for _, w := range c.want {
			if !strings.Contains(got, w) {
				t.Errorf("%s: no %q in\n%s", name, w, got)
			}
		}
		for _, n := range c.not {
			if strings.Contains(got, n) {
				t.Errorf("%s: %q in\n%s", name, n, got)
			}
		}
		if strings.Contains(got, "NaN") || strings.Contains(got, "  ") || !strings.HasSuffix(got, ".") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// What a study went on with elsewhere is told.
func TestMethodsElsewhere(t *testing.T) {
	st, ts := fixture.Quickstart().Build()
	later := st.Provenance
	later.Commit, later.CPU = "feedbeeffeed", "Other CPU"
	st.Attrs = map[string]json.RawMessage{trials.AttrProvenance: trials.Attr([]trials.Continuation{{At: fixture.Start, Provenance: later}})}
	s, err := reports.New(st, ts)
	if err != nil {
		t.Fatal(err)
	}
	if got := reports.Methods(s); !strings.Contains(got, "went on with commit 0123456789ab → feedbeeffeed, processor Example CPU → Other CPU.") {
		t.Error(got)
	}
	if got := strings.Join(s.How(&s.Blocks[0]).Lines(), "\n"); !strings.Contains(got, "Later trials: commit 0123456789ab → feedbeeffeed") {
		t.Error(got)
	}
}

// Another metric takes the objective's place, with its own direction, and without the objective's margin.
func TestRescored(t *testing.T) {
	s := snapshot(t, specOf(fixture.Quickstart().Build, func(s *studies.Spec) { m := 0.5; s.Rules.Margin = &m }))
	r, err := s.Rescored("loss/box")
	if err != nil {
		t.Fatal(err)
	}
	a := s.Blocks[0].Arms[0]
	mean, _, n := a.MetricMean("loss/box")
	if b := r.Blocks[0]; n != 5 || b.Arms[0].Mean != mean || r.Metric.Key != "loss/box" || r.Metric.Direction != trials.Minimize || b.Margin != 0 {
		t.Errorf("%+v, margin %g", r.Metric, b.Margin)
	}
	if _, err := s.Rescored("mAP51"); err == nil || !strings.Contains(err.Error(), "no trial measured it") {
		t.Errorf("an unknown metric: %v", err)
	}
	if same, err := s.Rescored("mAP50-95"); err != nil || same != s {
		t.Errorf("the objective itself: %v", err)
	}
}

// Effects with Dunnett's correction are told as what they are: one spread for all arms, not paired.
func TestMethodsDunnett(t *testing.T) {
	s := snapshot(t, fixture.Quickstart().Build)
	b := &s.Blocks[0]
	for i := range b.Effects {
		b.Effects[i].Method, b.Effects[i].Correction = inference.Pooled, inference.ByDunnett
	}
	how := strings.Join(s.How(b).Lines(), "\n") + reports.Methods(s)
	for _, w := range []string{"Test: t test with one standard deviation from all arms, not paired at the level 0.05, Dunnett's correction over 4 comparisons",
		"t intervals with one standard deviation from all arms, not paired, each variant alone", "corrected by Dunnett's method"} {
		if !strings.Contains(how, w) {
			t.Errorf("no %q in\n%s", w, how)
		}
	}
}
