package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/courses"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/studies/shipped"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/local"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trials"
)

// planned is what `mapsweep plan --json` prints.
type planned struct {
	Study    string         `json:"study"`
	Design   string         `json:"design"`
	Trials   int            `json:"trials"`          // at most
	Least    int            `json:"least,omitempty"` // where variants get replicates until they are settled
	Parallel int            `json:"parallel"`
	Devices  []string       `json:"devices,omitempty"`       // GPUs that trials lease
	Why      string         `json:"device_reason,omitempty"` // native: why trials compute on these, or on the CPU
	Lacks    string         `json:"lacks,omitempty"`         // the device that this machine does not have
	Plan     *design.Plan   `json:"plan,omitempty"`
	Space    trials.Space   `json:"space,omitempty"`
	Warnings studies.Faults `json:"warnings,omitempty"` // what the study file asks for in vain
	searched
	costs
}

func (a *app) planCommand() *cobra.Command {
	var sets []string
	var backendName string
	var noProbe, asJSON, allowInert bool
	c := &cobra.Command{
		Use:   "plan STUDY",
		Short: "Show the trials, factors and levels of a study, and what they will cost",
		Args:  args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, given []string) error {
			src, err := a.findSource(c.Context(), given[0], backendName, sets)
			if err != nil {
				return err
			}
			src.sketch = noProbe
			spec, backend, err := src.load()
			if err != nil {
				return err
			}
			warmKnown, err := a.checkWarm(c.Context(), spec, src)
			if err != nil {
				return err
			}
			full, hw, lacking := a.settlePlan(c.Context(), spec, backend)
			if lacking == nil {
				spec = full
			} else if !errors.Is(lacking, trainer.ErrNoDevice) {
				return lacking
			}
			p, err := layOut(spec)
			if err != nil {
				return err
			}
			if !warmKnown {
				p.Notes = append(p.Notes, fmt.Sprintf("whether the studies of search.warm_start are there is not known: there is no database %s yet", a.db))
			}
			if !slices.Contains(spec.Trainer.Data, shipped.YourData) {
				if _, err := a.inertFactors(c.Context(), spec, backend, nil, allowInert); err != nil {
					return err
				}
			}
			if lacking != nil { // a plan may be for another machine
				p.Parallel, p.Lacks = max(1, spec.Budget.Parallel), lacking.Error()
			} else if p.Parallel, err = hw.begin(spec); err != nil {
				return err
			}
			for _, g := range hw.gpus {
				p.Devices = append(p.Devices, g.String())
			}
			p.Why = hw.why
			if err := a.foresee(c.Context(), spec, backend, p, given[0], !noProbe && lacking == nil); err != nil {
				return err
			}
			p.Warnings = src.warnings(spec)
			if asJSON {
				return printJSON(a.stdout, p)
			}
			a.printPlan(spec, p)
			printWarnings(a.stdout, p.Warnings)
			if slices.Contains(spec.Trainer.Data, shipped.YourData) {
				fmt.Fprintln(a.stdout, "note: laid out without data; a run needs --set trainer.data=path/to/data.yaml")
			}
			if f := p.Forecast; f != nil && f.OverBudget {
				return &codeError{exitBudget, fmt.Errorf("the budget of %g device-hours pays for %d of %d trials", f.BudgetHours, f.Affordable, f.Trials)}
			}
			return nil
		},
	}
	addSet(c, &sets)
	addBackend(c, &backendName)
	addAllowInert(c, &allowInert)
	c.Flags().BoolVar(&noProbe, "no-probe", false, "do not measure how long a trial takes")
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

// settlePlan completes a study as run would, with the presets that it has if it is recorded.
func (a *app) settlePlan(ctx context.Context, spec studies.Spec, backend trainer.Backend) (studies.Spec, hardware, error) {
	if _, err := os.Stat(a.db); err != nil {
		return settle(ctx, nil, spec, backend)
	}
	store, err := readStore(ctx, a.db)
	if err != nil {
		return settle(ctx, nil, spec, backend)
	}
	defer store.Close()
	return settle(ctx, store, spec, backend)
}

// layOut counts the trials of a study.
func layOut(spec studies.Spec) (*planned, error) {
	p := &planned{Study: spec.Name, Design: spec.Design}
	n, notes, err := countTrials(spec)
	if err != nil {
		return nil, err
	}
	p.Trials = n
	if !spec.Fixed() {
		p.Space, p.searched, p.Notes = spec.Space(), search(spec), notes
		return p, nil
	}
	plan, err := design.Points(spec)
	if err != nil {
		return nil, &codeError{exitUsage, fmt.Errorf("lay out design: %w", err)}
	}
	p.Plan = &plan
	if spec.Settle != nil {
		p.Least = len(courses.First(spec, plan))
	}
	return p, nil
}

func (a *app) printPlan(spec studies.Spec, p *planned) {
	w := a.stdout
	fmt.Fprintf(w, "study %s: %s, %s, %d at a time\n", p.Study, p.Design, size(p.Least, p.Trials, spec.Trainer.Epochs), p.Parallel)
	if len(spec.Trainer.Data) > 0 {
		fmt.Fprintf(w, "data %s, %s at epoch %s, split %s\n", strings.Join(spec.Trainer.Data, ", "), spec.Objective.Metric, spec.Objective.Epoch, spec.Objective.Split)
	}
	why := ""
	if p.Why != "" && p.Lacks == "" {
		why = ": " + p.Why
	}
	for _, d := range p.Devices {
		fmt.Fprintf(w, "device %s%s\n", d, why)
	}
	if len(p.Devices) == 0 && why != "" {
		fmt.Fprintf(w, "device cpu%s\n", why)
	}
	if p.Lacks != "" {
		fmt.Fprintf(w, "note: this machine cannot run it: %s\n", p.Lacks)
	}
	printPresets(w, spec)
	if p.Plan != nil {
		fmt.Fprintf(w, "\n%-16s %6s %7s  %s\n", "factor", "arms", "trials", "levels")
		for _, c := range p.Plan.Counts {
			least := 0
			if spec.Settle != nil {
				least = c.Trials / p.Plan.Replicates * spec.Settle.First()
			}
			fmt.Fprintf(w, "%-16s %6d %7s  %s\n", c.Factor, c.Arms, strings.ReplaceAll(upTo(least, c.Trials), " to ", "-"), values(c.Levels))
		}
		fmt.Fprintf(w, "\n%s x %s", count(len(p.Plan.Arms), "arm"), replicatesWords(spec, p.Plan.Replicates))
		if n := len(p.Plan.Data); n > 1 {
			fmt.Fprintf(w, " x %d data sets", n)
		}
		fmt.Fprintln(w)
		for _, arm := range p.Plan.Arms {
			fmt.Fprintf(w, "  %s\n", times(arm))
		}
		for _, line := range p.Plan.Words() {
			fmt.Fprintln(w, line)
		}
		for _, n := range p.Plan.Notes {
			fmt.Fprintf(w, "note: %s\n", n)
		}
		printTunings(w, spec, *p.Plan)
	} else {
		printSearch(w, spec, p.Space)
		for _, n := range p.Notes {
			fmt.Fprintf(w, "note: %s\n", n)
		}
	}
	printCosts(w, spec, p)
}

// times is an arm with how often the design has it.
func times(a design.Arm) string {
	if a.Times > 1 {
		return fmt.Sprintf("%s (%d times)", a.Name, a.Times)
	}
	return a.Name
}

// size is the trials of a study with their length: 12 trials of 20 epochs. A program of the user's may not say how long they are.
func size(least, most, epochs int) string {
	trials := count(most, "trial")
	if least > 0 && least != most {
		trials = upTo(least, most) + " trials"
	}
	if epochs == 0 {
		return trials
	}
	return trials + " of " + count(epochs, "epoch")
}

// upTo is a number, or where there is a least one both.
func upTo(least, most int) string {
	return between(fmt.Sprint(least), fmt.Sprint(most), least > 0)
}

// between is a range, or its upper end alone.
func between(low, high string, ranges bool) string {
	if !ranges || low == high {
		return high
	}
	return low + " to " + high
}

// replicatesWords says how many replicates a variant gets, and when it may stop.
func replicatesWords(spec studies.Spec, most int) string {
	if spec.Settle == nil {
		return count(most, "replicate")
	}
	when := "looked at after each"
	if looks := spec.Settle.Looks; len(looks) > 0 {
		when = "looks at " + strings.Trim(strings.ReplaceAll(fmt.Sprint(looks), " ", ", "), "[]")
	}
	return fmt.Sprintf("%s replicates (until settled, %s)", upTo(spec.Settle.First(), most), when)
}

// count is a number with its noun: 1 arm, 5 arms.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func values(vs []any) string {
	s := make([]string, len(vs))
	for i, v := range vs {
		s[i] = trials.FormatValue(v)
	}
	return strings.Join(s, ", ")
}

// rangeOf describes a dimension of a search space.
func rangeOf(p trials.Param) string {
	if p.Kind == trials.Categorical {
		return values(p.Choices)
	}
	s := fmt.Sprintf("%s to %s", trials.FormatValue(p.Low), trials.FormatValue(p.High))
	if p.Kind == trials.Int {
		s += ", whole numbers"
	}
	if p.Step > 0 {
		s += " by " + trials.FormatValue(p.Step)
	}
	if p.Log {
		s += ", logarithmic"
	}
	return s
}

func (a *app) trainCommand() *cobra.Command {
	t := studies.Trainer{Backend: studies.BackendNative}
	var data, dir string
	var sets []string
	var seed int64
	var asJSON, resume bool
	c := &cobra.Command{
		Use:   "train",
		Short: "Train once, without a study",
		Long: `Train runs the native trainer once and prints a line for each epoch.

With --device it trains on a GPU, which it leases as trials of studies do: where other processes of mapsweep have it, it
waits for them, and says so.`,
		Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			t.Data = []string{data}
			return a.train(c.Context(), t, sets, seed, dir, resume, asJSON)
		},
	}
	f := c.Flags()
	f.StringVar(&data, "data", "builtin:digits", "data set: builtin:NAME, a data.yaml, a VOC folder or a COCO file")
	f.StringVar(&t.Model, "model", "gelan-n", "model, see 'mapsweep models list', or the path of a model file")
	f.IntVar(&t.Epochs, "epochs", 20, "epochs")
	f.IntVar(&t.Batch, "batch", 16, "pictures per step")
	f.IntVar(&t.ImageSize, "image-size", 128, "side of the network's input in pixels; 0: 128 for built-in data sets, 640 for others")
	f.StringVar(&t.Device, "device", "cpu", "cpu, auto (a GPU where there is one), cuda or cuda:0; results differ by device")
	f.StringVar(&t.Weights, "weights", "", "weights to start from: a checkpoint, safetensors or a checkpoint of PyTorch (default random weights)")
	f.StringVar(&t.Precision, "precision", "fp32", "fp32, or bf16: convolutions multiply bfloat16 in training; results differ")
	f.StringVar(&t.Convolution, "convolution", "auto", "auto; direct: on the cpu 3x3 convolutions without Winograd's form, results differ by rounding; or fastest: on a GPU our kernels or cuDNN's, as timed at the start")
	f.StringArrayVar(&sets, "set", nil, "a knob of the trainer, e.g. --set lr0=0.01 (repeatable)")
	f.Int64Var(&seed, "seed", 1, "seed of weights, order and augmentation")
	f.StringVar(&dir, "dir", "", "folder of the run (default runs/train)")
	f.IntVar(&t.Threads, "threads", 0, "threads that share the work of a step; results do not depend on it (default: one a processor)")
	f.BoolVar(&resume, "resume", false, "go on from the checkpoint in the folder, with the same settings")
	f.BoolVar(&asJSON, "json", false, "print measurements as JSON lines")
	return c
}

// train runs the native trainer once and prints a line per epoch.
func (a *app) train(parent context.Context, t studies.Trainer, sets []string, seed int64, dir string, resume, asJSON bool) error {
	if t.Epochs < 1 {
		return usagef("--epochs %d: at least 1", t.Epochs)
	}
	if t.Batch < 1 {
		return usagef("--batch %d: at least 1", t.Batch)
	}
	if t.Threads < 0 || t.Threads > 256 {
		return usagef("--threads %d: 1 to 256, or leave it out", t.Threads)
	}
	if err := local.CheckDevice(t.Device); err != nil {
		return usagef("--device: %w", err)
	}
	said := &toldLog{lineLog: lineLog{w: a.notes}}
	backend, err := newBackend(studies.Spec{Trainer: t, Objective: studies.Objective{Split: "val"}, Replicates: 1}, a.out, slog.New(said))
	if err != nil {
		return &codeError{exitUsage, err}
	}
	params := trials.Params{}
	for _, s := range sets {
		name, text, ok := strings.Cut(s, "=")
		if !ok {
			return usagef("--set %q is not name=value", s)
		}
		params[name] = parseValue(text)
	}
	if d, ok := backend.(trainer.Describer); ok {
		if err := studies.Validate(studies.Spec{Trainer: t, Baseline: params}, d.Knobs(), true); err != nil {
			return err
		}
	}
	if c, ok := backend.(trainer.Checker); ok {
		if err := c.CheckParams(params, nil); err != nil {
			return usagef("--set: %w", err)
		}
	}
	if dir == "" {
		dir = filepath.Join(a.out, "train")
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("make folder of the run: %w", err)
	}
	ctx, stop, release := interrupts(parent, a.stderr)
	defer release()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-stop:
			cancel(sweep.ErrStopped)
		case <-ctx.Done():
		}
	}()
	if p, ok := backend.(trainer.Preparer); ok {
		prov, err := p.Prepare(ctx)
		if err != nil {
			return err
		}
		if where := prov.Extra[trials.ExtraDevice]; where != "" {
			fmt.Fprintf(a.stderr, "device %s\n", where)
		}
		for _, d := range prov.Data {
			fmt.Fprintf(a.stderr, "data %s: %d train, %d val pictures\n", d.Name, d.Train, d.Val)
			said.others(a.stderr, d.Notes)
		}
	}
	from, err := a.goOn(backend, dir, resume)
	if err != nil {
		return err
	}
	devices, back, err := a.lease(ctx, t, 0)
	if context.Cause(ctx) == sweep.ErrStopped {
		return &codeError{exitInterrupted, stopped(backend, dir)}
	}
	if err != nil {
		return err
	}
	defer back()
	job := trainer.Job{Params: params, Epochs: t.Epochs, Seed: seed, Devices: devices, Threads: cmp.Or(t.Threads, runtime.GOMAXPROCS(0)),
		Data: t.Data[0], Split: "val", Dir: dir, Resume: from}
	res, err := backend.Train(ctx, job, func(m trials.Measurement) {
		if asJSON {
			_ = printJSONLine(a.stdout, m)
			return
		}
		fmt.Fprintln(a.stdout, epochLine(m, t.Epochs))
	})
	if err != nil {
		if context.Cause(ctx) == sweep.ErrStopped {
			return &codeError{exitInterrupted, stopped(backend, dir)}
		}
		return trainFailed(err)
	}
	if res.Note != "" {
		fmt.Fprintf(a.stderr, "note: %s\n", res.Note)
	}
	fmt.Fprintf(a.stderr, "checkpoint: %s\n", res.Checkpoint)
	return nil
}
