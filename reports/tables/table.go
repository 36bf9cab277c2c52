package tables

import (
	"math"

	"github.com/mapsweep/mapsweep/studies/inference"
)

// Table is a heading, columns, rows of cells and notes under it.
type Table struct {
	Name    string // for files and anchors: "ablation"
	Title   string
	Columns []Column
	Rows    [][]Cell
	Groups  []Group // of rows, by rising Row; rows before the first have none
	Notes   []string
}

// Column is a heading; Right aligns numbers.
type Column struct {
	Title string
	Right bool
	Group string // heading over neighbouring columns that share it; "": none
}

// Heading is the title with that of its group, for tables with one row of headings.
func (c Column) Heading() string {
	if c.Group == "" {
		return c.Title
	}
	return c.Group + ": " + c.Title
}

// Group is a heading between rows: it stands before the row of that index.
type Group struct {
	Row   int
	Title string
}

// Cell is one text.
type Cell struct {
	Text   string
	Mark   string // stands raised behind the text, and is explained in a note
	Strong bool   // not shown to be worse than the best
	Label  bool   // a name or level, which a terminal may shorten
	Tone   Tone
}

// Full is the text with its mark.
func (c Cell) Full() string { return c.Text + c.Mark }

// Tone is how a cell is coloured where there is colour; the words say the same.
type Tone string

// The tones.
const (
	Plain      Tone = ""
	Better     Tone = "better"
	Worse      Tone = "worse"
	Equivalent Tone = "equivalent"
	Open       Tone = "open" // not shown, not settled or not tested
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

var nan = math.NaN()

func cell(t string) Cell { return Cell{Text: t} }

func label(t string) Cell { return Cell{Text: t, Label: true} }
