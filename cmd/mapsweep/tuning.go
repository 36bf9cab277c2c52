package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/tuned"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trials"
)

// tuning makes what runs a study that tunes its variants: the engine for the study, and another trainer that scores
// tunings on their own split.
func (a *app) tuning(ctx context.Context, engine sweep.Engine, spec studies.Spec, src source, stage func(tuned.Stage) func(sweep.Event)) (func(context.Context, studies.Spec, []byte) (sweep.Summary, error), error) {
	backend, err := newBackend(spec.Tuning(), src.out, src.log)
	if err != nil {
		return nil, err
	}
	if p, ok := backend.(trainer.Preparer); ok { // before hours go into what comes first
		if _, err := p.Prepare(ctx); err != nil {
			return nil, fmt.Errorf("prepare tunings of study %q: %w", spec.Name, err)
		}
	}
	return func(ctx context.Context, spec studies.Spec, text []byte) (sweep.Summary, error) {
		defer letGo(backend, src.log)
		return tuned.Runner{Engine: engine, Tuning: backend, Dir: a.studyDir, Stage: stage}.Run(ctx, spec, text)
	}, nil
}

// nextView ends the view of one stage and begins that of the next.
func (a *app) nextView(last *view, s tuned.Stage, plain bool) *view {
	last.close()
	a.notes.to(a.stderr)
	v := a.newView(s.Spec, plain)
	a.notes.to(v)
	if s.Of != nil {
		v.open = true
		v.printf("\ntuning %d of %d: %s, tuning %d, %s of device time on split %s", s.Number, s.Count, where(*s.Of), s.Of.Tuning, hours(s.Spec.Budget.DeviceHours), s.Spec.Objective.Split)
	}
	return v
}

// where names the variant of a tuning, and its data set if there is one.
func where(of trials.TuningOf) string {
	if of.Data == "" {
		return of.Arm
	}
	return of.Arm + " on " + of.Data
}

func hours(h float64) string { return reports.Span(time.Duration(h * float64(time.Hour))) }

// tuningsOf are the searches that are parts of a study, in the order in which they were begun.
func tuningsOf(all []trials.Study, study string) []trials.Study {
	return slices.DeleteFunc(slices.Clone(all), func(st trials.Study) bool {
		of, ok := st.TuningOf()
		return !ok || of.Study != study
	})
}

// stopTunings asks those who run a tuning of the study to stop, too.
func stopTunings(ctx context.Context, store trials.Store, study string) error {
	all, err := store.Studies(ctx)
	if err != nil {
		return err
	}
	for _, st := range tuningsOf(all, study) {
		if err := sweep.RequestStop(ctx, store, st.Name); err != nil {
			return err
		}
	}
	return nil
}

// partsOf are the studies that belong to a study: its tunings, and its confirmation.
func partsOf(all []trials.Study, study string) []trials.Study {
	parts := tuningsOf(all, study)
	for _, st := range all {
		if of, ok := st.Confirms(); ok && of.Study == study {
			parts = append(parts, st)
		}
	}
	return parts
}

// withParts lists the names of studies, each followed by those that belong to it. Those that are named are not repeated.
func withParts(names []string, all []trials.Study) []string {
	var list []string
	add := func(name string) {
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	part := map[string]bool{} // of a study that is listed
	for _, n := range names {
		for _, p := range partsOf(all, n) {
			part[p.Name] = true
		}
	}
	for _, n := range names {
		if part[n] {
			continue
		}
		add(n)
		for _, p := range partsOf(all, n) {
			add(p.Name)
		}
	}
	return list
}

// printTunings says how the variants are tuned before they are compared.
func printTunings(w io.Writer, spec studies.Spec, plan design.Plan) {
	t := spec.Tune
	if t == nil {
		return
	}
	children := tuned.Children(spec, plan)
	fmt.Fprintf(w, "\n%s x %s of %s device time each: %.3g device-hours, sampler %s, at most %d trials each\n",
		count(len(plan.Arms)*max(1, len(plan.Data)), "arm"), count(t.Repeats, "tuning"), hours(t.DeviceHours), t.DeviceHours*float64(len(children)), t.Sampler, t.Trials)
	for _, f := range t.Knobs {
		fmt.Fprintf(w, "  %-16s %s\n", f.Name, rangeOf(f.Param()))
	}
	for _, c := range children {
		if c.Tuning > 0 || len(c.Spec.Factors) == len(t.Knobs) {
			continue
		}
		var left []string
		for _, f := range t.Knobs {
			if _, sampled := c.Spec.Factor(f.Name); !sampled {
				left = append(left, f.Name)
			}
		}
		fmt.Fprintf(w, "note: not tuned in %s, where it changes nothing: %s\n", where(c.TuningOf), strings.Join(left, ", "))
	}
	fmt.Fprintf(w, "then %s x %s of what each tuning chose, on split %s, beside the untuned ones\n", count(len(plan.Arms), "arm"), count(plan.Replicates, "replicate"), spec.Objective.Split)
}
