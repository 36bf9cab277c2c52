package html

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/charts"
	"github.com/mapsweep/mapsweep/reports/compare"
	"github.com/mapsweep/mapsweep/reports/tables"
	"github.com/mapsweep/mapsweep/studies/inference"
)

//go:embed comparison.html
var comparisonSource string

var comparisonTemplate = template.Must(template.Must(pageTemplate.Clone()).New("comparison").Parse(comparisonSource))

// comparisonPage is what comparison.html shows, in its order.
type comparisonPage struct {
	Title, Subtitle string
	Style           template.CSS
	Answer, Notes   []string
	Sections        []section
	Studies         []fact
}

// WriteComparison writes the report of a comparison into dir, which it makes if need be: index.html, table.md, table.csv,
// table.tex, and charts/effects.svg, .png and .pdf for each pair of data sets. Every file appears whole or not at all.
func WriteComparison(dir string, c *compare.Comparison) error {
	return diskError(dir, writeComparison(dir, c))
}

func writeComparison(dir string, c *compare.Comparison) error {
	if err := os.MkdirAll(filepath.Join(dir, "charts"), 0o755); err != nil {
		return err
	}
	ts := c.Tables()
	for _, f := range []struct {
		name string
		make func(io.Writer) error
	}{
		{"table.md", func(w io.Writer) error { return tables.Markdown(w, ts) }},
		{"table.csv", c.CSV},
		{"table.tex", func(w io.Writer) error { return tables.LaTeX(w, ts) }},
	} {
		if err := writeFile(filepath.Join(dir, f.name), f.make); err != nil {
			return err
		}
	}
	for i, b := range c.Blocks {
		for _, ext := range charts.Formats {
			path := filepath.Join(dir, "charts", pairsFile(c, i, ext))
			err := writeFile(path, func(w io.Writer) error { return charts.WritePairs(w, pairs(c, b), ext) })
			if errors.Is(err, charts.ErrNothing) {
				err = nil
			}
			if err != nil {
				return err
			}
		}
	}
	return writeFile(filepath.Join(dir, "index.html"), func(w io.Writer) error { return Comparison(w, c) })
}

// Comparison writes the report of a comparison as one page, with links to the files that WriteComparison puts beside it.
func Comparison(w io.Writer, c *compare.Comparison) error {
	p := comparisonPage{Title: c.Title(), Subtitle: comparisonSubtitle(c), Style: template.CSS(style), Answer: c.Answer(), Notes: c.Notes}
	ts := c.Tables()
	last := len(ts) - 1
	main := section{Title: "Effects in either study", Tables: ts[:last], Links: tableLinks(Files{Tables: true})}
	if c.Best != nil {
		main.Title = "Best configurations"
	}
	for i, b := range c.Blocks {
		svg, err := charts.InlinePairs(pairs(c, b), "Effects of each change in both studies")
		if errors.Is(err, charts.ErrNothing) {
			continue
		}
		if err != nil {
			return fmt.Errorf("make report of the comparison: %w", err)
		}
		x := figure{SVG: template.HTML(svg), Caption: "Effects against each study's own reference, with their intervals; at the right, how the difference of the two stands."}
		for _, ext := range charts.Formats {
			x.Links = append(x.Links, link{"charts/" + pairsFile(c, i, ext), strings.ToUpper(ext)})
		}
		main.Figures = append(main.Figures, x)
	}
	ts[last].Notes = nil // they stand above
	p.Sections = []section{main, {Title: ts[last].Title, Tables: ts[last:]}}
	for _, s := range []struct {
		name string
		snap *reports.Snapshot
	}{{"A: " + c.A.Study.Name, c.A}, {"B: " + c.B.Study.Name, c.B}} {
		p.Studies = append(p.Studies, fact{reports.Methods(s.snap), s.name})
	}
	var b bytes.Buffer
	if err := comparisonTemplate.Execute(&b, p); err != nil {
		return fmt.Errorf("make report of the comparison: %w", err)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write report of the comparison: %w", err)
	}
	return nil
}

func comparisonSubtitle(c *compare.Comparison) string {
	w := "Comparison of two studies by " + c.Metric.Key
	if c.Paired {
		w += ", paired by seed"
	}
	return w
}

func pairsFile(c *compare.Comparison, block int, ext string) string {
	if len(c.Blocks) == 1 {
		return "effects." + ext
	}
	return fmt.Sprintf("effects-%d.%s", block+1, ext)
}

// pairs is the chart of one pair of data sets.
func pairs(c *compare.Comparison, b compare.Block) charts.Pairs {
	p := charts.Pairs{Axis: "effect on " + c.Metric.Key, Names: [2]string{"A: " + c.A.Study.Name, "B: " + c.B.Study.Name}, Margin: c.Metric.Scale(b.Margin)}
	if c.Metric.Points {
		p.Axis += " in points"
	}
	value := func(e *reports.Effect) charts.PairValue {
		if e == nil {
			return charts.PairValue{Mean: math.NaN(), Low: math.NaN(), High: math.NaN()}
		}
		return charts.PairValue{Mean: c.Metric.Scale(e.Mean), Low: c.Metric.Scale(e.Low), High: c.Metric.Scale(e.High)}
	}
	for _, r := range b.Rows {
		d := reports.Effect{Effect: r.Difference}
		numbers := "no difference"
		if !math.IsNaN(d.Mean) {
			numbers = strings.TrimSpace("B − A " + c.Metric.Effect(d) + " " + c.Metric.Interval(d))
		}
		p.Rows = append(p.Rows, charts.PairRow{Label: r.Label, Values: [2]charts.PairValue{value(r.EffectA), value(r.EffectB)}, Words: c.Verdict(d.Effect), Numbers: numbers,
			Highlight: d.Verdict == inference.Better || d.Verdict == inference.Worse})
	}
	return p
}
