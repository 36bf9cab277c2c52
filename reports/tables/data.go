package tables

import (
	"fmt"
	"slices"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies/inference"
)

// sideBySide has a group of columns per data set, and one for the mean over them.
func (v View) sideBySide(s *reports.Snapshot) Table {
	t := Table{Name: "data", Title: s.Study.Name + " by data set", Columns: []Column{{Title: "change"}}}
	blocks := slices.Clone(s.Blocks)
	pooled, why := s.Pooled()
	if why == "" {
		blocks = append(blocks, pooled)
	}
	for i := range blocks {
		b := &blocks[i]
		t.Columns = append(t.Columns, Column{heading(s.Metric), true, b.Data}, Column{"effect", true, b.Data}, Column{intervalTitle(b), true, b.Data})
	}
	names := armNames(s, blocks)
	across := acrossSets(s, names)
	if len(across) > 0 {
		group := fmt.Sprintf("IQM of %d", len(s.Blocks))
		t.Columns = append(t.Columns, Column{"effect", true, group}, Column{intervalTitle(&blocks[0]), true, group})
	}
	for _, name := range names {
		row := []Cell{{}}
		for i := range blocks {
			b := &blocks[i]
			k := slices.IndexFunc(b.Arms, func(a reports.Arm) bool { return a.Name == name })
			if k < 0 {
				row = append(row, Cell{}, Cell{}, Cell{})
				continue
			}
			a := b.Arms[k]
			row[0] = label(a.Label)
			row = append(row, score(s.Metric, a, b.IsTop(k)))
			if e, ok := b.Effect(name); ok {
				row = append(row, Cell{Text: s.Metric.Effect(e), Mark: mark(e), Tone: ToneOf(e.Verdict)}, cell(s.Metric.Interval(e)))
			} else {
				row = append(row, Cell{}, Cell{})
			}
		}
		if a, ok := across[name]; ok {
			e := reports.Effect{Effect: inference.Effect{Mean: a.Difference.Value, Low: a.Difference.Low, High: a.Difference.High}}
			row = append(row, cell(s.Metric.Effect(e)), cell(s.Metric.Interval(e)))
		} else if len(across) > 0 {
			row = append(row, Cell{}, Cell{})
		}
		t.Rows = append(t.Rows, row)
	}
	t.Notes = dataNotes(s, blocks, why)
	if more := holdingNotes(s); len(more) > 0 {
		t.Notes = slices.Insert(t.Notes, len(t.Notes)-1, more...)
	}
	if len(across) > 0 {
		t.Notes = slices.Insert(t.Notes, len(t.Notes)-1, "IQM: difference of the interquartile means over all runs on all data sets, with a bootstrap interval stratified by data set, without a test.")
	}
	return t
}

// acrossSets are the variants' interquartile means over all data sets, by arm; nil without any.
func acrossSets(s *reports.Snapshot, names []string) map[string]inference.Across {
	var out map[string]inference.Across
	ref, _ := s.Blocks[0].Reference()
	for _, n := range names {
		if a, ok := s.Across(n); ok && ref != nil && n != ref.Name {
			if out == nil {
				out = map[string]inference.Across{}
			}
			out[n] = a
		}
	}
	return out
}

// armNames are the arms of all blocks: the reference, then by the effect on the last of them.
func armNames(s *reports.Snapshot, blocks []reports.Block) []string {
	var names []string
	add := func(b *reports.Block) {
		for _, i := range shownOrder(s, b) {
			if n := b.Arms[i].Name; !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
	}
	add(&blocks[len(blocks)-1])
	for i := range blocks {
		add(&blocks[i])
	}
	return names
}

func dataNotes(s *reports.Snapshot, blocks []reports.Block, why string) []string {
	var n []string
	m := 0
	for i := range blocks {
		m = max(m, reports.Comparisons(&blocks[i]))
	}
	if m > 0 {
		n = append(n, "Mean ± standard deviation over seeds. Effects: differences to "+referenceWords(&blocks[0])+", "+pairing(&blocks[0])+"; marks after "+
			correctionNoun(s.Correction(&blocks[0]))+" within each data set; the interval is each variant's own.")
	}
	if why != "" {
		n = append(n, "No mean over data sets: "+why+".")
	} else {
		n = append(n, fmt.Sprintf("The mean gives each of the %d data sets the same weight, and averages seed by seed over those that are complete on all; it speaks of these data sets, not of others.", len(s.Blocks)))
	}
	seen := map[string]bool{}
	top := false
	for i := range blocks {
		if t := marksNote(s, &blocks[i]); t != "" && !seen[t] {
			seen[t] = true
		}
		top = top || len(blocks[i].Top) > 0
	}
	if t := longest(seen); t != "" {
		n = append(n, t)
	}
	if top {
		n = append(n, bestNote)
	}
	return append(n, Accounting(s))
}

// longest of the notes on marks explains most of them; those of one study differ in how many they explain.
func longest(notes map[string]bool) string {
	best := ""
	for t := range notes {
		if len(t) > len(best) || len(t) == len(best) && t < best {
			best = t
		}
	}
	return best
}
