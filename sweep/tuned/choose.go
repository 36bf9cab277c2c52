package tuned

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trials"
)

// Choose takes the best complete trial of a search among those that its budget paid for: in the order in which trials
// ended, all that cost device time count, whatever came of them, and the one that goes over the budget does not any more.
// So a variant whose trainings are slow gets fewer of them, and none gets a longer last one as a present. The first of equal trials wins.
func Choose(spec studies.Spec, ts []trials.Trial) (trials.Trial, bool) {
	var best trials.Trial
	found := false
	for _, t := range paid(spec.Budget.DeviceHours, ts) {
		if t.State != trials.Complete || len(t.Values) == 0 {
			continue
		}
		if !found || spec.Objective.Direction.Better(t.Values[0], best.Values[0]) {
			best, found = t, true
		}
	}
	return best, found
}

// paid are the ended trials that fit into that many device-hours, in the order in which they ended.
func paid(hours float64, ts []trials.Trial) []trials.Trial {
	ended := slices.DeleteFunc(slices.Clone(ts), func(t trials.Trial) bool { return !t.State.Finished() })
	slices.SortStableFunc(ended, func(a, b trials.Trial) int {
		return cmp.Or(a.Finished.Compare(b.Finished), cmp.Compare(a.Number, b.Number))
	})
	var used time.Duration
	for i, t := range ended {
		if used += cost(t); used.Hours() > hours {
			return ended[:i]
		}
	}
	return ended
}

// cost is the device time of an ended trial's attempts.
func cost(t trials.Trial) time.Duration {
	var sum time.Duration
	for _, a := range t.Attempts {
		sum += max(0, a.Ended.Sub(a.Started))
	}
	return sum
}

// nothing says why a tuning chose no trial.
func nothing(spec studies.Spec, ts []trials.Trial) string {
	n, all := map[trials.State]int{}, 0
	for _, t := range ts {
		if t.Text(trials.AttrClass) != trials.ClassSkipped && t.Counts() {
			n[t.State]++
			all++
		}
	}
	if n[trials.Complete] > 0 {
		return fmt.Sprintf("no trial was complete within %.3g device-hours, the budget of a tuning", spec.Budget.DeviceHours)
	}
	return fmt.Sprintf("none of its %d trials was complete (%d failed, %d pruned)", all, n[trials.Fail], n[trials.Pruned])
}
