package tables_test

import (
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/reports/tables"
	"github.com/mapsweep/mapsweep/trials"
)

func TestAudit(t *testing.T) {
	live := &trials.Liveness{Verdict: "LIVE", Channel: "loss", Step: 1}
	inert := &trials.Liveness{Verdict: "INERT", Dead: true, Reason: "the loss multiplies by 7.5", Remedy: "use the launcher"}
	fault := &trials.Liveness{Fault: "bomb=9 could not be run: exit status 1"}
	for _, c := range []struct {
		name      string
		rows      []trials.Audited
		want, not []string
	}{
		{"two modes", []trials.Audited{{Knob: "box", Levels: []any{7.5, 0.99991, 1e6}, Official: inert, Run: live}},
			[]string{"knob  levels                 official  with mapsweep  first differs in", "box   7.5, 0.99991, 1000000  INERT     LIVE           loss, step 1",
				"box, official: the loss multiplies by 7.5; to make it matter: use the launcher.", "From 3 steps of each"}, []string{"with mapsweep:", "data"}},
		{"the same in both", []trials.Audited{{Knob: "box", Official: inert, Run: inert}}, []string{"box: the loss multiplies"}, []string{"official:"}},
		{"one mode", []trials.Audited{{Knob: "box", Run: inert}}, []string{"verdict", "box: the loss multiplies"}, []string{"official", "with mapsweep"}},
		{"no verdict", []trials.Audited{{Knob: "bomb", Run: fault}}, []string{"no verdict", "bomb: bomb=9 could not be run: exit status 1."}, nil},
		{"two data sets", []trials.Audited{{Knob: "box", Data: "a", Run: live}, {Knob: "box", Data: "b", Run: inert}}, []string{"data", "box on b: the loss"}, []string{"box on a"}},
	} {
		var b strings.Builder
		if err := tables.Terminal(&b, []tables.Table{tables.Audit(trials.Audit{Steps: 3, Rows: c.rows})}, tables.Options{}); err != nil {
			t.Fatal(err)
		}
		for _, w := range c.want {
			if !strings.Contains(b.String(), w) {
				t.Errorf("%s: no %q in\n%s", c.name, w, &b)
			}
		}
		for _, n := range c.not {
			if strings.Contains(b.String(), n) {
				t.Errorf("%s: %q in\n%s", c.name, n, &b)
			}
		}
	}
}
