package tables

import (
	"math"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies/inference"
)

// Table is a heading, columns, rows of cells and notes under it.
type Table struct {
	Name    string // for files and anchors: "ablation"
	Title   string
	Columns []Column
	Rows    [][]Cell
	Notes   []string
}

// Column is a heading; Right aligns numbers.
type Column struct {
	Title string
	Right bool
}

// Cell is one text.
type Cell struct {
	Text   string
	Strong bool // the best, where intervals set it apart
	Label  bool // a name or level, which a terminal may shorten
	Tone   Tone
}

// Tone is how a cell is coloured where there is colour; the words say the same.
type Tone string

// The tones.
const (
	Plain      Tone = ""
	Better     Tone = "better"
	Worse      Tone = "worse"
	Equivalent Tone = "equivalent"
	Open       Tone = "open" // not shown or not tested
)

// ToneOf is the tone of a verdict.
func ToneOf(v inference.Verdict) Tone {
	switch v {
	case inference.Better:
		return Better
	case inference.Worse:
		return Worse
	case inference.Equivalent:
		return Equivalent
	}
	return Open
}

// All are the tables that sum a study up: one ablation table per data set, or the search's. The last one carries
// the snapshot's warnings, so that a table never travels without them.
func All(s *reports.Snapshot) []Table {
	var ts []Table
	if s.Search != nil {
		ts = []Table{Search(s, 10)}
	} else {
		for i := range s.Blocks {
			ts = append(ts, Ablation(s, i))
			if t, ok := Tuned(s, i); ok {
				ts = append(ts, t)
			}
		}
	}
	if n := len(ts); n > 0 {
		for _, w := range s.Warnings {
			ts[n-1].Notes = append(ts[n-1].Notes, "Mind: "+w)
		}
	}
	return ts
}

var nan = math.NaN()

func cell(t string) Cell { return Cell{Text: t} }

func label(t string) Cell { return Cell{Text: t, Label: true} }
