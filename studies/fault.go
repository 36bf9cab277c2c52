package studies

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Fault is one thing that is wrong with a study file or with an override.
type Fault struct {
	File    string `json:"file,omitempty"` // as given in Options.File
	Line    int    `json:"line,omitempty"` // from 1; 0 if the fault has no place in the file
	Col     int    `json:"col,omitempty"`  // from 1, in characters
	Set     string `json:"set,omitempty"`  // the override at fault, as given: "trainer.epochs=five"
	Path    string `json:"path,omitempty"` // where in the study: "factors.mixup.levels[1]"
	Text    string `json:"text,omitempty"` // the offending text
	Message string `json:"message"`        // what is wrong
	Hint    string `json:"hint,omitempty"` // what to do about it
	Source  string `json:"source,omitempty"`
}

// Place is where the fault lies: "study.yaml:7:3", "--set replicates=0" or the path alone.
func (f Fault) Place() string {
	switch {
	case f.Set != "":
		return "--set " + f.Set
	case f.Line > 0 && f.File != "":
		return fmt.Sprintf("%s:%d:%d", f.File, f.Line, f.Col)
	case f.Line > 0:
		return fmt.Sprintf("line %d:%d", f.Line, f.Col)
	case f.File != "":
		return f.File
	}
	return f.Path
}

// Error is the fault in one line.
func (f Fault) Error() string {
	s := f.Message
	if p := f.Place(); p != "" {
		s = p + ": " + s
	}
	if f.Hint != "" {
		s += " (" + f.Hint + ")"
	}
	return s
}

// pretty is the fault with the line it lies on, a mark under the text, and the hint.
func (f Fault) pretty(b *strings.Builder) {
	if p := f.Place(); p != "" {
		b.WriteString(p + ": ")
	}
	b.WriteString(f.Message + "\n")
	if f.Source != "" && f.Set == "" {
		line, col := window([]rune(strings.ReplaceAll(f.Source, "\t", " ")), f.Col)
		width := min(max(1, utf8.RuneCountInString(f.Text)), max(1, len(line)-col+1))
		fmt.Fprintf(b, "%5d | %s\n", f.Line, string(line))
		fmt.Fprintf(b, "      | %s%s\n", strings.Repeat(" ", max(0, col-1)), strings.Repeat("^", width))
	}
	if f.Hint != "" {
		b.WriteString("      hint: " + f.Hint + "\n")
	}
}

// window cuts a very long line down to the part around a column.
func window(line []rune, col int) ([]rune, int) {
	const most = 120
	if len(line) <= most {
		return line, col
	}
	start := min(max(0, col-1-most/2), len(line)-most)
	return line[start : start+most], col - start
}

// Faults is every fault found in a study, in the order of the file, overrides last.
type Faults []Fault

// shownFaults bounds what Error prints; the slice holds all.
const shownFaults = 40

// Error lists the faults, each with its place, its line and a hint.
func (fs Faults) Error() string {
	var b strings.Builder
	for i, f := range fs {
		if i > 0 {
			b.WriteByte('\n')
		}
		if i == shownFaults {
			fmt.Fprintf(&b, "and more: ")
			break
		}
		f.pretty(&b)
	}
	if len(fs) > 1 {
		if len(fs) <= shownFaults {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%d faults", len(fs))
	}
	return strings.TrimRight(b.String(), "\n")
}

// AsFaults finds the faults in an error of this package.
func AsFaults(err error) (Faults, bool) {
	var fs Faults
	ok := errors.As(err, &fs)
	return fs, ok
}

// sorted brings faults into the order of the file; faults of overrides keep their order at the end.
func (fs Faults) sorted() Faults {
	slices.SortStableFunc(fs, func(a, b Fault) int {
		if (a.Set != "") != (b.Set != "") {
			if a.Set != "" {
				return 1
			}
			return -1
		}
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
	return fs
}

// err is nil for no faults.
func (fs Faults) err() error {
	if len(fs) == 0 {
		return nil
	}
	return fs.sorted()
}
