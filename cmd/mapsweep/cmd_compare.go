package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/compare"
	"github.com/mapsweep/mapsweep/reports/html"
	"github.com/mapsweep/mapsweep/reports/tables"
	"github.com/mapsweep/mapsweep/trials"
)

func (a *app) compareCommand() *cobra.Command {
	var o compare.Options
	var other, out, format string
	var asJSON bool
	c := &cobra.Command{
		Use:   "compare STUDY_A STUDY_B",
		Short: "Set two studies side by side: backends, versions or data sets",
		Long: `compare matches the variants of two studies that change the same, and tests whether their effects differ: B minus A,
with an interval, corrected over the variants. It compares the two baselines, says where the verdicts agree, and lists
everything that is recorded to differ between the studies: study files, data, program and machine. Of searches it
compares the best configurations.

The studies are taken as independent (Welch's method). --paired compares seed by seed, which narrows intervals where the
trainer, the pictures and the seeds are the same in both: two versions of a program, say.`,
		Example: `  mapsweep compare quickstart quickstart-gpu
  mapsweep compare before after --paired --out comparison`,
		Args: args(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, given []string) error {
			format, err := tableFormat(format, asJSON)
			if err != nil {
				return err
			}
			if given[0] == given[1] && (other == "" || sameFile(other, a.db)) {
				return usagef("%s is the same study twice: give two studies, or the database of the second one with --other-db", given[0])
			}
			two, err := a.twoStudies(c.Context(), given, other)
			if err != nil {
				return err
			}
			done, err := compare.New(two[0], two[1], o)
			if err != nil {
				return usagef("compare %s with %s: %w", given[0], given[1], err)
			}
			if out != "" {
				if err := html.WriteComparison(out, done); err != nil {
					return err
				}
			}
			return a.printComparison(done, format, out)
		},
	}
	c.Flags().BoolVar(&o.Paired, "paired", false, "compare seed by seed")
	c.Flags().StringVar(&o.Metric, "metric", "", "compare this metric in place of the objective")
	c.Flags().StringVar(&o.Arm, "arm", "", "compare this variant alone")
	c.Flags().StringVar(&other, "other-db", "", "database of STUDY_B (default: that of STUDY_A)")
	c.Flags().StringVar(&out, "out", "", "folder to write the comparison's report to: page, charts and tables")
	c.Flags().StringVar(&format, "format", "text", strings.Join(tables.Formats, ", "))
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

// twoStudies loads A and B; other is the database of B, "" for the same.
func (a *app) twoStudies(ctx context.Context, names []string, other string) ([2]*reports.Snapshot, error) {
	var two [2]*reports.Snapshot
	for i, name := range names {
		where := *a
		if i == 1 && other != "" {
			where.db = other
		}
		err := where.withStudy(ctx, name, func(_ trials.Reader, snap *reports.Snapshot) error {
			two[i] = snap
			return nil
		})
		if err != nil {
			return two, err
		}
	}
	return two, nil
}

func (a *app) printComparison(c *compare.Comparison, format, out string) error {
	switch format {
	case "csv":
		return c.CSV(a.stdout)
	case "json":
		return printJSON(a.stdout, c.Document())
	case "md":
		return tables.Markdown(a.stdout, c.Tables())
	case "latex":
		return tables.LaTeX(a.stdout, c.Tables())
	case "html":
		return tables.HTML(a.stdout, c.Tables())
	}
	fmt.Fprintf(a.stdout, "%s\n", c.Title())
	for _, p := range c.Answer() {
		fmt.Fprintf(a.stdout, "%s\n", p)
	}
	fmt.Fprintln(a.stdout)
	if err := tables.Terminal(a.stdout, c.Tables(), a.tableOptions()); err != nil {
		return err
	}
	if out != "" {
		fmt.Fprintf(a.stdout, "report: %s\n", filepath.Join(out, "index.html"))
	}
	return nil
}
