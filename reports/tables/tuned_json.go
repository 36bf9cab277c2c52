package tables

import "github.com/mapsweep/mapsweep/reports"

// DocumentBudget compares tuned variants at equal numbers of random trials, or says why that cannot be done.
type DocumentBudget struct {
	Curves []reports.BudgetCurve `json:"curves,omitempty"`
	Reason string                `json:"reason,omitempty"`
}

// tuned adds what a study that tunes its variants has beside others.
func (d *Document) tuned(s *reports.Snapshot) {
	if s.Spec.Tune == nil {
		return
	}
	d.Tunings, d.Budget = s.Tunings, &DocumentBudget{}
	var err error
	if d.Budget.Curves, err = s.BudgetCurves(); err != nil {
		d.Budget.Reason = err.Error()
	}
}
