package forecast_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/forecast"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/memory"
)

func spec() studies.Spec {
	return studies.Spec{
		Name:       "s",
		Objective:  studies.Objective{Metric: "mAP50-95", Direction: trials.Maximize, Epoch: "last", Split: "val"},
		Trainer:    studies.Trainer{Backend: "fake", Data: []string{"digits"}, Epochs: 2},
		Baseline:   trials.Params{"x": 0.5},
		Factors:    []studies.Factor{{Name: "x", Levels: []any{0.5, 0.0, 1.0}}},
		Design:     studies.DesignOneFactor,
		Replicates: 5, Seed: 1, Budget: studies.Budget{Parallel: 1},
	}
}

func times(seconds ...float64) forecast.Times {
	return forecast.Times{ByData: [][]float64{seconds}, Note: "3 steps"}
}

func TestCost(t *testing.T) {
	s := spec()
	s.Budget.DeviceHours = 0.01
	f := forecast.New(s, forecast.Load{Trials: 25}, 2, times(30))
	if f.WallSeconds != 390 || math.Abs(f.DeviceHours-25*30/3600.) > 1e-9 || !f.OverBudget || f.Affordable != 2 || f.Note != "3 steps" {
		t.Errorf("%+v", f)
	}
	if f.P10 != 0 || f.P90 != 0 {
		t.Errorf("one time has no spread, but P10 is %v and P90 %v", f.P10, f.P90)
	}
	if f := forecast.New(s, forecast.Load{Trials: 25}, 2, forecast.Times{ByData: make([][]float64, 1)}); f.WallSeconds != 0 || f.DeviceHours != 0 || f.OverBudget || f.Affordable != 25 {
		t.Errorf("without a time: %+v", f)
	}
	s.Budget.DeviceHours = 0
	f = forecast.New(s, forecast.Load{Trials: 100}, 1, times(20, 30, 40, 30))
	if !(f.P10 < f.DeviceHours && f.DeviceHours < f.P90) || math.Abs(f.TrialSeconds-30) > 1e-12 || f.P10 < 100*20/3600. || f.P90 > 100*40/3600. {
		t.Errorf("%+v", f)
	}
	again := forecast.New(s, forecast.Load{Trials: 100}, 1, times(20, 30, 40, 30))
	if fmt.Sprint(f) != fmt.Sprint(again) {
		t.Error("another forecast from the same times")
	}
}

// The share of forecasts whose true sum lies between P10 and P90 is near 80 % once there are some times to go by, and
// whether sums are drawn one by one or as normals makes no difference.
func TestQuantiles(t *testing.T) {
	pool := make([]float64, 40)
	for i := range pool {
		pool[i] = 60 + 20*math.Sin(float64(i*i))
	}
	one := forecast.New(spec(), forecast.Load{Trials: 200}, 1, times(pool...))
	many := forecast.New(spec(), forecast.Load{Trials: 201}, 1, times(pool...))
	for _, p := range [][2]float64{{one.P10, many.P10}, {one.DeviceHours, many.DeviceHours}, {one.P90, many.P90}} {
		if math.Abs(p[1]/p[0]-201./200) > 0.01 {
			t.Errorf("200 trials %v, 201 trials %v", p[0], p[1])
		}
	}
	// By hand: the mean of the pool has a standard error of sd/sqrt(40), the sum of 200 more one of sqrt(200) sd.
	m, sd := 0.0, 0.0
	for _, x := range pool {
		m += x / 40
	}
	for _, x := range pool {
		sd += (x - m) * (x - m) / 40
	}
	sd = math.Sqrt(sd)
	half := 1.2816 * sd * math.Sqrt(200*200/40.+200) / 3600
	if got := (one.P90 - one.P10) / 2; math.Abs(got/half-1) > 0.1 {
		t.Errorf("half of P10 to P90 is %v, want about %v", got, half)
	}
}

func TestUntilSettled(t *testing.T) {
	f := forecast.New(spec(), forecast.Load{Trials: 60, Least: 15}, 1, times(3600, 3600))
	if f.P10 != 15 || f.P90 != 60 || f.DeviceHours != 60 || f.LeastDeviceHours != 15 || f.LeastWallSeconds != 15*3600 {
		t.Errorf("%+v, want 15 to 60 device-hours", f)
	}
	s := spec()
	s.Budget.DeviceHours = 20
	if forecast.New(s, forecast.Load{Trials: 60, Least: 15}, 1, times(3600)).OverBudget {
		t.Error("over a budget that lets every variant come to its first look")
	}
	s.Budget.DeviceHours = 10
	if !forecast.New(s, forecast.Load{Trials: 60, Least: 15}, 1, times(3600)).OverBudget {
		t.Error("not over a budget that does not reach the first look")
	}
}

func TestTunings(t *testing.T) {
	s := spec()
	s.Tune = &studies.Tune{DeviceHours: 2, Repeats: 3}
	s.Budget.DeviceHours = 10
	f := forecast.New(s, forecast.Load{Trials: 60, Tunings: 9}, 2, times(360, 360))
	if f.TuningHours != 18 || f.DeviceHours != 24 || f.OverBudget || f.WallSeconds != 30*360+18*3600/2 {
		t.Errorf("%+v, want 18 device-hours of tunings and 6 of trials, of which the budget pays", f)
	}
}

// Successive halving: of E epochs a trial takes r0 + (r1-r0)/4 + (r2-r1)/16 + ..., worked out by hand.
func TestPruned(t *testing.T) {
	for epochs, want := range map[int]float64{1: 1, 2: 1 + 1/4., 16: 1 + 3/4. + 12/16., 20: 2 + 6/4. + 12/16., 90: 6 + 18/4. + 66/16.} {
		s := spec()
		s.Design, s.Search, s.Trainer.Epochs = studies.DesignSearch, &studies.Search{Trials: 10, Pruner: "successive-halving"}, epochs
		f := forecast.New(s, forecast.Load{Trials: 10}, 1, times(100, 100))
		if math.Abs(f.Epochs-want) > 1e-12 || math.Abs(f.TrialSeconds-100*want/float64(epochs)) > 1e-9 || math.Abs(f.DeviceHours*3600-1000*want/float64(epochs)) > 1e-6 {
			t.Errorf("%d epochs: %v, want %v (%v s a trial)", epochs, f.Epochs, want, f.TrialSeconds)
		}
		s.Search.Pruner = "median"
		if f := forecast.New(s, forecast.Load{Trials: 10}, 1, times(100)); f.Epochs != 0 || f.TrialSeconds != 100 {
			t.Errorf("the median pruner saves %+v, which nobody knows", f)
		}
	}
}

// past runs a study in a store and reads what it tells.
func past(t *testing.T, m trials.Store, s studies.Spec, metrics func(trainer.Job, int) map[string]float64) {
	t.Helper()
	fake := &trainertest.Fake{Metrics: metrics, Pause: time.Millisecond, Checkpoints: true}
	e := sweep.Engine{Store: m, Backend: fake, Dir: filepath.Join(t.TempDir(), s.Name)}
	if _, err := e.Run(t.Context(), s, nil); err != nil {
		t.Fatal(err)
	}
}

func curve(job trainer.Job, epoch int) map[string]float64 {
	x, _ := trials.Number(job.Params["x"])
	common := math.Sin(float64(job.Seed))
	own := math.Sin(float64(job.Seed)*3 + 10*x)
	return map[string]float64{"mAP50-95": 0.5 + 0.1*x + 0.01*common + 0.001*own}
}

func TestPast(t *testing.T) {
	m := memory.New()
	s := spec()
	past(t, m, s, curve)
	host := hostOf(t, m, "s")
	other := s
	other.Name, other.Trainer.Epochs = "longer", 3
	past(t, m, other, curve)
	p, err := forecast.Read(t.Context(), m, s, host)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(p.Times.ByData[0]); n != 15 || len(p.Times.Studies) != 1 || p.All != 30 || len(p.Checkpoints) != 15 {
		t.Errorf("%d times of %v, %d trials, %d checkpoints; want 15 of s, 30, 15", n, p.Times.Studies, p.All, len(p.Checkpoints))
	}
	if p.Times.Beside < 0.9 || p.Times.Beside > 1.1 {
		t.Errorf("%v at once, want 1", p.Times.Beside)
	}
	if len(p.Baseline["digits"]) != 5 || p.RhoPairs != 10 || p.Rho < 0.9 {
		t.Errorf("%d seeds, correlation %v from %d pairs; want 5, nearly 1, 10", len(p.Baseline["digits"]), p.Rho, p.RhoPairs)
	}
	if q, err := forecast.Read(t.Context(), m, s, "elsewhere"); err != nil || q.Times.Known() || len(q.Baseline["digits"]) != 5 {
		t.Errorf("from another machine: times %v, %d scores, %v", q.Times, len(q.Baseline["digits"]), err)
	}
	for name, change := range map[string]func(*studies.Spec){
		"metric":   func(s *studies.Spec) { s.Objective.Metric = "mAP50" },
		"split":    func(s *studies.Spec) { s.Objective.Split = "test" },
		"baseline": func(s *studies.Spec) { s.Baseline = trials.Params{"x": 0.5, "y": 1.0} },
		"model":    func(s *studies.Spec) { s.Trainer.Model = "other" },
		"data":     func(s *studies.Spec) { s.Trainer.Data = []string{"trees"} },
		"search":   func(s *studies.Spec) { s.Design = studies.DesignSearch },
	} {
		c := spec()
		change(&c)
		q, err := forecast.Read(t.Context(), m, c, host)
		if err != nil || len(q.Baseline) != 0 {
			t.Errorf("another %s: baseline %v, %v", name, q.Baseline, err)
		}
	}
	if ns := forecast.Noises(s, forecast.Past{}, 2); len(ns) != 0 {
		t.Errorf("noise from nothing: %+v", ns)
	}
	ns := forecast.Noises(s, p, 2)
	if len(ns) != 1 || ns[0].Seeds != 5 || !(ns[0].Low < ns[0].SD && ns[0].SD < ns[0].High) || !(ns[0].Smallest > 0) || len(ns[0].Needs) != 2 {
		t.Fatalf("%+v", ns)
	}
	if a, b := ns[0].Needs[0], ns[0].Needs[1]; a.Replicates <= b.Replicates || a.Why != "the margin" {
		t.Errorf("%+v: a smaller effect needs more replicates", ns[0].Needs)
	}
	if b, err := json.Marshal(ns); err != nil {
		t.Errorf("%s, %v", b, err)
	}
	s.Settle = &studies.Settle{Rule: studies.RuleAnytime}
	s.Replicates = 3
	if n := forecast.Noises(s, p, 2)[0]; n.Smallest != 0 {
		t.Errorf("three replicates show nothing at any time, but an effect of %v", n.Smallest)
	}
	same := past1(p)
	if ns := forecast.Noises(spec(), same, 2); len(ns) != 0 {
		t.Errorf("noise where all seeds score the same: %+v", ns)
	}
}

func past1(p forecast.Past) forecast.Past {
	p.Baseline = map[string]map[int64]float64{"digits": {1: 0.5, 2: 0.5, 3: 0.5}}
	return p
}

func hostOf(t *testing.T, m trials.Reader, name string) string {
	t.Helper()
	st, err := m.Study(context.Background(), name)
	if err != nil {
		t.Fatal(err)
	}
	return st.Provenance.Host
}

func TestDisk(t *testing.T) {
	s := spec()
	s.Keep = studies.Keep{Best: 3, Last: 1}
	f := forecast.New(s, forecast.Load{Trials: 15}, 2, times(100))
	d := forecast.NewDisk(s, f, 10, 3)
	if d.Kept != 6 || d.Checkpoints != 60 || d.Database != 45 || d.Total != 105 {
		t.Errorf("%+v", d)
	}
	f.Trials = 2
	if d := forecast.NewDisk(s, f, 10, 0); d.Kept != 2 || d.Total != 20 {
		t.Errorf("fewer trials than kept checkpoints: %+v", d)
	}
}
