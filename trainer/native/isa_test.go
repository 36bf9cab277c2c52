package native_test

import (
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trials"
)

// TestCheckpointsStayWithTheirInstructionSet: the sets round differently, so a run that went on with another one would be
// neither's.
func TestCheckpointsStayWithTheirInstructionSet(t *testing.T) {
	sets := kernels.Supported()
	if len(sets) < 2 {
		t.Skip("this processor has only one instruction set to choose from")
	}
	b := backend(t, nil)
	job := trainer.Job{Epochs: 1, Dir: t.TempDir()}
	restore, err := kernels.Force(sets[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(restore)
	train(t, b, job)
	last, epoch := b.Latest(job.Dir)
	if last == "" || epoch != 1 {
		t.Fatalf("Latest is %q, %d", last, epoch)
	}
	if err := b.CanResume(last); err != nil {
		t.Errorf("a run does not go on with its own set: %v", err)
	}
	if _, err := kernels.Force(sets[1]); err != nil {
		t.Fatal(err)
	}
	if err := b.CanResume(last); err == nil || !strings.Contains(err.Error(), sets[0]) || !strings.Contains(err.Error(), sets[1]) {
		t.Errorf("a run with %s goes on with %s: %v", sets[0], sets[1], err)
	}
	job.Resume = last
	if _, err := b.Train(t.Context(), job, func(trials.Measurement) {}); err == nil || !strings.Contains(err.Error(), "instruction set") {
		t.Errorf("resumed with %s: %v", sets[1], err)
	}
}
