package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/html"
	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/tuned"
	"github.com/mapsweep/mapsweep/trials"
)

func (a *app) runCommand() *cobra.Command {
	var sets []string
	var as, backendName string
	var parallel int
	var plain, allowInert bool
	var level durability
	c := &cobra.Command{
		Use:   "run STUDY",
		Short: "Run a study, or go on with it, and write its report",
		Long: `Run runs a study file, or a study that comes with the binary, and writes its report.

The same command again goes on where it stopped: finished trials stay, broken ones are
repeated. An edited study file may add replicates, trials, levels or budget; any other change
needs --as NEWNAME. Ctrl-C ends gracefully, a second one at once; both can be resumed.`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, given []string) error {
			src, err := a.findSource(c.Context(), given[0], backendName, sets)
			if err != nil {
				return err
			}
			if c.Flags().Changed("as") && as == "" {
				return usagef("--as needs a name")
			}
			if parallel < 0 {
				return usagef("--parallel %d: at least 1, or 0 for the study's budget", parallel)
			}
			if as != "" {
				src.opts.Set = append(src.opts.Set, "name="+as)
			}
			return a.run(c.Context(), src, runOptions{parallel: parallel, plain: plain, allowInert: allowInert, durability: level})
		},
	}
	addSet(c, &sets)
	addBackend(c, &backendName)
	c.Flags().StringVar(&as, "as", "", "run under another name, as a new study")
	c.Flags().IntVar(&parallel, "parallel", 0, "trials at once (default: the study's budget)")
	addAllowInert(c, &allowInert)
	c.Flags().BoolVar(&plain, "plain", false, "plain lines instead of the live view")
	addDurability(c, &level)
	return c
}

// runOptions say how a study is run.
type runOptions struct {
	parallel          int
	plain, allowInert bool
	durability        durability
	check             *claimCheck      // the published claim that the study checks, or nil
	confirms          *trials.Confirms // what the study confirms, or nil
}

// run runs one study to its end and says what came of it.
func (a *app) run(ctx context.Context, src source, o runOptions) error {
	spec, backend, err := src.load()
	if err != nil {
		return err
	}
	defer letGo(backend, src.log)
	switch known, err := a.checkWarm(ctx, spec, src); {
	case err != nil:
		return err
	case !known:
		return a.noWarm(src)
	}
	prov, err := prepare(ctx, backend) // before anything is made: missing data leaves nothing behind
	if err != nil {
		return fmt.Errorf("prepare study %q: %w", spec.Name, err)
	}
	attrs, err := a.inertFactors(ctx, spec, backend, &prov, o.allowInert)
	if err != nil {
		return err
	}
	if o.confirms != nil {
		attrs[trials.AttrConfirms] = trials.Attr(*o.confirms)
	}
	if _, err := findHardware(spec); err != nil {
		return fmt.Errorf("prepare study %q: %w", spec.Name, err)
	}
	store, err := openStore(ctx, a.db, o.durability.option())
	if err != nil {
		return err
	}
	defer store.Close()
	spec, hw, err := settle(ctx, store, spec, backend)
	if err != nil {
		return err
	}
	dir := a.studyDir(spec.Name)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("make folder of the study: %w; choose another with --out", err)
	}

	ctx, stop, release := interrupts(ctx, a.stderr)
	defer release()
	view := a.newView(spec, o.plain)
	a.notes.to(view)
	if anyFake(hw.gpus) {
		fmt.Fprintf(view, "note: %s\n", fakeNote)
	}
	printPresets(view, spec)
	register, err := a.register(ctx, store, spec, backend, hw, o)
	if err != nil {
		return err
	}
	engine := sweep.Engine{
		Store: store, Backend: backend, Samplers: samplers(), Pruners: pruners(),
		Dir: dir, Parallel: o.parallel, Stop: stop, Devices: hw.devices, Sampler: hw.sampler,
		Events:     view.event,
		AfterTrial: func(ctx context.Context, _ trials.Study, _ trials.Trial) { a.refresh(ctx, store, spec.Name, view) },
		Attrs:      attrs, Register: register, Derive: scorePart, Version: version, Commit: buildCommit(),
		Log: src.log,
	}
	run := engine.Run
	if spec.Tune != nil {
		if run, err = a.tuning(ctx, engine, spec, src, func(s tuned.Stage) func(sweep.Event) {
			view = a.nextView(view, s, o.plain)
			return view.event
		}); err != nil {
			return err
		}
	}
	if f, ok := (trials.Study{Attrs: register}).Forecast(); ok {
		printExpected(view, f)
	}
	sum, runErr := run(ctx, spec, src.text)
	view.close()
	a.notes.to(a.stderr)
	return a.conclude(context.WithoutCancel(ctx), store, spec, sum, runErr, o.check)
}

// refresh writes the light report after a trial, at most once a second: with short trials and many
// variants it would take longer than they do. A report that cannot be written does not end the study.
func (a *app) refresh(ctx context.Context, store trials.Reader, study string, view *view) {
	if time.Since(a.refreshed) < time.Second {
		return
	}
	defer func() { a.refreshed = time.Now() }()
	snap, err := reports.Load(ctx, store, study)
	if err == nil {
		view.table(snap)
		err = html.WriteLight(a.reportDir(study), snap)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintf(view, "report: %v\n", err)
	}
}

func (a *app) reportDir(study string) string { return filepath.Join(a.studyDir(study), "report") }

// conclude writes the final report, prints table and accounts, and picks the exit code.
func (a *app) conclude(ctx context.Context, store trials.Reader, spec studies.Spec, sum sweep.Summary, runErr error, check *claimCheck) error {
	var changed *sweep.ChangedError
	if errors.As(runErr, &changed) {
		return &codeError{exitUsage, fmt.Errorf("%w\nRun it as a new study with --as NEWNAME, or put the study file back", runErr)}
	}
	if sum.Planned == 0 {
		return runErr
	}
	snap, err := reports.Load(ctx, store, spec.Name)
	if err != nil {
		return errors.Join(runErr, err)
	}
	if err := reports.LoadMatches(ctx, store, snap); err != nil {
		return errors.Join(runErr, err)
	}
	if err := check.print(a.stdout, snap); err != nil {
		return errors.Join(runErr, err)
	}
	if err := a.printTable(snap); err != nil {
		return errors.Join(runErr, err)
	}
	if f := snap.ForecastWords(); f != "" {
		fmt.Fprintln(a.stdout, f)
	}
	reportErr := html.WriteAll(a.reportDir(spec.Name), snap)
	if reportErr == nil {
		fmt.Fprintf(a.stdout, "report: %s\n", filepath.Join(a.reportDir(spec.Name), "index.html"))
	}
	return outcome(spec.Name, sum, runErr, reportErr, check)
}

// outcome is how a run ends: nil, or an error with its exit code. That a claim is contradicted counts more than that
// trials failed or were skipped.
func outcome(study string, sum sweep.Summary, runErr, reportErr error, check *claimCheck) error {
	switch {
	case check.contradicted() && reportErr == nil && (runErr == nil || errors.Is(runErr, sweep.ErrBudget)):
		err := fmt.Errorf("the published claim %s is contradicted", check.registered.Claim.ID)
		if runErr != nil {
			err = fmt.Errorf("%w; %w", err, runErr)
		}
		return &codeError{exitClaim, err}
	case errors.Is(runErr, sweep.ErrBudget):
		return &codeError{exitBudget, runErr}
	case errors.Is(runErr, sweep.ErrStopped):
		return &codeError{exitInterrupted, fmt.Errorf("%w; the same command goes on", runErr)}
	case runErr != nil || reportErr != nil:
		return errors.Join(runErr, reportErr)
	case sum.Failed+sum.Infeasible > 0:
		again := "; the same command repeats those that may end otherwise"
		if sum.Failed == 0 {
			again = "; they cannot be run at all, and are not repeated"
		}
		return &codeError{exitTrials, fmt.Errorf("%d of %d trials failed; 'mapsweep show %s TRIAL' says why%s", sum.Failed+sum.Infeasible, sum.Planned, study, again)}
	}
	return nil
}

// interrupts turns the first Ctrl-C (or SIGTERM, or a terminal that is closed) into a graceful stop and the second into a hard one.
func interrupts(parent context.Context, stderr interface{ Write([]byte) (int, error) }) (ctx context.Context, stop <-chan struct{}, release func()) {
	ctx, cancel := context.WithCancelCause(parent)
	graceful := make(chan struct{})
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // nohup ignores it
		signal.Notify(signals, syscall.SIGHUP)
	}
	done := make(chan struct{})
	go func() {
		for n := 0; ; n++ {
			select {
			case <-done:
				return
			case <-signals:
			}
			if n == 0 {
				fmt.Fprintln(stderr, "\nstopping: running trials are being finished or saved; again to stop at once")
				close(graceful)
				continue
			}
			if n == 1 {
				cancel(sweep.ErrStopped)
				continue
			}
			os.Exit(exitInterrupted) // a third one: whatever still hangs
		}
	}()
	return ctx, graceful, func() { signal.Stop(signals); close(done); cancel(nil) }
}
