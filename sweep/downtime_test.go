package sweep_test

import (
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/local"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trials"
)

// TestDowntimeIsFree: the time between the end of a killed worker and the next run are not charged to the budget.
func TestDowntimeIsFree(t *testing.T) {
	w := newBench(t, trainertest.NewResumable())
	spec := fixed()
	spec.Budget.DeviceHours = time.Second.Hours()
	w.abandoned(t, spec, "here/1/x")
	w.Worker = "here/3/x"
	w.Probe = func(string) local.Life { return local.Dead }
	time.Sleep(1100 * time.Millisecond)
	if sum := w.run(t, spec, nil); sum.Complete != 6 || sum.DeviceHours >= spec.Budget.DeviceHours {
		t.Errorf("%+v", sum)
	}
}

// TestHoursOfVanished: while nobody has noticed that a worker vanished, its trial counts until its last sign of life.
func TestHoursOfVanished(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	tr := trials.Trial{State: trials.Running, Heartbeat: start.Add(time.Hour), Attempts: []trials.Attempt{{Number: 1, Started: start}}}
	for _, c := range []struct {
		name     string
		measured time.Duration // after the start
		now      time.Duration
		want     float64
	}{
		{"long after the heartbeat", time.Minute, 60 * time.Hour, 1},
		{"long after a measurement", 90 * time.Minute, 60 * time.Hour, 1.5},
		{"a clock that is behind", time.Minute, 30 * time.Minute, 0.5},
	} {
		tr.Measurements = []trials.Measurement{{Epoch: 1, At: start.Add(c.measured)}}
		if got := sweep.Count(studies.Spec{Design: studies.DesignSearch}, []trials.Trial{tr}, start.Add(c.now)).DeviceHours; got != c.want {
			t.Errorf("%s: %v device-hours, want %v", c.name, got, c.want)
		}
	}
}
