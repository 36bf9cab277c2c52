package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trainer/yolov9"
	"github.com/mapsweep/mapsweep/trials"
)

func (a *app) importCommand() *cobra.Command {
	var from, name, metric, epoch, baseline string
	var level durability
	c := &cobra.Command{
		Use:   "import --from yolov9:RUN_DIR [RUN_DIR ...] | optuna:FILE[#STUDY] --study NAME",
		Short: "Make a study of past runs of the official YOLOv9, or of a study of Optuna's, to be shown, tabled and reported",
		Long: `Import reads opt.yaml, hyp.yaml and results.csv of past runs of the official YOLOv9 scripts and makes a study
of them, or adds them to one that was made so. A folder of run folders stands for all of them. What differs
between runs becomes factors, runs that differ in the seed alone become replicates. The same run again
changes nothing. Such a study cannot be run; what it says is limited by what was run.

With --from optuna:FILE it copies a study out of a file of Optuna's SQLite storage (4.9, 5.0), with all that Optuna
recorded of its trials; the same command again brings what is new. Such a study can also warm-start a search.`,
		Args: args(cobra.ArbitraryArgs),
		RunE: func(c *cobra.Command, given []string) error {
			kind, first, ok := strings.Cut(from, ":")
			if !ok || kind != studies.BackendYOLOv9 && kind != fromOptuna || first == "" {
				return usagef("--from %q: write yolov9:RUN_DIR, for instance --from yolov9:runs/train, or optuna:FILE", from)
			}
			if name == "" {
				return usagef("--study is missing: the name of the study that the runs become")
			}
			if err := studies.CheckName(name); err != nil {
				return usagef("--study: %w", err)
			}
			if kind == fromOptuna {
				if c.Flags().Changed("epoch") || baseline != "" || len(given) > 0 {
					return usagef("--from optuna takes one file, and neither --epoch nor --baseline")
				}
				if !c.Flags().Changed("metric") {
					metric = ""
				}
				return a.importOptuna(c.Context(), first, name, metric, level)
			}
			obj := studies.Objective{Metric: metric, Direction: trials.Maximize, Epoch: epoch, Split: "val"}
			if strings.Contains(metric, "loss/") {
				obj.Direction = trials.Minimize
			}
			if err := checkMetric(metric, (&yolov9.Backend{}).Metrics()); err != nil {
				return usagef("--metric: %w", err)
			}
			switch epoch {
			case "last":
			case "best":
				obj.BestBy = "fitness"
			default:
				return usagef("--epoch %q: last or best", epoch)
			}
			return a.importRuns(c.Context(), append([]string{first}, given...), baseline, sweep.ImportOptions{Name: name, From: kind, Objective: obj}, level)
		},
	}
	c.Flags().StringVar(&from, "from", "", "what to import: yolov9:RUN_DIR, a run or a folder of runs; optuna:FILE, with #STUDY if it has several")
	c.Flags().StringVar(&name, "study", "", "study that the runs become, or are added to")
	c.Flags().StringVar(&metric, "metric", "mAP50-95", "metric that is compared; of optuna: the name of the first objective, if it has none there")
	c.Flags().StringVar(&epoch, "epoch", "last", "yolov9: read it after the last epoch, or at the best by the official fitness")
	c.Flags().StringVar(&baseline, "baseline", "", "run whose configuration the others are compared with (default: the one that differs from all others in one parameter)")
	addDurability(c, &level)
	return c
}

// importRuns reads all runs before it writes anything.
func (a *app) importRuns(ctx context.Context, paths []string, baseline string, o sweep.ImportOptions, level durability) error {
	if baseline != "" {
		paths = append(paths, baseline)
	}
	runs, err := pastRuns(paths)
	if err != nil {
		return &codeError{exitUsage, err}
	}
	if baseline != "" {
		b, err := yolov9.ReadPast(baseline)
		if err != nil {
			return &codeError{exitUsage, fmt.Errorf("--baseline: %w", err)}
		}
		o.Baseline = b.Hash
	}
	o.Default = trials.Params{}
	for _, k := range (&yolov9.Backend{}).Knobs() {
		o.Order = append(o.Order, k.Name)
		o.Default[k.Name] = k.Default
	}
	o.Order = append(o.Order, "epochs")
	o.Trainer = studies.Trainer{Backend: studies.BackendYOLOv9, Model: common(runs, func(p yolov9.Past) string { return p.Model })}
	o.Provenance = trials.Provenance{Version: version, Commit: buildCommit(), Backend: "imported"}
	store, err := openStore(ctx, a.db, level.option())
	if err != nil {
		return err
	}
	defer store.Close()
	var past []sweep.Past
	for _, r := range runs {
		past = append(past, pastRun(r))
	}
	done, err := sweep.Import(ctx, store, o, past)
	if err != nil {
		return err
	}
	ours := !slices.ContainsFunc(runs, func(r yolov9.Past) bool { return !r.Ours })
	a.sayImported(done, yolov9.Ignored(names(done.Spec.Factors), ours))
	return nil
}

// pastRuns reads the runs of some folders, each once. All that cannot be read are named at once.
func pastRuns(paths []string) ([]yolov9.Past, error) {
	var runs []yolov9.Past
	var faults []error
	for _, path := range paths {
		dirs, err := yolov9.PastDirs(path)
		faults = append(faults, err)
		for _, dir := range dirs {
			p, err := yolov9.ReadPast(dir)
			if err != nil {
				faults = append(faults, err)
			} else if !slices.ContainsFunc(runs, func(q yolov9.Past) bool { return q.Hash == p.Hash }) {
				runs = append(runs, p)
			}
		}
	}
	return runs, errors.Join(faults...)
}

// pastRun brings a run to the form that the engine stores.
func pastRun(r yolov9.Past) sweep.Past {
	p := sweep.Past{Path: r.Dir, Hash: r.Hash, Params: r.Params, Epochs: r.Epochs, Seed: r.Seed, Data: r.Data,
		Measurements: r.Measurements, Diverged: r.Diverged, Note: strings.Join(r.Notes, "; ")}
	for _, name := range slices.Sorted(maps.Keys(r.Files)) {
		p.Artifacts = append(p.Artifacts, trials.Artifact{Name: name, MediaType: "application/yaml", Data: r.Files[name]})
	}
	return p
}

// common is what all runs have, or "".
func common(runs []yolov9.Past, of func(yolov9.Past) string) string {
	for _, r := range runs {
		if of(r) != of(runs[0]) {
			return ""
		}
	}
	return of(runs[0])
}

func names(fs []studies.Factor) []string {
	var all []string
	for _, f := range fs {
		all = append(all, f.Name)
	}
	return all
}

func (a *app) sayImported(done sweep.Imported, ignored map[string]string) {
	factors := "nothing varies"
	if fs := names(done.Spec.Factors); len(fs) > 0 {
		factors = strings.Join(fs, ", ")
	}
	fmt.Fprintf(a.stdout, "study %s: %s imported, %d there already; %s: %s\n", done.Spec.Name, count(done.New, "run"), done.Known, done.Spec.Design, factors)
	fmt.Fprintf(a.stdout, "%d complete + %d failed\n", done.Complete, done.Failed)
	for _, n := range done.Notes {
		fmt.Fprintf(a.stdout, "note: %s\n", n)
	}
	for _, name := range slices.Sorted(maps.Keys(ignored)) {
		fmt.Fprintf(a.stdout, "note: %s varies, but %s\n", name, ignored[name])
	}
	fmt.Fprintf(a.stdout, "next: mapsweep report %s\n", done.Spec.Name)
}
