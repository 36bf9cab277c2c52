package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mapsweep/mapsweep/reports/tables"
	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/sweep/audit"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trials"
)

func (a *app) checkCommand() *cobra.Command {
	var sets []string
	var backendName string
	var asJSON, alsoAudit bool
	c := &cobra.Command{
		Use:   "check STUDY",
		Short: "Check a study file: keys, types, ranges, levels, data; with --audit whether the trainer reads what it varies",
		Args:  args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, given []string) error {
			src, err := a.findSource(c.Context(), given[0], backendName, sets)
			if err != nil {
				return err
			}
			spec, backend, err := src.load()
			if err != nil {
				return err
			}
			var found *trainer.Preflight
			var data []string
			if p, ok := backend.(trainer.Preflighter); ok {
				f, err := p.Preflight(c.Context())
				if err != nil {
					return err
				}
				found = &f
			} else if p, ok := backend.(trainer.Preparer); ok {
				prov, err := p.Prepare(c.Context())
				if err != nil {
					return &codeError{exitUsage, fmt.Errorf("%s: %w", src.opts.File, err)}
				}
				for _, d := range prov.Data {
					data = append(data, d.Notes...)
				}
			}
			if _, err := findHardware(spec); err != nil {
				return &codeError{exitUsage, fmt.Errorf("%s: %w", src.opts.File, err)}
			}
			bad := faulty(src.opts.File, found)
			if bad == nil {
				if err := src.checkSplits(c.Context(), spec); err != nil {
					return err
				}
			}
			var got *trials.Audit
			var refused []audit.Refusal
			if alsoAudit && bad == nil {
				now, err := a.runAudit(c.Context(), spec, backend, auditFlags{steps: audit.DefaultSteps})
				if err != nil {
					return err
				}
				got, refused = &now, audit.Refusals(spec, now)
				bad = inertError(src.opts.File, refused)
			}
			warnings := src.warnings(spec)
			if asJSON {
				return errors.Join(printJSON(a.stdout, struct {
					studies.Spec
					Warnings  studies.Faults     `json:"warnings,omitempty"`
					Preflight *trainer.Preflight `json:"preflight,omitempty"`
					DataNotes []string           `json:"data_notes,omitempty"`
					Audit     *trials.Audit      `json:"audit,omitempty"`
					Refused   []audit.Refusal    `json:"refused,omitempty"`
				}{spec, warnings, found, data, got, refused}), bad)
			}
			a.printPreflight(found)
			for _, note := range data {
				fmt.Fprintf(a.stdout, "data: %s\n", note)
			}
			if got != nil {
				if err := tables.Terminal(a.stdout, []tables.Table{tables.Audit(*got)}, a.tableOptions()); err != nil {
					return err
				}
			}
			if bad != nil {
				return bad
			}
			n, notes, err := countTrials(spec)
			if err != nil {
				return err
			}
			least := 0
			if spec.Settle != nil {
				least = n / spec.Replicates * spec.Settle.First()
			}
			fmt.Fprintf(a.stdout, "%s is a good study file: %s, %s\n", spec.Name, spec.Design, size(least, n, spec.Trainer.Epochs))
			if note := promotionNote(spec); note != "" {
				notes = append(notes, note)
			}
			for _, note := range notes {
				fmt.Fprintf(a.stdout, "note: %s\n", note)
			}
			printWarnings(a.stdout, warnings)
			return nil
		},
	}
	addSet(c, &sets)
	addBackend(c, &backendName)
	c.Flags().BoolVar(&alsoAudit, "audit", false, "also run a few steps of the trainer, as 'mapsweep audit' does, and refuse what changes nothing")
	c.Flags().BoolVar(&asJSON, "json", false, "print the study as it was understood")
	return c
}

// printPreflight lists what a preflight found.
func (a *app) printPreflight(found *trainer.Preflight) {
	if found == nil {
		return
	}
	for _, f := range found.Found {
		fmt.Fprintf(a.stdout, "%s\n", f.Text)
	}
	if len(found.Found) > 0 {
		fmt.Fprintln(a.stdout)
	}
}

// faulty is the error of a preflight that found errors, or nil.
func faulty(file string, found *trainer.Preflight) error {
	n := 0
	if found != nil {
		for _, f := range found.Found {
			if f.Level == "error" {
				n++
			}
		}
	}
	if n == 0 {
		return nil
	}
	return usagef("%s: the preflight found %s", file, count(n, "error"))
}

// inertError is the error of an audit that found factors which change nothing, or nil.
func inertError(file string, refused []audit.Refusal) error {
	if len(refused) == 0 {
		return nil
	}
	e := &audit.RefusedError{Refusals: refused}
	return usagef("%s: the audit found what changes nothing: %s; 'mapsweep run' refuses it, unless it is given --allow-inert", file, strings.Join(e.Names(), ", "))
}

// countTrials is the number of trials that a study plans, with notes on why.
func countTrials(spec studies.Spec) (int, []string, error) {
	if !spec.Fixed() {
		return countSearch(spec)
	}
	plan, err := design.Points(spec)
	if err != nil {
		return 0, nil, &codeError{exitUsage, fmt.Errorf("lay out design: %w", err)}
	}
	return len(plan.Points) + len(design.TunedPoints(plan, spec)), plan.Notes, nil
}

// starter is what `mapsweep init` writes.
const starter = `# yaml-language-server: $schema=study.schema.json
# A study file: what trains, on which data, and what varies. 'mapsweep schema > study.schema.json' gives
# editors completion; 'mapsweep plan' shows the trials before they run.
name: my-study
objective: {metric: mAP50-95, direction: maximize}
trainer:
  backend: native
  model: gelan-n
  data: builtin:digits        # or the path of a data.yaml, a VOC folder, or a COCO file
  image_size: 128
  epochs: 20
  batch: 16
baseline: {lr0: 0.02, mosaic: 1.0, mixup: 0.15, copy_paste: 0.3}
factors:                      # the first level is the baseline's
  mosaic: [1.0, 0.0]
  copy_paste: [0.3, 0.0]
design: one-factor            # one-factor | leave-one-out | factorial | grid | search
replicates: 5                 # seeds per variant, the same for all of them
budget: {parallel: 2}
`

func (a *app) initCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "init [FILE]",
		Short: "Write a study file to start from",
		Args:  args(cobra.MaximumNArgs(1)),
		RunE: func(_ *cobra.Command, given []string) error {
			path := "study.yaml"
			if len(given) > 0 {
				path = given[0]
			}
			f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
			if err != nil {
				return fmt.Errorf("write study file: %w", err)
			}
			if _, err := f.WriteString(starter); err != nil {
				return fmt.Errorf("write study file: %w", err)
			}
			if err := f.Close(); err != nil {
				return fmt.Errorf("write study file: %w", err)
			}
			fmt.Fprintf(a.stdout, "wrote %s; next: mapsweep plan %s\n", path, path)
			return nil
		},
	}
}

func (a *app) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of study files, for editors",
		Args:  args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			schema, err := studies.Schema()
			if err != nil {
				return err
			}
			_, err = a.stdout.Write(schema)
			return err
		},
	}
}
