package courses_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/courses"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// spec is a study of two variants.
func spec(rule string, looks ...int) studies.Spec {
	s := studies.Spec{Name: "s", Objective: studies.Objective{Metric: "mAP50", Direction: trials.Maximize}, Design: studies.DesignOneFactor,
		Baseline: trials.Params{"x": int64(0)}, Factors: []studies.Factor{{Name: "x", Levels: []any{int64(0), int64(1), int64(2)}}},
		Replicates: 12, Settle: &studies.Settle{Rule: rule, Looks: looks}, Seed: 1}
	if len(looks) > 0 {
		s.Replicates = looks[len(looks)-1]
	}
	return s
}

func layOut(t *testing.T, s studies.Spec) design.Plan {
	t.Helper()
	p, err := design.Points(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// row is a trial of an arm's replicate: a score, or "run", "fail", "skip", "nan".
type row struct {
	arm string
	r   int
	end any
}

func trialsOf(rows ...row) []trials.Trial {
	var ts []trials.Trial
	for i, w := range rows {
		t := trials.Trial{Number: i, Key: fmt.Sprintf("%s r%d", w.arm, w.r), State: trials.Complete, Attrs: map[string]json.RawMessage{}}
		switch end := w.end.(type) {
		case float64:
			t.Values = []float64{end}
		case string:
			t.State = map[string]trials.State{"run": trials.Running, "fail": trials.Fail, "skip": trials.Fail, "pruned": trials.Pruned}[end]
			if end == "skip" {
				t.Attrs[trials.AttrClass] = trials.Attr(trials.ClassSkipped)
			}
		}
		ts = append(ts, t)
	}
	return ts
}

// firstLook is three complete replicates of every arm: x=1 is clear, x=2 is not.
var firstLook = []row{
	{"baseline", 0, 0.50}, {"x=1", 0, 0.301}, {"x=2", 0, 0.53},
	{"baseline", 1, 0.51}, {"x=1", 1, 0.309}, {"x=2", 1, 0.48},
	{"baseline", 2, 0.49}, {"x=1", 2, 0.290}, {"x=2", 2, 0.50},
}

func TestRead(t *testing.T) {
	after := func(rows ...row) []row { return append(slices.Clone(firstLook), rows...) }
	less := func(i int, rows ...row) []row { return append(slices.Delete(slices.Clone(firstLook), i, i+1), rows...) }
	for _, c := range []struct {
		name    string
		rows    []row
		spent   bool
		missing string // keys
		most    int
		x1, x2  string // verdicts, with * for broken
	}{
		{"nothing", nil, false, "baseline r0, x=1 r0, x=2 r0, baseline r1, x=1 r1, x=2 r1, baseline r2, x=1 r2, x=2 r2", 27, "not settled yet", "not settled yet"},
		{"nothing, and no budget", nil, true, "baseline r0, x=1 r0, x=2 r0, baseline r1, x=1 r1, x=2 r1, baseline r2, x=1 r2, x=2 r2", 0, "out of budget", "out of budget"},
		{"a look", firstLook, false, "baseline r3, x=2 r3, baseline r4, x=2 r4", 14, "worse", "not settled yet"},
		{"a look, and no budget", firstLook, true, "", 0, "worse", "out of budget"},
		{"one runs", less(7, row{"x=1", 2, "run"}), false, "baseline r3, x=2 r3, baseline r4, x=2 r4", 23, "not settled yet", "not settled yet"},
		{"one failed", less(7, row{"x=1", 2, "fail"}), false, "baseline r3, x=1 r3, x=2 r3, baseline r4, x=2 r4", 22, "not settled yet", "not settled yet"},
		{"one was pruned", less(7, row{"x=1", 2, "pruned"}), false, "baseline r3, x=1 r3, x=2 r3, baseline r4, x=2 r4", 22, "not settled yet", "not settled yet"},
		{"one was skipped", less(7, row{"x=1", 2, "skip"}), false, "baseline r3, x=2 r3, baseline r4, x=2 r4", 23, "not settled yet", "not settled yet"},
		{"the reference failed once", less(6, row{"baseline", 2, "fail"}), false, "baseline r3, x=1 r3, x=2 r3", 24, "not settled yet", "not settled yet"},
		{"half enqueued", after(row{"baseline", 3, "run"}), false, "x=2 r3, baseline r4, x=2 r4", 14, "worse", "not settled yet"},
		{"a settled variant gets nothing", after(row{"x=1", 3, 0.9}, row{"baseline", 3, 0.5}, row{"x=2", 3, 0.6}), false, "baseline r4, x=2 r4", 14, "worse", "not settled yet"},
		{"a later pair waits for its turn", after(row{"baseline", 3, "run"}, row{"x=2", 3, 0.5}, row{"baseline", 4, 0.5}, row{"x=2", 4, 0.5}), false, "", 14, "worse", "not settled yet"},
		{"all of a variant failed", []row{{"baseline", 0, 0.5}, {"x=1", 0, "fail"}, {"x=2", 0, "run"}, {"baseline", 1, 0.6}, {"x=1", 1, "fail"}, {"x=2", 1, "run"},
			{"baseline", 2, 0.6}, {"x=1", 2, "fail"}, {"x=2", 2, "run"}}, false, "", 18, "out of budget*", "not settled yet"},
		{"all of the reference failed", []row{{"baseline", 0, "fail"}, {"x=1", 0, 0.5}, {"x=2", 0, "run"}, {"baseline", 1, "fail"}, {"x=1", 1, 0.5}, {"x=2", 1, "run"},
			{"baseline", 2, "fail"}, {"x=1", 2, 0.5}, {"x=2", 2, "run"}}, false, "", 0, "out of budget*", "out of budget*"},
	} {
		s := spec(studies.RuleLooks, 3, 5, 8, 12)
		at := courses.Read(s, layOut(t, s), trialsOf(c.rows...), c.spent)
		var keys []string
		for _, p := range at.Missing {
			keys = append(keys, p.Key)
		}
		verdict := func(arm string) string {
			v, ok := at.Of("", arm)
			if !ok || v.Done == (v.Verdict == inference.Unsettled) {
				t.Errorf("%s: %+v", c.name, v)
			}
			if v.Broken {
				return string(v.Verdict) + "*"
			}
			return string(v.Verdict)
		}
		if got := strings.Join(keys, ", "); got != c.missing || at.Most != c.most || verdict("x=1") != c.x1 || verdict("x=2") != c.x2 || at.Arms != 2 {
			t.Errorf("%s: missing %q, most %d, %s, %s; want %q, %d, %s, %s", c.name, got, at.Most, verdict("x=1"), verdict("x=2"), c.missing, c.most, c.x1, c.x2)
		}
	}
}

// TestRepeated: a trial that is repeated after a look was judged without it comes behind that look.
func TestRepeated(t *testing.T) {
	s := spec(studies.RuleLooks, 3, 5, 8, 12)
	ts := trialsOf(append(slices.Clone(firstLook), row{"baseline", 3, 0.5}, row{"x=1", 3, 0.3}, row{"x=2", 3, 0.5}, row{"x=1", 1, 0.9})...)
	last := len(ts) - 1
	ts[4].State, ts[4].Values, ts[4].Attrs[trials.AttrRetriedBy] = trials.Fail, nil, trials.Attr(last)
	ts[last].Key, ts[last].Attrs[trials.AttrRetryOf] = "x=1 r1#2", trials.Attr(4)
	at := courses.Read(s, layOut(t, s), ts, false)
	if v, _ := at.Of("", "x=1"); v.Verdict != inference.Worse || v.N != 3 || v.Mean > -0.19 {
		t.Errorf("judged by the repetition: %s", v.Effect)
	}
	if !at.Stopped("", "x=1") || at.Stopped("", "x=2") || at.Stopped("", "baseline") {
		t.Error("which arms get more replicates?")
	}
}

// TestAnyOrder: whatever the order in which trials end, also when enqueuing is cut off half-way again and again, the
// verdicts are the same, and none is taken back once it was given. With planned looks the trials that ran are the
// same, too, unless the reference failed: what becomes of its trial may be known before or after its partner is enqueued.
func TestAnyOrder(t *testing.T) {
	for _, s := range []studies.Spec{spec(studies.RuleLooks, 3, 5, 8, 12), spec(studies.RuleAnytime)} {
		plan := layOut(t, s)
		for seed := range uint64(40) {
			want := ""
			for order := range uint64(6) {
				ts, verdicts := play(t, s, plan, seed, rand.New(rand.NewPCG(seed, order)))
				var keys []string
				for _, x := range ts {
					keys = append(keys, x.Key)
				}
				slices.Sort(keys)
				got := verdicts
				if s.Settle.Rule == studies.RuleLooks && seed%2 == 0 {
					got += strings.Join(keys, "\n")
				}
				if want == "" {
					want = got
				}
				if got != want {
					t.Fatalf("%s, seed %d: in one order\n%s\nin another\n%s", s.Settle.Rule, seed, want, got)
				}
			}
		}
	}
}

// play runs a study in a random order; every sixth replicate fails, with even seeds those of variants only.
func play(t *testing.T, s studies.Spec, plan design.Plan, seed uint64, rng *rand.Rand) ([]trials.Trial, string) {
	t.Helper()
	var ts []trials.Trial
	given := map[string]string{}
	for {
		at := courses.Read(s, plan, ts, false)
		var out strings.Builder
		for _, v := range at.Variants {
			text := fmt.Sprintln(v.Arm, v.Verdict, v.N, v.Mean, v.Low, v.High)
			if old, ok := given[v.Arm]; ok && old != text {
				t.Fatalf("a verdict changed from %s to %s", old, text)
			}
			if v.Settled || v.Done && s.Settle.Rule == studies.RuleLooks { // e-BH may settle one that was given up
				given[v.Arm] = text
			}
			out.WriteString(text)
		}
		for _, p := range at.Missing[:rng.IntN(len(at.Missing)+1)] {
			ts = append(ts, trials.Trial{Number: len(ts), Key: p.Key, State: trials.Waiting})
		}
		var waiting []int
		for i, x := range ts {
			if x.State == trials.Waiting {
				waiting = append(waiting, i)
			}
		}
		if len(waiting) == 0 {
			if len(at.Missing) == 0 {
				return ts, out.String()
			}
			continue
		}
		x := &ts[waiting[rng.IntN(len(waiting))]]
		own := rand.New(rand.NewPCG(seed, hash(x.Key)))
		effect := map[bool]float64{strings.HasPrefix(x.Key, "x=1"): 0.04, strings.HasPrefix(x.Key, "x=2"): 0.01}[true]
		if x.State = trials.Fail; own.IntN(6) > 0 || seed%2 == 0 && strings.HasPrefix(x.Key, "baseline") {
			x.State, x.Values = trials.Complete, []float64{0.5 + effect + 0.015*own.NormFloat64()}
		}
	}
}

func hash(text string) (h uint64) {
	for _, b := range []byte(text) {
		h = h*1099511628211 + uint64(b)
	}
	return h
}

func TestSequence(t *testing.T) {
	s := spec(studies.RuleLooks, 3, 5)
	margin := 0.01
	s.Rules = studies.Rules{Margin: &margin, Alpha: 0.1}
	s.Objective.Direction = trials.Minimize
	q := courses.Sequence(s, 4)
	if q.Alpha != 0.1 || q.Margin != 0.01 || !q.Minimize || q.Arms != 4 || q.Max != 5 || q.Rule != inference.Looks || len(q.Looks) != 2 {
		t.Errorf("%+v", q)
	}
}

// TestLastLook: where replicates failed, all others run, and then there is a last look at what there is.
func TestLastLook(t *testing.T) {
	s := spec(studies.RuleLooks, 3, 5)
	s.Factors[0].Levels = s.Factors[0].Levels[:2]
	rows := []row{
		{"baseline", 0, 0.50}, {"x=1", 0, 0.25}, {"baseline", 1, 0.60}, {"x=1", 1, 0.25}, {"baseline", 2, 0.70}, {"x=1", 2, 0.25},
		{"baseline", 3, 0.55}, {"x=1", 3, "fail"}, {"baseline", 4, 0.65},
	}
	for _, c := range []struct {
		end     any
		missing int
		verdict inference.Verdict
		n       int
		broken  bool
	}{
		{nil, 1, inference.Unsettled, 3, false},
		{"run", 0, inference.Unsettled, 3, false},
		{0.29, 0, inference.Worse, 4, false},
		{0.80, 0, inference.OutOfBudget, 4, true},
		{"fail", 0, inference.OutOfBudget, 3, true},
	} {
		all := rows
		if c.end != nil {
			all = append(slices.Clone(rows), row{"x=1", 4, c.end})
		}
		at := courses.Read(s, layOut(t, s), trialsOf(all...), false)
		v := at.Variants[0]
		if len(at.Missing) != c.missing || v.Verdict != c.verdict || v.N != c.n || v.Broken != c.broken || v.Done == (c.verdict == inference.Unsettled) {
			t.Errorf("with %v: %d missing, %s with %d pairs (%s), broken %t", c.end, len(at.Missing), v.Verdict, v.N, v.Reason, v.Broken)
		}
		if at.Stopped("", "x=1") != (v.Done && !v.Broken) || at.Stopped("", "baseline") != (v.Done && !v.Broken) {
			t.Errorf("with %v: what is stopped?", c.end)
		}
	}
}

// TestLastLookAlike: scores that are all alike are not tested, also where the other replicates failed; one pair is too
// few to say so.
func TestLastLookAlike(t *testing.T) {
	s := spec(studies.RuleLooks, 3, 5)
	s.Factors[0].Levels = s.Factors[0].Levels[:2]
	for pairs, want := range map[int]inference.Verdict{1: inference.OutOfBudget, 2: inference.NotTested, 4: inference.NotTested} {
		var rows []row
		for r := range 5 {
			score := 0.5 + 0.01*float64(r)
			end := any(score)
			if r >= pairs {
				end = "fail"
			}
			rows = append(rows, row{"baseline", r, score}, row{"x=1", r, end})
		}
		at := courses.Read(s, layOut(t, s), trialsOf(rows...), false)
		if v := at.Variants[0]; v.Verdict != want || !v.Done || strings.Contains(v.Reason, "replicates failed") != (want == inference.OutOfBudget) {
			t.Errorf("%d pairs: %s, %s", pairs, v.Verdict, v.Reason)
		}
	}
}

// TestSpentTakesNoLook: with the device-hours used up there is no look that was not planned, and the study goes on
// from the last one when it gets more.
func TestSpentTakesNoLook(t *testing.T) {
	s := spec(studies.RuleLooks, 3, 5, 8, 12)
	rows := append(slices.Clone(firstLook), row{"baseline", 3, 0.50}, row{"x=2", 3, 0.9})
	for _, spent := range []bool{true, false} {
		at := courses.Read(s, layOut(t, s), trialsOf(rows...), spent)
		if v, _ := at.Of("", "x=2"); v.N != 3 || len(v.Steps) != 1 || v.Done != spent || v.Broken {
			t.Errorf("spent %t: %d pairs, %d looks, %s", spent, v.N, len(v.Steps), v.Verdict)
		}
	}
}
