package main

import (
	"context"
	"fmt"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trainer"
)

// checkSplits finds out whether the data sets have the pictures that a study scores later: those that mapsweep confirm scores
// the best of a search on, and those that tunings are scored on.
func (s source) checkSplits(ctx context.Context, spec studies.Spec) error {
	var faults studies.Faults
	look := func(path string, other studies.Spec) error {
		if other.Objective.Split == spec.Objective.Split {
			return nil
		}
		backend, err := newBackend(other, s.out, s.log)
		if err != nil {
			return err
		}
		if p, ok := backend.(trainer.Preparer); ok {
			if _, err := p.Prepare(ctx); err != nil {
				faults = append(faults, studies.Fault{Path: path, Message: fmt.Sprintf("%s: %v", path, err), Hint: "name a split that every data set has"})
			}
		}
		return ctx.Err()
	}
	if spec.DataSplit != nil {
		other := spec
		other.Objective.Split = spec.DataSplit.Report
		if err := look("data_split.report", other); err != nil {
			return err
		}
	}
	if spec.Tune != nil {
		if err := look("tune.split", spec.Tuning()); err != nil {
			return err
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return studies.Locate(faults, s.text, s.opts)
}
