package tables

import (
	"fmt"
	"html"
	"io"
	"strings"
)

// HTML writes tables as a fragment to paste into a page: a figure each, with caption, headings with their scope and
// notes. All text is escaped; there are no scripts, classes or links, and the few styles are in the elements.
func HTML(w io.Writer, ts []Table) error {
	var b strings.Builder
	for _, t := range ts {
		htmlTable(&b, t)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write HTML table: %w", err)
	}
	return nil
}

const (
	htmlTableStyle = "border-collapse:collapse;font-variant-numeric:tabular-nums"
	htmlCell       = "padding:0.25em 0.6em;text-align:left;vertical-align:top"
	htmlNumber     = "padding:0.25em 0.6em;text-align:right;vertical-align:top;white-space:nowrap"
	htmlHead       = ";border-bottom:1.5px solid currentcolor"
)

func htmlTable(b *strings.Builder, t Table) {
	b.WriteString("<figure>\n")
	if len(t.Rows) > 0 {
		fmt.Fprintf(b, "<table style=%q>\n<caption>%s</caption>\n<thead>\n", htmlTableStyle, escapeHTML(t.Title))
		htmlHeadings(b, t.Columns)
		b.WriteString("</thead>\n<tbody>\n")
		htmlRows(b, t)
		b.WriteString("</tbody>\n</table>\n")
	}
	b.WriteString("<figcaption>\n")
	if len(t.Rows) == 0 {
		fmt.Fprintf(b, "<p>%s</p>\n", escapeHTML(t.Title))
	}
	for _, n := range t.Notes {
		fmt.Fprintf(b, "<p>%s</p>\n", escapeHTML(n))
	}
	b.WriteString("</figcaption>\n</figure>\n")
}

func htmlHeadings(b *strings.Builder, cs []Column) {
	grouped := false
	var over strings.Builder
	for i := 0; i < len(cs); {
		n := 1
		for i+n < len(cs) && cs[i+n].Group == cs[i].Group {
			n++
		}
		if g := cs[i].Group; g == "" {
			over.WriteString(strings.Repeat("<td></td>", n))
		} else {
			grouped = true
			fmt.Fprintf(&over, "<th scope=\"colgroup\" colspan=\"%d\" style=%q>%s</th>", n, htmlCell, escapeHTML(g))
		}
		i += n
	}
	if grouped {
		b.WriteString("<tr>" + over.String() + "</tr>\n")
	}
	b.WriteString("<tr>")
	for _, c := range cs {
		fmt.Fprintf(b, "<th scope=\"col\" style=%q>%s</th>", htmlStyle(c)+htmlHead, escapeHTML(c.Title))
	}
	b.WriteString("</tr>\n")
}

func htmlStyle(c Column) string {
	if c.Right {
		return htmlNumber
	}
	return htmlCell
}

func htmlRows(b *strings.Builder, t Table) {
	groups := t.Groups
	for i, r := range t.Rows {
		for len(groups) > 0 && groups[0].Row <= i {
			if i > 0 {
				b.WriteString("</tbody>\n<tbody>\n")
			}
			fmt.Fprintf(b, "<tr><th scope=\"rowgroup\" colspan=\"%d\" style=%q>%s</th></tr>\n", len(t.Columns), htmlCell, escapeHTML(groups[0].Title))
			groups = groups[1:]
		}
		b.WriteString("<tr>")
		for k, c := range r {
			x := escapeHTML(c.Text)
			if c.Strong && x != "" {
				x = "<b>" + x + "</b>"
			}
			if c.Mark != "" {
				x += "<sup>" + escapeHTML(c.Mark) + "</sup>"
			}
			fmt.Fprintf(b, "<td style=%q>%s</td>", htmlStyle(t.Columns[k]), x)
		}
		b.WriteString("</tr>\n")
	}
}

func escapeHTML(t string) string { return html.EscapeString(clean(t)) }
