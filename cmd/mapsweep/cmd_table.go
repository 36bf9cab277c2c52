package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/tables"
	"github.com/mapsweep/mapsweep/trials"
)

// printTable writes the study's tables to standard output for people.
func (a *app) printTable(snap *reports.Snapshot) error {
	return tables.Terminal(a.stdout, tables.All(snap), a.tableOptions())
}

// printMethods writes how a study was done.
func (a *app) printMethods(snap *reports.Snapshot, format string) error {
	switch format {
	case "csv":
		return usagef("--methods is a text: give it --format text, md, latex, html or json")
	case "json":
		return printJSON(a.stdout, map[string]string{"study": snap.Study.Name, "methods": reports.Methods(snap)})
	}
	_, err := fmt.Fprintln(a.stdout, tables.Prose(reports.Methods(snap), format))
	return err
}

// tableFormat is the format that was asked for; --json goes before --format.
func tableFormat(name string, asJSON bool) (string, error) {
	if asJSON {
		return "json", nil
	}
	format := tables.Format(name)
	if format == "" {
		return "", usagef("--format %q is none of %s", name, strings.Join(tables.Formats, ", "))
	}
	return format, nil
}

func (a *app) tableCommand() *cobra.Command {
	var format, metrics string
	var v tables.View
	var methods, asJSON bool
	c := &cobra.Command{
		Use:   "table STUDY",
		Short: "Print a study's table for terminals, papers and programs",
		Long: `table prints what a study found, from the database alone: text, Markdown, CSV, LaTeX (booktabs), HTML or JSON.

Behind an effect, * ** *** mark p below the study's level, 0.01 and 0.001 after correction, and ≈ equivalence
within the margin. Bold (a dagger in a terminal without colour) are the variants that are not shown to be worse
than the best. The lines under the table say how its numbers were made.

--by arranges the rows:
  factor   under the factor that they change
  level    a row for each level of each factor; where a design crosses factors, the mean of all trials at the level
  data     data sets side by side, and the mean over them, paired by seed
  class    the average precision of each class, with its effect
  config   a column for each parameter in place of the change; --only-changed leaves out those that never change

--metrics adds metrics at the same epoch: names, patterns such as 'AP/*', and metrics of a part of the objects or
pictures, such as mAP50@small+dense, from the matches that trials keep. Verdicts and corrections stay with the
objective; CSV and JSON have an effect with its interval for each.

--methods prints a paragraph for a paper instead: how the study was done, as far as the database knows.`,
		Example: `  mapsweep table quickstart --format latex
  mapsweep table quickstart --metrics mAP50,mAP-small --only-changed
  mapsweep table quickstart --methods`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, given []string) error {
			format, err := tableFormat(format, asJSON)
			if err != nil {
				return err
			}
			for m := range strings.SplitSeq(metrics, ",") {
				if m = strings.TrimSpace(m); m != "" {
					v.Metrics = append(v.Metrics, m)
				}
			}
			return a.withStudy(c.Context(), given[0], func(r trials.Reader, snap *reports.Snapshot) error {
				if methods {
					return a.printMethods(snap, format)
				}
				for _, m := range v.Metrics {
					if !strings.Contains(m, "@") {
						continue
					}
					if err := checkPart(c.Context(), r, snap, m); err != nil {
						return usagef("--metrics %s: %w", m, err)
					}
				}
				if format == "json" {
					if err := reports.LoadMatches(c.Context(), r, snap); err != nil {
						return err
					}
				}
				v.Measure = partMeasure(c.Context(), r)
				view, err := v.Resolve(snap, func(m string) bool { return strings.Contains(m, "@") })
				if err != nil {
					return usagef("%w", err)
				}
				return view.Write(a.stdout, snap, format, a.tableOptions())
			})
		},
	}
	c.Flags().StringVar(&format, "format", "text", strings.Join(tables.Formats, ", "))
	c.Flags().StringVar(&v.By, "by", "", "arrange rows by "+strings.Join(tables.Groupings, ", "))
	c.Flags().BoolVar(&v.OnlyChanged, "only-changed", false, "columns of configuration that differ, in place of the change")
	c.Flags().StringVar(&metrics, "metrics", "", "further metrics, separated by commas; mAP50@small+dense is of a part of objects and pictures")
	c.Flags().BoolVar(&methods, "methods", false, "print how the study was done, in a paragraph fit for a paper")
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}
