package reports_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/internal/fixture"
	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/claims"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/studies/shipped"
	"github.com/mapsweep/mapsweep/trials"
)

// checked is a study that checks a shipped claim, with these scores by arm and replicate; NaN: the trial failed.
func checked(t *testing.T, id, backend string, scores map[string][]float64, set ...string) (trials.Study, []trials.Trial) {
	t.Helper()
	c, err := claims.Find(id)
	if err != nil {
		t.Fatal(err)
	}
	s, err := shipped.Open(c.Study)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := studies.Parse(s.Files[backend], studies.Options{Set: append(c.Overrides("claim-"+id, backend), set...)})
	if err != nil {
		t.Fatal(err)
	}
	return recorded(t, c, spec, scores)
}

// recorded is a study of a claim with these scores.
func recorded(t *testing.T, c claims.Claim, spec studies.Spec, scores map[string][]float64) (trials.Study, []trials.Trial) {
	t.Helper()
	resolved, err := spec.JSON()
	if err != nil {
		t.Fatal(err)
	}
	st := trials.Study{ID: 1, Name: spec.Name, Resolved: resolved, Objective: spec.Objective.Metric, Directions: []trials.Direction{spec.Objective.Direction},
		Attrs:      map[string]json.RawMessage{claims.Attr: trials.Attr(claims.Register(c, fixture.Start))},
		Provenance: trials.Provenance{Data: []trials.DataSource{{Name: "d", Train: 64, Val: 192}}}}
	plan, err := design.Points(spec)
	if err != nil {
		t.Fatal(err)
	}
	var ts []trials.Trial
	for _, p := range plan.Points {
		vs := scores[p.Arm]
		if p.Replicate >= len(vs) {
			continue
		}
		n := len(ts)
		tr := trials.Trial{ID: int64(n + 1), StudyID: 1, Number: n, Key: p.Key, Params: p.Params, State: trials.Complete, Values: []float64{vs[p.Replicate]},
			Attrs:        map[string]json.RawMessage{trials.AttrArm: trials.Attr(p.Arm), trials.AttrReplicate: trials.Attr(p.Replicate), trials.AttrSeed: trials.Attr(p.Seed), trials.AttrData: trials.Attr(p.Data)},
			Measurements: []trials.Measurement{{Epoch: 1, Metrics: map[string]float64{"mAP50": 0.8, "mAP50-95": 0.5}}}}
		if math.IsNaN(vs[p.Replicate]) {
			tr.State, tr.Values = trials.Fail, nil
		}
		ts = append(ts, tr)
	}
	return st, ts
}

// near are n scores about a mean, no two alike.
func near(mean float64, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = mean + 0.0004*math.Sin(float64(7*i)+1000*mean)
	}
	return out
}

func TestClaim(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name, id, backend string
		scores            map[string][]float64
		set               []string
		verdict           claims.Verdict
		words             []string
	}{
		{"supported", "mosaic", "native", map[string][]float64{"baseline": near(0.60, 5), "to": near(0.6055, 5)}, nil, claims.Supported,
			[]string{"Published claim mosaic: SUPPORTED", "mosaic 0 → 1 changes mAP50 by +0.57 points (interval +0.", "3 seeds); claimed: +0.40 to +0.70 points."}},
		{"smaller", "mixup-off", "native", map[string][]float64{"baseline": near(0.60, 8), "to": near(0.604, 8)}, nil, claims.Smaller,
			[]string{"changes mAP50@small+dense by +0.4", "; claimed: +0.90 to +1.40 points", "by less than was claimed"}},
		{"larger", "mosaic", "native", map[string][]float64{"baseline": near(0.60, 5), "to": near(0.65, 5)}, nil, claims.Larger, []string{"by more than was claimed"}},
		{"contradicted", "autoaugment-on", "native", map[string][]float64{"baseline": near(0.60, 3), "to": near(0.56, 3)}, nil, claims.Contradicted,
			[]string{"autoaugment none → randaugment changes mAP50 by −3.95 points", "makes the metric worse"}},
		{"no effect", "autoaugment-on", "native", map[string][]float64{"baseline": near(0.60, 12), "to": near(0.6001, 12)}, nil, claims.NoRelevantEffect, []string{"within the margin of 0.20 points"}},
		{"inconclusive", "mosaic", "native", map[string][]float64{"baseline": {0.6, 0.61, 0.59}, "to": {0.61, 0.58, 0.62}}, nil, claims.Inconclusive,
			[]string{"INCONCLUSIVE so far", "About ", " replicates would show an effect of 0.40 points"}},
		{"too few", "mosaic", "native", map[string][]float64{"baseline": {0.6, 0.61}, "to": {0.61, 0.58}}, nil, claims.Inconclusive, []string{"2 pairs of trials complete, and the first look is at 3"}},
		{"one pair, fixed", "mosaic", "native", map[string][]float64{"baseline": {0.6}, "to": {0.61}}, []string{`replicates={"count": 1, "margin": 0.002, "alpha": 0.05}`}, claims.Inconclusive, []string{"1 pair of trials complete"}},
		{"a missing arm", "mosaic", "native", map[string][]float64{"baseline": {0.6, 0.61, 0.6}}, nil, claims.Inconclusive, []string{"no trial of mosaic=1 is complete", "mosaic 0 → 1 has no pair of mAP50 scores yet; claimed"}},
		{"all failed", "mosaic", "native", map[string][]float64{"baseline": {nan, nan, nan}, "to": {nan, nan, nan}}, nil, claims.Inconclusive, []string{"no trial of mosaic=0 is complete"}},
		{"equal", "mosaic", "native", map[string][]float64{"baseline": {0.6, 0.61, 0.62}, "to": {0.6, 0.61, 0.62}}, nil, claims.Inconclusive, []string{"seems not to tell the two settings apart"}},
		{"shifted", "mosaic", "native", map[string][]float64{"baseline": {0.5, 0.625, 0.75}, "to": {0.625, 0.75, 0.875}}, nil, claims.Inconclusive, []string{"an interval needs spread"}},
		{"not learned", "mosaic", "native", map[string][]float64{"baseline": near(0.001, 12), "to": near(0.0011, 12)}, nil, claims.Inconclusive, []string{"hardly learned anything yet"}},
		{"anytime", "mosaic", "native", map[string][]float64{"baseline": near(0.60, 8), "to": near(0.6055, 8)}, []string{"replicates.rule=anytime"}, claims.Supported, nil},
		{"fixed", "mosaic", "native", map[string][]float64{"baseline": near(0.60, 4), "to": near(0.6055, 4)}, []string{`replicates={"count": 4, "margin": 0.002, "alpha": 0.05}`}, claims.Supported, []string{"SUPPORTED."}},
		{"time", "cache", "yolov9", map[string][]float64{"baseline": {100, 101, 99}, "to": {70.2, 71.1, 69.6}}, nil, claims.Supported, []string{"cache none → ram improves time/epoch by +29.7 %", "claimed: +29.7 %"}},
		{"no time", "cache", "yolov9", map[string][]float64{"baseline": {100, 101, 99}, "to": {120, 121, 119}}, nil, claims.Contradicted, []string{"time/epoch by −20.0 %"}},
		{"steps", "shelf-case", "native", map[string][]float64{"from": near(0.60, 5), "baseline": near(0.613, 5), "to": near(0.58, 5)}, nil, claims.Contradicted,
			[]string{"SUPPORTED: mixup 0.15 → 0 changes mAP50 by +1.", "CONTRADICTED: autoaugment none → randaugment changes mAP50 by −3."}},
		{"a gap", "box-weight", "native", map[string][]float64{"baseline": near(0.5, 5), "to": near(0.51, 5)}, nil, claims.Supported, []string{"no figure was published", "claimed: no figure"}},
		{"outside", "lr-small-data", "native", map[string][]float64{"baseline": near(0.5, 5), "to": near(0.51, 5)}, nil, claims.Smaller,
			[]string{"Outside of the scene of the claim, which is meant for at least 1000 and at most 5000 training pictures; here 64."}},
	} {
		s, err := reports.New(checked(t, c.id, c.backend, c.scores, c.set...))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		got, ok, err := s.Claim()
		if err != nil || !ok {
			t.Fatalf("%s: %v, %v", c.name, ok, err)
		}
		text := strings.Join(got.Words(s.Metric.Key), "\n")
		if got.Verdict != c.verdict {
			t.Errorf("%s: %s, want %s\n%s", c.name, got.Verdict, c.verdict, text)
		}
		for _, w := range append(c.words, "registered on 2026-03-01 09:00:00 UTC, before the first trial, with hash "+got.Claim.Hash()) {
			if !strings.Contains(text, w) {
				t.Errorf("%s: no %q in\n%s", c.name, w, text)
			}
		}
		if strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
			t.Errorf("%s: a number that is none in\n%s", c.name, text)
		}
		if answer := reports.Text(s.Answer(&s.Blocks[0])); !strings.HasPrefix(answer, "Published claim "+c.id+": "+string(c.verdict)) {
			t.Errorf("%s: the answer begins %q", c.name, answer[:min(80, len(answer))])
		}
	}
}

// steps is a claim of four settings, which has a fixed number of replicates.
const steps = `source: {title: t, published: p}
claims:
  - id: a
    advice: do it
    from: {x: 1}
    via: [{x: 2}, {x: 3}]
    to: {x: 4}
    metric: m
    unit: points
    reported: [{value: 1}, {value: 2}, {value: 3}, {value: 4}]
    scene: {words: any}
    margin: 0.2
    alpha: 0.05
    study: s
`

// stepped is a study that checks steps, with these scores by arm and replicate; NaN: the trial was skipped.
func stepped(t *testing.T, scores map[string][]float64, set ...string) reports.ClaimCheck {
	t.Helper()
	all, err := claims.Parse([]byte(steps), "f")
	if err != nil {
		t.Fatal(err)
	}
	c := all[0]
	spec, err := studies.Parse([]byte("name: s\ntrainer: {backend: command, command: [x]}\ndesign: one-factor\n"), studies.Options{Set: append(c.Overrides("a", "command"), set...)})
	if err != nil {
		t.Fatal(err)
	}
	s, err := reports.New(recorded(t, c, spec, scores))
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range s.Trials {
		if x.State == trials.Fail {
			s.Trials[i].Attrs[trials.AttrClass] = trials.Attr(trials.ClassSkipped)
		}
	}
	if s, err = reports.New(s.Study, s.Trials); err != nil {
		t.Fatal(err)
	}
	got, ok, err := s.Claim()
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	return got
}

// Each pair of a claim in many steps is judged by its own two arms, the last one, too, that the baseline is no part of:
// also in a study that has the wrong rule.
func TestClaimOfManySteps(t *testing.T) {
	scores := map[string][]float64{"from": near(0.50, 12), "baseline": near(0.51, 12), "via-2": near(0.52, 12), "to": near(0.49, 12)}
	for _, set := range [][]string{nil, {`replicates={"until": "settled", "max": 12, "margin": 0.002, "alpha": 0.05}`}} {
		got := stepped(t, scores, set...)
		for i, want := range []float64{1, 1, -3} {
			if p := got.Pairs[i]; math.Abs(p.Effect-want) > 0.1 {
				t.Errorf("%v: %s to %s: %g, want %g", set, p.FromArm, p.ToArm, p.Effect, want)
			}
		}
		if got.Verdict != claims.Contradicted {
			t.Errorf("%v: %s", set, got.Verdict)
		}
	}
}

// A fixed number of replicates is judged once all of them are there: before, and where some were skipped, nothing is
// concluded, whatever there is.
func TestClaimWithFixedReplicates(t *testing.T) {
	full := func() map[string][]float64 {
		return map[string][]float64{"from": near(0.50, 12), "baseline": near(0.51, 12), "via-2": near(0.52, 12), "to": near(0.49, 12)}
	}
	for name, change := range map[string]func(map[string][]float64){
		"missing": func(s map[string][]float64) { s["to"] = s["to"][:11] },
		"skipped": func(s map[string][]float64) { s["from"][11] = math.NaN() },
	} {
		scores := full()
		change(scores)
		got := stepped(t, scores)
		words := strings.Join(got.Words("m"), "\n")
		if got.Verdict != claims.Inconclusive || got.Done || !strings.Contains(words, "INCONCLUSIVE so far") ||
			!strings.Contains(words, "Nothing can be concluded: the number of replicates was fixed, and 1 of 48 trials are still to come.") {
			t.Errorf("%s: %s, %v: %s", name, got.Verdict, got.Done, words)
		}
	}
	if got := stepped(t, full()); !got.Done || got.Verdict != claims.Contradicted {
		t.Errorf("all: %s, %v", got.Verdict, got.Done)
	}
}

// What the trainer does not read is no evidence, and a claim that was changed in the database is not judged.
func TestClaimThatCannotBeJudged(t *testing.T) {
	st, ts := checked(t, "mosaic", "native", map[string][]float64{"baseline": near(0.60, 5), "to": near(0.6055, 5)})
	st.Attrs[trials.AttrAudit] = trials.Attr(trials.Audit{Rows: []trials.Audited{{Knob: "mosaic", Data: "builtin:digits", Levels: []any{0.0, 1.0},
		Run: &trials.Liveness{Verdict: "INERT", Dead: true, Reason: "nothing reads it"}}}})
	s, err := reports.New(st, ts)
	if err != nil {
		t.Fatal(err)
	}
	if data := s.Blocks[0].Data; data != "builtin:digits" {
		t.Fatal(data)
	}
	if got, _, err := s.Claim(); err != nil || got.Verdict != claims.Inconclusive || !strings.Contains(fmt.Sprint(got.Words("")), "nothing reads it") {
		t.Errorf("%v, %v", got.Words(""), err)
	}
	r := claims.Register(claims.All()[2], fixture.Start)
	r.Claim.Margin = 5
	st.Attrs[claims.Attr] = trials.Attr(r)
	if s, err = reports.New(st, ts); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Claim(); err == nil {
		t.Error("a changed claim was judged")
	}
	if answer := reports.Text(s.Answer(&s.Blocks[0])); !strings.HasPrefix(answer, "The published claim cannot be judged: the published claim of study") {
		t.Error(answer)
	}
	if s = snapshot(t, fixture.Quickstart().Build); s == nil {
		t.Fatal("no study")
	}
	if _, ok, err := s.Claim(); ok || err != nil {
		t.Errorf("quickstart checks a claim: %v", err)
	}
}
