package tables_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/internal/fixture"
	"github.com/mapsweep/mapsweep/reports/tables"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/studies/inference/importance"
)

// why prints the tables of a study.
func why(t *testing.T, s *reports.Snapshot, o tables.WhyOptions) string {
	t.Helper()
	ts, err := tables.Why(s, o)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := tables.Terminal(&b, ts, tables.Options{Width: 400}); err != nil {
		t.Fatal(err)
	}
	for _, write := range []func() error{func() error { return tables.Markdown(&bytes.Buffer{}, ts) }, func() error { return tables.LaTeX(&bytes.Buffer{}, ts) }} {
		if err := write(); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"NaN", "Inf", "%!"} {
		if strings.Contains(b.String(), bad) {
			t.Errorf("%s in\n%s", bad, &b)
		}
	}
	return b.String()
}

func holds(t *testing.T, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("no %q in\n%s", w, text)
		}
	}
}

func TestWhy(t *testing.T) {
	s, err := reports.New(fixture.Factorial(2, 5).Build())
	if err != nil {
		t.Fatal(err)
	}
	holds(t, why(t, s, tables.WhyOptions{}), "Main effects and interactions\n", "factor_0 0 → 0.5", "factor_0 0 → 1", "factor_0 (0 → 1) × factor_1 (0 → 0.5)",
		"effect on mAP50-95 (points)", "9 points, 45 trials with a score, seeds as blocks", "None: 9 configurations with a score are too few")
	s, err = reports.New(fixture.Search(200))
	if err != nil {
		t.Fatal(err)
	}
	text := why(t, s, tables.WhyOptions{Pairs: true})
	holds(t, text, "fANOVA  ± over trees  PED-ANOVA", "lr0 × mixup", "preferred good regions", "pruned trials are left out")
	if strings.Contains(text, "Main effects") {
		t.Errorf("main effects of a search in\n%s", text)
	}
	if text = why(t, s, tables.WhyOptions{Method: importance.PEDANOVA}); strings.Contains(text, "fANOVA  ") {
		t.Errorf("fANOVA where PED-ANOVA was asked for in\n%s", text)
	}
	r, err := s.Importance()
	if err != nil {
		t.Fatal(err)
	}
	if m := tables.Marginals(s, r); len(m.Rows) != 41+41+9+2 {
		t.Errorf("%d rows of marginals", len(m.Rows))
	}
}

// Whatever is missing, there are sentences and no number.
func TestWhyOfNothing(t *testing.T) {
	for name, mk := range fixture.Degenerate() {
		s, err := reports.New(mk())
		if err != nil {
			t.Fatal(err)
		}
		text := why(t, s, tables.WhyOptions{})
		if strings.Contains(text, "─") || !strings.Contains(text, "None: ") {
			t.Errorf("%s:\n%s", name, text)
		}
	}
}

// Terms that the design cannot tell apart stand in one row and are called aliased; those that lean on others say so.
func TestMainEffectsAliased(t *testing.T) {
	s, err := reports.New(fixture.Quickstart().Build())
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	f := inference.Factorial{Terms: []inference.Term{
		{Label: "a × b", Aliases: [][]string{{"c", "d"}, {"e"}}, Verdict: inference.Aliased},
		{Label: "a 0 → 1", Partial: []inference.Partial{{Label: "b × c", Weight: -1.0 / 3}}, Verdict: inference.Better}}}
	if err := tables.Terminal(&b, []tables.Table{tables.MainEffects(s, f)}, tables.Options{Width: 400}); err != nil {
		t.Fatal(err)
	}
	holds(t, b.String(), "cannot be told from", "aliased  c × d, e", "sum of all the terms in its row", "Verdicts assume no interactions: −0.33 of the effect of b × c would be in that of a 0 → 1")

	f.Unchecked, f.Terms[1].Verdict = true, inference.Aliased
	b.Reset()
	if err := tables.Terminal(&b, []tables.Table{tables.MainEffects(s, f)}, tables.Options{Width: 400}); err != nil {
		t.Fatal(err)
	}
	holds(t, strings.Join(strings.Fields(b.String()), " "), "these points cannot check it: −0.33 of the effect of b × c would be in that of a 0 → 1")
	if strings.Contains(b.String(), "interactions are at work") {
		t.Errorf("nothing shows interactions:\n%s", b.String())
	}
}
