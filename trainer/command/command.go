package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/internal/process"
	"github.com/mapsweep/mapsweep/trials"
)

// Config describes the program.
type Config struct {
	Command []string          // program and arguments, a template
	Env     map[string]string // further environment, values are templates, too
	Timeout time.Duration     // longest time of one trial; 0: none
	Epochs  int               // length of a run whose job leaves it open; 0: the program's own
	Dir     string            // working directory of the program; "": that of this process
	Grace   time.Duration     // from SIGTERM to SIGKILL; 0: DefaultGrace
	Log     *slog.Logger      // warnings about metrics that could not be read; nil: none

	Arguments  *Arguments  // how parameters become arguments where the command says {args}; nil: they do not
	Table      *Table      // where measurements are read; nil: JSON lines in the trial's directory
	Checkpoint *Checkpoint // what to go on from; nil: what the program names in its metrics
}

// DefaultGrace is the time that a program has to save its work after SIGTERM.
const DefaultGrace = 2 * time.Second

// Names of the files in a trial's directory.
const (
	paramsName  = "params.json"
	metricsName = "metrics.jsonl"
	logName     = "trial.log"
)

const (
	tailLines = 40                     // lines of the log that a Failure keeps
	pollEvery = 100 * time.Millisecond // how often metrics are looked for
)

// Backend runs the program; it is a trainer.Backend. It has no state of its own, so trials may run at once.
type Backend struct{ cfg Config }

var _ interface {
	trainer.Backend
	trainer.Preparer
	trainer.Describer
	trainer.Resumer
	trainer.Stopper
} = (*Backend)(nil)

// New checks the configuration. It does not look for the program; Prepare does.
func New(cfg Config) (*Backend, error) {
	if len(cfg.Command) == 0 || strings.TrimSpace(cfg.Command[0]) == "" {
		return nil, errors.New("make command trainer: no command given, for instance [python, train.py]")
	}
	if cfg.Timeout < 0 || cfg.Grace < 0 || cfg.Epochs < 0 {
		return nil, errors.New("make command trainer: time limit, grace time and epochs cannot be negative")
	}
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("make command trainer: %w", err)
	}
	for name := range cfg.Env {
		if name == "" || strings.ContainsAny(name, "=\x00") {
			return nil, fmt.Errorf("make command trainer: %q is no name of an environment variable", name)
		}
	}
	if cfg.Grace == 0 {
		cfg.Grace = DefaultGrace
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Backend{cfg: cfg}, nil
}

// check looks at how the program takes parameters and gives measurements.
func (c Config) check() error {
	if c.Arguments != nil {
		if err := c.Arguments.check(); err != nil {
			return err
		}
	}
	if t := c.Table; t != nil && (t.File == "" || t.Epoch == "" || len(t.Columns) == 0 || t.First < 0 || t.First > 1) {
		return errors.New("a table needs a file, a column with the epoch, 0 or 1 as its first epoch, and columns to read")
	}
	if c.Checkpoint != nil && c.Checkpoint.File == "" {
		return errors.New("the checkpoint has no file")
	}
	return nil
}

// Knobs is empty: the program may take parameters of any name.
func (b *Backend) Knobs() []trials.Knob { return nil }

// Prepare looks for the program.
func (b *Backend) Prepare(ctx context.Context) (trials.Provenance, error) {
	p := trials.Provenance{Backend: "command", Extra: map[string]string{"command": strings.Join(b.cfg.Command, " ")}}
	if err := ctx.Err(); err != nil {
		return p, err
	}
	if b.cfg.Dir != "" {
		if st, err := os.Stat(b.cfg.Dir); err != nil || !st.IsDir() {
			return p, fmt.Errorf("prepare command: working directory %s is not there", b.cfg.Dir)
		}
	}
	if len(placeholders(b.cfg.Command[0])) > 0 {
		return p, nil // known only with a trial's parameters
	}
	path, err := b.find(b.cfg.Command[0])
	if err != nil {
		return p, fmt.Errorf("prepare command: %w", err)
	}
	p.Extra["program"] = path
	if c := b.cfg.Checkpoint; c != nil && len(c.Resume) > 0 && len(placeholders(c.Resume[0])) == 0 {
		if _, err := b.find(c.Resume[0]); err != nil {
			return p, fmt.Errorf("prepare command: trainer.checkpoint.resume: %w", err)
		}
	}
	return p, nil
}

// find resolves a program as execution will: names with a slash from the working directory, others by PATH.
func (b *Backend) find(name string) (string, error) {
	path := name
	if strings.ContainsRune(name, filepath.Separator) && !filepath.IsAbs(name) {
		abs, err := filepath.Abs(filepath.Join(b.cfg.Dir, name))
		if err != nil {
			return "", err
		}
		path = abs
	}
	found, err := exec.LookPath(path)
	if err != nil {
		return "", fmt.Errorf("program %q cannot be run: %w: check trainer.command and PATH", name, err)
	}
	return found, nil
}

// Train runs the program once; see trainer.Backend. Files in job.Dir: params.json,
// metrics.jsonl, trial.log. A *trainer.Failure keeps the last 40 lines of the log.
func (b *Backend) Train(ctx context.Context, job trainer.Job, report func(trials.Measurement)) (trainer.Result, error) {
	if ctx.Err() != nil {
		return trainer.Result{}, fmt.Errorf("train: %w", context.Cause(ctx))
	}
	r, err := b.newRun(job, report)
	if err != nil {
		return trainer.Result{}, err
	}
	defer r.log.Close()
	limited, cancel := ctx, context.CancelFunc(func() {})
	if b.cfg.Timeout > 0 {
		limited, cancel = context.WithTimeout(ctx, b.cfg.Timeout)
	}
	defer cancel()
	exit, err := r.run(limited)
	switch {
	case ctx.Err() != nil: // a failure only for the engine that calls it one: a time limit, say
		cause := context.Cause(ctx)
		return trainer.Result{}, r.fail(trials.ClassError, fmt.Sprintf("program was stopped: %v", cause), cause)
	case err != nil:
		return trainer.Result{}, r.fail(trials.ClassError, fmt.Sprintf("program could not be started: %v", err), err)
	}
	return r.judge(exit, b.cfg.Timeout)
}

// run is one run of the program.
type run struct {
	job     trainer.Job
	cmd     process.Command
	log     *os.File
	begin   int64 // where this run's part of the log begins
	metrics source
	keeper  *keeper // nil without a checkpoint to keep
	report  func(trials.Measurement)
	warn    *slog.Logger
}

// newRun fills the templates and makes the trial's files.
func (b *Backend) newRun(job trainer.Job, report func(trials.Measurement)) (*run, error) {
	if job.Epochs == 0 {
		job.Epochs = b.cfg.Epochs
	}
	dir, err := filepath.Abs(job.Dir)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	job.Dir = dir
	process.KillLeftovers("MAPSWEEP_DIR=" + dir)
	keeper, err := b.newKeeper(&job)
	if err != nil {
		return nil, err
	}
	t := newTemplate(job)
	args, env, err := t.fill(b.cfg)
	if err != nil {
		return nil, &trainer.Failure{Class: trials.ClassError, Reason: err.Error(), Err: err}
	}
	if args[0], err = b.find(args[0]); err != nil {
		return nil, &trainer.Failure{Class: trials.ClassError, Reason: err.Error(), Err: err}
	}
	text, err := trials.EncodeParams(job.Params)
	if err != nil {
		return nil, fmt.Errorf("write parameters: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, paramsName), []byte(text+"\n"), 0o666); err != nil {
		return nil, fmt.Errorf("write parameters: %w", err)
	}
	m, err := b.openSource(t)
	if err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(dir, logName), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		return nil, fmt.Errorf("open trial log: %w", err)
	}
	begin, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		log.Close()
		return nil, fmt.Errorf("open trial log: %w", err)
	}
	c := process.Command{Args: args, Env: env, Dir: b.cfg.Dir, Output: log, Grace: b.cfg.Grace}
	return &run{job: job, cmd: c, log: log, begin: begin, metrics: m, keeper: keeper, report: report, warn: b.cfg.Log}, nil
}

// openSource makes or finds the file with the measurements.
func (b *Backend) openSource(t template) (source, error) {
	resume := t.job.Resume != ""
	m, err := openMetrics(filepath.Join(t.job.Dir, metricsName), resume)
	if err != nil {
		return nil, fmt.Errorf("make metrics file: %w", err)
	}
	if b.cfg.Table == nil {
		return m, nil
	}
	path, err := t.path("trainer.metrics.file", b.cfg.Table.File)
	if err != nil {
		return nil, &trainer.Failure{Class: trials.ClassError, Reason: err.Error(), Err: err}
	}
	r, err := openRows(*b.cfg.Table, path, t.job.Dir, t.job.Epochs, resume)
	if err != nil {
		return nil, fmt.Errorf("open table of metrics: %w", err)
	}
	return r, nil
}

// newKeeper makes the keeper of a job's checkpoints, if there are any. A job that goes on from a copy goes on from the
// program's own file, with that copy in its place.
func (b *Backend) newKeeper(job *trainer.Job) (*keeper, error) {
	if b.cfg.Checkpoint == nil {
		return nil, nil
	}
	path, err := newTemplate(*job).path("trainer.checkpoint.file", b.cfg.Checkpoint.File)
	if err != nil {
		return nil, &trainer.Failure{Class: trials.ClassError, Reason: err.Error(), Err: err}
	}
	k := &keeper{file: path, dir: job.Dir, epochs: job.Epochs}
	if err := k.begin(job.Resume); err != nil {
		return nil, fmt.Errorf("put checkpoint in its place: %w", err)
	}
	if job.Resume != "" {
		job.Resume = path
	}
	return k, nil
}

// run starts the program and reports metrics until it has ended.
func (r *run) run(ctx context.Context) (process.Exit, error) {
	fmt.Fprintf(r.log, "mapsweep: trial %d runs %q\n", r.job.Number, r.cmd.Args)
	type answer struct {
		exit process.Exit
		err  error
	}
	alive, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	done := make(chan answer, 1)
	go func() {
		exit, err := process.Run(alive, r.cmd)
		done <- answer{exit, err}
	}()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	stopping := ctx.Done()
	var until time.Time // while it is stopped: how long the checkpoint of the epoch it had measured is waited for
	var measured int
	for {
		select {
		case a := <-done:
			r.poll(true)
			r.note(a.exit, a.err)
			return a.exit, a.err
		case <-stopping:
			stopping, until, measured = nil, time.Now().Add(lastWait), r.metrics.epoch()
			tick.Reset(pollEvery / 4)
		case <-tick.C:
		}
		r.poll(false)
		r.keep(stopping == nil)
		if r.metrics.wrong() != "" || stopping == nil && (r.keeper == nil || !r.keeper.waiting() || r.metrics.epoch() > measured || time.Now().After(until)) {
			stop()
		}
	}
}

// keep copies the program's checkpoint when there is a new one.
func (r *run) keep(hurry bool) {
	if r.keeper == nil {
		return
	}
	if err := r.keeper.look(hurry); err != nil {
		r.warn.Warn("checkpoint is not safe", "trial", r.job.Number, "error", err)
		r.keeper.quietTo = time.Now().Add(10 * time.Second)
	}
}

// poll reports what the program has measured since the last time. That includes what it
// measures while it is being stopped: its checkpoint may be of that epoch.
func (r *run) poll(last bool) {
	for _, m := range r.metrics.read(last) {
		if r.job.Progress != nil {
			r.job.Progress(trainer.Progress{Epoch: m.Epoch, Epochs: r.job.Epochs})
		}
		r.report(m)
		if r.keeper != nil {
			r.keeper.measured(m.Epoch, r.metrics.written())
		}
	}
}

// note writes the end and what was wrong with the metrics to the log.
func (r *run) note(exit process.Exit, err error) {
	if err != nil {
		fmt.Fprintf(r.log, "mapsweep: %v\n", err)
		return
	}
	if text := r.metrics.trouble(); text != "" {
		fmt.Fprintf(r.log, "mapsweep: %s\n", text)
		r.warn.Warn("metrics could not be read", "trial", r.job.Number, "what", text)
	}
	fmt.Fprintf(r.log, "mapsweep: ended with %v after %v\n", exit, exit.Took.Round(time.Millisecond))
}
