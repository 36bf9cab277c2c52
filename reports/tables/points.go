package tables

import (
	"slices"
	"strconv"

	"github.com/mapsweep/mapsweep/reports"
)

// points lists the points of a design that is read by main effects or importance, best first.
func (v View) points(s *reports.Snapshot, block int) Table {
	b := &s.Blocks[block]
	t := Table{Name: "points", Title: title(s, b)}
	if len(b.Arms) == 0 {
		t.Notes = []string{"No trial of this study has an arm yet."}
		return t
	}
	leads := settings(s, b.Arms, v.By != ByConfig)
	for _, l := range leads {
		t.Columns = append(t.Columns, l.Column)
	}
	further := s.Further(b, v.Metrics, v.measure())
	t.Columns = append(t.Columns, Column{Title: heading(s.Metric), Right: true})
	for _, f := range further {
		t.Columns = append(t.Columns, Column{Title: heading(f.Metric), Right: true})
	}
	t.Columns = append(t.Columns, Column{Title: "seeds", Right: true})
	for _, i := range byScore(s, b) {
		var row []Cell
		for _, l := range leads {
			row = append(row, label(l.texts[i]))
		}
		row = append(row, score(s.Metric, b.Arms[i], false))
		for _, f := range further {
			row = append(row, cell(f.Metric.MeanSpread(f.Arms[i].Mean, f.Arms[i].SD)))
		}
		t.Rows = append(t.Rows, append(row, cell(strconv.Itoa(len(b.Arms[i].Scores)))))
	}
	t.Notes = append(switchNote(leads), "The points of this design change several factors at once: read it by the effects of factors (--by level has the means of their levels), not row by row.")
	t.Notes = append(t.Notes, v.furtherNotes(s, b)...)
	t.Notes = append(t.Notes, Accounting(s))
	return t
}

// byScore orders arms by their mean, best first; those without a score come last.
func byScore(s *reports.Snapshot, b *reports.Block) []int {
	var order []int
	for i := range b.Arms {
		order = append(order, i)
	}
	slices.SortStableFunc(order, func(i, j int) int {
		x, y := b.Arms[i], b.Arms[j]
		switch {
		case len(x.Scores) == 0 || len(y.Scores) == 0:
			return min(1, len(y.Scores)) - min(1, len(x.Scores))
		case s.Metric.Gain(x.Mean) > s.Metric.Gain(y.Mean):
			return -1
		case s.Metric.Gain(x.Mean) < s.Metric.Gain(y.Mean):
			return 1
		}
		return 0
	})
	return order
}
