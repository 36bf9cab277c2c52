package yolov9

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/internal/process"
	"github.com/mapsweep/mapsweep/trials"
)

var _ interface {
	trainer.Auditor
	trainer.Reviewer
} = (*Backend)(nil)

// Trace implements trainer.Auditor: the first batches of each job, in one Python process that forks a child for
// each. Files go to the first job's directory.
func (b *Backend) Trace(ctx context.Context, jobs []trainer.Job, opts trainer.TraceOptions) ([]trainer.Trace, error) {
	if len(jobs) == 0 {
		return nil, nil
	}
	dir, err := filepath.Abs(jobs[0].Dir)
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	python, err := b.python()
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	start, err := writeLauncher(dir)
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	t := tracer{b: b, dir: dir, opts: opts, answers: make([]trainer.Trace, len(jobs))}
	for i, job := range jobs {
		t.add(i, job)
	}
	if len(t.runs) == 0 {
		return t.answers, nil
	}
	out, planPath := filepath.Join(dir, "trace.json"), filepath.Join(dir, "trace-plan.json")
	p := plan{Mode: "trace", Checkout: b.cfg.Checkout, ConfigDir: filepath.Join(dir, configName), Out: out, Steps: max(1, opts.Steps), Runs: t.runs}
	if err := p.write(planPath); err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	log, err := os.Create(filepath.Join(dir, logName))
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	defer log.Close()
	job := jobs[0]
	job.Dir = dir
	exit, err := process.Run(ctx, process.Command{Args: []string{python, start, planPath}, Env: b.environment(job), Dir: b.cfg.Checkout, Output: log, Grace: grace})
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("trace: %w", context.Cause(ctx))
	case err != nil:
		return nil, fmt.Errorf("trace: start Python: %w", err)
	case !exit.OK():
		tail, _ := process.Tail(log.Name(), 0, 8)
		return nil, fmt.Errorf("trace: the launcher ended with %v: %s", exit, tail)
	}
	return t.answers, t.read(out)
}

// tracer gathers the runs of one call of Trace.
type tracer struct {
	b       *Backend
	dir     string
	opts    trainer.TraceOptions
	runs    []plan
	sets    []settings
	jobs    []int // answers[jobs[i]] is of runs[i]
	answers []trainer.Trace
}

// add makes the run of a job; one that cannot be resolved is answered at once.
func (t *tracer) add(i int, job trainer.Job) {
	refuse := func(err error) { t.answers[i].Failed = err.Error() }
	set, err := t.b.resolve(job.Params, job.Seed, t.opts.Bare)
	if err != nil {
		refuse(err)
		return
	}
	script, model, err := t.b.scriptOf(set.values["cfg"].(string))
	if err != nil {
		refuse(err)
		return
	}
	name := fmt.Sprintf("trace-%02d", i)
	hyp := filepath.Join(t.dir, name+".hyp.yaml")
	if err := os.WriteFile(hyp, []byte(set.hypFile()), 0o666); err != nil {
		refuse(err)
		return
	}
	if job.Data, err = t.b.dataFile(job.Data, t.dir); err != nil {
		refuse(err)
		return
	}
	if job.Epochs == 0 {
		job.Epochs = t.b.cfg.Epochs
	}
	r := run{b: t.b, job: job, set: set, script: script, model: model, attempt: filepath.Join(t.dir, name)}
	t.runs = append(t.runs, plan{Mode: "train", Script: script, Argv: append(r.argv(hyp), "--nosave"), Env: set.env, Levers: set.levers, Log: filepath.Join(t.dir, name+".log")})
	t.jobs, t.sets = append(t.jobs, i), append(t.sets, set)
	t.answers[i].Unjudged = late()
}

// late names the knobs that act elsewhere than in the first steps.
func late() map[string]string {
	m := map[string]string{}
	for _, k := range knobs() {
		if k.late != "" {
			m[k.Name] = k.late
		}
	}
	return m
}

// read takes the launcher's answers.
func (t *tracer) read(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("trace: read answers: %w", err)
	}
	var found []struct {
		Steps   []trainer.Step `json:"steps"`
		Options map[string]any `json:"options"`
		Levers  map[string]any `json:"levers"`
		Env     map[string]any `json:"env"`
		Failed  string         `json:"failed"`
	}
	if err := json.Unmarshal(data, &found); err != nil {
		return fmt.Errorf("trace: read answers: %w", err)
	}
	if len(found) != len(t.jobs) {
		return fmt.Errorf("trace: %d answers for %d runs", len(found), len(t.jobs))
	}
	for i, f := range found {
		a := &t.answers[t.jobs[i]]
		a.Steps, a.Failed = f.Steps, f.Failed
		a.Effective = readBack{Options: f.Options, Levers: f.Levers, Env: f.Env}.as(t.sets[i], t.b.cfg.Replicates > 1 && !t.opts.Bare)
		if f.Failed != "" {
			tail, _ := process.Tail(t.runs[i].Log, 0, 20)
			if e := exception(tail); e != "" {
				a.Failed += e
			} else if m := lastMatch(refused, tail); m != "" {
				a.Failed += ": " + m
			}
		}
	}
	return nil
}

// Review implements trainer.Reviewer from the table of knobs and a look at the data.
func (b *Backend) Review(ctx context.Context, params trials.Params, levels map[string][]any, bare bool) ([]trainer.Finding, error) {
	var found []trainer.Finding
	data, err := b.look(ctx)
	if err != nil {
		return nil, err
	}
	for _, k := range knobs() {
		values, varied := levels[k.Name]
		if !varied {
			continue
		}
		switch f, ok := b.dead(k, params, values, bare, data); {
		case ok:
			f.Knob = k.Name
			found = append(found, f)
		}
	}
	return found, nil
}

// dead says why levels of a knob cannot matter, if it knows.
func (b *Backend) dead(k knob, params trials.Params, values []any, bare bool, data look) (trainer.Finding, bool) {
	switch {
	case k.inert != "" && (bare || !k.lever):
		f := trainer.Finding{Verdict: trainer.Inert, Reason: k.inert}
		if k.lever {
			f.Remedy = "through mapsweep it is alive"
		}
		return f, true
	case k.Name == "copy_paste" && !data.polygons && data.known && (bare || params["copy_paste_boxes"] != true):
		f := trainer.Finding{Verdict: trainer.Conditional, Reason: "the official copy-paste takes polygons, and the labels of this data set are boxes"}
		if !bare {
			f.Verdict, f.Remedy = trainer.Inert, "set copy_paste_boxes: true under baseline, or label polygons"
		}
		return f, true
	case k.Name == "warmup_epochs":
		return b.saturated(params, values, bare, data)
	case k.Name == "sync_bn" && b.gpus() < 2:
		return trainer.Finding{Verdict: trainer.Inert, Reason: "the official script ignores --sync-bn without several ranks", Remedy: "set trainer.gpus to 2 or more"}, true
	}
	return trainer.Finding{}, false
}

// saturated says which warm-up lengths are the same number of steps: max(round(warmup_epochs x batches), floor).
func (b *Backend) saturated(params trials.Params, values []any, bare bool, data look) (trainer.Finding, bool) {
	batch, ok := trials.Number(params["batch_size"])
	if !ok {
		batch = float64(max(1, b.cfg.Batch))
		if b.cfg.Batch == 0 {
			batch = 16
		}
	}
	floor := 100.0
	if f, ok := trials.Number(params["warmup_floor"]); ok && !bare {
		floor = f
	}
	if !data.known || len(values) < 2 {
		return trainer.Finding{}, false
	}
	batches := float64((data.images + int(batch) - 1) / int(batch))
	steps := map[int][]any{}
	for _, v := range values {
		n, _ := trials.Number(v)
		s := int(max(roundEven(n*batches), floor))
		steps[s] = append(steps[s], v)
	}
	if len(steps) == len(values) {
		return trainer.Finding{}, false
	}
	f := trainer.Finding{Verdict: trainer.Saturated, Remedy: "set warmup_floor: 0 under baseline",
		Reason: fmt.Sprintf("warm-up lasts at least %g steps, and %g epochs of %g batches are fewer", floor, largest(values), batches)}
	if len(steps) == 1 {
		f.Verdict = trainer.Inert
	}
	return f, true
}

func largest(values []any) float64 {
	m := 0.0
	for _, v := range values {
		n, _ := trials.Number(v)
		m = max(m, n)
	}
	return m
}

// roundEven is Python's round: halves go to the even neighbour.
func roundEven(x float64) float64 {
	r, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'f', 0, 64), 64)
	return r
}
