package forecast_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/forecast"
	"github.com/mapsweep/mapsweep/sweep/prune"
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

// Of E epochs a trial under a pruner with rungs takes r0 + (r1-r0)/eta + (r2-r1)/eta^2 + ..., worked out by hand.
func TestPruned(t *testing.T) {
	for _, c := range []struct {
		pruner  string
		options trials.Params
		epochs  int
		want    float64 // 0: nobody knows
	}{
		{"successive-halving", nil, 1, 1},
		{"successive-halving", nil, 2, 1 + 1/4.},
		{"successive-halving", nil, 16, 1 + 3/4. + 12/16.},
		{"successive-halving", nil, 20, 2 + 6/4. + 12/16.},
		{"successive-halving", nil, 90, 6 + 18/4. + 66/16.},
		{"successive-halving", trials.Params{"min_epochs": int64(4), "reduction_factor": int64(2)}, 16, 4 + 4/2. + 8/4.},
		{"asha", nil, 16, 1 + 3/4. + 12/16.},
		{"asha", trials.Params{"min_epochs": int64(3), "reduction_factor": int64(3)}, 27, 3 + 6/3. + 18/9.},
		{"hyperband", nil, 9, (9*(1+2/3.+6/9.) + 5*(3+6/3.) + 3*9) / 17},
		{"hyperband", trials.Params{"brackets": int64(1)}, 9, 1 + 2/3. + 6/9.},
		{"median", nil, 16, 0},
		{"asha", trials.Params{"min_epochs": int64(99)}, 16, 0},
	} {
		s := spec()
		s.Design, s.Search, s.Trainer.Epochs = studies.DesignSearch, &studies.Search{Trials: 10, Pruner: c.pruner, PrunerOptions: c.options}, c.epochs
		f := forecast.New(s, forecast.Load{Trials: 10}, 1, times(100, 100))
		if math.Abs(f.Epochs-c.want) > 1e-12 {
			t.Errorf("%s %v, %d epochs: %v, want %v", c.pruner, c.options, c.epochs, f.Epochs, c.want)
		}
		seconds := 100.0
		if c.want > 0 {
			seconds *= c.want / float64(c.epochs)
		}
		if math.Abs(f.TrialSeconds-seconds) > 1e-9 || math.Abs(f.DeviceHours*3600-10*seconds) > 1e-6 {
			t.Errorf("%s, %d epochs: %v s a trial, %v hours; want %v s", c.pruner, c.epochs, f.TrialSeconds, f.DeviceHours, seconds)
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

// TestPastChains: a trial that went on from a pruned one took as long as both together.
func TestPastChains(t *testing.T) {
	low, high := 0.0, 1.0
	s := spec()
	s.Name, s.Design, s.Trainer.Epochs, s.Factors = "chains", studies.DesignSearch, 8, []studies.Factor{{Name: "x", Low: &low, High: &high}}
	s.Replicates, s.Trainer.Data = 1, []string{"digits"}
	s.Search = &studies.Search{Sampler: "worse", Trials: 40, Pruner: "asha", PrunerOptions: trials.Params{"min_epochs": int64(1), "reduction_factor": int64(2)}}
	m := memory.New()
	fake := trainertest.NewResumable()
	fake.Pause = 2 * time.Millisecond
	e := sweep.Engine{Store: m, Backend: fake, Dir: t.TempDir(), Pruners: map[string]sweep.NewPruner{"asha": prune.ASHA},
		Samplers: map[string]sweep.NewSampler{"worse": func(sweep.SamplerConfig) (sweep.Sampler, error) { return worse{}, nil }}}
	if _, err := e.Run(t.Context(), s, nil); err != nil {
		t.Fatal(err)
	}
	st, err := m.Study(t.Context(), "chains")
	if err != nil {
		t.Fatal(err)
	}
	ts, err := m.Trials(t.Context(), st.ID)
	if err != nil {
		t.Fatal(err)
	}
	complete, chained := 0, 0
	for _, tr := range ts {
		if tr.State == trials.Complete {
			complete++
			if _, ok := tr.Continues(); ok {
				chained++
			}
		}
	}
	past, err := forecast.Read(t.Context(), m, s, st.Provenance.Host, 1)
	if err != nil || len(past.Times.ByData[0]) != complete || chained == 0 {
		t.Fatalf("%d times of %d complete trials, %d of them chained (%v)", len(past.Times.ByData[0]), complete, chained, err)
	}
	for _, seconds := range past.Times.ByData[0] {
		if seconds < 8*0.002 {
			t.Errorf("a trial of 8 epochs of 2 ms took %v s", seconds)
		}
	}
}

// worse proposes points that get worse, so that early ones turn out to be better than thought.
type worse struct{}

func (worse) Suggest(_ context.Context, h sweep.History, rng *rand.Rand) (trials.Suggestion, error) {
	return trials.Suggestion{Space: h.Space, Params: trials.Params{"x": 0.5 + min(0.5, (float64(len(h.All()))+10*rng.Float64())/96)}}, nil
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
	p, err := forecast.Read(t.Context(), m, s, host, 1)
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
	if q, err := forecast.Read(t.Context(), m, s, "elsewhere", 1); err != nil || q.Times.Known() || len(q.Baseline["digits"]) != 5 {
		t.Errorf("from another machine: times %v, %d scores, %v", q.Times, len(q.Baseline["digits"]), err)
	}
	for name, change := range map[string]func(*studies.Spec){
		"metric":   func(s *studies.Spec) { s.Objective.Metric = "mAP50" },
		"split":    func(s *studies.Spec) { s.Objective.Split = "test" },
		"baseline": func(s *studies.Spec) { s.Baseline = trials.Params{"x": 0.5, "y": 1.0} },
		"model":    func(s *studies.Spec) { s.Trainer.Model = "other" },
		"format":   func(s *studies.Spec) { s.Trainer.Precision = "bf16" },
		"start":    func(s *studies.Spec) { s.Trainer.Weights = "w.ckpt" },
		"data":     func(s *studies.Spec) { s.Trainer.Data = []string{"trees"} },
		"search":   func(s *studies.Spec) { s.Design = studies.DesignSearch },
	} {
		c := spec()
		change(&c)
		q, err := forecast.Read(t.Context(), m, c, host, 1)
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

// Times go with the threads and loaders that trials had, scores do not. Where the study does not say how many, they follow from
// the cores that a trial had, whatever the study file says of trials at a time. Another form of convolutions is other training.
func TestPastThreads(t *testing.T) {
	m, s := memory.New(), spec()
	s.Trainer.Backend, s.Budget.Parallel = studies.BackendNative, 2
	e := sweep.Engine{Store: m, Backend: &trainertest.Fake{Metrics: curve, Pause: time.Millisecond}, Dir: t.TempDir(), Parallel: 1, Threads: 2} // run --parallel 1
	if _, err := e.Run(t.Context(), s, nil); err != nil {
		t.Fatal(err)
	}
	loaders := func(n int) func(*studies.Spec) { return func(s *studies.Spec) { s.Trainer.Loaders = &n } }
	host := hostOf(t, m, "s")
	for name, c := range map[string]struct {
		change func(*studies.Spec)
		cores  int
		known  bool
		seeds  int
	}{
		"the same":                        {func(*studies.Spec) {}, 2, true, 5},
		"fp32 by name":                    {func(s *studies.Spec) { s.Trainer.Precision = "fp32" }, 2, true, 5},
		"convolutions by name":            {func(s *studies.Spec) { s.Trainer.Convolution = "auto" }, 2, true, 5},
		"direct convolutions":             {func(s *studies.Spec) { s.Trainer.Convolution = "direct" }, 2, false, 0},
		"the cpu by name":                 {func(s *studies.Spec) { s.Trainer.Device = "cpu" }, 2, true, 5},
		"auto":                            {func(s *studies.Spec) { s.Trainer.Device = "auto" }, 2, true, 5},
		"a GPU":                           {func(s *studies.Spec) { s.Trainer.Device = "cuda:0" }, 2, false, 5},
		"two threads by name":             {func(s *studies.Spec) { s.Trainer.Threads = 2 }, 2, true, 5},
		"three threads":                   {func(s *studies.Spec) { s.Trainer.Threads = 3 }, 2, false, 5},
		"two threads on one core":         {func(s *studies.Spec) { s.Trainer.Threads = 2 }, 1, false, 5}, // no loader
		"one trial at a time in the file": {func(s *studies.Spec) { s.Budget.Parallel = 1 }, 2, true, 5},
		"two trials at a time":            {func(*studies.Spec) {}, 1, false, 5},
		"two loaders":                     {loaders(2), 2, false, 5},
		"another trainer":                 {func(s *studies.Spec) { s.Trainer.Backend = "fake" }, 2, false, 0},
	} {
		q := s
		c.change(&q)
		p, err := forecast.Read(t.Context(), m, q, host, c.cores)
		if err != nil || p.Times.Known() != c.known || len(p.Baseline["digits"]) != c.seeds {
			t.Errorf("%s: times %v of %d seeds' scores, %v", name, p.Times.Known(), len(p.Baseline["digits"]), err)
		}
	}
	loaders(2)(&s)
	s.Name = "two-loaders"
	if _, err := e.Run(t.Context(), s, nil); err != nil {
		t.Fatal(err)
	}
	for n, known := range map[int]bool{1: false, 2: true} {
		q := s
		loaders(n)(&q)
		q.Trainer.Threads = 2
		if p, err := forecast.Read(t.Context(), m, q, host, 1); err != nil || p.Times.Known() != known {
			t.Errorf("%d loaders where two were: times %v, %v", n, p.Times.Known(), err)
		}
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
	f.Trials = 15
	for pruner, want := range map[string]int{"successive-halving": 6, "asha": 15, "hyperband": 15} {
		s.Search = &studies.Search{Trials: 15, Pruner: pruner}
		if d := forecast.NewDisk(s, f, 10, 0); d.Kept != want {
			t.Errorf("under %s %d checkpoints, want %d", pruner, d.Kept, want)
		}
	}
	s.Search = nil
	for pruner, want := range map[string]int{"median": 6, "asha": 14} {
		s.Tune = &studies.Tune{Trials: 8, Pruner: pruner}
		if d := forecast.NewDisk(s, f, 10, 0); d.Kept != want {
			t.Errorf("tuning under %s: %d checkpoints, want %d", pruner, d.Kept, want)
		}
	}
}
