package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/tables"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/studies/inference/importance"
	"github.com/mapsweep/mapsweep/trials"
)

func (a *app) whyCommand() *cobra.Command {
	var method, path, format string
	var pairs, asJSON bool
	c := &cobra.Command{
		Use:   "why STUDY",
		Short: "What made the difference: main effects, Shapley values, a path, importance",
		Long: `Says what made the difference in a study, from the database alone.

  factorial designs   main effects and interactions, Shapley values, a path along measured scores
  searches            importance of parameters (fANOVA, PED-ANOVA), a path along predicted scores

What a design cannot tell is said in a sentence.`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, given []string) error {
			o, err := whyOptions(method, path, pairs)
			if err != nil {
				return err
			}
			format, err := tableFormat(format, asJSON)
			if err != nil {
				return err
			}
			if format == "csv" {
				return usagef("--format csv is of tables with a line per trial or variant; json has every number of why")
			}
			return a.withStudy(c.Context(), given[0], func(_ trials.Reader, snap *reports.Snapshot) error {
				return a.printWhy(snap, o, format)
			})
		},
	}
	c.Flags().StringVar(&method, "method", "", "importance by fanova or ped-anova (default fanova, and ped-anova beside it where a sampler chose the points)")
	c.Flags().BoolVar(&pairs, "pairs", false, "importance of pairs, too")
	c.Flags().StringVar(&path, "path", "", "ends of the path and of Shapley values: FROM..TO, each baseline, best, a variant or the number of a trial")
	c.Flags().StringVar(&format, "format", "text", "text, md, latex or html")
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

// printWhy writes the analyses; their only errors are about names that the user gave.
func (a *app) printWhy(snap *reports.Snapshot, o tables.WhyOptions, format string) error {
	if format == "json" {
		doc, err := explain(snap, o)
		if err != nil {
			return &codeError{exitUsage, err}
		}
		return printJSON(a.stdout, doc)
	}
	ts, err := tables.Why(snap, o)
	if err != nil {
		return &codeError{exitUsage, err}
	}
	switch format {
	case "md":
		return tables.Markdown(a.stdout, ts)
	case "latex":
		return tables.LaTeX(a.stdout, ts)
	case "html":
		return tables.HTML(a.stdout, ts)
	}
	return tables.Terminal(a.stdout, ts, a.tableOptions())
}

func whyOptions(method, path string, pairs bool) (tables.WhyOptions, error) {
	o := tables.WhyOptions{Pairs: pairs}
	switch method {
	case "":
	case "fanova":
		o.Method = importance.FANOVA
	case "ped-anova":
		o.Method = importance.PEDANOVA
	default:
		return o, usagef("--method %q is none of fanova, ped-anova", method)
	}
	if path == "" {
		return o, nil
	}
	var ok bool
	if o.From, o.To, ok = strings.Cut(path, ".."); !ok || o.From == "" || o.To == "" {
		return o, usagef("--path %q is not FROM..TO: two of baseline, best, a variant or the number of a trial", path)
	}
	return o, nil
}

// whyDocument is `mapsweep why --json`. What the data cannot tell is null, with the reason under Nothing.
type whyDocument struct {
	Study      string             `json:"study"`
	Metric     string             `json:"metric"`
	Blocks     []whyBlock         `json:"blocks"` // one per data set
	Importance *importance.Result `json:"importance"`
	PED        *importance.Result `json:"ped_anova"`
	Nothing    map[string]string  `json:"nothing,omitempty"`
}

type whyBlock struct {
	Data      string                  `json:"data"`
	Factorial *inference.Factorial    `json:"factorial"`
	Half      []inference.HalfNormal  `json:"half_normal,omitempty"`
	Shapley   *importance.Attribution `json:"shapley"`
	Path      *importance.Path        `json:"path"`
	Nothing   map[string]string       `json:"nothing,omitempty"`
}

// explain gathers the document.
func explain(s *reports.Snapshot, o tables.WhyOptions) (whyDocument, error) {
	if o.From == "" {
		o.From, o.To = reports.FromBaseline, reports.ToBest
	}
	d := whyDocument{Study: s.Study.Name, Metric: s.Metric.Key, Nothing: map[string]string{}}
	var errs []error
	for i := range s.Blocks {
		b := &s.Blocks[i]
		w := whyBlock{Data: b.Data, Nothing: map[string]string{}}
		f, err := s.Factorial(b)
		w.Factorial = told(&f, err, "factorial", w.Nothing, &errs)
		if w.Factorial != nil {
			w.Half = f.HalfNormal()
		}
		sh, err := s.ShapleyBetween(b, o.From, o.To)
		w.Shapley = told(&sh, err, "shapley", w.Nothing, &errs)
		p, err := s.PathBetween(b, o.From, o.To)
		w.Path = told(&p, err, "path", w.Nothing, &errs)
		d.Blocks = append(d.Blocks, w)
	}
	if o.Method != importance.PEDANOVA {
		r, err := s.Importance()
		d.Importance = told(&r, err, "importance", d.Nothing, &errs)
	}
	if o.Method == importance.PEDANOVA || o.Method == "" && s.Uneven() {
		r, err := s.PED()
		d.PED = told(&r, err, "ped_anova", d.Nothing, &errs)
	}
	return d, errors.Join(errs...)
}

// told is v, or nil with the reason noted.
func told[T any](v *T, err error, key string, reasons map[string]string, errs *[]error) *T {
	var nothing inference.Nothing
	switch {
	case err == nil:
		return v
	case errors.As(err, &nothing):
		reasons[key] = err.Error()
	default:
		*errs = append(*errs, err)
	}
	return nil
}
