package spec

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Pos is a place in a model file, both from 1; the zero value is no place.
type Pos struct{ Line, Col int }

// Fault is one thing that is wrong with a model file.
type Fault struct {
	File string
	Pos
	Message string // what is wrong, and what to do
}

// Error is the fault in one line: "mine.yaml:7:12: ...".
func (f Fault) Error() string {
	if f.Line == 0 {
		return f.File + ": " + f.Message
	}
	return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Col, f.Message)
}

// Faults is everything that is wrong with a model file, in the order of the file.
type Faults []Fault

// Error lists the faults, one a line.
func (fs Faults) Error() string {
	var lines []string
	for _, f := range fs {
		lines = append(lines, f.Error())
	}
	return strings.Join(lines, "\n")
}

// report collects faults of one file.
type report struct {
	file   string
	faults Faults
}

func (r *report) add(at Pos, format string, args ...any) {
	r.faults = append(r.faults, Fault{File: r.file, Pos: at, Message: fmt.Sprintf(format, args...)})
}

// err is nil if nothing is wrong.
func (r *report) err() error {
	if len(r.faults) == 0 {
		return nil
	}
	slices.SortStableFunc(r.faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
	return r.faults
}

// known ends a message about an unknown word: with the nearest of those that exist, or with all of them.
func known(word string, all []string) string {
	best, least := "", 3
	for _, k := range all {
		if d := levenshtein.ComputeDistance(strings.ToLower(word), strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	return "there are " + strings.Join(all, ", ")
}
