package tables_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/reports/internal/fixture"
	"github.com/mapsweep/mapsweep/reports/tables"
	"github.com/mapsweep/mapsweep/trials"
)

func latex(t *testing.T, ts []tables.Table) string {
	t.Helper()
	var b bytes.Buffer
	if err := tables.LaTeX(&b, ts); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// latexPlain undoes the escapes, longest first.
var latexPlain = strings.NewReplacer(`\textbackslash{}`, `\`, `\textasciicircum{}`, "^", `\textasciitilde{}`, "~", `\ldots{}`, "…",
	`$-$`, "−", `$\pm$`, "±", `$\rightarrow$`, "→", `$\times$`, "×", `$\surd$`, "✓", `$\approx$`, "≈", `$<$`, "<", `$>$`, ">", `$^2$`, "²", "--", "–",
	`\{`, "{", `\}`, "}", `\$`, "$", `\&`, "&", `\#`, "#", `\_`, "_", `\%`, "%", "{}[", "[", "{}*", "*")

var (
	latexStack = regexp.MustCompile(`\\shortstack\[[lr]\]\{(.*?) \\\\ (.*?)\}`)
	latexRule  = regexp.MustCompile(`\\cmidrule\(lr\)\{\d+-\d+\}|\\addlinespace|\\(top|mid|bottom)rule`)
	latexMulti = regexp.MustCompile(`^\\multicolumn\{(\d+)\}\{(?:c|@\{\}l)\}\{(.*)\}$`)
	latexBold  = regexp.MustCompile(`^\\textbf\{(.*?)\}(\$\^.*)?$`)
	latexMark  = regexp.MustCompile(`\$\^\{(.*)\}\$$`)
)

// readLaTeX reads the tables of a document as a strict program would: it fails on what LaTeX would not understand.
func readLaTeX(t *testing.T, ts []tables.Table) []grid {
	t.Helper()
	doc := latex(t, ts)
	if err := checkLaTeX(doc); err != nil {
		t.Fatalf("%v in\n%s", err, doc)
	}
	var out []grid
	doc = latexStack.ReplaceAllString(doc, "$1 $2")
	for _, part := range strings.Split(doc, `\begin{tabular}`)[1:] {
		body, _, _ := strings.Cut(part, `\end{tabular}`)
		_, body, _ = strings.Cut(body, "\n") // the columns
		var over []string
		var g grid
		for line := range strings.SplitSeq(latexRule.ReplaceAllString(body, ""), "\n") {
			line, ok := strings.CutSuffix(strings.TrimSpace(line), `\\`)
			if !ok {
				continue
			}
			row, spans := latexCells(strings.TrimSpace(line))
			switch {
			case len(g) == 0 && over == nil && slices.ContainsFunc(spans, func(n int) bool { return n > 1 }):
				for i, x := range row {
					over = append(over, slices.Repeat([]string{x}, spans[i])...)
				}
				continue
			case len(g) == 0 && over != nil:
				for i := range row {
					if over[i] != "" {
						row[i] = over[i] + ": " + row[i]
					}
				}
			}
			g = append(g, row)
		}
		out = append(out, g)
	}
	return out
}

// latexCells are a row's texts, and how many columns each spans.
func latexCells(line string) (texts []string, spans []int) {
	for _, c := range splitCells(line) {
		c = strings.TrimPrefix(strings.TrimSpace(c), `\raggedright `)
		n := 1
		if m := latexMulti.FindStringSubmatch(c); m != nil {
			n, _ = strconv.Atoi(m[1])
			c = strings.TrimSuffix(strings.TrimPrefix(m[2], `\emph{`), "}")
		}
		mark := ""
		if m := latexMark.FindStringSubmatch(c); m != nil {
			mark = strings.NewReplacer("{*}", "*", `\approx`, "≈").Replace(m[1])
			c = strings.TrimSuffix(c, m[0])
		}
		strong := false
		if m := latexBold.FindStringSubmatch(c); m != nil {
			c, strong = m[1], true
		}
		texts, spans = append(texts, bold(strong, latexPlain.Replace(c)+mark)), append(spans, n)
	}
	return texts, spans
}

// splitCells cuts at "&" that no backslash escapes.
func splitCells(line string) []string {
	var out []string
	from := 0
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case '&':
			out = append(out, line[from:i])
			from = i + 1
		}
	}
	return append(out, line[from:])
}

// known are the commands of LaTeX itself and of booktabs that the tables may use.
var known = []string{"begin", "end", "centering", "caption", "small", "setlength", "tabcolsep", "toprule", "midrule", "bottomrule", "cmidrule", "addlinespace",
	"multicolumn", "emph", "textbf", "par", "footnotesize", "textbackslash", "textasciicircum", "textasciitilde", "ldots", "pm", "rightarrow", "times",
	"smallskip", "raggedright", "scriptsize", "tiny", "leq", "geq", "approx", "surd", "Delta", "dagger"}

var latexWidth = regexp.MustCompile(`p\{[0-9.]+em\}`)

var latexCommand = regexp.MustCompile(`\\([a-zA-Z]+)`)

// checkLaTeX is a strict reader: braces, dollars and environments are balanced, only known commands are used, no
// special sign stands by itself, and every row has as many cells as the table has columns.
func checkLaTeX(doc string) error {
	var open []string
	columns := 0
	for n, line := range strings.Split(latexStack.ReplaceAllString(doc, "$1 $2"), "\n") {
		fail := func(format string, args ...any) error {
			return fmt.Errorf("line %d: "+format, append([]any{n + 1}, args...)...)
		}
		if strings.HasPrefix(line, "%") {
			continue
		}
		depth, dollars := 0, 0
		for i := 0; i < len(line); i++ {
			switch c := line[i]; {
			case c == '\\':
				i++
			case c == '{':
				depth++
			case c == '}':
				if depth--; depth < 0 {
					return fail("a brace closes nothing")
				}
			case c == '$':
				dollars++
			case c == '%' || c == '#' || c == '~' || c == '_' || c == '^' && dollars%2 == 0:
				return fail("a bare %c", c)
			case c < 32 || c > 126:
				return fail("the byte %#x", c)
			}
		}
		if depth != 0 || dollars%2 != 0 {
			return fail("braces or dollars are not balanced: %s", line)
		}
		for _, m := range latexCommand.FindAllStringSubmatch(strings.ReplaceAll(line, `\\`, " "), -1) {
			if !slices.Contains(known, m[1]) {
				return fail("unknown command %s", m[0])
			}
		}
		switch {
		case strings.HasPrefix(line, `\begin{`):
			open = append(open, line[7:strings.Index(line, "}")])
			if _, spec, ok := strings.Cut(line, "{@{}"); ok {
				columns = len(latexWidth.ReplaceAllString(strings.TrimSuffix(spec, "@{}}"), "l"))
			}
		case strings.HasPrefix(line, `\end{`):
			if name := line[5:strings.Index(line, "}")]; len(open) == 0 || open[len(open)-1] != name {
				return fail("%s ends, and %v is open", name, open)
			}
			open = open[:len(open)-1]
		case strings.HasSuffix(line, `\\`) && slices.Contains(open, "tabular"):
			_, spans := latexCells(strings.TrimSuffix(line, `\\`))
			cells := 0
			for _, s := range spans {
				cells += s
			}
			if cells != columns {
				return fail("%d cells in %d columns: %s", cells, columns, line)
			}
		}
	}
	if len(open) > 0 {
		return fmt.Errorf("%v is not closed", open)
	}
	return nil
}

// The strict reader sees what is wrong.
func TestCheckLaTeX(t *testing.T) {
	head := "\\begin{table}\n\\begin{tabular}{@{}lr@{}}\n"
	foot := "\\end{tabular}\n\\end{table}\n"
	if err := checkLaTeX(head + "a & b \\\\\n" + foot); err != nil {
		t.Error(err)
	}
	for name, doc := range map[string]string{
		"three cells": head + "a & b & c \\\\\n" + foot, "a percent sign": head + "5 % & b \\\\\n" + foot, "a brace": head + "{a & b \\\\\n" + foot,
		"a command": head + "\\input a & b \\\\\n" + foot, "an open table": head + "a & b \\\\\n", "a letter": head + "é & b \\\\\n" + foot,
		"a dollar": head + "$a & b \\\\\n" + foot, "an underscore": head + "a_b & c \\\\\n" + foot,
	} {
		if checkLaTeX(doc) == nil {
			t.Errorf("%s goes unnoticed", name)
		}
	}
}

// Everything compiles with booktabs alone, where a TeX is present, names from study files included.
func TestLaTeXCompiles(t *testing.T) {
	var all []tables.Table
	for name, s := range kinds(t) {
		for _, v := range views[name] {
			v, err := v.Resolve(s, nil)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, v.Tables(s)...)
		}
	}
	evil := fixture.Quickstart()
	evil.Factors, evil.Variants = nil, nil
	for i, n := range []string{`\input{x}`, `$x_1^2$ & 50 % #3 {~}`, `[a]`, `*b`, `"quoted" <tag>`} {
		evil.Baseline[n] = 0.0
		evil.Variants = append(evil.Variants, fixture.Variant{Arm: n, Params: trials.Params{n: 1.0}, Effect: 0.02 * float64(i), Noise: 0.005})
	}
	s := snapshot(t, first(evil.Build()), second(evil.Build()))
	all = append(append(all, tables.All(s)...), tables.View{OnlyChanged: true}.Tables(s)...)
	doc := latex(t, all)
	if err := checkLaTeX(doc); err != nil {
		t.Fatal(err)
	}
	tex := ""
	for _, name := range []string{"pdflatex", "tectonic"} {
		if path, err := exec.LookPath(name); err == nil && tex == "" {
			tex = path
		}
	}
	if tex == "" {
		t.Skip("no pdflatex and no tectonic: the tables were read by the strict reader alone")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "tables.tex")
	whole := "\\documentclass{article}\n\\usepackage{booktabs}\n\\extrafloats{100}\n\\begin{document}\n" + strings.ReplaceAll(doc, "\\end{table}\n", "\\end{table}\n\\clearpage\n") + "\\end{document}\n"
	if err := os.WriteFile(file, []byte(whole), 0o666); err != nil {
		t.Fatal(err)
	}
	args := []string{file}
	if strings.HasSuffix(tex, "pdflatex") {
		args = []string{"-interaction=nonstopmode", "-halt-on-error", "tables.tex"}
	}
	cmd := exec.Command(tex, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "tables.pdf")); err != nil || !bytes.HasPrefix(b, []byte("%PDF")) {
		t.Errorf("no PDF: %v", err)
	}
}
