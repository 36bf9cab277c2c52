package tables_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/internal/fixture"
	"github.com/mapsweep/mapsweep/reports/internal/golden"
	"github.com/mapsweep/mapsweep/reports/tables"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

func snapshot(t *testing.T, st trials.Study, ts []trials.Trial) *reports.Snapshot {
	t.Helper()
	s, err := reports.New(st, ts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func render(t *testing.T, s *reports.Snapshot, kind string) []byte {
	t.Helper()
	var b bytes.Buffer
	var err error
	switch kind {
	case "txt":
		err = tables.Terminal(&b, tables.All(s), tables.Options{Width: 100})
	case "md":
		err = tables.Markdown(&b, tables.All(s))
	case "tex":
		err = tables.LaTeX(&b, tables.All(s))
	case "html":
		err = tables.HTML(&b, tables.All(s))
	case "csv":
		err = tables.CSV(&b, s)
	case "json":
		err = tables.JSON(&b, s)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestGolden(t *testing.T) {
	type study struct {
		name string
		make func() (trials.Study, []trials.Trial)
	}
	two := fixture.Quickstart()
	two.Data = []string{"builtin:digits", "builtin:trees"}
	one := fixture.Quickstart()
	one.Seeds = 1
	for _, c := range []study{
		{"quickstart", fixture.Quickstart().Build},
		{"two-data-sets", two.Build},
		{"one-seed", one.Build},
		{"search", func() (trials.Study, []trials.Trial) { return fixture.Search(40) }},
	} {
		s := snapshot(t, first(c.make()), second(c.make()))
		for _, kind := range []string{"txt", "md", "tex", "csv", "html"} {
			golden.Check(t, c.name+"."+kind, render(t, s, kind))
		}
	}
}

func first(st trials.Study, _ []trials.Trial) trials.Study    { return st }
func second(_ trials.Study, ts []trials.Trial) []trials.Trial { return ts }

// Names come from study files and may hold anything.
func TestHostileNames(t *testing.T) {
	a := fixture.Quickstart()
	evil := "=cmd|'/c calc'!A1 \\input{x} | $x_1$ <script>\x1b[2J"
	a.Baseline[evil] = 0.0
	a.Variants = []fixture.Variant{{Arm: evil, Params: trials.Params{evil: 1.0}, Effect: 0.1, Noise: 0.001}}
	a.Factors = nil
	s := snapshot(t, first(a.Build()), second(a.Build()))

	rows, err := csv.NewReader(bytes.NewReader(render(t, s, "csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows[1:] {
		for i, f := range r {
			if strings.HasPrefix(f, "=") || strings.HasPrefix(f, "+") || strings.HasPrefix(f, "@") {
				t.Errorf("field %q of column %s reads as a formula", f, rows[0][i])
			}
		}
	}
	if tex := string(render(t, s, "tex")); strings.Contains(tex, `\input`) || strings.Contains(tex, "$x_1$") {
		t.Errorf("LaTeX lets a name through:\n%s", tex)
	}
	md := string(render(t, s, "md"))
	if strings.Contains(md, "<script>") {
		t.Error("Markdown lets a tag through")
	}
	for line := range strings.SplitSeq(md, "\n") {
		if strings.HasPrefix(line, "|") && strings.Count(strings.ReplaceAll(line, `\|`, ""), "|") != 8 {
			t.Errorf("a name breaks the row: %s", line)
		}
	}
	if page := string(render(t, s, "html")); strings.Contains(page, "<script") || strings.Contains(page, "<tag") {
		t.Errorf("HTML lets a tag through:\n%s", page)
	}
	for _, kind := range []string{"txt", "md", "tex", "csv", "html"} {
		if bytes.ContainsRune(render(t, s, kind), 0x1b) {
			t.Errorf("%s lets an escape sequence through", kind)
		}
	}
}

func TestTerminal(t *testing.T) {
	s := snapshot(t, first(fixture.Quickstart().Build()), second(fixture.Quickstart().Build()))
	var plain, colour, narrow bytes.Buffer
	if err := tables.Terminal(&plain, tables.All(s), tables.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := tables.Terminal(&colour, tables.All(s), tables.Options{Colour: true}); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(plain.Bytes(), []byte("\x1b")) {
		t.Error("colours without a terminal")
	}
	if !bytes.Contains(colour.Bytes(), []byte("\x1b[31mworse\x1b[0m")) {
		t.Errorf("no colour for worse:\n%q", colour.String())
	}
	if err := tables.Terminal(&narrow, tables.All(s), tables.Options{Width: 80}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(narrow.String(), "\n") {
		if n := len([]rune(line)); n > 80 {
			t.Errorf("line of %d columns on a terminal of 80: %s", n, line)
		}
	}
}

// JSON holds the numbers as they are, and null for what is missing, in every kind of study.
func TestJSON(t *testing.T) {
	var d tables.Document
	s := snapshot(t, first(fixture.Quickstart().Build()), second(fixture.Quickstart().Build()))
	if err := json.Unmarshal(render(t, s, "json"), &d); err != nil {
		t.Fatal(err)
	}
	e := d.Blocks[0].Arms[1].Effect
	if len(d.Blocks[0].Arms) != 5 || e == nil || e.Mean != s.Blocks[0].Effects[0].Mean || e.Verdict != inference.Worse || d.Trials.Complete != 25 ||
		len(d.Blocks[0].Arms[1].Scores) != 5 || *d.Blocks[0].Arms[0].Mean != s.Blocks[0].Arms[0].Mean {
		t.Errorf("document %+v", d)
	}
	for name, mk := range fixture.Degenerate() {
		s := snapshot(t, first(mk()), second(mk()))
		if b := render(t, s, "json"); !json.Valid(b) || bytes.Contains(b, []byte(`"blocks": null`)) {
			t.Errorf("%s: %s", name, b)
		}
	}
}

// Other metrics have a column each, in the usual order, and classes a table of their own.
func TestMetrics(t *testing.T) {
	s := snapshot(t, first(fixture.Quickstart().Build()), second(fixture.Quickstart().Build()))
	var got []string
	for _, m := range tables.Metrics(s, 0) {
		var head []string
		for _, c := range m.Columns {
			head = append(head, c.Title)
		}
		got = append(got, fmt.Sprintf("%s: %s, %d rows, %s", m.Title, strings.Join(head, " | "), len(m.Rows), m.Rows[0][1].Text))
	}
	want := []string{"Other metrics in points: change | mAP50 | mAP75 | mAP-small, 5 rows, 87.3 ± 0.7",
		"Average precision by class in points: change | 0 | 1, 5 rows, 62.0 ± 0.5"}
	if !slices.Equal(got, want) {
		t.Errorf("metrics\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if n := tables.Metrics(s, 0)[0].Notes; len(n) != 1 || !strings.Contains(n[0], "in the network's input") {
		t.Errorf("notes on sizes of objects: %q", n)
	}
	if m := tables.Metrics(snapshot(t, first(fixture.Degenerate()["all-failed"]()), second(fixture.Degenerate()["all-failed"]())), 0); len(m) > 0 {
		t.Errorf("metrics of failed trials %v", m)
	}
}

// The list of trials says what became of each.
func TestTrials(t *testing.T) {
	mk := fixture.Degenerate()["running"]
	s := snapshot(t, first(mk()), second(mk()))
	list := tables.Trials(s)
	for i, want := range map[int]string{0: "complete", 3: "failed (memory)", 12: "running", 14: "waiting"} {
		if got := list.Rows[i][1].Text; got != want {
			t.Errorf("trial %d is %q, want %q", i, got, want)
		}
	}
	if got := list.Rows[1][6].Text; got != "mosaic 1 → 0" {
		t.Errorf("trial 1 differs by %q", got)
	}
	if f := tables.Failures(s); len(f.Rows) != 1 || f.Rows[0][3].Text != "out of memory at 23.7 GiB" {
		t.Errorf("failures %v", f.Rows)
	}
}
