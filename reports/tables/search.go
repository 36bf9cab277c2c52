package tables

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/trials"
)

// Search is the table of the best configurations that a search, a grid or a screening design found, at most top of them (0: all).
// It is empty but for its notes in a study that is none.
func Search(s *reports.Snapshot, top int) Table {
	t := Table{Name: "search", Title: s.Study.Name}
	if s.Search == nil {
		t.Notes = []string{"This study is no search."}
		return t
	}
	m := s.Metric
	t.Columns = []Column{{"rank", true}, {heading(m), true}, {"trial", true}}
	var names []string
	for _, p := range s.Search.Space {
		names = append(names, p.Name)
		t.Columns = append(t.Columns, Column{p.Name, p.Kind != trials.Categorical})
	}
	cs := s.Search.Candidates
	if top > 0 && len(cs) > top {
		t.Notes = append(t.Notes, fmt.Sprintf("The best %d of %d configurations with a complete trial.", top, len(cs)))
		cs = cs[:top]
	}
	for i, c := range cs {
		row := []Cell{cell(strconv.Itoa(i + 1)), cell(m.MeanSpread(c.Mean, c.SD)), cell(numbers(c.Trials))}
		for _, n := range names {
			v, ok := c.Params[n]
			if !ok {
				row = append(row, Cell{})
				continue
			}
			row = append(row, label(reports.ShortValue(v)))
		}
		t.Rows = append(t.Rows, row)
	}
	if len(cs) == 0 {
		t.Notes = append(t.Notes, "No trial is complete.")
	} else if cs[0].N < 2 {
		t.Notes = append(t.Notes, "One trial each: differences between neighbours may be chance, and no rank is bold.")
	}
	if w := s.OtherObjectives(); w != "" {
		t.Notes = append(t.Notes, w)
	}
	t.Notes = append(t.Notes, Accounting(s))
	return t
}

func numbers(ns []int) string {
	ns = slices.Sorted(slices.Values(ns))
	var t []string
	for _, n := range ns {
		t = append(t, strconv.Itoa(n))
	}
	return strings.Join(t, ", ")
}
