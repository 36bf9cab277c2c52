package sweep_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/command"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trials"
)

// late is a trainer whose checkpoints count from an epoch on.
type late struct {
	*trainertest.ResumableFake
	from int
}

func (b late) Latest(dir string) (string, int) {
	if path, epoch := b.ResumableFake.Latest(dir); epoch >= b.from {
		return path, epoch
	}
	return "", 0
}

func (b late) CanStop(dir string) bool {
	path, _ := b.Latest(dir)
	return path != ""
}

// TestStopPerTrial: a trial that has no checkpoint when the study is asked to stop is finished, or stopped once it has one.
func TestStopPerTrial(t *testing.T) {
	for _, c := range []struct {
		from     int // first checkpoint
		attempts string
		epochs   int
	}{{1, "interrupted", 3}, {2, "interrupted", 3}, {9, "complete", 4}} {
		t.Run(fmt.Sprint("from epoch ", c.from), func(t *testing.T) {
			fake := trainertest.NewResumable()
			fake.Pause = 20 * time.Millisecond
			w := newBench(t, late{fake, c.from})
			stop := make(chan struct{})
			w.Stop = stop
			fake.Before = func(_ context.Context, job trainer.Job, epoch int) error {
				if epoch == 2 {
					close(stop)
				}
				return nil
			}
			spec := fixed()
			spec.Budget.Parallel = 1
			w.run(t, spec, sweep.ErrStopped)
			tr := w.trials(t, "fixed")[0]
			if len(tr.Attempts) != 1 || tr.Attempts[0].Outcome != c.attempts || len(tr.Measurements) > c.epochs {
				t.Errorf("trial 0 has %d epochs and the attempts %+v", len(tr.Measurements), tr.Attempts)
			}
		})
	}
}

// TestStopCommand: a program without checkpoints is finished, not thrown away.
func TestStopCommand(t *testing.T) {
	script := `for e in 1 2 3; do echo "{\"epoch\": $e, \"mAP50-95\": 0.$e}" >> "$MAPSWEEP_METRICS"; sleep 0.3; done`
	for _, c := range []struct {
		name, script, outcome string
	}{
		{"without checkpoints", script, "complete"},
		{"with checkpoints", strings.NewReplacer("0.$e}", `0.$e, \"checkpoint\": \"last\"}`, "do echo", `do touch "$MAPSWEEP_DIR/last"; echo`).Replace(script), "interrupted"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := command.New(command.Config{Command: []string{"/bin/sh", "-c", c.script}})
			if err != nil {
				t.Fatal(err)
			}
			w := newBench(t, b)
			w.stopAt(1)
			spec := fixed()
			spec.Trainer = studies.Trainer{Backend: "command", Epochs: 3}
			spec.Budget.Parallel = 1
			w.run(t, spec, sweep.ErrStopped)
			tr := w.trials(t, "fixed")[0]
			if len(tr.Attempts) != 1 || tr.Attempts[0].Outcome != c.outcome {
				t.Errorf("attempts %+v, want %s", tr.Attempts, c.outcome)
			}
			if _, err := os.Stat(filepath.Join(w.Dir, "trial-0000", "last")); (err == nil) != (c.outcome == "interrupted") {
				t.Error(err)
			}
			if w.trials(t, "fixed")[1].State != trials.Waiting {
				t.Error("another trial was begun")
			}
		})
	}
}
