package tables

import (
	"fmt"
	"io"
	"strings"
)

// LaTeX writes tables that need booktabs alone, in ASCII wherever the study's own names are.
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
		size, columns, wrap, ok := latexFit(t)
		if !ok {
			b.WriteString("% wider than a line of the class article\n")
		}
		b.WriteString(size + "\n\\setlength{\\tabcolsep}{3pt}\n\\begin{tabular}{@{}" + columns + "@{}}\n\\toprule\n")
		latexHead(b, t.Columns)
		b.WriteString("\\midrule\n")
		latexRows(b, t, wrap)
		b.WriteString("\\bottomrule\n\\end{tabular}\n")
	}
	if len(t.Notes) > 0 {
		b.WriteString("\\par\\smallskip\\raggedright\\footnotesize\n")
	}
	for _, n := range t.Notes {
		b.WriteString(escapeLaTeX(n) + "\n")
	}
	b.WriteString("\\end{table}\n")
}

// latexSizes are sizes of letters, and the width of a figure or usual letter in points, half the em of Computer Modern.
var latexSizes = []struct {
	command string
	letter  float64
}{{`\small`, 4.63}, {`\footnotesize`, 4.25}, {`\scriptsize`, 4.02}, {`\tiny`, 3.4}}

const (
	latexLine  = 345 // points of a line of the class article
	latexGap   = 6   // points between two columns
	latexLabel = 20  // letters that the first column keeps when it wraps
)

// latexFit chooses the largest letters with which a table fits a line, and the kinds of its columns. The first column
// wraps to so many letters if need be, 0 for none. Not ok: the table is too wide all the same.
func latexFit(t Table) (size, columns string, wrap int, ok bool) {
	wide := make([]int, len(t.Columns))
	sum := 0
	for i, c := range t.Columns {
		for line := range strings.SplitSeq(latexBreak(c.Title), "\n") {
			wide[i] = max(wide[i], len([]rune(line)))
		}
		for _, r := range t.Rows {
			wide[i] = max(wide[i], len([]rune(r[i].Full())))
		}
		sum += wide[i]
	}
	for _, s := range latexSizes {
		size = s.command
		over := sum - int((latexLine-latexGap*float64(len(wide)-1))/s.letter)
		if ok = over <= 0; ok {
			break
		}
		if ok = over <= wide[0]-latexLabel && !t.Columns[0].Right; ok {
			wrap = wide[0] - over
			break
		}
	}
	for i, c := range t.Columns {
		switch {
		case i == 0 && wrap > 0:
			columns += fmt.Sprintf("p{%.1fem}", 0.5*float64(wrap))
		case c.Right:
			columns += "r"
		default:
			columns += "l"
		}
	}
	return size, columns, wrap, ok
}

// latexBreak breaks a heading before its unit.
func latexBreak(title string) string {
	if name, unit, ok := strings.Cut(title, " ("); ok {
		return name + "\n(" + unit
	}
	return title
}

// latexHeading stacks the lines of a heading.
func latexHeading(c Column) string {
	above, below, stacked := strings.Cut(latexBreak(c.Title), "\n")
	if !stacked {
		return escapeLaTeX(c.Title)
	}
	side := "l"
	if c.Right {
		side = "r"
	}
	return `\shortstack[` + side + "]{" + escapeLaTeX(above) + ` \\ ` + escapeLaTeX(below) + "}"
}

// latexHead writes headings; those over several columns stand in a row of their own, with a rule under each.
func latexHead(b *strings.Builder, cs []Column) {
	var over, rules []string
	grouped := false
	for i := 0; i < len(cs); {
		n := 1
		for i+n < len(cs) && cs[i+n].Group == cs[i].Group {
			n++
		}
		if g := cs[i].Group; g == "" {
			over = append(over, strings.Repeat("& ", n-1))
		} else {
			grouped = true
			over = append(over, fmt.Sprintf("\\multicolumn{%d}{c}{%s}", n, escapeLaTeX(g)))
			rules = append(rules, fmt.Sprintf("\\cmidrule(lr){%d-%d}", i+1, i+n))
		}
		i += n
	}
	if grouped {
		b.WriteString(strings.Join(over, " & ") + " \\\\\n" + strings.Join(rules, " ") + "\n")
	}
	for i, c := range cs {
		b.WriteString(latexSep(i) + latexHeading(c))
	}
	b.WriteString(" \\\\\n")
}

// latexRows writes rows; the first column wraps to so many letters, if that is not 0.
func latexRows(b *strings.Builder, t Table, wrap int) {
	groups := t.Groups
	for i, r := range t.Rows {
		for len(groups) > 0 && groups[0].Row <= i {
			if i > 0 {
				b.WriteString("\\addlinespace\n")
			}
			fmt.Fprintf(b, "\\multicolumn{%d}{@{}l}{\\emph{%s}} \\\\\n", len(t.Columns), escapeLaTeX(groups[0].Title))
			groups = groups[1:]
		}
		for k, c := range r {
			x := escapeLaTeX(c.Text)
			if k == 0 && strings.HasPrefix(x, "[") || strings.HasPrefix(x, "*") { // would be read as belonging to the \\ before
				x = "{}" + x
			}
			if c.Strong && x != "" {
				x = "\\textbf{" + x + "}"
			}
			if k == 0 && wrap > 0 && len([]rune(c.Text)) > wrap {
				x = "\\raggedright " + x
			}
			if c.Mark != "" {
				x += "$^{" + strings.NewReplacer("*", "{*}", markEquivalent, `\approx`).Replace(c.Mark) + "}$"
			}
			b.WriteString(latexSep(k) + x)
		}
		b.WriteString(" \\\\\n")
	}
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
	"−", "$-$", "±", `$\pm$`, "→", `$\rightarrow$`, "×", `$\times$`, "≤", `$\leq$`, "≥", `$\geq$`, "“", "``", "”", "''", "–", "--", "≈", `$\approx$`, "✓", `$\surd$`, "…", `\ldots{}`, "Δ", `$\Delta$`, "²", `$^2$`, "†", `$\dagger$`)

func escapeLaTeX(t string) string { return latexEscapes.Replace(clean(t)) }
