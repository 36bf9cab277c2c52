package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
)

// checkWarm finds what search.warm_start cannot start from, before anything is written. A study that has begun has it noted,
// and needs it no more. known is false if there is no database to look into.
func (a *app) checkWarm(ctx context.Context, spec studies.Spec, src source) (known bool, err error) {
	if spec.Search == nil || len(spec.Search.WarmStart) == 0 {
		return true, nil
	}
	if _, err := os.Stat(a.db); errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	store, err := readStore(ctx, a.db)
	if err != nil {
		return false, err
	}
	defer store.Close()
	if _, err := store.Study(ctx, spec.Name); !errors.Is(err, trials.ErrNoStudy) {
		return true, err
	}
	return true, a.warmFaults(ctx, store, spec, src)
}

// warmFaults looks each study up that a search starts from.
func (a *app) warmFaults(ctx context.Context, store trials.Reader, spec studies.Spec, src source) error {
	var faults studies.Faults
	for i, name := range spec.Search.WarmStart {
		one := spec
		search := *spec.Search
		search.WarmStart, one.Search = []string{name}, &search
		switch _, err := sweep.WarmStart(ctx, store, one); {
		case errors.Is(err, sweep.ErrInvalid):
			faults = append(faults, studies.Fault{Path: fmt.Sprintf("search.warm_start[%d]", i), Message: err.Error()})
		case err != nil:
			return err
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return studies.Locate(faults, src.text, src.opts)
}

// noWarm is the fault of a search that starts from studies where there is no database.
func (a *app) noWarm(src source) error {
	return studies.Locate(studies.Faults{{Path: "search.warm_start", Message: fmt.Sprintf("search.warm_start: there is no database %s with studies to start from", a.db),
		Hint: "name the database that has them with --db"}}, src.text, src.opts)
}
