package sweep

import (
	"context"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/trainer"
)

// Forecast is what a study will cost, from a short probe of the baseline. It takes every trial to
// cost as much as the baseline and none to be pruned or to fail, so a search mostly costs less.
type Forecast struct {
	Trials       int           `json:"trials"`
	Parallel     int           `json:"parallel"`
	TrialSeconds float64       `json:"trial_seconds"` // 0: the backend cannot tell
	Wall         time.Duration `json:"wall"`
	DeviceHours  float64       `json:"device_hours"`
	BudgetHours  float64       `json:"budget_hours,omitempty"`
	Affordable   int           `json:"affordable"` // trials that begin within the budget
	Note         string        `json:"note,omitempty"`
}

// Forecast probes the backend, if it can be probed, and says what spec will cost on this machine.
func (e *Engine) Forecast(ctx context.Context, spec studies.Spec) (Forecast, error) {
	c := *e
	if c.Dir == "" {
		c.Dir = os.TempDir()
	}
	r, err := c.newRun(spec)
	if err != nil {
		return Forecast{}, fmt.Errorf("forecast study %q: %w", spec.Name, err)
	}
	f := Forecast{Parallel: r.pool.Size(), BudgetHours: spec.Budget.DeviceHours}
	job := trainer.Job{Params: spec.Baseline.Clone(), Epochs: spec.Trainer.Epochs, Split: spec.Objective.Split, Seed: design.Seed(spec.Seed, 0)}
	if f.Trials = searchTrials(spec); f.Trials == 0 {
		plan, err := design.Points(spec)
		if err != nil {
			return f, fmt.Errorf("forecast study %q: %w", spec.Name, err)
		}
		f.Trials = len(plan.Points)
	}
	if len(spec.Trainer.Data) > 0 {
		job.Data = spec.Trainer.Data[0]
	}
	if err := r.probe(ctx, job, &f); err != nil {
		return f, fmt.Errorf("forecast study %q: %w", spec.Name, err)
	}
	f.cost()
	return f, nil
}

// probe asks the backend for the time of one trial, in a directory that is removed afterwards.
func (r *run) probe(ctx context.Context, job trainer.Job, f *Forecast) error {
	b, ok := r.Backend.(trainer.Prober)
	if !ok {
		f.Note = "this trainer cannot tell in advance how long a trial takes"
		return nil
	}
	lease, release, err := r.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer release()
	if job.Dir, err = os.MkdirTemp("", "mapsweep-probe-"); err != nil {
		return fmt.Errorf("make directory for the probe: %w", err)
	}
	defer os.RemoveAll(job.Dir)
	job.Threads, job.Devices, job.TrialID = lease.Threads, lease.Devices, -1
	est, err := b.Probe(ctx, job)
	if err != nil {
		return fmt.Errorf("probe trainer: %w", err)
	}
	f.TrialSeconds, f.Note = est.Seconds, est.Note
	return nil
}

// cost turns the time of one trial into that of all: ceil(trials / parallel) rounds.
func (f *Forecast) cost() {
	f.Affordable = f.Trials
	if f.TrialSeconds <= 0 || math.IsNaN(f.TrialSeconds) || math.IsInf(f.TrialSeconds, 0) {
		f.TrialSeconds = 0
		return
	}
	if f.BudgetHours > 0 {
		f.Affordable = min(f.Trials, int(math.Ceil(f.BudgetHours*3600/f.TrialSeconds)))
	}
	rounds := math.Ceil(float64(f.Affordable) / float64(f.Parallel))
	f.Wall = time.Duration(rounds * f.TrialSeconds * float64(time.Second)).Round(time.Second)
	f.DeviceHours = float64(f.Trials) * f.TrialSeconds / 3600
}
