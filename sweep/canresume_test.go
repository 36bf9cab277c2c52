package sweep_test

import (
	"bytes"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/local"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
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
