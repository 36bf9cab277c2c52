package main

import (
	"io"
	"testing"
	"time"

	"github.com/vbauerster/mpb/v8"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trials"
)

// Events arrive from many trials while bars are being drawn; neither may wait for the other.
func TestViewDoesNotBlock(t *testing.T) {
	v := &view{out: io.Discard, metric: "mAP50-95", width: 100, height: 12, began: time.Now(), running: map[int64]*liveTrial{}}
	v.bars = mpb.New(mpb.WithOutput(io.Discard), mpb.WithWidth(barWidth), mpb.WithRefreshRate(time.Millisecond), mpb.WithAutoRefresh())
	done := make(chan struct{})
	go func() {
		defer close(done)
		v.event(sweep.StudyStarted{Summary: sweep.Summary{Planned: 200}, Parallel: 8})
		for n := range 200 {
			tr := trials.Trial{ID: int64(n + 1), Number: n}
			v.event(sweep.TrialStarted{Trial: tr, Epochs: 2})
			for step := range 3000 {
				v.event(sweep.TrialProgress{Trial: tr, Progress: trainer.Progress{Epoch: 1, Epochs: 2, Step: step + 1, Steps: 3000, Loss: 1}})
			}
			v.event(sweep.TrialMeasured{Trial: tr, Measurement: trials.Measurement{Epoch: 1, Metrics: map[string]float64{"mAP50-95": 0.5}}})
			tr.State = trials.Complete
			v.event(sweep.TrialFinished{Trial: tr, Summary: sweep.Summary{Planned: 200, Complete: n + 1}})
		}
		v.close()
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("the live view and its events wait for each other")
	}
}
