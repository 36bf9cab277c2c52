package sweep

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/mapsweep/mapsweep/sweep/local"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trials"
)

// job prepares the trial's directory and says what the backend is to do, and where it begins. links are the trials
// that it continues.
func (r *run) job(t trials.Trial, links []link, lease local.Lease) (job trainer.Job, begin start, err error) {
	dir := trialDir(r.Dir, t.Number)
	first := len(t.Attempts) <= 1
	if first {
		if err := setAside(dir, r.Now()); err != nil {
			return job, begin, err
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return job, begin, fmt.Errorf("make directory of trial %d: %w", t.Number, err)
	}
	job = trainer.Job{TrialID: t.ID, Number: t.Number, Params: t.Params.Clone(), Epochs: r.epochs, Seed: t.Seed(),
		Threads: lease.Threads, Devices: lease.Devices, Data: t.Text(trials.AttrData), Split: r.spec.Objective.Split, Dir: dir}
	if begin, err = r.from(t, links, dir, first); err != nil {
		return job, begin, err
	}
	job.Resume, job.Again = begin.path, begin.again
	return job, begin, writeJSON(filepath.Join(dir, "trial.json"), map[string]any{
		"study": r.study.Name, "trial": t.Number, "key": t.Key, "params": t.Params, "seed": job.Seed, "epochs": job.Epochs,
		"data": job.Data, "split": job.Split, "threads": job.Threads, "devices": job.Devices, "resume": job.Resume})
}

// setAside renames what lies in a new trial's directory: it belongs to another database's
// study of the same name, and its checkpoints must not be mistaken for ours.
func setAside(dir string, now time.Time) error {
	old, err := os.ReadDir(dir)
	if err != nil || len(old) == 0 {
		return nil // nothing there; if it cannot be read, MkdirAll will say why
	}
	aside := dir + ".before-" + now.Format("20060102-150405.000000")
	if err := os.Rename(dir, aside); err != nil {
		return fmt.Errorf("set earlier trial directory aside: %w", err)
	}
	return nil
}

// gapless is how many epochs from the first on are measured.
func gapless(ms []trials.Measurement) int {
	n := 0
	for hasEpochs(ms, n+1) {
		n++
	}
	return n
}

func rereports(b trainer.Resumer, path string, first, last int) bool {
	r, ok := b.(trainer.Rereporter)
	return ok && r.Rereports(path, first, last)
}

// hasEpochs says whether epochs 1..n are all measured.
func hasEpochs(ms []trials.Measurement, n int) bool {
	got := 0
	for _, m := range ms {
		if m.Epoch >= 1 && m.Epoch <= n {
			got++
		}
	}
	return got == n
}

func writeJSON(path string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", filepath.Base(path), err)
	}
	if err := os.WriteFile(path, append(b, '\n'), 0o644); err != nil {
		return fmt.Errorf("write trial file: %w", err)
	}
	return nil
}
