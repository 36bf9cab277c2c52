package native

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/mapsweep/mapsweep/trainer"
)

// probeSteps is how many steps are timed, after probeWarm that are not.
const (
	probeWarm  = 2
	probeSteps = 8
)

// Probe times a few steps and one validation of the job on this machine as it is now, with the threads, loaders and
// precision that a trial has, and works out a whole trial. job.Dir is not touched.
func (b *Backend) Probe(ctx context.Context, job trainer.Job) (trainer.Estimate, error) {
	start := time.Now()
	dir, err := os.MkdirTemp("", "mapsweep-probe-")
	if err != nil {
		return trainer.Estimate{}, fmt.Errorf("probe: %w", err)
	}
	defer os.RemoveAll(dir)
	job.Dir, job.Resume, job.Progress = dir, "", nil
	r, err := b.newRun(ctx, job)
	if err != nil {
		return trainer.Estimate{}, err
	}
	defer r.close()
	if err := r.hold(ctx); err != nil {
		return trainer.Estimate{}, err
	}
	built := time.Since(start)
	for k := range probeWarm + probeSteps { // networks are built once in a run
		if err := r.engine.prepare(r.side(k/r.steps, k%r.steps)); err != nil {
			return trainer.Estimate{}, err
		}
	}
	if err := r.startBatches(ctx, probeWarm+probeSteps); err != nil {
		return trainer.Estimate{}, err
	}
	defer r.loader.Close()
	for k := range probeWarm + probeSteps {
		if ctx.Err() != nil {
			return trainer.Estimate{}, context.Cause(ctx)
		}
		if k == probeWarm {
			if _, err := r.engine.results(true); err != nil {
				return trainer.Estimate{}, err
			}
			start = time.Now()
		}
		if err := r.next(); err != nil {
			return trainer.Estimate{}, err
		}
		if err := r.submit(); err != nil {
			return trainer.Estimate{}, err
		}
	}
	if _, err := r.engine.results(true); err != nil {
		return trainer.Estimate{}, err
	}
	step := time.Since(start) / probeSteps
	start = time.Now()
	if err := r.score(ctx, map[string]float64{}); err != nil {
		return trainer.Estimate{}, err
	}
	if err := r.save(lastName); err != nil {
		return trainer.Estimate{}, err
	}
	scored := time.Since(start)
	r.sound = true
	var size int64
	if st, err := os.Stat(filepath.Join(dir, lastName)); err == nil {
		size = st.Size()
	}
	scores := (r.job.Epochs + r.valEvery() - 1) / r.valEvery()
	total := built + step*time.Duration(r.steps*r.job.Epochs) + scored*time.Duration(scores)
	return trainer.Estimate{Seconds: total.Seconds(), Checkpoint: size,
		Note: fmt.Sprintf("%d steps timed at %.0f ms, one validation at %.1f s, with %s", probeSteps, float64(step.Microseconds())/1000, scored.Seconds(), r.manner())}, nil
}

// manner is how the run computes: threads, and precision and form of convolutions where they are not the usual ones.
func (r *run) manner() string {
	text := "1 thread"
	if n := r.threads(); n > 1 {
		text = fmt.Sprintf("%d threads", n)
	}
	if r.device.gpu != nil {
		text += " and " + r.device.name()
	}
	if p := r.b.cfg.Precision; p != FP32 {
		text += " in " + p
	}
	if c := r.b.cfg.Convolution; c != Auto {
		text += ", " + c + " convolutions"
	}
	return text
}
