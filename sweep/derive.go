package sweep

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trials"
)

// derive adds the objective to the last measurement of a finished run whose trainer does not report it, but left behind
// what it is made from (Engine.Derive). A run without that is a failed trial; an error of the store is a storeError, and a trial
// that another process has taken errTaken.
func (r *run) derive(ctx context.Context, a *active, res trainer.Result, ms []trials.Measurement) ([]trials.Measurement, error) {
	metric := r.spec.Objective.Metric
	if r.Derive == nil || len(ms) == 0 || reported(metric, ms) {
		return ms, nil
	}
	v, known, err := r.Derive(metric, res.Artifacts)
	if err != nil {
		return ms, &trainer.Failure{Class: trials.ClassError, Reason: fmt.Sprintf("score %s: %v", metric, err), Err: err}
	}
	if !known {
		return ms, nil
	}
	last := ms[len(ms)-1]
	last.Metrics = maps.Clone(last.Metrics)
	if last.Metrics == nil {
		last.Metrics = map[string]float64{}
	}
	last.Metrics[metric] = v
	switch err := r.Store.Record(context.WithoutCancel(ctx), a.trial.ID, last); {
	case errors.Is(err, trials.ErrNotRunning), errors.Is(err, trials.ErrFinished):
		return ms, errTaken
	case err != nil:
		return ms, storeError{fmt.Errorf("record %s of trial %d: %w", metric, a.trial.Number, err)}
	}
	r.emit(TrialMeasured{Trial: a.trial, Measurement: last})
	return append(ms[:len(ms)-1:len(ms)-1], last), nil
}

func reported(metric string, ms []trials.Measurement) bool {
	for _, m := range ms {
		if _, ok := m.Metrics[metric]; ok {
			return true
		}
	}
	return false
}
