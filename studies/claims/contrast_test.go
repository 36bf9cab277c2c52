package claims_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/claims"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/studies/shipped"
	"github.com/mapsweep/mapsweep/trials"
)

// The study that checks a claim is made from its shipped study: it fits the claim, has an arm for each setting that
// differs from the next in what is claimed alone, and settles.
func TestCheckStudies(t *testing.T) {
	for _, c := range claims.All() {
		s, err := shipped.Open(c.Study)
		if err != nil {
			t.Fatal(err)
		}
		for _, backend := range s.Backends() {
			at := c.ID + " on " + backend
			spec, err := studies.Parse(s.Files[backend], studies.Options{Set: c.Overrides("claim-"+c.ID, backend)})
			if err != nil {
				t.Errorf("%s: %v", at, err)
				continue
			}
			if err := c.Fits(spec); err != nil {
				t.Errorf("%s does not fit: %v", at, err)
			}
			if spec.Name != "claim-"+c.ID || spec.Settle == nil || spec.Replicates != claims.MostReplicates || spec.Objective.Metric != c.Objective(backend) {
				t.Errorf("%s: %+v", at, spec)
			}
			plan, err := design.Points(spec)
			if err != nil {
				t.Fatal(err)
			}
			cs := c.Comparisons(backend)
			if len(plan.Arms) != len(cs)+1 {
				t.Errorf("%s: %d arms for %d pairs", at, len(plan.Arms), len(cs))
			}
			for _, k := range cs {
				from, ok := plan.Arm(k.FromArm)
				to, ok2 := plan.Arm(k.ToArm)
				if !ok || !ok2 {
					t.Errorf("%s: no arm %s or %s", at, k.FromArm, k.ToArm)
					continue
				}
				if from.Params.With(k.To).Key() != to.Params.Key() || to.Params.With(k.From).Key() != from.Params.Key() {
					t.Errorf("%s: %s and %s differ in more than what is claimed", at, k.FromArm, k.ToArm)
				}
				holds(t, at, from.Params, c.Requires)
			}
		}
	}
}

func TestObjective(t *testing.T) {
	for id, want := range map[string][2]string{"mixup-off": {"mAP50@small+dense", "coco/mAP50@small+dense"}, "mosaic": {"mAP50", "mAP50"}, "cache": {"time/epoch", "time/epoch"}} {
		for i, backend := range []string{"native", "yolov9"} {
			if got := find(t, id).Objective(backend); got != want[i] {
				t.Errorf("%s on %s: %s, want %s", id, backend, got, want[i])
			}
		}
	}
}

// A study that was changed in anything that decides the outcome does not fit; its length and data are free.
func TestFits(t *testing.T) {
	c := find(t, "shelf-case")
	s, err := shipped.Open(c.Study)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct{ set, want string }{
		{"trainer.epochs=2", ""}, {"trainer.data=x", ""}, {"replicates.max=5", ""}, {"replicates.rule=anytime", ""}, {"baseline.lr0=0.01", ""},
		{"baseline.mixup=0.2", "baseline.mixup is 0.2, the claim has 0"},
		{"baseline.mosaic=0.5", "baseline.mosaic is 0.5, the claim has 1"},
		{"variants.to.mixup=0.3", "variants.to.mixup is 0.3"},
		{"variants.to.lr0=0.3", "knobs of variant to is 3, the claim has 2"},
		{"variants.more={lr0: 1}", "the number of variants is 3"},
		{"objective.metric=mAP75", "objective.metric is mAP75"},
		{"replicates.margin=0.01", "replicates.margin is 0.01, the claim has 0.002"},
		{"replicates.alpha=0.2", "replicates.alpha is 0.2"},
		{"trainer.data=[x, y]", "2 data sets"},
		{`replicates={"count": 5, "margin": 0.002, "alpha": 0.05}`, "replicates has a fixed number, the claim has until: settled"},
	} {
		spec, err := studies.Parse(s.Files["native"], studies.Options{Set: append(c.Overrides("a", "native"), k.set)})
		if err != nil {
			t.Errorf("%s: %v", k.set, err)
			continue
		}
		if err := c.Fits(spec); (err == nil) != (k.want == "") || err != nil && !strings.Contains(err.Error(), k.want) {
			t.Errorf("%s: %v, want %q", k.set, err, k.want)
		}
	}
}

// A claim of more than three settings runs all replicates: not every pair has the baseline on one side.
func TestManySteps(t *testing.T) {
	src := strings.NewReplacer("    to: {x: 2}\n", "    via: [{x: 2}, {x: 3}]\n    to: {x: 4}\n", "    expected: [1, 2]\n", "    reported: [{value: 1}, {value: 2}, {value: 3}, {value: 4}]\n").Replace(good)
	all, err := claims.Parse([]byte(src), "f")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, k := range all[0].Comparisons("command") {
		names = append(names, k.FromArm+">"+k.ToArm)
	}
	if got := strings.Join(names, " "); got != "from>baseline baseline>via-2 via-2>to" {
		t.Error(got)
	}
	spec, err := studies.Parse([]byte("name: s\ntrainer: {backend: command, command: [x]}\ndesign: one-factor\n"), studies.Options{Set: all[0].Overrides("a", "command")})
	if err != nil || spec.Settle != nil || spec.Replicates != claims.MostReplicates || all[0].Fits(spec) != nil {
		t.Errorf("%+v, %v, %v", spec, err, all[0].Fits(spec))
	}
	spec.Settle = &studies.Settle{Rule: studies.RuleLooks, Looks: []int{3, 5, 8, 12}}
	if err := all[0].Fits(spec); err == nil || !strings.Contains(err.Error(), "replicates.until is settled, a claim of more than three settings has a fixed number") {
		t.Errorf("until settled: %v", err)
	}
}

// A claim that was written as a file, or kept with a study, is the same claim.
func TestFileAndRegistration(t *testing.T) {
	for _, c := range claims.All() {
		again, err := claims.Parse(c.File(), c.ID+".yaml")
		if err != nil {
			t.Errorf("%s: %v\n%s", c.ID, err, c.File())
			continue
		}
		if again[0].Hash() != c.Hash() || again[0].Figure() != c.Figure() || again[0].Advice != c.Advice || again[0].Study != c.Study || again[0].Scene.Words != c.Scene.Words {
			t.Errorf("%s became another claim:\n%s", c.ID, c.File())
		}
		at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
		st := trials.Study{Name: "s", Attrs: map[string]json.RawMessage{claims.Attr: trials.Attr(claims.Register(c, at))}}
		r, ok, err := claims.Of(st)
		if err != nil || !ok || r.Hash != c.Hash() || !r.At.Equal(at) || r.File != string(c.File()) || len(r.Claim.Pairs("native")) != len(c.Pairs("native")) {
			t.Errorf("%s: kept as %+v, %v, %v", c.ID, r, ok, err)
		}
		moved := claims.Register(c, at)
		moved.Claim.Margin = 9
		st.Attrs[claims.Attr] = trials.Attr(moved)
		if _, _, err := claims.Of(st); err == nil || !strings.Contains(err.Error(), "was changed in the database") {
			t.Errorf("%s: a moved margin: %v", c.ID, err)
		}
	}
	if _, ok, err := claims.Of(trials.Study{}); ok || err != nil {
		t.Error("a study without a claim")
	}
	if _, _, err := claims.Of(trials.Study{Attrs: map[string]json.RawMessage{claims.Attr: json.RawMessage("7")}}); err == nil {
		t.Error("no claim at all")
	}
	all, err := claims.Parse([]byte(claims.Template), "claim.yaml")
	if err != nil || len(all) != 1 || all[0].Objective("native") != "mAP50@small+dense" {
		t.Errorf("template: %+v, %v", all, err)
	}
}

// Faults say where they are.
func TestLines(t *testing.T) {
	for old, c := range map[string][2]string{
		"margin: 0.2": {"margin: 0", "line 11: claim 1 (a): margin 0"}, "{words: any}": {"{words: any, subset: [tiny]}", "line 10: claim 1 (a): scene.subset"},
		"from: {x: 1}": {"from: {y: 1}", "line 5: claim 1 (a): from, via and to"}, "metric: m": {"metrik: m", "[7:5] unknown field"},
	} {
		_, err := claims.Parse([]byte(strings.Replace(good, old, c[0], 1)), "f.yaml")
		if err == nil || !strings.Contains(err.Error(), c[1]) {
			t.Errorf("%s: %v, want %q", c[0], err, c[1])
		}
	}
	// What the official code does need not be said; what is said must be whole.
	src := strings.Replace(good, "    official: {judgement: \"true\", fact: f, lever: l}\n", "", 1)
	if _, err := claims.Parse([]byte(src), "f"); err != nil {
		t.Error(err)
	}
	for subset, want := range map[string]string{"[large, dense]": "", "['class:a b']": "", "[small, large]": `scene.subset "large"`, "['class:']": "scene.subset"} {
		_, err := claims.Parse([]byte(strings.Replace(good, "{words: any}", "{words: any, subset: "+subset+"}", 1)), "f")
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", subset, err, want)
		}
	}
}
