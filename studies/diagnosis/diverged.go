package diagnosis

import (
	"maps"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/trials"
)

// blowUp is the loss at the end over that of the first epoch from which on training counts as diverged.
const blowUp = 2

// goesOn says what the official code does about it.
func (t *trace) goesOn() string {
	if t.Backend != backendYOLOv9 {
		return ""
	}
	return "The official code goes on with losses that are no numbers, and ends with status 0."
}

// diverged looks for what is no number, and for a box, class or DFL loss that ends far above where it began.
func diverged(t *trace) (Finding, bool) {
	f := Finding{State: Healthy, Source: fromUs, Note: t.goesOn(),
		Threshold: "a loss or metric that is infinite or not a number at any epoch, or a training loss that ends above twice that of its first epoch",
		Meaning:   "All losses and metrics are numbers, and no training loss has run away."}
	for _, k := range slices.Sorted(maps.Keys(t.broken)) {
		if !isResource(k) {
			f.Numbers = append(f.Numbers, Number{Name: "first broken value of " + k, Value: float64(t.broken[k]), Unit: AtEpoch})
		}
	}
	failed := t.State == trials.Fail && t.Class == trials.ClassDiverged
	if failed && len(f.Numbers) == 0 && len(t.epochs) > 0 {
		f.Numbers = []Number{{Name: "last epoch measured", Value: float64(t.last()), Unit: AtEpoch}}
	}
	if len(f.Numbers) > 0 || failed {
		f.State = Problem
		f.Meaning = "Training diverged: what it reports from there on is worthless, and so are its weights."
		f.Levers = t.levers(lowerRate, precision)
		return f, true
	}
	if len(t.epochs) == 0 {
		return f, false
	}
	for _, k := range slices.Sorted(maps.Keys(t.curves)) {
		s := t.curves[k]
		if !strings.HasPrefix(k, "loss/") || len(s) < 3 || s.first().v <= 0 {
			continue
		}
		if s.settled() > blowUp*s.first().v {
			f.State = Problem
			f.Meaning = "A training loss grew instead of falling: training is diverging."
			f.Numbers = append(f.Numbers, Number{k, s.first().v, Plain, s.first().epoch, s.first().epoch},
				Number{k + ", median of the last 3", s.settled(), Plain, s.tail(3).first().epoch, s.last().epoch})
			f.Levers = t.levers(lowerRate, precision)
		}
	}
	if f.State == Healthy {
		f.Numbers = []Number{{Name: "epochs without a broken value", Value: float64(len(t.epochs)), Unit: Epochs}}
	}
	return f, true
}
