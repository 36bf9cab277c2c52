package tables_test

import (
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/reports/internal/fixture"
	"github.com/mapsweep/mapsweep/reports/tables"
	"github.com/mapsweep/mapsweep/trials"
)

// Every arm without an interval has its reason under the table, and the reason is the real one.
func TestNotTested(t *testing.T) {
	edit := func(change func(i int, t *trials.Trial)) func() (trials.Study, []trials.Trial) {
		return func() (trials.Study, []trials.Trial) {
			st, ts := fixture.Quickstart().Build()
			for i := range ts {
				change(i, &ts[i])
			}
			return st, ts
		}
	}
	arm := func(t *trials.Trial) string { return t.Text(trials.AttrArm) }
	for name, c := range map[string]struct {
		make      func() (trials.Study, []trials.Trial)
		want, not string
	}{
		"no difference": {fixture.Degenerate()["no-difference"], "Not tested: mixup 0.15 → 0 (every trial scored exactly as the reference", "One seed"},
		"one arm like the reference": {edit(func(i int, t *trials.Trial) {
			if arm(t) == "mixup=0" {
				t.Values = []float64{0.5}
			}
			if arm(t) == "baseline" {
				t.Values = []float64{0.6}
			}
		}), "Not tested: mixup 0.15 → 0 (all differences are exactly equal", "One seed"},
		"one arm with one seed": {edit(func(i int, t *trials.Trial) {
			if arm(t) == "mixup=0" && t.Replicate() > 0 {
				fixture.Fail(t, 2, trials.ClassMemory, "out of memory")
			}
		}), "Not tested: mixup 0.15 → 0 (one seed only", "Add replicates"},
		"all but one seed failed": {edit(func(i int, t *trials.Trial) {
			if t.Replicate() > 0 {
				fixture.Fail(t, 2, trials.ClassMemory, "out of memory")
			}
		}), "one seed only", "Add replicates"},
		"one seed so far": {edit(func(i int, t *trials.Trial) {
			if t.Replicate() > 0 {
				fixture.Wait(t)
			}
		}), "One seed per variant so far", "Add replicates"},
		"one seed asked for":  {fixture.Degenerate()["one-seed"], "Add replicates", "so far"},
		"all failed":          {fixture.Degenerate()["all-failed"], "No score: every trial failed", "Add replicates"},
		"nothing has started": {fixture.Degenerate()["waiting"], "No score: no trial has finished yet", "Add replicates"},
		"the baseline failed": {edit(func(i int, t *trials.Trial) {
			if arm(t) == "baseline" {
				fixture.Fail(t, 2, trials.ClassMemory, "out of memory")
			}
		}), "the reference has no finished trial", "Add replicates"},
	} {
		got := strings.Join(tables.Ablation(snapshot(t, first(c.make()), second(c.make())), 0).Notes, "\n")
		if !strings.Contains(got, c.want) || strings.Contains(got, c.not) {
			t.Errorf("%s: notes are\n%s\nwant %q and not %q", name, got, c.want, c.not)
		}
	}
}

// A study of another program has no baseline, no seeds and perhaps several objectives, and nothing pretends otherwise.
func TestForeign(t *testing.T) {
	s := snapshot(t, first(fixture.Foreign(3)), second(fixture.Foreign(3)))
	list := tables.Trials(s)
	if head, got := list.Columns[6].Title, list.Rows[0][6].Text; head != "configuration" || got != "x = 0.73" {
		t.Errorf("%s: %q", head, got)
	}
	if got := list.Rows[0][4].Text; got != "" {
		t.Errorf("seed %q, where none is known", got)
	}
	w := strings.Join(s.Warnings, "\n")
	if !strings.Contains(w, "2 objectives") || !strings.Contains(w, "(objective, minimized)") || strings.Contains(w, "val split") {
		t.Errorf("warnings are\n%s", w)
	}
}
