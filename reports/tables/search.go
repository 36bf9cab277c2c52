package tables

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// Search is the table of the best configurations that a search, a grid or a screening design found, at most top of them (0: all).
// It is empty but for its notes in a study that is none.
func Search(s *reports.Snapshot, top int) Table { return View{}.search(s, top) }

func (v View) search(s *reports.Snapshot, top int) Table {
	t := Table{Name: "search", Title: s.Study.Name}
	if s.Search == nil {
		t.Notes = []string{"This study is no search."}
		return t
	}
	m := s.Metric
	cs := s.Search.Candidates
	if top > 0 && len(cs) > top {
		t.Notes = append(t.Notes, fmt.Sprintf("The best %d of %d configurations with a complete trial.", top, len(cs)))
		cs = cs[:top]
	}
	leads := v.candidateSettings(s, cs)
	t.Columns = []Column{{Title: "rank", Right: true}, {Title: heading(m), Right: true}}
	for _, k := range v.Metrics {
		t.Columns = append(t.Columns, Column{Title: heading(reports.MetricOf(k)), Right: true})
	}
	t.Columns = append(t.Columns, Column{Title: "trial", Right: true})
	for _, l := range leads {
		t.Columns = append(t.Columns, l.Column)
	}
	for i, c := range cs {
		row := []Cell{cell(strconv.Itoa(i + 1)), cell(m.MeanSpread(c.Mean, c.SD))}
		for _, k := range v.Metrics {
			x := v.candidate(s, c, k)
			row = append(row, cell(reports.MetricOf(k).MeanSpread(x.Mean, x.SD)))
		}
		row = append(row, cell(numbers(c.Trials)))
		for _, l := range leads {
			row = append(row, label(l.texts[i]))
		}
		t.Rows = append(t.Rows, row)
	}
	if len(cs) == 0 && s.Search.Infeasible > 0 {
		t.Notes = append(t.Notes, "No trial is complete and feasible.")
	} else if len(cs) == 0 {
		t.Notes = append(t.Notes, "No trial is complete.")
	} else if cs[0].N < 2 {
		t.Notes = append(t.Notes, "One trial each: differences between neighbours may be chance, and no rank is bold.")
	}
	if why := s.Optimistic(); why != "" {
		t.Notes = append(t.Notes, "The best score is optimistic: "+why+".")
	}
	if slices.ContainsFunc(s.Search.Candidates, func(c reports.Candidate) bool { return c.Rank != c.Mean }) {
		t.Notes = append(t.Notes, "Ranked by the lower end of what their seeds allow for (one-sided 95 %, spread pooled), so that one lucky score does not lead.")
	}
	if n := s.Search.Infeasible; n > 0 {
		t.Notes = append(t.Notes, reports.Count(n, "complete trial")+" left out: a constraint is broken.")
	}
	t.Notes = append(t.Notes, switchNote(leads)...)
	if s.Spec.Screens() {
		t.Notes = append(t.Notes, "The points of this design change several factors at once: read it by the effects of factors, not by its ranks; --by level has the means of levels.")
	}
	if w := s.OtherObjectives(); w != "" {
		t.Notes = append(t.Notes, w)
	}
	t.Notes = append(t.Notes, Accounting(s))
	return t
}

// candidateSettings are the columns of a search's configurations: its space, or all parameters of their trials.
func (v View) candidateSettings(s *reports.Snapshot, cs []reports.Candidate) []lead {
	ps := make([]trials.Params, len(cs))
	for i, c := range cs {
		ps[i] = c.Params
		if v.By == ByConfig {
			ps[i] = s.Trial(c.Trials[0]).Params
		}
	}
	if v.configured() {
		return parameters(s, ps, v.OnlyChanged)
	}
	var out []lead
	for _, p := range s.Search.Space {
		l := lead{Column: Column{Title: p.Name, Right: p.Kind != trials.Categorical}}
		for _, c := range cs {
			x, ok := c.Params[p.Name]
			if !ok {
				l.texts = append(l.texts, "")
				continue
			}
			l.texts = append(l.texts, reports.ShortValue(x))
		}
		out = append(out, l)
	}
	return out
}

// candidate is a further metric over the trials of a configuration.
func (v View) candidate(s *reports.Snapshot, c reports.Candidate, key string) inference.Summary {
	var values []float64
	for _, n := range c.Trials {
		if x, ok := v.measure()(s.Trial(n), key); ok {
			values = append(values, x)
		}
	}
	return inference.Summarize(values)
}

func numbers(ns []int) string {
	ns = slices.Sorted(slices.Values(ns))
	var t []string
	for _, n := range ns {
		t = append(t, strconv.Itoa(n))
	}
	return strings.Join(t, ", ")
}
