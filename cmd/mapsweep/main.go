package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/native/model/spec"
)

// Exit codes, the same for every command.
const (
	exitDone        = 0
	exitError       = 1
	exitUsage       = 2 // usage, an invalid study file, or data and devices that are not there
	exitTrials      = 3 // finished, but trials failed
	exitBudget      = 4
	exitClaim       = 5 // a published claim was checked and is contradicted
	exitInterrupted = 130
)

// codeError is an error with an exit code of its own.
type codeError struct {
	code int
	err  error
}

func (e *codeError) Error() string { return e.err.Error() }
func (e *codeError) Unwrap() error { return e.err }

// usagef makes an error that ends with exit code 2.
func usagef(format string, args ...any) error {
	return &codeError{exitUsage, fmt.Errorf(format, args...)}
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is the whole program behind its exit code; script tests call it too.
func run(args []string, stdout, stderr io.Writer) int {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGXFSZ) // a file that may not grow is an error in words; it is not ignored, which trainers would inherit
	out := &checkedWriter{w: stdout}
	root := newRoot(out, stderr)
	root.SetArgs(args)
	err := root.ExecuteContext(context.Background())
	if err == nil && out.err != nil {
		err = fmt.Errorf("write output: %w", out.err)
	}
	if err == nil {
		return exitDone
	}
	if msg := err.Error(); msg != "" {
		fmt.Fprintf(stderr, "mapsweep: %s\n", msg)
	}
	return exitCode(err)
}

// exitCode maps an error to the code that users and scripts rely on.
func exitCode(err error) int {
	var ce *codeError
	var faults studies.Faults
	var size *spec.SizeError
	switch {
	case errors.As(err, &ce):
		return ce.code
	case errors.As(err, &faults), errors.As(err, &size), errors.Is(err, trainer.ErrNoData), errors.Is(err, trainer.ErrNoDevice), errors.Is(err, sweep.ErrInvalid), errors.Is(err, sweep.ErrEveryTrial):
		return exitUsage
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	}
	return exitError
}

// app holds what every command shares.
type app struct {
	stdout, stderr io.Writer
	db, out        string
	refreshed      time.Time     // when the report was last written during a run
	notes          *switchWriter // warnings: standard error, or the live view while there is one
}

func newRoot(stdout, stderr io.Writer) *cobra.Command {
	a := &app{stdout: stdout, stderr: stderr, notes: &switchWriter{w: stderr}}
	root := &cobra.Command{
		Use:   "mapsweep",
		Short: "Ablation studies and hyper-parameter sweeps of object detectors, with results to believe",
		Long: `mapsweep runs ablation studies and hyper-parameter sweeps of object-detection training.

A study file says what trains, on which data, and which factors vary. mapsweep runs every
trial, keeps every result in one SQLite file that Optuna can open, and writes tables, charts
and a report with intervals instead of single runs.

  mapsweep run quickstart       run the built-in ablation study and write its report
  mapsweep studies list         what comes with the binary
  mapsweep init my-study.yaml   a study file to start from`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usagef("%w\nSee '%s --help'.", err, c.CommandPath())
	})
	root.PersistentFlags().StringVar(&a.db, "db", "runs/mapsweep.db", "database of studies and trials")
	root.PersistentFlags().StringVar(&a.out, "out", "runs", "folder for everything else: logs, checkpoints, reports")
	root.CompletionOptions.DisableDefaultCmd = true
	root.Args = func(c *cobra.Command, given []string) error {
		if len(given) > 0 {
			return usagef("no command %q%s\nSee 'mapsweep --help'.", given[0], didYouMean(given[0], commandNames(c)))
		}
		return nil
	}
	root.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	root.AddCommand(
		a.initCommand(), a.checkCommand(), a.auditCommand(), a.planCommand(), a.runCommand(), a.statusCommand(),
		a.stopCommand(), a.retryCommand(), a.enqueueCommand(), a.importCommand(), a.confirmCommand(), a.showCommand(), a.logsCommand(),
		a.tableCommand(), a.compareCommand(), a.replayCommand(), a.whyCommand(), a.reportCommand(), a.doctorCommand(), a.trainCommand(), a.valCommand(), a.predictCommand(), a.evalCommand(), a.schemaCommand(),
		a.studiesCommand(), a.claimsCommand(), a.modelsCommand(), a.weightsCommand(), a.dataCommand(), a.devicesCommand(), a.versionCommand(), a.completionCommand(),
	)
	return root
}

func commandNames(root *cobra.Command) []string {
	var names []string
	for _, c := range root.Commands() {
		names = append(names, c.Name())
	}
	return names
}

// args wraps a cobra argument check so that a wrong number of arguments ends with exit code 2.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, given []string) error {
		if err := check(c, given); err != nil {
			return usagef("%w\nUsage: %s", err, c.UseLine())
		}
		return nil
	}
}
