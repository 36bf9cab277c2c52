package main

import (
	"encoding/csv"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// agreeCommand checks that an ablation table says the same for terminals, as Markdown, as LaTeX and as CSV:
// agree TEXT MARKDOWN LATEX CSV
func agreeCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: agree TEXT MARKDOWN LATEX CSV")
	}
	text, markdown, latex := textRows(ts.ReadFile(args[0])), markdownRows(ts.ReadFile(args[1])), latexRows(ts.ReadFile(args[2]))
	if len(text) < 3 {
		ts.Fatalf("%s has no table:\n%s", args[0], ts.ReadFile(args[0]))
	}
	for i, rows := range [][][]string{markdown, latex} {
		if fmt.Sprint(rows) != fmt.Sprint(text) {
			ts.Fatalf("%s has\n%q\nand %s\n%q", args[0], text, args[i+1], rows)
		}
	}
	numbers, err := csv.NewReader(strings.NewReader(ts.ReadFile(args[3]))).ReadAll()
	ts.Check(err)
	if fault := sameNumbers(text, numbers); fault != "" {
		ts.Fatalf("%s and %s: %s\n%q\n%q", args[0], args[3], fault, text, numbers)
	}
}

// textRows are the cells of a terminal's table, heading first, without the empty ones.
func textRows(t string) [][]string {
	var rows [][]string
	for line := range strings.Lines(t) {
		line = strings.ReplaceAll(strings.TrimSpace(line), " †", "  ") // stands for bold
		row := regexp.MustCompile(`\s{2,}`).Split(line, -1)
		switch {
		case strings.HasPrefix(line, "─"):
		case len(rows) > 0 && len(row) < 3: // the notes
			return rows
		case len(rows) > 0, row[0] == "change":
			rows = append(rows, row)
		}
	}
	return rows
}

func markdownRows(t string) [][]string {
	plain := strings.NewReplacer(`\\`, `\`, `\|`, "¦", `\*`, "*", `\_`, "_", `\[`, "[", `\]`, "]", "&lt;", "<", "&gt;", ">", `\#`, "#", "**", "", "&amp;", "&")
	var rows [][]string
	for line := range strings.Lines(t) {
		if strings.HasPrefix(line, "|") && !strings.HasPrefix(line, "| ---") {
			rows = append(rows, cells(strings.Split(plain.Replace(line), "|")))
		}
	}
	return rows
}

func latexRows(t string) [][]string {
	plain := strings.NewReplacer(`\$`, "$", `\&`, "&", `\#`, "#", `\_`, "_", `\%`, "%", `$<$`, "<", `$>$`, ">", "$-$", "−", `$\pm$`, "±", `$\rightarrow$`, "→",
		`\textbf{`, "", `\shortstack[r]{`, "", ` \\ `, " ", `\raggedright `, "", `$^{\approx}$`, "≈", `$^{`, "", "}$", "", "}", "", "{", "")
	var rows [][]string
	for line := range strings.Lines(t) {
		if row, ok := strings.CutSuffix(strings.TrimSpace(line), `\\`); ok {
			rows = append(rows, cells(strings.Split(plain.Replace(row), " & ")))
		}
	}
	return rows
}

// cells trims cells and leaves out the empty ones.
func cells(row []string) []string {
	var out []string
	for _, c := range row {
		if c = strings.TrimSpace(c); c != "" {
			out = append(out, c)
		}
	}
	return out
}

// sameNumbers compares the rows of a table with those of the CSV, whose numbers are in stored units; "" if they are
// the same but for rounding.
func sameNumbers(text, table [][]string) string {
	byChange := map[string]map[string]string{}
	for _, r := range table[1:] {
		row := map[string]string{}
		for i, name := range table[0] {
			row[name] = r[i]
		}
		change := strings.ReplaceAll(row["change"], "->", "→")
		if change == "" {
			change = row["arm"]
		}
		byChange[change] = row
	}
	for _, r := range text[1:] {
		row, ok := byChange[r[0]]
		if !ok {
			return "no row " + r[0]
		}
		delete(byChange, r[0])
		mean, sd, _ := strings.Cut(r[1], " ± ")
		want := map[string]string{"mean": mean, "sd": sd, "verdict": r[len(r)-1]}
		if len(r) == 4 { // the reference
			want["n"] = r[2]
		} else {
			effect := strings.TrimRight(r[2], "*≈")
			want["mark"] = strings.ReplaceAll(r[2][len(effect):], "≈", "~")
			low, high, _ := strings.Cut(strings.Trim(r[3], "[]"), ", ")
			want["effect"], want["low95"], want["high95"], want["pairs"], want["p_corrected"] = effect, low, high, r[4], r[5]
		}
		for _, name := range slices.Sorted(maps.Keys(want)) {
			if !reads(name, want[name], row[name]) {
				return fmt.Sprintf("%s: %s is %q and %q", r[0], name, want[name], row[name])
			}
		}
	}
	if len(byChange) > 0 {
		return fmt.Sprintf("no text for %v", slices.Collect(maps.Keys(byChange)))
	}
	return ""
}

// reads says whether a text is what a stored number reads like.
func reads(name, text, stored string) bool {
	if text == stored {
		return true
	}
	x, err := strconv.ParseFloat(stored, 64)
	if err != nil {
		return false
	}
	if name == "p_corrected" {
		if text == "<0.001" {
			return x < 0.001
		}
	} else {
		x *= 100
	}
	text = strings.NewReplacer("−", "-", "+", "").Replace(text)
	shown, err := strconv.ParseFloat(text, 64)
	_, decimals, _ := strings.Cut(text, ".")
	return err == nil && math.Abs(x-shown) <= 0.5*math.Pow(10, -float64(len(decimals)))+1e-9
}
