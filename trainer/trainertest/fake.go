package trainertest

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trials"
)

// Fake is a backend that trains nothing. Its metrics depend on parameters, seed, data set
// and epoch alone. The zero value runs DefaultEpochs epochs at once and reports Curve.
type Fake struct {
	// Metrics are those of a finished epoch (from 1); nil: Curve.
	Metrics func(job trainer.Job, epoch int) map[string]float64
	// Before, if not nil, is called at the start of each epoch. What it returns ends the run; it
	// may block until ctx ends, fail or panic.
	Before func(ctx context.Context, job trainer.Job, epoch int) error
	// Pause is the time that an epoch takes.
	Pause time.Duration
	// Checkpoints makes each run leave one, last.ckpt in its directory.
	Checkpoints bool
	// Sources and PrepareErr are what Prepare says.
	Sources    []trials.DataSource
	PrepareErr error
	// Seconds is what Probe says that a trial takes.
	Seconds float64

	mu   sync.Mutex
	jobs []trainer.Job
}

// DefaultEpochs is the length of a run whose job leaves it open.
const DefaultEpochs = 3

var _ interface {
	trainer.Backend
	trainer.Preparer
	trainer.Describer
	trainer.Prober
} = (*Fake)(nil)

// Curve is a smooth learning curve towards a quadratic in the numeric parameters, best (0.9) at 0.5 each,
// with a small offset from the seed. It reports mAP50-95, mAP50 and loss/box.
func Curve(job trainer.Job, epoch int) map[string]float64 {
	top := 0.9 + 0.01*math.Sin(float64(job.Seed))
	for _, name := range job.Params.Names() {
		if v, ok := trials.Number(job.Params[name]); ok {
			top -= 0.1 * (v - 0.5) * (v - 0.5)
		}
	}
	top -= 0.01 * float64(len(job.Data)%7)
	ap := top * (1 - math.Exp(-float64(epoch)))
	return map[string]float64{"mAP50-95": ap, "mAP50": math.Min(1, 1.3*ap), "loss/box": 1 / float64(epoch)}
}

// Jobs returns all jobs that Train has been called with, in the order of the calls.
func (f *Fake) Jobs() []trainer.Job {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]trainer.Job(nil), f.jobs...)
}

// Train runs the script.
func (f *Fake) Train(ctx context.Context, job trainer.Job, report func(trials.Measurement)) (trainer.Result, error) {
	f.mu.Lock()
	f.jobs = append(f.jobs, job)
	f.mu.Unlock()
	epochs := job.Epochs
	if epochs == 0 {
		epochs = DefaultEpochs
	}
	first, err := readCheckpoint(job.Resume)
	if err != nil {
		return trainer.Result{}, &trainer.Failure{Class: trials.ClassError, Reason: err.Error(), Err: err}
	}
	metrics := f.Metrics
	if metrics == nil {
		metrics = Curve
	}
	for epoch := first + 1; epoch <= epochs; epoch++ {
		if err := f.epoch(ctx, job, epoch); err != nil {
			return trainer.Result{}, err
		}
		if job.Progress != nil {
			job.Progress(trainer.Progress{Epoch: epoch, Epochs: epochs, Step: 1, Steps: 1})
		}
		report(trials.Measurement{Epoch: epoch, Metrics: metrics(job, epoch)})
		if err := f.checkpoint(job.Dir, epoch); err != nil {
			return trainer.Result{}, err
		}
	}
	res := trainer.Result{Effective: job.Params.With(trials.Params{"fake": true}),
		Artifacts: []trials.Artifact{{Name: "note", MediaType: "text/plain", Data: fmt.Appendf(nil, "trial %d", job.Number)}}}
	if f.Checkpoints {
		res.Checkpoint = checkpointPath(job.Dir)
	}
	return res, nil
}

// epoch does the script's part before an epoch's report.
func (f *Fake) epoch(ctx context.Context, job trainer.Job, epoch int) error {
	if ctx.Err() != nil {
		return fmt.Errorf("train: %w", context.Cause(ctx))
	}
	if f.Before != nil {
		if err := f.Before(ctx, job, epoch); err != nil {
			return err
		}
	}
	if f.Pause > 0 {
		t := time.NewTimer(f.Pause)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
		}
	}
	if ctx.Err() != nil {
		return fmt.Errorf("train: %w", context.Cause(ctx))
	}
	return nil
}

func checkpointPath(dir string) string { return filepath.Join(dir, "last.ckpt") }

// checkpoint writes the epoch atomically.
func (f *Fake) checkpoint(dir string, epoch int) error {
	if !f.Checkpoints {
		return nil
	}
	tmp := checkpointPath(dir) + ".tmp"
	if err := os.WriteFile(tmp, fmt.Appendf(nil, `{"epoch":%d}`, epoch), 0o644); err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	return os.Rename(tmp, checkpointPath(dir))
}

func readCheckpoint(path string) (epoch int, err error) {
	if path == "" {
		return 0, nil
	}
	var c struct{ Epoch int }
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if err != nil {
		return 0, fmt.Errorf("read checkpoint: %w", err)
	}
	return c.Epoch, nil
}

// Prepare tells of Sources.
func (f *Fake) Prepare(context.Context) (trials.Provenance, error) {
	return trials.Provenance{Backend: "fake", Data: f.Sources}, f.PrepareErr
}

// Knobs are two: x, a float, and mode, a choice.
func (f *Fake) Knobs() []trials.Knob {
	return []trials.Knob{
		{Name: "x", Kind: trials.Float, Default: 0.5, Low: 0, High: 1, Help: "place on the curve"},
		{Name: "mode", Kind: trials.Categorical, Default: "plain", Choices: []any{"plain", "fancy"}, Help: "does nothing"},
	}
}

// Probe says Seconds.
func (f *Fake) Probe(context.Context, trainer.Job) (trainer.Estimate, error) {
	return trainer.Estimate{Seconds: f.Seconds, Note: "scripted"}, nil
}

// ResumableFake is a Fake with checkpoints that the engine can resume from.
type ResumableFake struct{ Fake }

// NewResumable makes one.
func NewResumable() *ResumableFake { return &ResumableFake{Fake{Checkpoints: true}} }

// Latest implements trainer.Resumer.
func (f *ResumableFake) Latest(dir string) (string, int) {
	path := checkpointPath(dir)
	epoch, err := readCheckpoint(path)
	if err != nil {
		return "", 0
	}
	return path, epoch
}
