package trainertest_test

import (
	"context"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trials"
)

func TestFake(t *testing.T) {
	fails := func(_ context.Context, job trainer.Job, _ int) error {
		if job.Params["x"] == "bad" {
			return &trainer.Failure{Class: trials.ClassDiverged, Reason: "loss is NaN at step 3"}
		}
		return nil
	}
	s := trainertest.Subject{
		Job:       trainer.Job{Params: trials.Params{"x": 0.25, "mode": "plain"}, Epochs: 4, Seed: 7},
		Objective: "mAP50-95", Exact: true, Stop: time.Second,
		Failing: trainer.Job{Params: trials.Params{"x": "bad"}, Epochs: 1}, FailClass: trials.ClassDiverged,
	}
	t.Run("plain", func(t *testing.T) {
		s.New = func(*testing.T) trainer.Backend { return &trainertest.Fake{Before: fails, Seconds: 1} }
		trainertest.Test(t, s)
	})
	t.Run("auditable", func(t *testing.T) {
		s.New = func(*testing.T) trainer.Backend {
			return &trainertest.FakeAuditor{Fake: trainertest.Fake{Before: fails, Seconds: 1}, Script: []trainertest.FakeKnob{
				{Knob: trials.Knob{Name: "x", Kind: trials.Float, Default: 0.5, High: 1, Help: "place on the curve"}, Channel: trainer.ChannelLoss},
				{Knob: trials.Knob{Name: "mode", Kind: trials.Categorical, Default: "plain", Choices: []any{"plain"}, Help: "does nothing"}}}}
		}
		trainertest.Test(t, s)
	})
	t.Run("resumable", func(t *testing.T) {
		s.New = func(*testing.T) trainer.Backend {
			f := trainertest.NewResumable()
			f.Before, f.Seconds, f.Pause = fails, 1, time.Millisecond
			return f
		}
		trainertest.Test(t, s)
	})
}
