package reports_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/internal/fixture"
	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/courses"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// untilSettled is the quickstart with replicates until settled, as it stands after looks replicates were asked for so
// many times; change may alter the spec.
func untilSettled(t *testing.T, rounds int, change func(*studies.Spec)) (studies.Spec, *reports.Snapshot) {
	t.Helper()
	a := fixture.Quickstart()
	a.Seeds = 12
	st, all := a.Build()
	var spec studies.Spec
	if err := json.Unmarshal(st.Resolved, &spec); err != nil {
		t.Fatal(err)
	}
	spec.Settle = &studies.Settle{Rule: studies.RuleLooks, Looks: []int{3, 5, 8, 12}}
	if change != nil {
		change(&spec)
	}
	raw, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	st.Resolved = raw
	plan, err := design.Points(spec)
	if err != nil {
		t.Fatal(err)
	}
	byKey := map[string]trials.Trial{}
	for _, x := range all {
		byKey[x.Key] = x
	}
	var ts []trials.Trial
	for range rounds {
		for _, p := range courses.Read(spec, plan, ts, false).Missing {
			x := byKey[p.Key]
			x.ID, x.Number = int64(len(ts)+1), len(ts)
			x.Attempts = []trials.Attempt{{Number: 1, Started: x.Started, Ended: x.Finished, Outcome: "complete"}}
			ts = append(ts, x)
		}
	}
	s, err := reports.New(st, ts)
	if err != nil {
		t.Fatal(err)
	}
	return spec, s
}

func TestUntilSettled(t *testing.T) {
	_, s := untilSettled(t, 9, nil)
	b := &s.Blocks[0]
	want := map[string]inference.Verdict{"mosaic=0": inference.Worse, "copy_paste=0": inference.Worse, "autoaugment=randaugment": inference.Worse, "mixup=0": reports.NotSettled}
	total, most := 0, 0
	for arm, verdict := range want {
		e, ok := b.Effect(arm)
		if !ok || e.Verdict != verdict || e.Course == nil || !e.Course.Done || e.N != e.Course.Steps[len(e.Course.Steps)-1].N {
			t.Errorf("%s: %s after %d pairs, %q", arm, e.Verdict, e.N, e.Reason)
		}
		total += e.N
		most = max(most, e.N)
	}
	if c := s.Count; !c.Done() || !c.Holds() || c.Planned != total+most || c.Most != 0 {
		t.Errorf("%+v, want %d planned", c, total+most)
	}
	mixup, _ := b.Effect("mixup=0")
	if v := mixup.Course.Verdict; v != inference.Futile && v != inference.OutOfBudget {
		t.Errorf("the course of mixup says %s", v)
	}
	answer := reports.Text(s.Answer(b))
	for _, says := range []string{"copy_paste 0.3 → 0", "lowers mAP50-95 by", "Not settled for mixup 0.15 → 0 (", "would need about"} {
		if !strings.Contains(answer, says) {
			t.Errorf("answer %q lacks %q", answer, says)
		}
	}
	if strings.Contains(answer, "not shown") || !strings.Contains(s.Rule(), "looks at 3, 5, 8 and 12 pairs of seeds") || !strings.Contains(s.Rule(), "95 %") {
		t.Errorf("answer %q, rule %q", answer, s.Rule())
	}
	if !(b.Smallest > 0) {
		t.Errorf("smallest effect %v", b.Smallest)
	}
}

// TestUntilSettledSoFar: a study that goes on says what is known, what is missing and how much may come; an interval
// without an end is none.
func TestUntilSettledSoFar(t *testing.T) {
	_, s := untilSettled(t, 0, nil)
	if c := s.Count; c.Planned != 15 || c.Missing != 15 || c.Most != 60 || c.Done() {
		t.Errorf("nothing ran: %+v", c)
	}
	_, s = untilSettled(t, 1, nil)
	if c := s.Count; c.Complete != 15 || c.Missing == 0 || c.Done() || !c.Holds() || c.Most <= c.Planned || c.Most > 60 {
		t.Errorf("after a look: %+v", c)
	}
	b := &s.Blocks[0]
	open := 0
	for _, e := range b.Effects {
		if e.Verdict == inference.Unsettled {
			open++
		}
		if math.IsInf(e.Low, 0) || math.IsInf(e.WideHigh, 0) {
			t.Errorf("%s: [%v, %v]", e.Arm, e.Low, e.High)
		}
	}
	if answer := reports.Text(s.Answer(b)); open == 0 || !strings.Contains(answer, "ot settled yet for ") || !strings.Contains(strings.Join(s.Warnings, " "), "never enqueued") {
		t.Errorf("%d open; answer %q, warnings %q", open, answer, s.Warnings)
	}
	_, s = untilSettled(t, 1, func(sp *studies.Spec) { sp.Settle = &studies.Settle{Rule: studies.RuleAnytime} })
	for _, e := range s.Blocks[0].Effects { // three pairs can conclude nothing by this rule
		if !math.IsNaN(e.Low) || e.Verdict != inference.Unsettled {
			t.Errorf("%s: [%v, %v] %s", e.Arm, e.Low, e.High, e.Verdict)
		}
	}
	if !strings.Contains(s.Rule(), "looked at after each (e-process)") {
		t.Error(s.Rule())
	}
}

// TestUntilSettledOverBudget: with the budget spent, what is not settled is out of budget, and nothing that was never
// asked for is missing.
func TestUntilSettledOverBudget(t *testing.T) {
	_, s := untilSettled(t, 1, func(sp *studies.Spec) { sp.Budget.DeviceHours = 1e-9 })
	if c := s.Count; !c.Done() || c.Planned != 15 || c.Most != 0 {
		t.Errorf("%+v", c)
	}
	e, _ := s.Blocks[0].Effect("mixup=0")
	if e.Verdict != reports.NotSettled || e.Course.Verdict != inference.OutOfBudget || !strings.Contains(e.Reason, "the budget of device-hours is used up") {
		t.Errorf("%s: %s", e.Verdict, e.Reason)
	}
}

// TestUntilSettledIntervals: every verdict has its interval by either rule, at the level of the study; without one the answer
// leaves it out, and an arm beside the design is said to be so.
func TestUntilSettledIntervals(t *testing.T) {
	for _, rule := range []string{studies.RuleLooks, studies.RuleAnytime} {
		_, s := untilSettled(t, 12, func(sp *studies.Spec) {
			sp.Rules.Alpha = 0.1
			if rule == studies.RuleAnytime {
				sp.Settle = &studies.Settle{Rule: rule}
			}
		})
		b := &s.Blocks[0]
		clear := 0
		for _, e := range b.Effects {
			if e.Verdict == inference.Better || e.Verdict == inference.Worse {
				clear++
				if !(e.Low > 0 && e.High < math.Inf(1) || e.High < 0 && e.Low > math.Inf(-1)) {
					t.Errorf("%s, %s: %s with [%g, %g]", rule, e.Arm, e.Verdict, e.Low, e.High)
				}
			}
		}
		if answer := reports.Text(s.Answer(b)); clear == 0 || !strings.Contains(answer, "(90 % interval −") {
			t.Errorf("%s: %d clear, answer %q", rule, clear, answer)
		}
		for i := range b.Effects {
			b.Effects[i].Low, b.Effects[i].High = math.NaN(), math.NaN()
		}
		outside := reports.Effect{Arm: "x", Label: "x"}
		outside.Verdict, outside.Reason = inference.NotTested, "it is not part of the study's design"
		b.Effects = append(b.Effects, outside)
		answer := reports.Text(s.Answer(b))
		if strings.Contains(answer, "interval") || !strings.Contains(answer, "seeds)") || !strings.Contains(answer, " cannot be tested: it is not part of the study's design.") {
			t.Errorf("%s: answer %q", rule, answer)
		}
	}
}
