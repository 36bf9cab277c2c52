package yolov9

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/internal/process"
	"github.com/mapsweep/mapsweep/trainer/internal/table"
	"github.com/mapsweep/mapsweep/trials"
)

// Train runs the official script once; see trainer.Backend. Each start has a folder of its own in job.Dir,
// trial.log has what the script prints.
func (b *Backend) Train(ctx context.Context, job trainer.Job, report func(trials.Measurement)) (trainer.Result, error) {
	if ctx.Err() != nil {
		return trainer.Result{}, fmt.Errorf("train: %w", context.Cause(ctx))
	}
	r, err := b.newRun(job, report)
	if err != nil {
		return trainer.Result{}, err
	}
	defer r.log.Close()
	if r.ended() {
		return r.result(ctx)
	}
	if err := b.scan(ctx, r); err != nil {
		return trainer.Result{}, err
	}
	limited, cancel := ctx, context.CancelFunc(func() {})
	if b.cfg.Timeout > 0 {
		limited, cancel = context.WithTimeout(ctx, b.cfg.Timeout)
	}
	defer cancel()
	exit, err := r.run(limited)
	switch {
	case ctx.Err() != nil && !(exit.OK() && r.complete()):
		cause := context.Cause(ctx)
		return trainer.Result{}, r.fail(trials.ClassError, fmt.Sprintf("training was stopped: %v", cause), cause)
	case err != nil:
		return trainer.Result{}, r.fail(trials.ClassError, fmt.Sprintf("trainer could not be started: %v", err), err)
	}
	return r.judge(ctx, exit)
}

// run is one attempt.
type run struct {
	b        *Backend
	job      trainer.Job
	source   string // the data set as the study names it
	set      settings
	script   string
	model    string // path of the model file
	python   string
	start    string // the launcher's start file
	attempt  string // folder of this attempt
	resumed  int    // epochs that an earlier attempt has finished
	known    int    // epochs of them that the study has
	from     string // folder of that attempt, or ""
	log      *os.File
	begin    int64 // where this attempt's part of the log begins
	rows     *table.Follower
	reading  reading
	last     int // last epoch that was reported, from 1
	diverged string
	report   func(trials.Measurement)
}

// newRun resolves the parameters and makes the files of an attempt.
func (b *Backend) newRun(job trainer.Job, report func(trials.Measurement)) (*run, error) {
	if job.Epochs == 0 {
		job.Epochs = b.cfg.Epochs
	}
	dir, err := filepath.Abs(job.Dir)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	job.Dir = dir
	source := job.Data
	if job.Data, err = b.dataFile(source, dir); err != nil {
		return nil, err
	}
	process.KillLeftovers("MAPSWEEP_DIR=" + dir)
	set, err := b.resolve(job.Params, job.Seed, false)
	if err != nil {
		return nil, infeasible(err)
	}
	r := &run{b: b, job: job, source: source, set: set, report: report, attempt: newAttempt(dir)}
	if r.script, r.model, err = b.scriptOf(set.values["cfg"].(string)); err != nil {
		return nil, &trainer.Failure{Class: trials.ClassUsage, Reason: err.Error(), Err: err}
	}
	if r.python, err = b.python(); err != nil {
		return nil, &trainer.Failure{Class: trials.ClassPackage, Reason: err.Error(), Err: err}
	}
	if job.Resume != "" {
		r.from = filepath.Dir(filepath.Dir(job.Resume))
		if _, s, ok := checkpoint(r.from); ok {
			r.resumed = s.Epoch + 1
		}
		r.known = max(0, r.resumed-job.Again)
		r.last = r.known
	}
	every, _ := trials.Number(set.values["val_interval"])
	r.reading = reading{script: r.script, noval: set.values["noval"] == true, every: int(every), epochs: job.Epochs, gains: set.gains()}
	r.rows = table.Follow(filepath.Join(r.attempt, resultsName), epochColumn)
	if r.log, err = os.OpenFile(filepath.Join(dir, logName), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666); err != nil {
		return nil, fmt.Errorf("open trial log: %w", err)
	}
	if r.begin, err = r.log.Seek(0, io.SeekEnd); err != nil {
		r.log.Close()
		return nil, fmt.Errorf("open trial log: %w", err)
	}
	if r.start, err = writeLauncher(dir); err != nil {
		r.log.Close()
		return nil, err
	}
	return r, nil
}

// ended says that an earlier attempt trained to its end, and only what follows was cut off. Its rows that did not
// arrive are reported now.
func (r *run) ended() bool {
	_, s, ok := checkpoint(r.from)
	if r.from == "" || !ok || !s.Ended && s.Epoch+1 < r.job.Epochs {
		return false
	}
	r.attempt = r.from
	r.rows = table.Follow(filepath.Join(r.from, resultsName), epochColumn)
	r.poll(true)
	return true
}

// plan writes what the launcher is to do and returns its path.
func (r *run) plan() (string, error) {
	hyp := r.attempt + ".hyp.yaml"
	if err := os.WriteFile(hyp, []byte(r.set.hypFile()), 0o666); err != nil {
		return "", fmt.Errorf("write hyper-parameters: %w", err)
	}
	want, overwritten := r.set.requested(r.job.Params)
	p := plan{Mode: "train", Checkout: r.b.cfg.Checkout, Script: r.script, Argv: r.argv(hyp), Env: r.set.env, Levers: r.set.levers,
		ConfigDir: filepath.Join(r.job.Dir, configName), Requested: want, Overwritten: overwritten, CPURanks: r.b.cfg.CPURanks && r.b.gpus() > 1}
	if r.from != "" {
		p.Resume = &resumption{From: r.from, To: r.attempt, Epochs: r.resumed, Changed: map[string]any{"device": r.device(), "data": r.job.Data}}
	}
	path := r.attempt + ".plan.json"
	return path, p.write(path)
}

// argv are the arguments of the script.
func (r *run) argv(hyp string) []string {
	weights, _ := r.set.values["weights"].(string)
	args := []string{"--cfg", r.model, "--weights=" + absolute(weights, isFile), "--data", r.job.Data, "--hyp", hyp, "--epochs", strconv.Itoa(r.job.Epochs), "--device=" + r.device(),
		"--seed", strconv.FormatInt(officialSeed(r.job.Seed), 10), "--project", filepath.Dir(r.attempt), "--name", filepath.Base(r.attempt)}
	return append(args, r.set.flags...)
}

// device is the script's --device: the CPU, or whatever CUDA_VISIBLE_DEVICES shows.
func (r *run) device() string {
	for _, d := range r.job.Devices {
		if strings.HasPrefix(d, "cuda") {
			return ""
		}
	}
	return "cpu"
}

// gpus are the numbers of the leased GPUs.
func gpus(job trainer.Job) []string {
	var list []string
	for _, d := range job.Devices {
		if n, ok := strings.CutPrefix(d, "cuda:"); ok {
			list = append(list, n)
		}
	}
	return list
}

// command is the program of an attempt: the launcher, through torchrun where several ranks train.
func (r *run) command(planPath string) process.Command {
	args := []string{r.python, r.start, planPath}
	if n := r.ranks(); n > 1 {
		args = []string{r.python, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", strconv.Itoa(n), r.start, planPath}
	}
	return process.Command{Args: args, Env: r.b.environment(r.job), Dir: r.b.cfg.Checkout, Output: r.log, Grace: grace}
}

func (r *run) ranks() int {
	if r.b.cfg.CPURanks {
		return r.b.gpus()
	}
	return max(1, len(gpus(r.job)))
}

// environment is that of every process of a trial.
func (b *Backend) environment(job trainer.Job) []string {
	env := append(slices.DeleteFunc(os.Environ(), foreign),
		"MAPSWEEP_DIR="+job.Dir,
		"OMP_NUM_THREADS="+strconv.Itoa(max(1, job.Threads/max(1, len(gpus(job))))),
		"TQDM_MININTERVAL=5", // the log would grow by a line ten times a second
		"WANDB_MODE=disabled", "COMET_MODE=disabled", "YOLOv5_AUTOINSTALL=false", "PYTHONUNBUFFERED=1", "PYTHONDONTWRITEBYTECODE=1",
		"PYTHONWARNINGS=ignore")
	if list := gpus(job); len(list) > 0 {
		env = append(env, "CUDA_DEVICE_ORDER=PCI_BUS_ID", "CUDA_VISIBLE_DEVICES="+strings.Join(list, ","))
	} else if slices.Contains(job.Devices, "cuda") { // no number: one of those that can be seen, for with several the script makes its batches DataParallel
		first, _, _ := strings.Cut(os.Getenv("CUDA_VISIBLE_DEVICES"), ",")
		env = append(env, "CUDA_VISIBLE_DEVICES="+cmp.Or(first, "0"))
	}
	return env
}

// foreign says that a variable of our own environment must not reach the script: it reads ranks from those of
// launchers and clusters, and the loss reads its settings from some that are knobs here.
func foreign(entry string) bool {
	name, _, _ := strings.Cut(entry, "=")
	switch name {
	case "RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "GROUP_RANK", "ROLE_RANK", "MASTER_ADDR", "MASTER_PORT":
		return true
	}
	return strings.HasPrefix(name, "TORCHELASTIC_") || slices.ContainsFunc(knobs(), func(k knob) bool { return k.at == inEnv && k.official() == name })
}

// run starts the script and reports rows until it has ended. When ctx ends, the checkpoint of an epoch that was
// reported is waited for before the processes are stopped: the official code writes it after the row.
func (r *run) run(ctx context.Context) (process.Exit, error) {
	planPath, err := r.plan()
	if err != nil {
		return process.Exit{}, err
	}
	cmd := r.command(planPath)
	fmt.Fprintf(r.log, "mapsweep: trial %d, %s, runs %q\n", r.job.Number, filepath.Base(r.attempt), cmd.Args)
	alive, kill := context.WithCancel(context.WithoutCancel(ctx))
	defer kill()
	type answer struct {
		exit process.Exit
		err  error
	}
	done := make(chan answer, 1)
	go func() {
		exit, err := process.Run(alive, cmd)
		done <- answer{exit, err}
	}()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	stop, late := ctx.Done(), (<-chan time.Time)(nil)
	stopped := false
	for {
		select {
		case a := <-done:
			if !stopped {
				r.poll(true)
			}
			r.note(a.exit, a.err)
			return a.exit, a.err
		case <-stop: // from here on no row is reported: its checkpoint would be waited for, and so on
			stop, late = nil, time.After(saving)
		case <-late:
			stopped = true
			kill()
		case <-tick.C:
			if stop != nil {
				r.poll(false)
			}
			r.progress()
		}
		if r.diverged != "" {
			kill()
		}
		if stop == nil && r.safe() {
			stopped = true
			kill()
		}
	}
}

// safe says that the checkpoint of the last reported epoch is whole.
func (r *run) safe() bool {
	if r.last <= r.resumed || r.set.values["nosave"] == true {
		return true
	}
	_, s, ok := checkpoint(r.attempt)
	return ok && s.Epoch+1 >= r.last
}

// poll reports rows that are new or have changed, but for those that an earlier attempt has reported.
func (r *run) poll(last bool) {
	var times map[int]float64
	for _, row := range r.rows.Read(last) {
		m := r.reading.measurement(row)
		if m.Epoch <= r.known || m.Epoch > r.job.Epochs {
			continue
		}
		m.At = trials.Now()
		if times == nil {
			times = epochTimes(r.attempt)
		}
		if s, ok := times[row.Epoch]; ok {
			m.Metrics["time/epoch"] = s
		}
		r.last = max(r.last, m.Epoch)
		r.report(m)
		if l := r.reading.lost(row); l != "" && r.diverged == "" {
			r.diverged = fmt.Sprintf("%s is %v at epoch %d", l, m.Metrics[l], m.Epoch)
		}
	}
}

// progress passes on where the script stands inside an epoch.
func (r *run) progress() {
	if r.job.Progress == nil {
		return
	}
	data, err := os.ReadFile(filepath.Join(r.attempt, "progress.json"))
	if err != nil {
		return
	}
	var p struct{ Step, Steps int }
	if json.Unmarshal(data, &p) != nil || p.Steps == 0 {
		return
	}
	r.job.Progress(trainer.Progress{Epoch: min(r.last+1, r.job.Epochs), Epochs: r.job.Epochs, Step: (p.Step-1)%p.Steps + 1, Steps: p.Steps})
}

// note writes to the log how the attempt ended.
func (r *run) note(exit process.Exit, err error) {
	if err != nil {
		fmt.Fprintf(r.log, "mapsweep: %v\n", err)
		return
	}
	if text := r.rows.Trouble(); text != "" {
		fmt.Fprintf(r.log, "mapsweep: %s\n", text)
		r.b.cfg.Log.Warn("some results could not be read", "trial", r.job.Number, "because", text)
	}
	fmt.Fprintf(r.log, "mapsweep: ended with %v after %v\n", exit, exit.Took.Round(time.Millisecond))
}

// complete says that every epoch has its row.
func (r *run) complete() bool { return r.last >= r.job.Epochs }

// pause waits, or returns why ctx ended.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
