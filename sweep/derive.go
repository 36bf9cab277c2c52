package sweep

import (
	"context"
	"fmt"
	"maps"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trials"
)

// derive adds objectives and metrics of constraints to the last measurement of a finished run whose trainer does not
// report them, but left behind what they are made from (Engine.Derive). A run without that is a failed trial; an error of the store is
// a storeError, and a trial that another process has taken errTaken.
func (r *run) derive(ctx context.Context, a *active, res trainer.Result, ms []trials.Measurement) ([]trials.Measurement, error) {
	if r.Derive == nil || len(ms) == 0 {
		return ms, nil
	}
	made := map[string]float64{}
	for _, metric := range wanted(r.spec) {
		if reported(metric, ms) {
			continue
		}
		v, known, err := r.Derive(metric, res.Artifacts)
		if err != nil {
			return ms, &trainer.Failure{Class: trials.ClassError, Reason: fmt.Sprintf("score %s: %v", metric, err), Err: err}
		}
		if known {
			made[metric] = v
		}
	}
	if len(made) == 0 {
		return ms, nil
	}
	last := ms[len(ms)-1]
	all := maps.Clone(made)
	maps.Copy(all, last.Metrics)
	last.Metrics = all
	switch err := r.Store.Record(a.holding(context.WithoutCancel(ctx)), a.trial.ID, last); {
	case taken(err):
		return ms, errTaken
	case err != nil:
		return ms, storeError{fmt.Errorf("record scores of trial %d: %w", a.trial.Number, err)}
	}
	r.emit(TrialMeasured{Trial: a.trial, Measurement: last})
	return append(ms[:len(ms)-1:len(ms)-1], last), nil
}

// wanted are the metrics that a trial must have in the end.
func wanted(spec studies.Spec) (names []string) {
	for _, g := range spec.Objective.Goals() {
		names = append(names, g.Metric)
	}
	for _, c := range spec.Constraints {
		names = append(names, c.Metric)
	}
	return names
}

func reported(metric string, ms []trials.Measurement) bool {
	for _, m := range ms {
		if _, ok := m.Metrics[metric]; ok {
			return true
		}
	}
	return false
}
