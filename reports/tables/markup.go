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
		b.WriteString("| " + escapeMarkdown(c.Title) + " ")
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
	for _, r := range t.Rows {
		for _, c := range r {
			x := escapeMarkdown(c.Text)
			if c.Strong && x != "" {
				x = "**" + x + "**"
			}
			b.WriteString("| " + x + " ")
		}
		b.WriteString("|\n")
	}
}

var markdownEscapes = strings.NewReplacer(
	`\`, `\\`, "|", `\|`, "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "#", `\#`, "~", `\~`, "$", `\$`, "!", `\!`)

func escapeMarkdown(t string) string { return markdownEscapes.Replace(clean(t)) }

// LaTeX writes tables for \usepackage{booktabs}, in ASCII wherever the study's own names are.
func LaTeX(w io.Writer, ts []Table) error {
	var b strings.Builder
	b.WriteString("% needs \\usepackage{booktabs}")
	b.WriteString("\n")
	for _, t := range ts {
		latexTable(&b, t)
	}
	out := b.String()
	if strings.IndexFunc(out, func(r rune) bool { return r > 126 }) >= 0 {
		out = "% names outside ASCII: compile with XeLaTeX or LuaLaTeX and a font that has them\n" + out
	}
	if _, err := io.WriteString(w, out); err != nil {
		return fmt.Errorf("write LaTeX table: %w", err)
	}
	return nil
}

func latexTable(b *strings.Builder, t Table) {
	b.WriteString("\\begin{table}\n\\centering\n\\caption{" + escapeLaTeX(t.Title) + "}\n")
	if len(t.Rows) > 0 {
		b.WriteString("\\begin{tabular}{")
		for _, c := range t.Columns {
			if c.Right {
				b.WriteByte('r')
			} else {
				b.WriteByte('l')
			}
		}
		b.WriteString("}\n\\toprule\n")
		for i, c := range t.Columns {
			b.WriteString(latexSep(i) + escapeLaTeX(c.Title))
		}
		b.WriteString(" \\\\\n\\midrule\n")
		for _, r := range t.Rows {
			for i, c := range r {
				x := escapeLaTeX(c.Text)
				if strings.HasPrefix(x, "[") && i == 0 { // would be read as the argument of \\
					x = "{}" + x
				}
				if c.Strong && x != "" {
					x = "\\textbf{" + x + "}"
				}
				b.WriteString(latexSep(i) + x)
			}
			b.WriteString(" \\\\\n")
		}
		b.WriteString("\\bottomrule\n\\end{tabular}\n")
	}
	for _, n := range t.Notes {
		b.WriteString("\\par\\footnotesize " + escapeLaTeX(n) + "\n")
	}
	b.WriteString("\\end{table}\n")
}

func latexSep(i int) string {
	if i == 0 {
		return ""
	}
	return " & "
}

var latexEscapes = strings.NewReplacer(
	`\`, `\textbackslash{}`, "{", `\{`, "}", `\}`, "$", `\$`, "&", `\&`, "#", `\#`, "^", `\textasciicircum{}`,
	"_", `\_`, "~", `\textasciitilde{}`, "%", `\%`, "<", `$<$`, ">", `$>$`, `"`, `''`,
	"−", "$-$", "±", `$\pm$`, "→", `$\rightarrow$`, "×", `$\times$`, "≤", `$\leq$`, "≥", `$\geq$`, "“", "``", "”", "''", "–", "--")

func escapeLaTeX(t string) string { return latexEscapes.Replace(clean(t)) }
