package tables

import (
	"fmt"
	"io"
	"strings"
)

// Markdown writes tables as GitHub-flavoured Markdown.
func Markdown(w io.Writer, ts []Table) error {
	var b strings.Builder
	for i, t := range ts {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "### %s\n\n", escapeMarkdown(t.Title))
		if len(t.Rows) > 0 {
			markdownRows(&b, t)
			b.WriteString("\n")
		}
		for _, n := range t.Notes {
			b.WriteString(escapeMarkdown(n) + "\n\n")
		}
	}
	if _, err := io.WriteString(w, strings.TrimRight(b.String(), "\n")+"\n"); err != nil {
		return fmt.Errorf("write Markdown table: %w", err)
	}
	return nil
}

func markdownRows(b *strings.Builder, t Table) {
	for _, c := range t.Columns {
		b.WriteString("| " + escapeMarkdown(c.Heading()) + " ")
	}
	b.WriteString("|\n")
	for _, c := range t.Columns {
		if c.Right {
			b.WriteString("| ---: ")
		} else {
			b.WriteString("| --- ")
		}
	}
	b.WriteString("|\n")
	groups := t.Groups
	for i, r := range t.Rows {
		for len(groups) > 0 && groups[0].Row <= i {
			b.WriteString("| *" + escapeMarkdown(groups[0].Title) + "* " + strings.Repeat("| ", len(t.Columns)-1) + "|\n")
			groups = groups[1:]
		}
		for _, c := range r {
			x := escapeMarkdown(c.Text)
			if c.Strong && x != "" {
				x = "**" + x + "**"
			}
			b.WriteString("| " + x + escapeMarkdown(c.Mark) + " ")
		}
		b.WriteString("|\n")
	}
}

var markdownEscapes = strings.NewReplacer(
	`\`, `\\`, "|", `\|`, "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "#", `\#`, "~", `\~`, "$", `\$`, "!", `\!`)

func escapeMarkdown(t string) string { return markdownEscapes.Replace(clean(t)) }
