package sweep

import (
	"math"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trainer"
)

// Forecast is what a study will cost, from the cost of one trial. It takes every trial to cost the
// same and none to be pruned or to fail, so a search mostly costs less.
type Forecast struct {
	Trials       int     `json:"trials"`
	Parallel     int     `json:"parallel"`
	TrialSeconds float64 `json:"trial_seconds"` // one trial; 0: not known, and neither is the rest
	WallSeconds  float64 `json:"wall_seconds"`  // ceil(trials / parallel) rounds
	DeviceHours  float64 `json:"device_hours"`
	BudgetHours  float64 `json:"budget_hours,omitempty"`
	OverBudget   bool    `json:"over_budget"`
	Affordable   int     `json:"affordable"`     // trials that begin within the budget
	Note         string  `json:"note,omitempty"` // how one trial was measured
	// Where variants get replicates until they are settled, Trials and what follows from them are the most that there
	// may be, and these the least.
	Least            int     `json:"least,omitempty"`
	LeastWallSeconds float64 `json:"least_wall_seconds,omitempty"`
	LeastDeviceHours float64 `json:"least_device_hours,omitempty"`
}

// NewForecast multiplies the estimate for one trial by n trials, parallel of them at once.
func NewForecast(spec studies.Spec, n, parallel int, one trainer.Estimate) Forecast {
	f := Forecast{Trials: n, Parallel: max(1, parallel), BudgetHours: spec.Budget.DeviceHours, Affordable: n, Note: one.Note}
	if one.Seconds <= 0 || math.IsNaN(one.Seconds) || math.IsInf(one.Seconds, 0) {
		return f
	}
	f.TrialSeconds = one.Seconds
	f.WallSeconds = math.Ceil(float64(n)/float64(f.Parallel)) * one.Seconds
	f.DeviceHours = float64(n) * one.Seconds / 3600
	if f.BudgetHours > 0 {
		f.OverBudget = f.DeviceHours > f.BudgetHours
		f.Affordable = min(n, int(math.Ceil(f.BudgetHours*3600/one.Seconds)))
	}
	return f
}

// From completes the forecast of a study of at least that many trials; 0: their number is fixed. It is over its
// budget if the least of it is.
func (f Forecast) From(least int) Forecast {
	f.Least = least
	if least == 0 || f.TrialSeconds == 0 {
		return f
	}
	f.LeastWallSeconds = math.Ceil(float64(least)/float64(f.Parallel)) * f.TrialSeconds
	f.LeastDeviceHours = float64(least) * f.TrialSeconds / 3600
	f.OverBudget = f.BudgetHours > 0 && f.LeastDeviceHours > f.BudgetHours
	return f
}
