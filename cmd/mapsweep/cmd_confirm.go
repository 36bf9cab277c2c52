package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/html"
	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/confirm"
	"github.com/mapsweep/mapsweep/trials"
)

// The defaults of confirm.
const (
	defaultTop        = 3
	defaultReplicates = 5
)

func (a *app) confirmCommand() *cobra.Command {
	var asked confirm.Asked
	var parallel int
	var dry, plain, asJSON bool
	var level durability
	c := &cobra.Command{
		Use:   "confirm STUDY",
		Short: "Train the best of a search again from fresh seeds, against the baseline",
		Long: `confirm trains the best configurations of a search and its baseline again, with seeds that the search
never used, at full length, and scores them on data_split.report (without data_split on the split of the
search). The search chose them for their scores, which are therefore optimistic; what confirm measures is
not, and becomes the headline of the search's report and table.

It is a study of its own, STUDY-confirm. The same command again goes on where it stopped and repeats nothing;
a larger --top or --replicates adds to what is there.`,
		Example: `  mapsweep confirm small-data --dry-run
  mapsweep confirm small-data --top 3 --replicates 5`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, given []string) error {
			if asked.Top < 1 || asked.Replicates < 2 {
				return usagef("--top takes 1 or more, --replicates 2 or more: one training says nothing of chance")
			}
			if parallel < 0 {
				return usagef("--parallel %d: at least 1, or 0 for the study's budget", parallel)
			}
			if asJSON && !dry {
				return usagef("--json goes with --dry-run; mapsweep table %s --json has what a confirmation found", given[0])
			}
			p, err := a.planConfirm(c.Context(), given[0], asked, c.Flags().Changed)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(a.stdout, p.json())
			}
			a.printConfirm(p)
			if dry {
				return nil
			}
			return a.confirm(c.Context(), p, runOptions{parallel: parallel, plain: plain, allowInert: true, durability: level, confirms: &p.confirms})
		},
	}
	c.Flags().IntVar(&asked.Top, "top", defaultTop, "how many of the best configurations")
	c.Flags().IntVar(&asked.Replicates, "replicates", defaultReplicates, "trainings of each, and of the baseline")
	c.Flags().IntVar(&parallel, "parallel", 0, "trials at once (default: the study's budget)")
	c.Flags().BoolVar(&dry, "dry-run", false, "say what would be trained, and end")
	c.Flags().BoolVar(&asJSON, "json", false, "with --dry-run: print as JSON")
	c.Flags().BoolVar(&plain, "plain", false, "plain lines instead of the live view")
	addDurability(c, &level)
	return c
}

// confirmation is what is to be confirmed.
type confirmation struct {
	search   *reports.Snapshot
	spec     studies.Spec // of the study that does it
	confirms trials.Confirms
	there    bool // it has begun
}

// planConfirm reads a search and lays out its confirmation. given says which flags the user gave: what is recorded
// already takes the place of their defaults.
func (a *app) planConfirm(ctx context.Context, study string, asked confirm.Asked, given func(string) bool) (confirmation, error) {
	var p confirmation
	err := a.withStudy(ctx, study, func(r trials.Reader, snap *reports.Snapshot) error {
		if !snap.IsSearch() || snap.Foreign() || snap.Imported() {
			return usagef("study %q is no search of mapsweep: confirm trains the best of a search again", study)
		}
		p.search = snap
		var old *trials.Study
		switch st, err := r.Study(ctx, studies.ConfirmName(study)); {
		case err == nil:
			old, p.there = &st, true
		case !errors.Is(err, trials.ErrNoStudy):
			return err
		}
		if old != nil {
			if before, ok := old.Confirms(); ok && !given("top") {
				asked.Top = len(before.Picks)
			}
			if spec, err := sweep.StoredSpec(*old); err == nil && !given("replicates") {
				asked.Replicates = spec.Replicates
			}
		}
		var err error
		p.spec, p.confirms, err = confirm.Plan(snap.Spec, snap.Trials, ranked(snap), len(snap.Search.Candidates), asked, old)
		return err
	})
	return p, err
}

// ranked are the configurations of a search, best first; with several objectives those on the front.
func ranked(snap *reports.Snapshot) []confirm.Candidate {
	var out []confirm.Candidate
	on := map[int]bool{}
	if snap.Front != nil {
		for _, p := range snap.Front.Best() {
			on[p.Trial] = true
		}
	}
	for _, c := range snap.Search.Candidates {
		if snap.Front != nil && !slices.ContainsFunc(c.Trials, func(n int) bool { return on[n] }) {
			continue
		}
		out = append(out, confirm.Candidate{Params: snap.Trial(c.Trials[0]).Params, Trials: c.Trials, Value: c.Mean})
	}
	return out
}

// trials is how many the confirmation trains in all.
func (p confirmation) trials() int {
	return (len(p.confirms.Picks) + 1) * p.spec.Replicates * max(1, len(p.spec.Trainer.Data))
}

// json is `mapsweep confirm STUDY --dry-run --json`.
func (p confirmation) json() any {
	return struct {
		Name       string          `json:"name"`
		Begun      bool            `json:"begun"`
		Replicates int             `json:"replicates"`
		Trials     int             `json:"trials"`
		Epochs     int             `json:"epochs"`
		Confirms   trials.Confirms `json:"confirms"`
		Points     []trials.Params `json:"points"` // what the picks set, in their order
	}{p.spec.Name, p.there, p.spec.Replicates, p.trials(), p.spec.Trainer.Epochs, p.confirms, points(p)}
}

func points(p confirmation) []trials.Params {
	all := []trials.Params{}
	for i := range p.confirms.Picks {
		all = append(all, p.spec.Variants[i].Params)
	}
	return all
}

// printConfirm says what is trained again.
func (a *app) printConfirm(p confirmation) {
	w, m := a.stdout, p.search.Metric
	fmt.Fprintf(w, "confirmation %s: %s and the baseline x %s, %s of %s\n", p.spec.Name, count(len(p.confirms.Picks), "configuration"),
		count(p.spec.Replicates, "fresh seed"), count(p.trials(), "trial"), count(p.spec.Trainer.Epochs, "epoch"))
	switch c := p.confirms; {
	case c.Report != c.Tune:
		fmt.Fprintf(w, "scored on split %s, which the search never saw (it was scored on %s)\n", c.Report, c.Tune)
	default:
		fmt.Fprintf(w, "scored on split %s, as the search was; data_split would keep pictures that it never sees\n", c.Report)
	}
	if n := p.search.Count; !n.Done() {
		fmt.Fprintf(w, "note: the search has not ended: %d of %d trials have\n", n.Finished(), n.Planned)
	}
	for i, k := range p.confirms.Picks {
		fmt.Fprintf(w, "  %-12s %s %s in the search  %s\n", k.Arm, m.Key, m.WithUnit(m.MeanSpread(k.Value, math.NaN())), shortPoint(p.spec.Variants[i].Params))
	}
}

// shortPoint is a set of values as people read them: lr0=0.0123.
func shortPoint(p trials.Params) string {
	var parts []string
	for _, name := range p.Names() {
		parts = append(parts, name+"="+reports.ShortValue(p[name]))
	}
	return strings.Join(parts, ", ")
}

// confirm runs the confirmation and brings the search's report up to date.
func (a *app) confirm(ctx context.Context, p confirmation, o runOptions) error {
	src, err := a.findSource(ctx, p.search.Study.Name, "", nil)
	if err != nil {
		return err
	}
	src.spec, src.text, src.opts.File = &p.spec, p.search.Study.File, p.spec.Name
	ran := a.run(ctx, src, o)
	if !p.there && ran != nil { // nothing to report if it never began
		if _, err := a.recorded(ctx, p.spec.Name); err != nil {
			return ran
		}
	}
	return errors.Join(ran, a.withStudy(context.WithoutCancel(ctx), p.search.Study.Name, func(r trials.Reader, snap *reports.Snapshot) error {
		for i := range snap.Blocks {
			fmt.Fprintf(a.stdout, "\n%s\n", reports.Text(snap.Answer(&snap.Blocks[i])))
		}
		if err := reports.LoadMatches(context.WithoutCancel(ctx), r, snap); err != nil {
			return err
		}
		return html.WriteAll(a.reportDir(snap.Study.Name), snap)
	}))
}
