package reports_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/internal/fixture"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// audited is the invented quickstart study with an audit of these rows.
func audited(rows ...trials.Audited) maker {
	return func() (trials.Study, []trials.Trial) {
		st, ts := fixture.Quickstart().Build()
		st.Attrs = map[string]json.RawMessage{trials.AttrAudit: trials.Attr(trials.Audit{Steps: 3, Rows: rows})}
		return st, ts
	}
}

const digits = "builtin:digits"

func TestInertArms(t *testing.T) {
	mixup := func(l trials.Liveness, data string) trials.Audited {
		return trials.Audited{Knob: "mixup", Data: data, Levels: []any{0.15, 0.0}, Run: &l}
	}
	for _, c := range []struct {
		name    string
		row     trials.Audited
		inert   bool
		warning string
	}{
		{"inert", mixup(trials.Liveness{Verdict: "INERT", Dead: true, Reason: "nothing reads it"}, digits), true,
			"mixup changes nothing in this trainer (nothing reads it): its rows show chance."},
		{"conditional, and off", mixup(trials.Liveness{Verdict: "CONDITIONAL", Dead: true, Reason: "labels are no polygons"}, digits), true, "labels are no polygons"},
		{"conditional, and on elsewhere in the study", mixup(trials.Liveness{Verdict: "CONDITIONAL"}, digits), false, ""},
		{"both levels alike", mixup(trials.Liveness{Verdict: "SATURATED", Groups: [][]any{{0.15, 0.0}, {0.9}}}, digits), true, "Some levels of mixup train the same."},
		{"levels in two groups", mixup(trials.Liveness{Verdict: "SATURATED", Groups: [][]any{{0.15, 0.9}, {0.0}}}, digits), false, "Some levels of mixup train the same."},
		{"alive", mixup(trials.Liveness{Verdict: "LIVE"}, digits), false, ""},
		{"no verdict", mixup(trials.Liveness{Fault: "out of memory"}, digits), false, ""},
		{"as published only", trials.Audited{Knob: "mixup", Data: digits, Official: &trials.Liveness{Verdict: "INERT", Dead: true}}, false, ""},
		{"on another data set", mixup(trials.Liveness{Verdict: "INERT", Dead: true}, "other"), false, "mixup changes nothing"},
	} {
		s := snapshot(t, audited(c.row))
		e, ok := s.Blocks[0].Effect("mixup=0")
		if !ok {
			t.Fatalf("%s: no effect of mixup", c.name)
		}
		if got := e.Verdict == inference.Inert; got != c.inert {
			t.Errorf("%s: verdict %q (%s), want inert: %v", c.name, e.Verdict, e.Reason, c.inert)
		}
		answer := reports.Text(s.Answer(&s.Blocks[0]))
		if got := strings.Contains(answer, "mixup 0.15 → 0 changes nothing in this trainer: its row shows chance."); got != c.inert {
			t.Errorf("%s: answer %q", c.name, answer)
		}
		if all := strings.Join(s.Warnings, "\n"); c.warning == "" && strings.Contains(all, "mixup") || !strings.Contains(all, c.warning) {
			t.Errorf("%s: warnings %q, want %q", c.name, all, c.warning)
		}
		if o, _ := s.Blocks[0].Effect("mosaic=0"); o.Verdict != inference.Worse {
			t.Errorf("%s: mosaic became %q", c.name, o.Verdict)
		}
	}
}

func TestSeedWarnings(t *testing.T) {
	for verdict, want := range map[string]string{"INERT": "intervals mean nothing", "CONDITIONAL": "changes less than it should", "LIVE": ""} {
		s := snapshot(t, audited(trials.Audited{Knob: trials.AuditSeed, Data: digits, Run: &trials.Liveness{Verdict: verdict, Dead: verdict == "INERT"}}))
		all := strings.Join(s.Warnings, "\n")
		if want == "" && strings.Contains(all, "seed changes") || !strings.Contains(all, want) {
			t.Errorf("%s: %q", verdict, all)
		}
	}
}

func TestMismatchWarning(t *testing.T) {
	s := snapshot(t, func() (trials.Study, []trials.Trial) {
		st, ts := fixture.Quickstart().Build()
		for i := range 2 {
			ts[i].Attrs[trials.AttrMismatch] = trials.Attr([]trials.Mismatch{{Name: "mixup", Requested: 0.15, Effective: 0.0}, {Name: "box", Absent: true}})
		}
		return st, ts
	})
	if all := strings.Join(s.Warnings, "\n"); !strings.Contains(all, "2 trials ran with another configuration than asked for (box, mixup)") {
		t.Errorf("%q", all)
	}
}
