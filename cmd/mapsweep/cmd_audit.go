package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mapsweep/mapsweep/reports/tables"
	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/audit"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trials"
)

// trainerFlags are keys of trainer: with flags of their own.
type trainerFlags struct{ backend, checkout, python string }

func (t *trainerFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&t.backend, "backend", "", "trainer instead of the study's (trainer.backend)")
	c.Flags().StringVar(&t.checkout, "yolov9-dir", "", "checkout of the official YOLOv9 (trainer.checkout)")
	c.Flags().StringVar(&t.python, "python", "", "Python that runs it (trainer.python)")
}

// sets are the flags as overrides of the study file.
func (t *trainerFlags) sets() ([]string, error) {
	var all []string
	if t.checkout != "" {
		abs, err := filepath.Abs(t.checkout)
		if err != nil {
			return nil, usagef("--yolov9-dir: %w", err)
		}
		t.checkout = abs
	}
	for _, f := range []struct{ key, value string }{{"backend", t.backend}, {"checkout", t.checkout}, {"python", t.python}} {
		if f.value != "" {
			all = append(all, "trainer."+f.key+"="+strconv.Quote(f.value))
		}
	}
	return all, nil
}

// auditFlags are the flags of `mapsweep audit`.
type auditFlags struct {
	sets, knobs []string
	trainer     trainerFlags
	steps       int
	values      int
	all, asJSON bool
}

func (a *app) auditCommand() *cobra.Command {
	var f auditFlags
	c := &cobra.Command{
		Use:   "audit STUDY",
		Short: "Find out from a few real steps which knobs the trainer reads",
		Long: `Audit runs a few optimiser steps at the baseline and at each level of each factor, all else equal, and
compares what they did: the batch, the losses, the gradient, the learning rates, the weights. Steps run where the
study's trials do: on a GPU, which is leased meanwhile, it sees the pictures that the GPU made.

  LIVE         levels train differently
  INERT        levels train the same: the trainer does not read the knob
  CONDITIONAL  inert as the study stands, alive once another knob or the data changes
  SATURATED    some levels train the same
  UNJUDGED     acts outside of the first steps

The result is kept in runs/STUDY/audit.json, and with the study if it has been run. 'plan' and 'run' refuse factors
that change nothing, unless they are given --allow-inert.`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, given []string) error {
			return a.audit(c.Context(), given[0], f)
		},
	}
	addSet(c, &f.sets)
	f.trainer.add(c)
	c.Flags().StringSliceVar(&f.knobs, "knob", nil, "only these knobs, e.g. --knob box,mixup (default: the study's factors and the seed)")
	c.Flags().BoolVar(&f.all, "all", false, "every knob of the trainer, not only the study's factors")
	c.Flags().IntVar(&f.steps, "steps", audit.DefaultSteps, fmt.Sprintf("optimiser steps of each configuration, at least %d", audit.MinSteps))
	c.Flags().IntVar(&f.values, "values", 0, "values of each knob that the study does not vary (default: 5 for the native trainer, else 2)")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print as JSON")
	return c
}

// audit runs an audit, stores it and prints it.
func (a *app) audit(parent context.Context, study string, f auditFlags) error {
	if f.steps < audit.MinSteps {
		return usagef("--steps %d: at least %d, since rates that rise from zero act after the first step", f.steps, audit.MinSteps)
	}
	if f.all && len(f.knobs) > 0 {
		return usagef("--all and --knob exclude each other")
	}
	if f.values < 0 || f.values == 1 {
		return usagef("--values %d: at least %d, or 0 for the trainer's own", f.values, audit.MinValues)
	}
	overrides, err := f.trainer.sets()
	if err != nil {
		return err
	}
	src, err := a.findSource(parent, study, f.trainer.backend, append(f.sets, overrides...))
	if err != nil {
		return err
	}
	spec, backend, err := src.load()
	if err != nil {
		return err
	}
	got, err := a.runAudit(parent, spec, backend, f)
	if err != nil {
		return err
	}
	if f.asJSON {
		return printJSON(a.stdout, map[string]any{"study": spec.Name, "audit": got, "refused": nonNil(audit.Refusals(spec, got))})
	}
	return a.printAudit(spec, got)
}

// runAudit runs an audit of a study and stores it.
func (a *app) runAudit(parent context.Context, spec studies.Spec, backend trainer.Backend, f auditFlags) (trials.Audit, error) {
	none := trials.Audit{}
	prov, err := prepare(parent, backend)
	if err != nil {
		return none, fmt.Errorf("prepare study %q: %w", spec.Name, err)
	}
	dir, err := os.MkdirTemp("", "mapsweep-audit-")
	if err != nil {
		return none, fmt.Errorf("make folder for the audit: %w", err)
	}
	defer os.RemoveAll(dir)
	ctx, stop, release := interrupts(parent, a.stderr)
	defer release()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-stop: // there is nothing to finish: half an audit says nothing
			cancel(sweep.ErrStopped)
		case <-ctx.Done():
		}
	}()
	got := none
	devices, back, err := a.leaseSteps(ctx, spec.Trainer)
	if err == nil {
		defer back()
		got, err = audit.Run(ctx, spec, backend, audit.Options{
			Steps: f.steps, Values: auditValues(spec.Trainer, f.values), Knobs: f.knobs, All: f.all, Official: published(spec.Trainer), Defaults: knobDefaults(spec.Trainer),
			Dir: dir, Threads: runtime.GOMAXPROCS(0), Devices: devices,
			Progress: func(what string) { fmt.Fprintln(a.stderr, what+" ...") },
		})
	}
	var unknown *audit.UnknownError
	switch {
	case errors.Is(context.Cause(ctx), sweep.ErrStopped):
		return none, &codeError{exitInterrupted, errors.New("audit was interrupted; nothing was kept")}
	case errors.As(err, &unknown):
		return none, usagef("--knob: %w", err)
	case errors.Is(err, audit.ErrCannot):
		return none, &codeError{exitUsage, err}
	case err != nil:
		return none, err
	}
	got.Context, got.Version, got.Commit = audit.Context(spec, backend, prov), version, buildCommit()
	return got, a.keepAudit(context.WithoutCancel(ctx), spec, backend, prov, got)
}

func nonNil(rs []audit.Refusal) []audit.Refusal {
	if rs == nil {
		return []audit.Refusal{}
	}
	return rs
}

// printAudit writes the table, and what follows for the study.
func (a *app) printAudit(spec studies.Spec, got trials.Audit) error {
	if err := tables.Terminal(a.stdout, []tables.Table{tables.Audit(got)}, a.tableOptions()); err != nil {
		return err
	}
	if rs := audit.Refusals(spec, got); len(rs) > 0 {
		e := &audit.RefusedError{Refusals: rs}
		fmt.Fprintf(a.stdout, "'mapsweep run' refuses this study because of %s, unless it is given --allow-inert.\n", strings.Join(e.Names(), ", "))
	}
	return nil
}

// prepare asks a trainer for its data, devices and versions; the context of an audit contains them.
func prepare(ctx context.Context, backend trainer.Backend) (trials.Provenance, error) {
	var prov trials.Provenance
	if p, ok := backend.(trainer.Preparer); ok {
		var err error
		if prov, err = p.Prepare(ctx); err != nil {
			return prov, err
		}
	}
	prov.Version, prov.Commit = version, buildCommit()
	return prov, nil
}

func (a *app) auditPath(study string) string { return filepath.Join(a.studyDir(study), "audit.json") }

// keepAudit writes the result beside the study's other files, over older results of the same context, and into
// the database if the study is there and is the same one.
func (a *app) keepAudit(ctx context.Context, spec studies.Spec, backend trainer.Backend, prov trials.Provenance, got trials.Audit) error {
	if old, err := readAudit(a.auditPath(spec.Name)); err == nil {
		got = audit.Merge(old, got)
	}
	if err := writeAudit(a.auditPath(spec.Name), got); err != nil {
		return err
	}
	if _, err := os.Stat(a.db); err != nil {
		return nil // nothing is recorded yet
	}
	store, err := openStore(ctx, a.db)
	if err != nil {
		return err
	}
	defer store.Close()
	st, err := store.Study(ctx, spec.Name)
	if errors.Is(err, trials.ErrNoStudy) {
		return nil
	}
	if err != nil {
		return err
	}
	stored, err := sweep.StoredSpec(st)
	if err != nil || audit.Context(stored, backend, prov) != got.Context {
		fmt.Fprintf(a.notes, "the study that is recorded as %s differs from the one audited: the result is not stored with it\n", spec.Name)
		return nil
	}
	return store.SetStudyAttrs(ctx, st.ID, map[string]json.RawMessage{trials.AttrAudit: trials.Attr(got)})
}

func readAudit(path string) (trials.Audit, error) {
	var got trials.Audit
	text, err := os.ReadFile(path)
	if err != nil {
		return got, err
	}
	return got, json.Unmarshal(text, &got)
}

// writeAudit replaces the file at once, so that a reader never sees half of it.
func writeAudit(path string, got trials.Audit) error {
	text, err := json.MarshalIndent(got, "", "  ")
	if err != nil {
		return fmt.Errorf("encode audit: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return fmt.Errorf("make folder of the study: %w; choose another with --out", err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "audit.json.part-*")
	if err != nil {
		return fmt.Errorf("write audit: %w", err)
	}
	_, err = tmp.Write(append(text, '\n'))
	if err = errors.Join(err, tmp.Chmod(0o644), tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write audit: %w", err), os.Remove(tmp.Name()))
	}
	return nil
}

// inertFactors is what is known, without running a step, of factors that change nothing: what the trainer knows of
// itself, and the recorded audit as far as it speaks of the study as it is now. It returns an *audit.RefusedError
// unless allow is set or was when the study began, and else what a run is to record with the study. prov is what Prepare said; nil: it was not
// asked, and is if there is an audit to compare with.
func (a *app) inertFactors(ctx context.Context, spec studies.Spec, backend trainer.Backend, prov *trials.Provenance, allow bool) (map[string]json.RawMessage, error) {
	known, err := a.knownAudit(ctx, spec, backend, prov)
	if err != nil {
		return nil, err
	}
	review, err := audit.Review(ctx, spec, backend)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, err
	case err != nil && (allow || prov == nil): // a plan spends nothing
		fmt.Fprintf(a.notes, "warning: %v\n", err)
	case err != nil:
		return nil, fmt.Errorf("%w; --allow-inert goes on without", err)
	}
	known = audit.Fill(known, review)
	attrs := map[string]json.RawMessage{}
	if len(known.Rows) > 0 {
		attrs[trials.AttrAudit] = trials.Attr(known)
	}
	refused := &audit.RefusedError{Study: spec.Name, Refusals: audit.Refusals(spec, known)}
	if len(refused.Refusals) == 0 {
		return attrs, nil
	}
	if !allow && !a.allowedBefore(ctx, spec.Name, refused.Names()) {
		return nil, &codeError{exitUsage, refused}
	}
	for _, r := range refused.Refusals {
		fmt.Fprintf(a.notes, "allowed all the same: %s\n", r)
	}
	attrs[trials.AttrAllowInert] = trials.Attr(refused.Names())
	return attrs, nil
}

// allowedBefore says that the study was begun with --allow-inert for all of these factors.
func (a *app) allowedBefore(ctx context.Context, study string, names []string) bool {
	st, err := a.recorded(ctx, study)
	if err != nil {
		return false
	}
	before := st.AllowedInert()
	return !slices.ContainsFunc(names, func(n string) bool { return !slices.Contains(before, n) })
}

// knownAudit reads the recorded audit, and leaves out what is stale, with a word.
func (a *app) knownAudit(ctx context.Context, spec studies.Spec, backend trainer.Backend, prov *trials.Provenance) (trials.Audit, error) {
	none := trials.Audit{Backend: spec.Trainer.Backend}
	path := a.auditPath(spec.Name)
	got, err := readAudit(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, ok := backend.(trainer.Auditor); ok && published(spec.Trainer) {
			fmt.Fprintln(a.notes, "no audit of this study yet: 'mapsweep audit' finds in a few steps which of its factors the trainer reads")
		}
		return none, nil
	case err != nil:
		fmt.Fprintf(a.notes, "%s cannot be read and is ignored: %v\n", path, err)
		return none, nil
	}
	if prov == nil {
		p, err := prepare(ctx, backend)
		if err != nil {
			fmt.Fprintf(a.notes, "%s is ignored: %v\n", path, err)
			return none, nil
		}
		prov = &p
	}
	if got.Context != audit.Context(spec, backend, *prov) {
		fmt.Fprintf(a.notes, "%s is stale and ignored: the study, its data, the trainer or the program changed since; 'mapsweep audit' makes a new one\n", path)
		return none, nil
	}
	got, stale := audit.Current(spec, backend, got)
	if len(stale) > 0 {
		fmt.Fprintf(a.notes, "the recorded audit knows other levels of %s, which are not judged; 'mapsweep audit' makes a new one\n", strings.Join(stale, ", "))
	}
	return got, nil
}

// addAllowInert adds the flag --allow-inert to a command.
func addAllowInert(c *cobra.Command, allow *bool) {
	c.Flags().BoolVar(allow, "allow-inert", false, "go on although factors change nothing in this trainer ('mapsweep audit' says which)")
}

// auditValues is how many values of a knob that a study does not vary are tried: five find where it saturates, and two
// are enough to see whether it is read. Another trainer than the native one starts anew for each.
func auditValues(t studies.Trainer, asked int) int {
	switch {
	case asked > 0:
		return asked
	case t.Backend == studies.BackendNative:
		return 5
	}
	return audit.MinValues
}

// leaseSteps leases what a few steps run on: for the native trainer what a trial has. The others' are given without a lease.
func (a *app) leaseSteps(ctx context.Context, t studies.Trainer) (devices []string, back func(), err error) {
	switch d := t.Device; {
	case t.Backend == studies.BackendNative:
		return a.lease(ctx, t, 0)
	case d != "" && d != "auto":
		return []string{d}, func() {}, nil
	}
	return []string{native.CPU}, func() {}, nil
}
