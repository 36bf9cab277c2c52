package html

import (
	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/tables"
)

// tunedSection compares the variants of a data set once each is tuned; empty in a study that tunes nothing. What the
// tunings tried is told once, with the first data set.
func tunedSection(s *reports.Snapshot, block int) section {
	x := section{Title: "With every variant tuned"}
	t, ok := tables.Tuned(s, block)
	if !ok {
		return x
	}
	x.Tables = []tables.Table{t}
	x.Folded = append(x.Folded, section{Title: "Tuned scores, and where the uncertainty comes from", Tables: []tables.Table{tables.TunedArms(s, block)}})
	if block > 0 {
		return x
	}
	if t := tables.Tunings(s); len(t.Rows) > 0 {
		x.Folded = append(x.Folded, section{Title: "What each tuning tried and chose", Tables: []tables.Table{t}})
	}
	x.Folded = append(x.Folded, section{Title: "The best of n random trials", Tables: []tables.Table{tables.BudgetCurves(s)}})
	return x
}
