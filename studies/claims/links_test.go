package claims_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/claims"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/studies/shipped"
	"github.com/mapsweep/mapsweep/trials"
)

// Every claim has a shipped study, and every shipped study that says it tests a claim is named by that claim.
func TestClaimsAndStudies(t *testing.T) {
	for _, c := range claims.All() {
		s, err := shipped.Open(c.Study)
		if err != nil {
			t.Errorf("%s: %v", c.ID, err)
			continue
		}
		if says := shipped.Section(s.Readme, "Published claim"); !strings.HasPrefix(says, "`"+c.ID+"`: "+c.Figure()) || !strings.Contains(says, c.Scores()) {
			t.Errorf("%s: the README of %s says %q, want the figure %q and the scores %q", c.ID, c.Study, says, c.Figure(), c.Scores())
		}
		if _, ok := s.Files[studies.BackendYOLOv9]; !ok {
			t.Errorf("%s: the claim is about the official code, and %s has no file for it", c.ID, c.Study)
		}
	}
	for _, s := range shipped.List() {
		c, ok := claims.OfStudy(s.Name)
		says := shipped.Section(s.Readme, "Published claim")
		if ok != (says != "") || ok && !strings.HasPrefix(says, "`"+c.ID+"`") {
			t.Errorf("study %s says %q, the claims say %q", s.Name, says, c.ID)
		}
	}
}

// Every comparison of a claim is a row of its study, on every trainer: two arms that differ in the claim's knobs
// alone, one of them the reference, and for a claim of one step the setting without the advice.
func TestStudiesCompareWhatIsClaimed(t *testing.T) {
	for _, c := range claims.All() {
		s, err := shipped.Open(c.Study)
		if err != nil {
			t.Fatal(err)
		}
		for _, backend := range s.Backends() {
			spec, err := studies.Parse(s.Files[backend], studies.Options{})
			if err != nil {
				t.Fatal(err)
			}
			plan, err := design.Points(spec)
			if err != nil {
				t.Fatal(err)
			}
			at := c.ID + " on " + backend
			if spec.Objective.Metric != c.Metric || spec.Objective.Direction != c.Direction {
				t.Errorf("%s: the study scores %s %s, the claim %s %s", at, spec.Objective.Direction, spec.Objective.Metric, c.Direction, c.Metric)
			}
			pairs := c.Pairs(backend)
			for _, p := range pairs {
				from, to := arm(plan, p.From), arm(plan, p.To)
				if from == nil || to == nil {
					t.Errorf("%s: no arm for %v or %v", at, p.From, p.To)
					continue
				}
				if from.Name != plan.Reference && (len(pairs) == 1 || to.Name != plan.Reference) {
					t.Errorf("%s: %s against %s is no row, the reference is %s", at, to.Name, from.Name, plan.Reference)
				}
				for _, name := range from.Params.With(to.Params).Names() {
					if _, named := p.From[name]; !named && !trials.SameValue(from.Params[name], to.Params[name]) {
						t.Errorf("%s: the arms differ in %s, too", at, name)
					}
				}
				needs := c.Requires
				if backend == studies.BackendYOLOv9 {
					needs = needs.Clone().With(c.Official.Needs)
				}
				holds(t, at, from.Params, needs)
				holds(t, at, to.Params, needs)
			}
			if backend == studies.BackendYOLOv9 {
				asPublished(t, at, c, spec)
			}
		}
	}
}

// arm finds the arm with these settings that changes nothing else; the one with the fewest changes goes first.
func arm(plan design.Plan, p trials.Params) *design.Arm {
	for _, a := range plan.Arms {
		if p.Key() == only(a.Params, p).Key() && !slices.ContainsFunc(a.Changed, func(c design.Change) bool { _, named := p[c.Factor]; return !named }) {
			return &a
		}
	}
	return nil
}

// only are the values of p for the names of q, numbers as floats.
func only(p, q trials.Params) trials.Params {
	out := trials.Params{}
	for name := range q {
		out[name] = p[name]
		if x, ok := trials.Number(p[name]); ok {
			out[name] = x
		}
	}
	return out
}

// holds says that an arm has what a claim requires. A knob that the study leaves at its default is all right
// for what is on by default: that is mosaic.
func holds(t *testing.T, at string, p, want trials.Params) {
	t.Helper()
	for _, name := range want.Names() {
		have, named := p[name]
		if !named && name == "mosaic" {
			continue
		}
		if !trials.SameValue(have, want[name]) {
			t.Errorf("%s: %s is %v, the claim requires %v", at, name, have, want[name])
		}
	}
}

// asPublished holds the study for the official code against the setting of the claim, as far as a study sets it.
func asPublished(t *testing.T, at string, c claims.Claim, spec studies.Spec) {
	t.Helper()
	has := trials.Params{"gpus": float64(max(1, spec.Trainer.GPUs)), "batch": float64(spec.Trainer.Batch), "image_size": float64(spec.Trainer.ImageSize),
		"model": spec.Trainer.Model, "epochs": float64(spec.Trainer.Epochs)}.With(only(spec.Baseline, trials.Params{"workers": nil, "min_items": nil}))
	if c.ID == "cache" {
		delete(has, "epochs") // a few epochs are enough for the time of one
	}
	for name, want := range c.Scene.Setting {
		if have, set := has[name]; set && !trials.SameValue(have, want) {
			t.Errorf("%s: %s is %v, published with %v", at, name, have, want)
		}
	}
	for _, k := range c.Scene.Conditions {
		if k.Measure == claims.GPUs && !k.Holds(has["gpus"].(float64)) {
			t.Errorf("%s: %v GPUs, the claim is about %s", at, has["gpus"], k)
		}
	}
}

// docs/PUBLISHED_CLAIMS.md has a section for every claim, with what the claim says, and for nothing else.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/PUBLISHED_CLAIMS.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	for _, part := range strings.Split(string(page), "\n### ")[1:] {
		id, text, _ := strings.Cut(part, "\n")
		text, _, _ = strings.Cut(text, "\n## ")
		sections[id] = strings.Join(strings.Fields(text), " ")
	}
	for _, c := range claims.All() {
		text, ok := sections[c.ID]
		if !ok {
			t.Errorf("the page has no section %s", c.ID)
			continue
		}
		delete(sections, c.ID)
		wants := []string{c.Figure(), c.Scores(), "**" + string(c.Official.Judgement) + "**", "studies/shipped/" + c.Study, c.Advice, c.Official.Fact, c.Official.Lever}
		for _, k := range c.Scene.Conditions {
			wants = append(wants, k.String())
		}
		for _, want := range wants {
			if !strings.Contains(strings.ReplaceAll(text, "`", ""), strings.ReplaceAll(want, "`", "")) {
				t.Errorf("section %s lacks %q", c.ID, want)
			}
		}
		row := regexp.MustCompile(`(?m)^\| \[` + c.ID + `\]\(#` + c.ID + `\) \| ([^|]*) \| ([^|]*) \|`).FindStringSubmatch(string(page))
		if row == nil || row[1] != c.Figure() || row[2] != string(c.Official.Judgement) {
			t.Errorf("the table says of %s: %q, want figure %q and judgement %q", c.ID, row, c.Figure(), c.Official.Judgement)
		}
	}
	for id := range sections {
		t.Errorf("the page has a section %s, and there is no such claim", id)
	}
}
