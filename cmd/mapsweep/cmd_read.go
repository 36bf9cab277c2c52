package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/html"
	"github.com/mapsweep/mapsweep/reports/tables"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
)

// withStudy opens the database for reading and loads one study.
func (a *app) withStudy(ctx context.Context, name string, use func(trials.Reader, *reports.Snapshot) error) error {
	store, err := readStore(ctx, a.db)
	if err != nil {
		return err
	}
	defer store.Close()
	snap, err := a.snapshot(ctx, store, name)
	if err != nil {
		return err
	}
	return use(store, snap)
}

// snapshot loads a study; an unknown name gets the nearest known one.
func (a *app) snapshot(ctx context.Context, store trials.Reader, name string) (*reports.Snapshot, error) {
	snap, err := reports.Load(ctx, store, name)
	if !errors.Is(err, trials.ErrNoStudy) {
		return snap, err
	}
	var names []string
	if all, e := store.Studies(ctx); e == nil {
		for _, s := range all {
			names = append(names, s.Name)
		}
	}
	there := "there is none"
	if len(names) > 0 {
		there = "there: " + strings.Join(names, ", ")
	}
	return nil, fmt.Errorf("no study %q has been run in %s (%s)%s", name, a.db, there, didYouMean(name, names))
}

// findTrial picks a trial by number.
func findTrial(snap *reports.Snapshot, number string) (trials.Trial, error) {
	n, err := strconv.Atoi(number)
	if err != nil {
		return trials.Trial{}, usagef("trial %q is no number", number)
	}
	for _, t := range snap.Trials {
		if t.Number == n {
			return t, nil
		}
	}
	return trials.Trial{}, fmt.Errorf("study %s has no trial %d; it has %d trials", snap.Study.Name, n, len(snap.Trials))
}

// tableOptions fit tables to standard output: its width, and colours on a terminal unless NO_COLOR is set.
func (a *app) tableOptions() tables.Options {
	width, isTerm := isTerminal(a.stdout)
	return tables.Options{Width: width, Colour: isTerm && os.Getenv("NO_COLOR") == ""}
}

func (a *app) reportCommand() *cobra.Command {
	var dir string
	var asJSON bool
	c := &cobra.Command{
		Use:   "report STUDY",
		Short: "Write a study's report from the database alone",
		Args:  args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, given []string) error {
			return a.withStudy(c.Context(), given[0], func(store trials.Reader, snap *reports.Snapshot) error {
				if err := reports.LoadMatches(c.Context(), store, snap); err != nil {
					return err
				}
				if dir == "" {
					dir = a.reportDir(snap.Study.Name)
				}
				if err := html.WriteAll(dir, snap); err != nil {
					return err
				}
				page := filepath.Join(dir, "index.html")
				if asJSON {
					return printJSON(a.stdout, map[string]string{"report": page})
				}
				fmt.Fprintf(a.stdout, "report: %s\n", page)
				return nil
			})
		},
	}
	c.Flags().StringVar(&dir, "dir", "", "folder of the report (default runs/STUDY/report)")
	c.Flags().BoolVar(&asJSON, "json", false, "print its path as JSON")
	return c
}

// statusRow is one study in `mapsweep status --json`.
type statusRow struct {
	Name      string             `json:"name"`
	Design    string             `json:"design"`
	Objective string             `json:"objective"`
	Count     reports.Accounting `json:"trials"`
	Running   []runningRow       `json:"running,omitempty"`
	Inert     []string           `json:"inert,omitempty"`    // factors that change nothing and were allowed all the same
	Mismatch  []int              `json:"mismatch,omitempty"` // trials that ran with another configuration than asked for
	Last      time.Time          `json:"last_change,omitzero"`
	Tuning    *tuningRow         `json:"tuning,omitempty"` // of a search that is part of another study
}

// tuningRow says what a search tunes, and how much of its budget it has used.
type tuningRow struct {
	trials.TuningOf
	DeviceHours float64 `json:"device_hours"`
	BudgetHours float64 `json:"budget_hours"`
}

type runningRow struct {
	Number    int       `json:"number"`
	What      string    `json:"what"`
	Epoch     int       `json:"epoch"`
	Epochs    int       `json:"epochs"`
	Heartbeat time.Time `json:"heartbeat"`
	Worker    string    `json:"worker"`
	Lost      string    `json:"lost,omitempty"` // why nobody works on it any more
	// Other says that another program runs it, since Started; Awaited, that a run waits for that.
	Other   bool      `json:"other_program,omitempty"`
	Awaited bool      `json:"awaited,omitempty"`
	Started time.Time `json:"started,omitzero"`
}

func (a *app) statusCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "status [STUDY]",
		Short: "Where studies stand",
		Args:  args(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, given []string) error {
			rows, err := a.status(c.Context(), given)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(a.stdout, rows)
			}
			a.printStatus(rows)
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

func (a *app) status(ctx context.Context, names []string) ([]statusRow, error) {
	store, err := readStore(ctx, a.db)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	all, err := store.Studies(ctx)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		for _, s := range all {
			names = append(names, s.Name)
		}
	}
	rows := []statusRow{}
	for _, name := range withParts(names, all) {
		snap, err := a.snapshot(ctx, store, name)
		if err != nil {
			return nil, err
		}
		row := statusRow{Name: snap.Study.Name, Design: snap.Spec.Design, Objective: snap.Metric.Key, Count: snap.Count, Last: snap.Time.Last,
			Inert: snap.Study.AllowedInert()}
		if of, ok := snap.Study.TuningOf(); ok {
			row.Tuning = &tuningRow{of, snap.Time.Device.Hours(), snap.Spec.Budget.DeviceHours}
		}
		for _, t := range snap.Trials {
			if len(t.Mismatches()) > 0 && !t.Superseded() {
				row.Mismatch = append(row.Mismatch, t.Number)
			}
			if t.State == trials.Running {
				row.Running = append(row.Running, runningTrial(snap, t))
			}
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func runningTrial(snap *reports.Snapshot, t trials.Trial) runningRow {
	r := runningRow{Number: t.Number, What: describe(t), Epochs: snap.Spec.Trainer.Epochs, Heartbeat: t.Heartbeat,
		Other: t.Open() == 0, Awaited: sweep.WaitsForOther(t), Started: t.Started}
	if n := len(t.Measurements); n > 0 {
		r.Epoch = t.Measurements[n-1].Epoch
	}
	if n := len(t.Attempts); n > 0 {
		r.Worker = t.Attempts[n-1].Worker
	}
	for _, l := range lostWorkers([]trials.Trial{t}, time.Now()) {
		r.Lost = l.Why
	}
	return r
}

func (a *app) printStatus(rows []statusRow) {
	if len(rows) == 0 {
		fmt.Fprintf(a.stdout, "no study in %s yet; mapsweep run quickstart makes one\n", a.db)
	}
	for _, r := range rows {
		n := r.Count
		if t := r.Tuning; t != nil {
			fmt.Fprintf(a.stdout, "  %s (tuning %d of %s): %s of %s used, %d complete, %d pruned, %d failed; %d running\n",
				r.Name, t.Tuning, where(t.TuningOf), hours(t.DeviceHours), hours(t.BudgetHours), n.Complete, n.Pruned, n.Failed+n.Infeasible, n.Running)
		} else {
			fmt.Fprintf(a.stdout, "%s (%s, %s): %d of %s trials finished: %d complete, %d pruned, %d failed, %d infeasible, %d skipped; %d running, %d waiting%s\n",
				r.Name, r.Design, r.Objective, n.Finished(), grows(n.Planned, n.Most), n.Complete, n.Pruned, n.Failed, n.Infeasible, n.Skipped, n.Running, n.Waiting, wentOn(n.Continued))
		}
		if len(r.Inert) > 0 {
			fmt.Fprintf(a.stdout, "  factors that change nothing in this trainer: %s\n", strings.Join(r.Inert, ", "))
		}
		if n := len(r.Mismatch); n > 0 {
			fmt.Fprintf(a.stdout, "  %s with another configuration than asked for; 'mapsweep show %s %d' says what the trainer took\n", count(n, "trial"), r.Name, r.Mismatch[0])
		}
		for _, t := range r.Running {
			if t.Other {
				fmt.Fprintf(a.stdout, "  trial %d  %s  is run by another program (Optuna) since %s", t.Number, t.What, t.Started.UTC().Format("2006-01-02 15:04:05 UTC"))
				if t.Awaited {
					fmt.Fprintf(a.stdout, "; 'mapsweep doctor %s' says what to do if that has ended", r.Name)
				}
				fmt.Fprintln(a.stdout)
				continue
			}
			fmt.Fprintf(a.stdout, "  trial %d  %s  epoch %d/%d  last sign of life %s ago", t.Number, t.What, t.Epoch, t.Epochs, duration(time.Since(t.Heartbeat)))
			if t.Lost != "" {
				fmt.Fprintf(a.stdout, ": %s; 'mapsweep run' takes the trial up again", t.Lost)
			}
			fmt.Fprintln(a.stdout)
		}
	}
}

// wentOn says how many pruned trials another one continues; those are not part of the sum.
func wentOn(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; beside them %d pruned that went on as other trials", n)
}

func (a *app) showCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "show STUDY [TRIAL]",
		Short: "Show a study's trials, or all about one trial",
		Args:  args(cobra.RangeArgs(1, 2)),
		RunE: func(c *cobra.Command, given []string) error {
			return a.withStudy(c.Context(), given[0], func(_ trials.Reader, snap *reports.Snapshot) error {
				if len(given) == 1 {
					return a.showStudy(snap, asJSON)
				}
				t, err := findTrial(snap, given[1])
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(a.stdout, t)
				}
				a.showTrial(snap, t)
				return nil
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

func (a *app) showStudy(snap *reports.Snapshot, asJSON bool) error {
	if asJSON {
		return printJSON(a.stdout, map[string]any{"study": snap.Study.Name, "spec": snap.Spec, "provenance": snap.Study.Provenance, "trials": snap.Trials})
	}
	list := []tables.Table{tables.Trials(snap)}
	if len(snap.Failures) > 0 {
		list = append(list, tables.Failures(snap))
	}
	fmt.Fprintf(a.stdout, "study %s: %s", snap.Study.Name, snap.Spec.Design)
	if data := snap.Spec.Trainer.Data; len(data) > 0 {
		fmt.Fprintf(a.stdout, " on %s", strings.Join(data, ", "))
	}
	fmt.Fprint(a.stdout, "\n\n")
	return tables.Terminal(a.stdout, list, a.tableOptions())
}

func (a *app) showTrial(snap *reports.Snapshot, t trials.Trial) {
	w := a.stdout
	fmt.Fprintf(w, "trial %d of %s: %s\n", t.Number, snap.Study.Name, describe(t))
	fmt.Fprintf(w, "state      %s", strings.ToLower(t.State.String()))
	if class := t.Text(trials.AttrClass); class != "" {
		fmt.Fprintf(w, " (%s)", class)
	}
	fmt.Fprintln(w)
	if reason := t.Text(trials.AttrReason); reason != "" {
		fmt.Fprintf(w, "reason     %s\n", reason)
	}
	for _, b := range snap.Broken(t) {
		fmt.Fprintf(w, "infeasible %s\n", b)
	}
	if note := t.Text(trials.AttrNote); note != "" {
		fmt.Fprintf(w, "note       %s\n", note)
	}
	if n, ok := t.Continues(); ok {
		fmt.Fprintf(w, "continues  trial %d\n", n)
	}
	if n, ok := t.Integer(trials.AttrContinued); ok {
		fmt.Fprintf(w, "goes on as trial %d\n", n)
	}
	for _, m := range t.Mismatches() {
		fmt.Fprintf(w, "mismatch   %s\n", m)
	}
	if n := sweep.Retries(t); len(n) > 0 {
		var parts []string
		for _, class := range slices.Sorted(maps.Keys(n)) {
			parts = append(parts, fmt.Sprintf("%s %d", class, n[class]))
		}
		fmt.Fprintf(w, "retries    %s\n", strings.Join(parts, ", "))
	}
	if d := t.Text(trials.AttrDevices); d != "" {
		fmt.Fprintf(w, "device     %s\n", d)
	}
	if n, ok := t.Integer(trials.AttrPeakMiB); ok {
		fmt.Fprintf(w, "peak       %d MiB of GPU memory on one device\n", n)
	}
	if len(t.Values) > 0 {
		fmt.Fprintf(w, "%-10s %.5g\n", snap.Metric.Key, t.Values[0])
		best, ok := t.At(trials.AttrBest)
		final, ok2 := t.At(trials.AttrFinal)
		if ok && ok2 && best.Epoch != final.Epoch {
			fmt.Fprintf(w, "epochs     %.5g at the best epoch (%d), %.5g at the last (%d)\n", best.Value, best.Epoch, final.Value, final.Epoch)
		}
	}
	if snap.Front != nil && len(t.Values) == len(snap.Front.Goals) {
		for i, g := range snap.Front.Goals[1:] {
			fmt.Fprintf(w, "%-10s %.5g\n", g.Metric, t.Values[i+1])
		}
	}
	if _, ok := t.Attrs[trials.AttrSeed]; ok {
		fmt.Fprintf(w, "seed       %d\n", t.Seed())
	}
	fmt.Fprintf(w, "parameters %s\n", t.Params.Key())
	if of, ok := sweep.RunOf(t); ok {
		fmt.Fprintf(w, "imported   %s\n", of)
	} else {
		fmt.Fprintf(w, "folder     %s\n", a.trialDir(snap.Study.Name, t.Number))
	}
	for _, at := range t.Attempts {
		fmt.Fprintf(w, "attempt %d  %s, %s", at.Number, at.Started.Format(time.RFC3339), at.Worker)
		if at.Outcome != "" {
			fmt.Fprintf(w, ": %s after %s", at.Outcome, duration(at.Ended.Sub(at.Started)))
		}
		if at.Reason != "" {
			fmt.Fprintf(w, " (%s)", at.Reason)
		}
		fmt.Fprintln(w)
	}
	if n := len(t.Measurements); n > 0 {
		last := t.Measurements[n-1]
		fmt.Fprintf(w, "epoch %d\n", last.Epoch)
		names := make([]string, 0, len(last.Metrics))
		width := 14
		for k := range last.Metrics {
			names = append(names, k)
			width = max(width, len(k))
		}
		sort.Strings(names)
		for _, k := range names {
			fmt.Fprintf(w, "  %-*s %.5g\n", width, k, last.Metrics[k])
		}
	}
	if tail := t.Text(trials.AttrLogTail); tail != "" {
		fmt.Fprintf(w, "last lines of its log:\n  %s\n", strings.ReplaceAll(strings.TrimRight(tail, "\n"), "\n", "\n  "))
	}
}

// trialDir is where the files of a trial are.
func (a *app) trialDir(study string, number int) string {
	return filepath.Join(a.studyDir(study), fmt.Sprintf("trial-%04d", number))
}

func (a *app) logsCommand() *cobra.Command {
	var follow, asJSON bool
	c := &cobra.Command{
		Use:   "logs STUDY TRIAL",
		Short: "Print a trial's log",
		Args:  args(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, given []string) error {
			if follow && asJSON {
				return usagef("--follow prints lines, --json one object: give one of them")
			}
			return a.withStudy(c.Context(), given[0], func(r trials.Reader, snap *reports.Snapshot) error {
				t, err := findTrial(snap, given[1])
				if err != nil {
					return err
				}
				f, err := a.openLog(snap.Study.Name, t)
				if err != nil {
					return err
				}
				defer f.Close()
				if asJSON {
					text, err := io.ReadAll(f)
					if err != nil {
						return fmt.Errorf("read log: %w", err)
					}
					return printJSON(a.stdout, map[string]any{"study": snap.Study.Name, "trial": t.Number, "log": string(text)})
				}
				return a.copyLog(c.Context(), f, follow, func() bool { return a.stillRuns(c.Context(), r, snap.Study.ID, t.Number) })
			})
		},
	}
	c.Flags().BoolVarP(&follow, "follow", "f", false, "go on printing until the trial ends")
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

// openLog opens a trial's log; where the file is gone, the last lines that the database kept of a failed trial.
func (a *app) openLog(study string, t trials.Trial) (io.ReadCloser, error) {
	f, err := os.Open(filepath.Join(a.trialDir(study, t.Number), "trial.log"))
	if err == nil {
		return f, nil
	}
	if tail := t.Text(trials.AttrLogTail); tail != "" {
		return io.NopCloser(strings.NewReader(strings.TrimRight(tail, "\n") + "\n")), nil
	}
	if of, ok := sweep.RunOf(t); ok {
		return nil, fmt.Errorf("read log: trial %d was imported from %s, and logs are not", t.Number, of)
	}
	return nil, fmt.Errorf("read log: %w", err)
}

// copyLog prints a log, and with follow what is appended to it while running says so.
func (a *app) copyLog(ctx context.Context, f io.Reader, follow bool, running func() bool) error {
	for {
		more := follow && running()
		if _, err := io.Copy(a.stdout, f); err != nil {
			return fmt.Errorf("read log: %w", err)
		}
		if !more {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
}

func (a *app) stillRuns(ctx context.Context, r trials.Reader, study int64, number int) bool {
	ts, err := r.Trials(ctx, study)
	return err == nil && number < len(ts) && ts[number].State == trials.Running
}
