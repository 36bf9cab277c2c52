package sweep

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trials"
)

// directions are those of all objectives, as a study keeps them.
func directions(obj studies.Objective) (ds []trials.Direction) {
	for _, g := range obj.Goals() {
		ds = append(ds, g.Direction)
	}
	return ds
}

// metrics are the names of the objectives where there are several, as a study keeps them.
func metrics(obj studies.Objective) (names []string) {
	if len(obj.Also) == 0 {
		return nil
	}
	for _, g := range obj.Goals() {
		names = append(names, g.Metric)
	}
	return names
}

// unread says why a metric cannot be read at a measurement, nil if it can: it was never reported, not at that epoch, or
// is not finite. what it is comes before it in the text.
func unread(at trials.Measurement, what, metric string, ms []trials.Measurement) *trainer.Failure {
	v, ok := at.Metrics[metric]
	switch {
	case ok && finite(v):
		return nil
	case ok:
		return &trainer.Failure{Class: trials.ClassDiverged, Reason: fmt.Sprintf("%s is %v at epoch %d", metric, v, at.Epoch)}
	case reported(metric, ms):
		return &trainer.Failure{Class: trials.ClassError, Reason: fmt.Sprintf("the %s %s was not reported at epoch %d, which is scored", what, metric, at.Epoch)}
	}
	return &trainer.Failure{Class: trials.ClassError, Reason: missing(what, metric, ms)}
}

// violations are how far a measurement is off each constraint, in the metric's unit: value - at most, or at least -
// value, so that it is feasible if all are at most 0, as in Optuna. If a metric cannot be read its name comes back, and no violations.
func violations(cons []studies.Constraint, at trials.Measurement) (off []float64, unread string) {
	for _, c := range cons {
		v, ok := at.Metrics[c.Metric]
		if !ok || !finite(v) {
			return nil, c.Metric
		}
		if c.AtMost != nil {
			off = append(off, v-*c.AtMost)
		} else {
			off = append(off, *c.AtLeast-v)
		}
	}
	return off, ""
}

// timed says that trials are judged by how long something takes.
func timed(spec studies.Spec) bool {
	return slices.ContainsFunc(wanted(spec), func(metric string) bool { return strings.HasPrefix(metric, "time/") })
}
