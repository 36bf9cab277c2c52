package html

import (
	"errors"
	"fmt"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/tables"
	"github.com/mapsweep/mapsweep/studies/inference"
)

// whySections say what made the difference: main effects and interactions of designs that cross factors, importance of
// parameters in searches. They take longer than all the rest, so that the page that follows every trial leaves them out.
func (d *drawer) whySections() []section {
	if !d.files.Charts {
		return nil
	}
	only := d.s.Only(d.block)
	ts, err := tables.Why(only, tables.WhyOptions{Pairs: true})
	if errors.As(err, new(inference.Nothing)) {
		return nil
	}
	if err != nil {
		d.err = errors.Join(d.err, fmt.Errorf("say what made the difference: %w", err))
		return nil
	}
	by := map[string]tables.Table{}
	for _, t := range ts {
		if len(t.Rows) > 0 {
			by[t.Name] = t
		}
	}
	return append(d.effectsOf(by), d.importanceOf(only, by)...)
}

// effectsOf is the section of a factorial, whole or a fraction.
func (d *drawer) effectsOf(by map[string]tables.Table) []section {
	t, ok := by["main-effects"]
	if !ok {
		return nil
	}
	s := section{Title: "Main effects and interactions", Figures: d.figures("half-normal", "interactions"), Tables: []tables.Table{t}}
	for _, name := range []string{"shapley", "path"} {
		if t, ok := by[name]; ok {
			s.Folded = append(s.Folded, section{Title: t.Title, Tables: []tables.Table{t}})
		}
	}
	return []section{s}
}

// importanceOf is the section of a search, or of points that are spread over a space.
func (d *drawer) importanceOf(s *reports.Snapshot, by map[string]tables.Table) []section {
	t, ok := by["importance"]
	if !ok || s.Search == nil {
		return nil
	}
	x := section{Title: "Which parameters mattered", Figures: d.figures("importance", "pairs"), Tables: []tables.Table{t}}
	if fs := d.figures("marginals"); len(fs) > 0 {
		x.Folded = append(x.Folded, section{Title: "Mean score along each parameter", Figures: fs})
	}
	if p, ok := by["path"]; ok && s.IsSearch() {
		x.Folded = append(x.Folded, section{Title: p.Title, Tables: []tables.Table{p}})
	}
	return []section{x}
}
