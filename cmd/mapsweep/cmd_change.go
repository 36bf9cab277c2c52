package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
)

func (a *app) stopCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "stop STUDY",
		Short: "Ask a running study to stop gracefully; run goes on with it",
		Args:  args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, given []string) error {
			return a.change(c, given[0], func(store trials.Store, _ *reports.Snapshot) error {
				if err := sweep.RequestStop(c.Context(), store, given[0]); err != nil {
					return err
				}
				if err := stopTunings(c.Context(), store, given[0]); err != nil {
					return err
				}
				also, err := stopConfirmation(c.Context(), store, given[0])
				if err != nil {
					return err
				}
				fmt.Fprintf(a.stdout, "asked %s to stop; its running trials are being finished or saved\n", strings.Join(append(given, also...), " and "))
				return nil
			})
		},
	}
}

// stopConfirmation asks those who run the confirmation of a search to stop, too, if any of its trials runs or waits, and names it.
func stopConfirmation(ctx context.Context, store trials.Store, search string) ([]string, error) {
	st, err := store.Study(ctx, studies.ConfirmName(search))
	if errors.Is(err, trials.ErrNoStudy) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if of, ok := st.Confirms(); !ok || of.Study != search {
		return nil, nil // another study of that name
	}
	now, err := store.Changes(ctx, st.ID, math.MaxInt64)
	if err != nil || len(now.Open) == 0 {
		return nil, err
	}
	return []string{st.Name}, sweep.RequestStop(ctx, store, st.Name)
}

func (a *app) retryCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "retry STUDY [TRIAL ...]",
		Short: "Mark failed trials, all or some, to be repeated by the next run",
		Long: `Retry marks failed trials, all or some, to be repeated by the next run; the failed ones stay on record.

A trial that another program, Optuna, has taken and died with is repeated if it is named by its number: it is taken from
that program and counts as lost. Make sure that the program has ended; mapsweep doctor STUDY names such trials.`,
		Args: args(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, given []string) error {
			var which []int
			for _, g := range given[1:] {
				n, err := strconv.Atoi(g)
				if err != nil {
					return usagef("trial %q is no number", g)
				}
				which = append(which, n)
			}
			return a.change(c, given[0], func(store trials.Store, snap *reports.Snapshot) error {
				if len(given) == 1 {
					which = openFailures(snap)
				}
				again, err := sweep.Retry(c.Context(), store, given[0], which)
				if err != nil {
					return err
				}
				fmt.Fprintf(a.stdout, "to be repeated: %s; mapsweep run goes on with the study\n", count(len(again), "trial"))
				return nil
			})
		},
	}
}

// openFailures are the failed trials that nothing repeats yet.
func openFailures(snap *reports.Snapshot) []int {
	var ns []int
	for _, f := range snap.Failures {
		if !f.Repeated {
			ns = append(ns, f.Trial)
		}
	}
	return ns
}

func (a *app) enqueueCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "enqueue STUDY name=value ...",
		Short: "Add a point of your own to a search; the next run takes it first",
		Args:  args(cobra.MinimumNArgs(2)),
		RunE: func(c *cobra.Command, given []string) error {
			params := trials.Params{}
			for _, g := range given[1:] {
				name, text, ok := strings.Cut(g, "=")
				if !ok {
					return usagef("%q is not name=value", g)
				}
				params[name] = parseValue(text)
			}
			return a.change(c, given[0], func(store trials.Store, snap *reports.Snapshot) error {
				if snap.Spec.Design != studies.DesignSearch {
					return usagef("study %s is a fixed design (%s); add a level to its study file instead", given[0], snap.Spec.Design)
				}
				t, err := sweep.EnqueuePoint(c.Context(), store, given[0], params)
				if err != nil {
					return &codeError{exitUsage, err}
				}
				fmt.Fprintf(a.stdout, "trial %d waits: %s\n", t.Number, describe(t))
				return nil
			})
		},
	}
}

// change opens the database for writing and makes sure that the study is there.
func (a *app) change(c *cobra.Command, study string, do func(trials.Store, *reports.Snapshot) error) error {
	if !pathExists(a.db) {
		return fmt.Errorf("no database %s; name another with --db", a.db)
	}
	store, err := openStore(c.Context(), a.db)
	if err != nil {
		return err
	}
	defer store.Close()
	snap, err := a.snapshot(c.Context(), store, study)
	if err != nil {
		return err
	}
	return do(store, snap)
}

// parseValue reads a scalar as JSON where it is one, else as a word.
func parseValue(text string) any {
	if v, err := trials.DecodeValue(json.RawMessage(text)); err == nil {
		return v
	}
	return text
}
