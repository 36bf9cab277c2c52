package sweep_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/local"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trials"
)

// picky is a trainer that accepts only its own checkpoints.
type picky struct {
	*trainertest.ResumableFake
	refusal error
}

func (p picky) CanResume(string) error { return p.refusal }

// TestCheckpointOfAnotherMachine: a trial whose checkpoint does not fit here starts anew, says so, and comes to the same.
func TestCheckpointOfAnotherMachine(t *testing.T) {
	for _, refusal := range []error{nil, errors.New("made with avx512")} {
		fake := trainertest.NewResumable()
		w := newBench(t, picky{fake, refusal})
		var log bytes.Buffer
		w.Log = slog.New(slog.NewTextHandler(&log, nil))
		w.Worker, w.Probe = "here/3/x", func(string) local.Life { return local.Dead }
		w.abandoned(t, fixed(), "here/1/x")
		wantSummary(t, w.run(t, fixed(), nil), sweep.Summary{Planned: 6, Complete: 6})
		if got := results(w.trials(t, "fixed")); got != undisturbed(t, fixed()) {
			t.Errorf("refusal %v: results differ from an undisturbed run:\n%s", refusal, got)
		}
		for _, j := range fake.Jobs() {
			if want := refusal == nil && j.Number == 0; want != (j.Resume != "") {
				t.Errorf("refusal %v: trial %d resumes from %q", refusal, j.Number, j.Resume)
			}
		}
		aside, _ := filepath.Glob(filepath.Join(w.Dir, "trial-0000*"))
		if want := refusal != nil; want != strings.Contains(log.String(), "made with avx512") || want != (len(aside) == 2) {
			t.Errorf("refusal %v: directories %v, log %s", refusal, aside, &log)
		}
	}
}

// keeper is a trainer that still has the measurements of its checkpoint's epochs.
type keeper struct{ *trainertest.ResumableFake }

func (keeper) Rereports(_ string, first, last int) bool { return first == 3 && last == 3 }

func (k keeper) Train(ctx context.Context, job trainer.Job, report func(trials.Measurement)) (trainer.Result, error) {
	for n := range job.Again {
		epoch := 3 - job.Again + n + 1
		report(trials.Measurement{Epoch: epoch, Metrics: trainertest.Curve(job, epoch)})
	}
	return k.ResumableFake.Train(ctx, job, report)
}

// TestCheckpointIsReportedAgain: a checkpoint of epoch 3 where epoch 3 was never stored, and the trainer still knows it:
// the training of three epochs is not lost.
func TestCheckpointIsReportedAgain(t *testing.T) {
	fake := trainertest.NewResumable()
	w := newBench(t, keeper{fake})
	w.Probe = func(string) local.Life { return local.Dead }
	w.abandoned(t, fixed(), "here/1/x")
	if err := os.WriteFile(filepath.Join(w.Dir, "trial-0000", "last.ckpt"), []byte(`{"epoch":3}`), 0o644); err != nil {
		t.Fatal(err)
	}
	w.run(t, fixed(), nil)
	for _, j := range fake.Jobs() {
		if first := j.Number == 0; first != (j.Resume != "") || first != (j.Again == 1) {
			t.Errorf("trial %d resumed from %q, with %d epochs again", j.Number, j.Resume, j.Again)
		}
	}
	if got := results(w.trials(t, "fixed")); got != undisturbed(t, fixed()) {
		t.Errorf("results differ from an undisturbed run:\n%s", got)
	}
}
