package tables_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/internal/fixture"
	"github.com/mapsweep/mapsweep/reports/tables"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// kinds are studies of every kind, with the views that suit them.
func kinds(t *testing.T) map[string]*reports.Snapshot {
	two := fixture.Quickstart()
	two.Data = []string{"builtin:digits", "builtin:trees"}
	three := fixture.Factorial(2, 3)
	one := func(st trials.Study, ts []trials.Trial) *reports.Snapshot { return snapshot(t, st, ts) }
	return map[string]*reports.Snapshot{
		"one factor": one(fixture.Quickstart().Build()), "settled": one(fixture.Settled()), "two data sets": one(two.Build()),
		"search": one(fixture.Search(40)), "screening": one(fixture.Screening()), "factorial": one(three.Build()),
	}
}

var views = map[string][]tables.View{
	"one factor": {{}, {By: tables.ByFactor, Metrics: []string{"mAP50", "ap/*"}}, {By: tables.ByConfig}, {OnlyChanged: true}, {By: tables.ByLevel},
		{By: tables.ByClass}},
	"settled":       {{}, {By: tables.ByFactor}, {OnlyChanged: true}},
	"two data sets": {{}, {By: tables.ByData}, {By: tables.ByClass}},
	"search":        {{}, {Metrics: []string{"mAP50"}}, {By: tables.ByLevel}, {By: tables.ByConfig}},
	"screening":     {{}, {By: tables.ByLevel, Metrics: []string{"mAP75"}}, {By: tables.ByConfig}},
	"factorial":     {{}, {By: tables.ByFactor}, {By: tables.ByLevel}},
}

// grid is a table as a reader of some format finds it: headings, then rows; bold cells begin with "b:", and a heading
// between rows is a row with one text.
type grid [][]string

// Every format has the same headings, rows and numbers, read back from what was written.
func TestFormatsAgree(t *testing.T) {
	for name, s := range kinds(t) {
		for _, v := range views[name] {
			v, err := v.Resolve(s, nil)
			if err != nil {
				t.Fatalf("%s, %+v: %v", name, v, err)
			}
			what := fmt.Sprintf("%s, %s %v", name, v.By, v.Metrics)
			ts := v.Tables(s)
			want := asked(ts)
			for format, read := range map[string]func(*testing.T, []tables.Table) []grid{"text": readText, "Markdown": readMarkdown, "LaTeX": readLaTeX, "HTML": readHTML} {
				compare(t, what+", "+format, read(t, ts), want)
			}
			compare(t, what+", JSON", readJSON(t, v, s), want)
			if s.Search == nil && v.By != tables.ByLevel {
				numbersAgree(t, what, v, s, ts)
			}
		}
	}
}

func compare(t *testing.T, what string, got, want []grid) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d tables, want %d", what, len(got), len(want))
		return
	}
	for i := range want {
		for k := range want[i] {
			if k >= len(got[i]) || !slices.Equal(got[i][k], want[i][k]) {
				t.Errorf("%s, table %d, row %d is\n%q, want\n%q", what, i, k, got[i][min(k, len(got[i])-1)], want[i][k])
				return
			}
		}
		if len(got[i]) != len(want[i]) {
			t.Errorf("%s, table %d: %d rows, want %d", what, i, len(got[i]), len(want[i]))
		}
	}
}

// asked is what all of them should say.
func asked(ts []tables.Table) []grid {
	var out []grid
	for _, t := range ts {
		var head []string
		for _, c := range t.Columns {
			head = append(head, c.Heading())
		}
		g := grid{head}
		for i, r := range t.Rows {
			for _, x := range t.Groups {
				if x.Row == i {
					g = append(g, []string{x.Title})
				}
			}
			var row []string
			for _, c := range r {
				row = append(row, bold(c.Strong, c.Full()))
			}
			g = append(g, row)
		}
		out = append(out, g)
	}
	return out
}

func bold(strong bool, text string) string {
	if strong {
		return "b:" + text
	}
	return text
}

// readText finds columns where every line has two blanks or more.
func readText(t *testing.T, ts []tables.Table) []grid {
	var out []grid
	for _, tab := range ts {
		var lines [][]rune
		for line := range strings.SplitSeq(terminal(t, []tables.Table{tab}, tables.Options{}), "\n") {
			if !strings.HasPrefix(line, "─") {
				lines = append(lines, []rune(line))
			}
			if len(lines) == 1+len(tab.Rows)+len(tab.Groups) {
				break
			}
		}
		out = append(out, cutText(lines))
	}
	return out
}

func cutText(lines [][]rune) grid {
	width := 0
	for _, l := range lines {
		width = max(width, len(l))
	}
	blank := func(at int) bool {
		return !slices.ContainsFunc(lines, func(l []rune) bool { return at < len(l) && l[at] != ' ' })
	}
	var starts, ends []int
	for at := 0; at < width; at++ {
		if blank(at) {
			continue
		}
		if len(ends) == 0 || at-ends[len(ends)-1] >= 2 {
			starts, ends = append(starts, at), append(ends, at+1)
		}
		ends[len(ends)-1] = at + 1
	}
	var g grid
	for _, l := range lines {
		var row []string
		for i := range starts {
			text := strings.TrimSpace(string(l[min(starts[i], len(l)):min(ends[i], len(l))]))
			plain, strong := strings.CutSuffix(text, " †")
			row = append(row, bold(strong, plain))
		}
		if g = append(g, row); len(g) > 1 && row[0] != "" && strings.Join(row[1:], "") == "" {
			g[len(g)-1] = row[:1]
		}
	}
	return g
}

func readMarkdown(t *testing.T, ts []tables.Table) []grid {
	var b bytes.Buffer
	if err := tables.Markdown(&b, ts); err != nil {
		t.Fatal(err)
	}
	escaped := regexp.MustCompile(`\\(.)`)
	plain := func(x string) string {
		x = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(x)
		return escaped.ReplaceAllString(x, "$1")
	}
	strong := regexp.MustCompile(`^\*\*(.*[^\\])\*\*(.*)$`)
	group := regexp.MustCompile(`^\*(.*)\*$`)
	var out []grid
	for line := range strings.SplitSeq(b.String(), "\n") {
		if strings.HasPrefix(line, "### ") {
			out = append(out, nil)
		}
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| ---") {
			continue
		}
		var row []string
		for _, c := range strings.Split(strings.TrimSuffix(strings.TrimPrefix(line, "|"), "|"), "|") {
			c = strings.TrimSpace(c)
			if m := strong.FindStringSubmatch(c); m != nil {
				row = append(row, "b:"+plain(m[1]+m[2]))
			} else if m := group.FindStringSubmatch(c); m != nil && len(row) == 0 {
				row = append(row, plain(m[1]))
			} else {
				row = append(row, plain(c))
			}
		}
		if n := len(out) - 1; len(out[n]) > 0 && row[0] != "" && strings.Join(row[1:], "") == "" {
			out[n] = append(out[n], row[:1])
		} else {
			out[n] = append(out[n], row)
		}
	}
	return out
}

func readHTML(t *testing.T, ts []tables.Table) []grid {
	var b bytes.Buffer
	if err := tables.HTML(&b, ts); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Figures []struct {
			Head []struct {
				Cells []htmlCell `xml:",any"`
			} `xml:"table>thead>tr"`
			Rows []struct {
				Cells []htmlCell `xml:",any"`
			} `xml:"table>tbody>tr"`
		} `xml:"figure"`
	}
	if err := xml.Unmarshal([]byte("<body>"+b.String()+"</body>"), &doc); err != nil {
		t.Fatalf("%v in\n%s", err, &b)
	}
	var out []grid
	for _, f := range doc.Figures {
		head := make([]string, 0, 8)
		last := f.Head[len(f.Head)-1]
		if len(f.Head) == 2 {
			for _, c := range f.Head[0].Cells {
				n := max(1, c.Span)
				for range n {
					head = append(head, c.Text)
				}
			}
		}
		var titles []string
		for i, c := range last.Cells {
			if len(head) > 0 && head[i] != "" {
				titles = append(titles, head[i]+": "+c.Text)
			} else {
				titles = append(titles, c.Text)
			}
		}
		g := grid{titles}
		for _, r := range f.Rows {
			var row []string
			for _, c := range r.Cells {
				row = append(row, bold(c.Bold != "", c.Text+c.Bold+c.Mark))
			}
			g = append(g, row)
		}
		out = append(out, g)
	}
	return out
}

type htmlCell struct {
	Text string `xml:",chardata"`
	Bold string `xml:"b"`
	Mark string `xml:"sup"`
	Span int    `xml:"colspan,attr"`
}

func readJSON(t *testing.T, v tables.View, s *reports.Snapshot) []grid {
	var b bytes.Buffer
	if err := v.JSON(&b, s); err != nil {
		t.Fatal(err)
	}
	var d struct{ Tables []tables.DocumentTable }
	if err := json.Unmarshal(b.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	var out []grid
	for _, tab := range d.Tables {
		g := grid{tab.Columns}
		for i, r := range tab.Rows {
			for _, x := range tab.Groups {
				if x.Row == i {
					g = append(g, []string{x.Title})
				}
			}
			for _, at := range tab.Bold {
				if at[0] == i {
					r[at[1]] = "b:" + r[at[1]]
				}
			}
			g = append(g, r)
		}
		out = append(out, g)
	}
	return out
}

// numbersAgree checks that the numbers of the CSV, written as tables write them, are those of the tables, arm by arm,
// and that JSON has the same.
func numbersAgree(t *testing.T, what string, v tables.View, s *reports.Snapshot, ts []tables.Table) {
	t.Helper()
	var b bytes.Buffer
	if err := v.CSV(&b, s); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, tab := range ts {
		for _, r := range tab.Rows {
			for _, c := range r {
				text.WriteString(c.Full() + "\n")
			}
		}
	}
	all := text.String()
	doc := v.Document(s)
	for _, r := range rows[1:] {
		get := func(name string) string { return r[slices.Index(rows[0], name)] }
		f := func(name string) float64 { return parse(t, get(name)) }
		m := reports.MetricOf(get("metric"))
		if strings.HasPrefix(get("data"), "IQM") {
			e := reports.Effect{Effect: inference.Effect{Mean: f("effect"), Low: f("low95"), High: f("high95")}}
			a, ok := doc.Across[get("arm")]
			if !ok || strconv.FormatFloat(a.Difference.Value, 'g', 12, 64) != get("effect") || !strings.Contains(all, m.Effect(e)+"\n"+m.Interval(e)+"\n") {
				t.Errorf("%s: %s has %s %s over all data sets in the CSV, %+v in JSON", what, get("arm"), m.Effect(e), m.Interval(e), a.Difference)
			}
			continue
		}
		written := []string{m.MeanSpread(f("mean"), f("sd"))}
		if get("effect") != "" && (v.By == tables.ByClass || get("metric") == s.Metric.Key) {
			e := reports.Effect{Effect: inference.Effect{Mean: f("effect"), Low: f("low95"), High: f("high95")}}
			written = append(written, m.Effect(e)+strings.ReplaceAll(get("mark"), "~", "≈"), m.Interval(e))
			if v.By != tables.ByData { // the only table without p values
				written = append(written, reports.PValue(f("p_corrected")))
			}
		}
		if v.By == tables.ByClass && get("metric") == s.Metric.Key {
			continue
		}
		for _, w := range written {
			if !strings.Contains(all, w) {
				t.Errorf("%s: the CSV's %q of %s is not in the table", what, w, get("arm"))
			}
		}
		same := slices.ContainsFunc(doc.Blocks, func(b tables.DocumentBlock) bool {
			return b.Data == get("data") && slices.ContainsFunc(b.Arms, func(a tables.DocumentArm) bool {
				if a.Arm != get("arm") {
					return false
				}
				mean := a.Mean
				if x, ok := a.Metrics[get("metric")]; ok {
					mean = &x.Mean
				}
				return strconv.FormatFloat(*mean, 'g', 12, 64) == get("mean") && strconv.FormatBool(a.Top) == or(get("top"), strconv.FormatBool(a.Top))
			})
		})
		if !same {
			t.Errorf("%s: JSON has no %s of %s with the mean %s", what, get("metric"), get("arm"), get("mean"))
		}
	}
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

func parse(t *testing.T, text string) float64 {
	if text == "" {
		return math.NaN()
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// A footnote says in every format how the numbers were made.
func TestFootnote(t *testing.T) {
	s := kinds(t)["one factor"]
	for format, write := range map[string]func(io.Writer, []tables.Table) error{"Markdown": tables.Markdown, "LaTeX": tables.LaTeX, "HTML": tables.HTML,
		"text": func(w io.Writer, ts []tables.Table) error { return tables.Terminal(w, ts, tables.Options{}) },
		"CSV":  func(w io.Writer, _ []tables.Table) error { return tables.CSV(w, s) },
		"JSON": func(w io.Writer, _ []tables.Table) error { return tables.JSON(w, s) }} {
		var b bytes.Buffer
		if err := write(&b, tables.All(s)); err != nil {
			t.Fatal(err)
		}
		for _, w := range []string{"one-factor", "5 replicates per variant", "paired t", "Holm", "Example CPU", "0123456789ab", "9f8e7d6c5b4a"} {
			if !strings.Contains(b.String(), w) {
				t.Errorf("%s does not say %q", format, w)
			}
		}
	}
}
