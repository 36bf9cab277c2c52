package html

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/charts"
	"github.com/mapsweep/mapsweep/reports/tables"
)

//go:embed page.html
var pageSource string

//go:embed style.css
var style string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{"words": words, "prose": prose}).Parse(pageSource))

// words keeps browsers from breaking short words ("mAP50-95") at their hyphens.
func words(text string) template.HTML {
	ws := strings.Fields(text)
	for i, w := range ws {
		ws[i] = template.HTMLEscapeString(w)
		if len(w) <= 20 && strings.Contains(w, "-") {
			ws[i] = `<span class="word">` + ws[i] + "</span>"
		}
	}
	return template.HTML(strings.Join(ws, " "))
}

// prose is words for text, whose numbers keep their percent signs.
func prose(text string) template.HTML {
	return template.HTML(strings.ReplaceAll(string(words(text)), " %", "\u00a0%"))
}

// page is what page.html shows, in its order.
type page struct {
	Title, Subtitle, Description string
	Style                        template.CSS
	Several                      bool // more than one data set
	Blocks                       []block
	Warnings                     []string
	Facts                        []fact
	Signals                      signals
	Failures, Notes, Audit       tables.Table
	Logs                         []reports.Failure
	Methods                      string
	Provenance                   []fact
	Trials                       tables.Table
	TrialsTitle                  string
	File                         string
}

type block struct {
	Data     string
	Answer   []reports.Phrase
	Sections []section
}

type section struct {
	Title   string
	Figures []figure
	Tables  []tables.Table
	Links   []link
	Folded  []section
}

type figure struct {
	SVG     template.HTML
	Caption string
	Links   []link
}

type link struct{ Href, Text string }

type fact struct{ Value, Words string }

// Files says which files lie beside the page, to be linked.
type Files struct {
	Tables bool // table.md, table.csv, table.tex
	Charts bool // charts/*.svg, .png, .pdf
}

// Page writes the report of a snapshot as one HTML page.
func Page(w io.Writer, s *reports.Snapshot, f Files) error {
	p, err := newPage(s, f)
	if err != nil {
		return fmt.Errorf("make report of study %q: %w", s.Study.Name, err)
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return fmt.Errorf("make report of study %q: %w", s.Study.Name, err)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write report of study %q: %w", s.Study.Name, err)
	}
	return nil
}

func newPage(s *reports.Snapshot, f Files) (page, error) {
	p := page{
		Title: s.Study.Name, Subtitle: subtitle(s), Description: s.Spec.Description,
		Style: template.CSS(style), Several: len(s.Blocks) > 1, Warnings: s.Warnings, Facts: facts(s),
		Signals: newSignals(s), Failures: tables.Failures(s), Notes: tables.Notes(s), Methods: reports.Methods(s), Provenance: provenance(s),
		Trials: tables.Trials(s), File: strings.TrimSpace(string(s.Study.File)),
	}
	p.TrialsTitle = fmt.Sprintf("%s with their outcomes and configurations", reports.Count(len(s.Trials), "trial"))
	if a, ok := s.Study.Audit(); ok {
		p.Audit = tables.Audit(a)
	}
	for _, x := range s.Failures {
		if x.LogTail != "" {
			p.Logs = append(p.Logs, x)
		}
	}
	for i := range s.Blocks {
		b, err := newBlock(s, i, f)
		if err != nil {
			return p, err
		}
		p.Blocks = append(p.Blocks, b)
	}
	return p, nil
}

// newBlock lays out the charts and tables of one data set. Sections without content are left out.
func newBlock(s *reports.Snapshot, i int, f Files) (block, error) {
	b := block{Data: s.Blocks[i].Data, Answer: s.Answer(&s.Blocks[i])}
	d := drawer{s: s, block: i, files: f}
	var top []tables.Table
	if s.Search == nil {
		if t := tables.Ablation(s, i); len(t.Rows) > 0 {
			top = append(top, t)
		}
	}
	effects := section{Title: "What changed, and by how much", Figures: d.figures("effects"), Tables: top}
	if len(top) > 0 {
		effects.Links = tableLinks(f)
	}
	if f.Charts { // drawn samples: the page that follows every trial leaves them out
		if t := tables.Sizes(s, i); len(t.Rows) > 0 {
			effects.Folded = append(effects.Folded, section{Title: "Effect sizes", Tables: []tables.Table{t}})
		}
	}
	every := section{Title: "Every trial", Figures: d.figures("comparison")}
	for _, t := range tables.Metrics(s, i) {
		every.Folded = append(every.Folded, section{Title: t.Title + ": mean ± standard deviation over seeds", Tables: []tables.Table{t}})
	}
	search := section{Title: "The search", Figures: d.figures("front", "hypervolume", "history")}
	if s.Search != nil && len(s.Search.Candidates) > 0 && i == 0 {
		search.Tables = []tables.Table{tables.Search(s, 10)}
		if t, ok := tables.Front(s); ok {
			search.Tables = []tables.Table{t}
		}
		search.Links = tableLinks(f)
	}
	if s.Spec.Screens() {
		search.Title = "The runs of the design, best first"
	}
	search.Figures = append(search.Figures, d.figures("slices")...)
	curves := section{Title: "Learning curves", Figures: d.figures("curves", "search-curves")}
	if fs := d.figures("losses", "search-losses"); len(fs) > 0 {
		curves.Folded = []section{{Title: "Losses", Figures: fs}}
	}
	slopes := section{Title: "Seed by seed", Figures: d.figures("slopes")}
	seeds, err := pictures(s, i)
	if err != nil {
		return b, err
	}
	settled := section{Title: "How each variant was settled", Figures: d.figures("sequence")}
	confirmed := section{Title: "Confirmed from fresh seeds"}
	if t, ok := tables.Confirmed(s, i); ok {
		confirmed.Tables = []tables.Table{t}
	}
	sections := append([]section{confirmed, effects, settled, tunedSection(s, i), search}, d.whySections()...)
	if s.Spec.Screens() { // read by effects, not by ranks
		sections = append(d.whySections(), search)
	}
	for _, x := range append(sections, every, curves, slopes, seeds) {
		if len(x.Figures)+len(x.Tables)+len(x.Folded) > 0 {
			b.Sections = append(b.Sections, x)
		}
	}
	return b, d.err
}

func tableLinks(f Files) []link {
	if !f.Tables {
		return nil
	}
	return []link{{"table.md", "Markdown"}, {"table.csv", "CSV"}, {"table.tex", "LaTeX"}}
}

// drawer inlines charts of one block and keeps the first error.
type drawer struct {
	s     *reports.Snapshot
	block int
	files Files
	err   error
}

func (d *drawer) figures(names ...string) []figure {
	var fs []figure
	s := d.s.Only(d.block)
	for _, n := range names {
		c, ok := charts.Find(n)
		if !ok {
			d.err = errors.Join(d.err, fmt.Errorf("no chart is called %q", n))
			continue
		}
		svg, err := charts.Inline(c, s, c.Title+". "+c.Words(s))
		if errors.Is(err, charts.ErrNothing) {
			continue
		}
		if err != nil {
			d.err = errors.Join(d.err, err)
			continue
		}
		x := figure{SVG: template.HTML(svg), Caption: c.Words(s)}
		if d.files.Charts {
			for _, ext := range charts.Formats {
				x.Links = append(x.Links, link{"charts/" + fileName(d.s, d.block, c, ext), strings.ToUpper(ext)})
			}
		}
		fs = append(fs, x)
	}
	return fs
}
