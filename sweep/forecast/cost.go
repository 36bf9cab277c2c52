package forecast

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/prune"
)

// Forecast is what a study will cost. It takes every trial to run to its end, but for a pruner whose savings are known.
// Where no time of a trial is known, everything but the numbers of trials is 0.
type Forecast struct {
	Trials   int `json:"trials"` // planned
	Parallel int `json:"parallel"`

	TrialSeconds float64 `json:"trial_seconds"` // one trial, on average
	WallSeconds  float64 `json:"wall_seconds"`  // ceil(trials / parallel) rounds, and the tunings
	// DeviceHours is the sum over trials, P50; P10 and P90 are known from two times of a trial on.
	DeviceHours float64 `json:"device_hours"`
	P10         float64 `json:"device_hours_p10,omitempty"`
	P90         float64 `json:"device_hours_p90,omitempty"`

	// Where variants get replicates until they are settled, Trials and what follows from them are the most that there
	// may be, and these the least; P10 is that of the least.
	Least            int     `json:"least,omitempty"`
	LeastWallSeconds float64 `json:"least_wall_seconds,omitempty"`
	LeastDeviceHours float64 `json:"least_device_hours,omitempty"`

	Tunings     int     `json:"tunings,omitempty"`
	TuningHours float64 `json:"tuning_hours,omitempty"` // device-hours of all tunings, within those above
	Epochs      float64 `json:"epochs,omitempty"`       // of a trial on average where a pruner stops some; 0: all of them

	BudgetHours float64 `json:"budget_hours,omitempty"`
	OverBudget  bool    `json:"over_budget"`
	Affordable  int     `json:"affordable"` // trials that begin within the budget

	Measured int      `json:"measured"`          // times of trials that it rests on
	Studies  []string `json:"studies,omitempty"` // that they come from; none: a probe
	Beside   float64  `json:"beside,omitempty"`  // trials at once while they were measured; 0: not known
	Note     string   `json:"note,omitempty"`    // how one trial was measured
}

// Load is what a study has to do.
type Load struct {
	Trials  int // beside tunings
	Least   int // 0: Trials
	Tunings int
}

// New works out the cost of a load from times of trials.
func New(spec studies.Spec, load Load, parallel int, times Times) Forecast {
	f := Forecast{Trials: load.Trials, Least: load.Least, Parallel: max(1, parallel), BudgetHours: spec.Budget.DeviceHours,
		Affordable: load.Trials, Tunings: load.Tunings, Note: times.Note, Studies: times.Studies, Beside: times.Beside}
	if spec.Tune != nil {
		f.TuningHours = float64(load.Tunings) * spec.Tune.DeviceHours
	}
	if !times.Known() {
		return f
	}
	scale := 1.0
	if epochs, ok := pruned(spec); ok {
		f.Epochs = epochs
		scale = epochs / float64(spec.Trainer.Epochs)
	}
	for _, s := range times.ByData {
		f.Measured += len(s)
		f.TrialSeconds += scale * mean(s) / float64(len(times.ByData))
	}
	rounds := func(n int) float64 { return math.Ceil(float64(n)/float64(f.Parallel)) * f.TrialSeconds }
	f.WallSeconds = rounds(load.Trials) + f.TuningHours*3600/float64(f.Parallel)
	f.LeastWallSeconds = rounds(load.Least)
	f.hours(load, times.ByData, scale)
	if f.BudgetHours > 0 { // tunings have a budget of their own
		least := f.DeviceHours - f.TuningHours
		if load.Least > 0 {
			least = f.LeastDeviceHours
		}
		f.OverBudget = least > f.BudgetHours
		f.Affordable = min(load.Trials, int(math.Ceil(f.BudgetHours*3600/f.TrialSeconds)))
	}
	return f
}

// hours fills the device-hours in.
func (f *Forecast) hours(load Load, byData [][]float64, scale float64) {
	at := func(sums []float64, p float64) float64 { return scale*quantile(sums, p)/3600 + f.TuningHours }
	many := bootstrap(byData, load.Trials)
	few := many
	if load.Least > 0 {
		few = bootstrap(byData, load.Least)
		f.LeastDeviceHours = at(few, 0.5)
	}
	f.DeviceHours = at(many, 0.5)
	if slices.ContainsFunc(byData, func(s []float64) bool { return len(s) > 1 }) {
		f.P10, f.P90 = at(few, 0.1), at(many, 0.9)
	}
}

// draws of the bootstrap, and up to how many trials their times are drawn one by one.
const (
	draws    = 1000
	oneByOne = 200
)

// bootstrap draws sums of n trials, shared out evenly over the data sets, from measured times: each draw takes the times anew with
// replacement, since a few of them say little about the mean, and then a time for every trial. Of many trials the sum
// is drawn as a normal with that mean and variance. The sums come sorted; the stream is fixed.
func bootstrap(byData [][]float64, n int) []float64 {
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	sums := make([]float64, draws)
	for b := range sums {
		for d, s := range byData {
			k := n / len(byData)
			if d < n%len(byData) {
				k++
			}
			again := make([]float64, len(s))
			for i := range again {
				again[i] = s[rng.IntN(len(s))]
			}
			if k > oneByOne {
				sums[b] += float64(k)*mean(again) + math.Sqrt(float64(k))*deviation(again)*rng.NormFloat64()
				continue
			}
			for range k {
				sums[b] += again[rng.IntN(len(again))]
			}
		}
	}
	slices.Sort(sums)
	return sums
}

// pruned is how many epochs a trial of the study takes on average under a pruner with rungs (prune.Epochs).
func pruned(spec studies.Spec) (float64, bool) {
	if spec.Design != studies.DesignSearch || spec.Search == nil {
		return 0, false
	}
	s := spec.Search
	return prune.Epochs(s.Pruner, sweep.PrunerConfig{Seed: spec.Seed, Epochs: spec.Trainer.Epochs, Trials: s.Trials, Options: s.PrunerOptions})
}

func mean(s []float64) float64 {
	sum := 0.0
	for _, x := range s {
		sum += x
	}
	return sum / float64(len(s))
}

func deviation(s []float64) float64 {
	m, sum := mean(s), 0.0
	for _, x := range s {
		sum += (x - m) * (x - m)
	}
	return math.Sqrt(sum / float64(len(s)))
}

// quantile interpolates between order statistics; s is sorted and not empty.
func quantile(s []float64, p float64) float64 {
	at := p * float64(len(s)-1)
	i := min(int(at), len(s)-2)
	return s[i] + (at-float64(i))*(s[i+1]-s[i])
}
