package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
)

func (a *app) replayCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "replay STUDY",
		Short: "Make every suggestion of a search again and compare it with what is stored",
		Long: `replay makes each suggestion of a stored search again, from the study file, its seed and what the suggestion is noted to
have seen, and compares the parameters bit by bit. It trains nothing and writes nothing. Points that no sampler of this
version proposed are listed with the reason. The exit code is 1 if a suggestion differs.`,
		Example: "  mapsweep replay my-search",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, given []string) error {
			return a.withStudy(c.Context(), given[0], func(store trials.Reader, _ *reports.Snapshot) error {
				r, err := sweep.ReplaySearch(c.Context(), store, given[0], samplers())
				if errors.Is(err, sweep.ErrInvalid) {
					return &codeError{exitUsage, err}
				}
				if err != nil {
					return err
				}
				return a.printReplay(r, asJSON)
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// printReplay prints what came of a replay; an error if a suggestion differs.
func (a *app) printReplay(r sweep.Replay, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(a.stdout)
		enc.SetIndent("", "  ")
		if err := enc.Encode(r); err != nil {
			return err
		}
	} else {
		a.replayLines(r)
	}
	if n := len(r.Different); n > 0 {
		return fmt.Errorf("%d of %s of %s cannot be made again as they are stored", n, count(r.Suggestions, "suggestion"), r.Study)
	}
	return nil
}

func (a *app) replayLines(r sweep.Replay) {
	verb := "are"
	if r.Suggestions == 1 {
		verb = "is"
	}
	fmt.Fprintf(a.stdout, "%d of %s %s the same\n", r.Same, count(r.Suggestions, "suggestion"), verb)
	for _, d := range r.Different {
		if d.Why != "" {
			fmt.Fprintf(a.stdout, "  suggestion %d, trial %d: %s\n", d.Suggestion, d.Trial, d.Why)
			continue
		}
		fmt.Fprintf(a.stdout, "  suggestion %d, trial %d: stored %s, now %s\n", d.Suggestion, d.Trial, d.Stored.Key(), d.Again.Key())
	}
	if len(r.Left) > 0 {
		fmt.Fprintf(a.stdout, "%s left out:\n", count(len(r.Left), "point"))
	}
	for _, l := range r.Left {
		fmt.Fprintf(a.stdout, "  trial %d: %s\n", l.Trial, l.Why)
	}
}
