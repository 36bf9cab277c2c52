package sweep_test

import (
	"context"
	"math"
	"testing"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trials"
)

// short is a trainer that runs another number of epochs than it is asked for.
type short struct {
	trainertest.Fake
	epochs int
}

func (b *short) Train(ctx context.Context, job trainer.Job, report func(trials.Measurement)) (trainer.Result, error) {
	job.Epochs = b.epochs
	return b.Fake.Train(ctx, job, report)
}

// TestNote: a run of another length than was asked for, or with epochs that cannot be scored, counts, and says so.
func TestNote(t *testing.T) {
	nan := func(from, to int) func(trainer.Job, int) map[string]float64 {
		return func(_ trainer.Job, epoch int) map[string]float64 {
			m := map[string]float64{"mAP50-95": 0.5}
			if epoch >= from && epoch <= to {
				m["mAP50-95"] = math.NaN()
			}
			return m
		}
	}
	for _, c := range []struct {
		name   string
		epochs int
		best   bool
		m      func(trainer.Job, int) map[string]float64
		note   string
	}{
		{"as asked", 4, false, nil, ""},
		{"short", 1, false, nil, "ended by itself: the last epoch reported is 1, 4 were asked for"},
		{"long", 6, false, nil, "ran longer than it should: the last epoch reported is 6, 4 were asked for"},
		{"NaN and the best", 4, true, nan(2, 2), "mAP50-95 was NaN at epoch 2"},
		{"NaN and the last", 4, false, nan(1, 2), "mAP50-95 was NaN at epoch 1, NaN at epoch 2"},
		{"much NaN, short", 7, true, nan(2, 6), "ran longer than it should: the last epoch reported is 7, 4 were asked for; " +
			"mAP50-95 was NaN at epoch 2, NaN at epoch 3, NaN at epoch 4, and so on, 5 epochs in all"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newBench(t, &short{trainertest.Fake{Metrics: c.m}, c.epochs})
			spec := fixed()
			spec.Replicates, spec.Factors = 1, nil
			if c.best {
				spec.Objective.Epoch = "best"
			}
			wantSummary(t, w.run(t, spec, nil), sweep.Summary{Planned: 1, Complete: 1})
			tr := w.trials(t, "fixed")[0]
			if got := tr.Text(trials.AttrNote); got != c.note {
				t.Errorf("note %q, want %q", got, c.note)
			}
			if _, has := tr.Attrs[trials.AttrNote]; has != (c.note != "") {
				t.Errorf("attributes %v", tr.Attrs)
			}
		})
	}
}
