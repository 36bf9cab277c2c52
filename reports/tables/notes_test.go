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
		"many waiting": {func() (trials.Study, []trials.Trial) {
			st, ts := fixture.Factorial(3, 1).Build()
			for i := 10; i < len(ts); i++ {
				fixture.Wait(&ts[i])
			}
			return st, ts
		}, "Not tested: 17 variants (the variant has no finished trial)", "more"},
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
	if n := strings.Join(tables.Search(s, 10).Notes, "\n"); !strings.Contains(n, "2 objectives") {
		t.Errorf("notes under the table are\n%s", n)
	}
	w := strings.Join(s.Warnings, "\n")
	if !strings.Contains(w, "2 objectives") || !strings.Contains(w, "(objective, minimized)") || strings.Contains(w, "val split") {
		t.Errorf("warnings are\n%s", w)
	}
}

// What was noted at trials is in their list, and by itself with equal notes together.
func TestNotes(t *testing.T) {
	st, ts := fixture.Quickstart().Build()
	if s := snapshot(t, st, ts); len(tables.Notes(s).Rows) > 0 || len(tables.Trials(s).Columns) != 7 {
		t.Error("notes where there is none")
	}
	for i := range 12 {
		ts[i].Attrs[trials.AttrNote] = trials.Attr("the batch was halved")
	}
	ts[20].Attrs[trials.AttrNote] = trials.Attr("went on from epoch 7")
	s := snapshot(t, st, ts)
	n := tables.Notes(s)
	if len(n.Rows) != 2 || n.Rows[0][0].Text != "0, 1, 2, 3, 4, 5, 6, 7 and 4 more" || n.Rows[1][1].Text != "went on from epoch 7" {
		t.Errorf("notes %v", n.Rows)
	}
	list := tables.Trials(s)
	if got := list.Rows[20][7].Text; got != "went on from epoch 7" || list.Columns[7].Title != "note" {
		t.Errorf("trial 20 has the note %q", got)
	}
}

// A level of 300 letters takes a sensible width on a terminal and is whole in files.
func TestLongLevels(t *testing.T) {
	long := strings.Repeat("abc", 100)
	spaced := strings.Repeat("abc ", 75)
	a := fixture.Quickstart()
	a.Variants[0] = fixture.Variant{Arm: "autoaugment=" + long, Params: trials.Params{"autoaugment": long}, Effect: 0.1, Noise: 0.001}
	a.Variants[1] = fixture.Variant{Arm: "autoaugment=" + spaced, Params: trials.Params{"autoaugment": spaced}, Effect: 0.1, Noise: 0.001}
	s := snapshot(t, first(a.Build()), second(a.Build()))
	for line := range strings.SplitSeq(terminal(t, []tables.Table{tables.Ablation(s, 0), tables.Trials(s)}, tables.Options{}), "\n") {
		if n := len([]rune(line)); n > 270 {
			t.Errorf("line of %d letters: %s", n, line)
		}
	}
	for _, kind := range []string{"md", "csv", "tex"} {
		if !strings.Contains(string(render(t, s, kind)), long) {
			t.Errorf("%s has not the whole level", kind)
		}
	}
}

// The dagger that stands for bold is explained, and only where it is used.
func TestDagger(t *testing.T) {
	a := fixture.Quickstart()
	a.Variants[0].Effect = 0.2
	s := snapshot(t, first(a.Build()), second(a.Build()))
	ts := tables.All(s)
	plain, colour := terminal(t, ts, tables.Options{}), terminal(t, ts, tables.Options{Colour: true})
	if !strings.Contains(plain, " †  ") || !strings.Contains(plain, "\n† not shown to be worse than the best.\n") || strings.Contains(plain, "Bold") {
		t.Errorf("without colour:\n%s", plain)
	}
	if strings.Contains(colour, "†") || !strings.Contains(colour, "\nBold: not shown") {
		t.Errorf("with colour:\n%s", colour)
	}
}

func terminal(t *testing.T, ts []tables.Table, o tables.Options) string {
	t.Helper()
	var b strings.Builder
	if err := tables.Terminal(&b, ts, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// In a study until settled bold is explained too, and a variant without a verdict has its reason once.
func TestSettledNotes(t *testing.T) {
	s := snapshot(t, first(fixture.Settled()), second(fixture.Settled()))
	text := terminal(t, tables.All(s), tables.Options{})
	for _, w := range []string{"\n† not shown to be worse than the best.\n", "Not settled: mixup 0.15 → 0 (", "Design: one-factor; replicates until settled, judged at 3, 5, 8 and 12 per variant.",
		"Test: paired t test at the level 0.05, shared out among 4 looks and 4 variants"} {
		if strings.Count(text, w) != 1 {
			t.Errorf("%d times %q in\n%s", strings.Count(text, w), w, text)
		}
	}
}
