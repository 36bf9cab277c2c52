package prune

import (
	"math"
	"slices"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
)

// when says at which epochs a pruner judges: after warmUp, and then the first that is measured in every interval.
type when struct{ warmUp, interval int }

func readWhen(c sweep.PrunerConfig, o *sweep.Options) when {
	return when{o.Int("warm_up", max(1, c.Epochs/10), 0, most), o.Int("interval", 1, 1, most)}
}

// judges says whether the last epoch of a curve is one at which to judge.
func (w when) judges(curve []trials.Measurement) bool {
	n := len(curve)
	if n == 0 || curve[n-1].Epoch <= w.warmUp {
		return false
	}
	begin := w.warmUp + 1 + (curve[n-1].Epoch-w.warmUp-1)/w.interval*w.interval
	return n == 1 || curve[n-2].Epoch < begin
}

// percentile stops a trial whose best objective so far is not among the best share of the complete trials at the same epoch.
type percentile struct {
	when
	share            float64 // percent of the trials that go on
	startup, minimum int     // complete trials before anything is stopped, and those with a value at the epoch
}

// Median stops a trial whose best objective so far is worse than the median of the complete trials at the same epoch
// (Golovin et al. 2017, section 3.2.2, with values in place of running averages, as Optuna has it).
func Median(c sweep.PrunerConfig) (sweep.Pruner, error) {
	o := sweep.ReadOptions(c.Options)
	p := readPercentile(c, o)
	return p, o.Err()
}

// Percentile is Median with another share than half of the trials that go on: percentile 25 keeps the best quarter.
func Percentile(c sweep.PrunerConfig) (sweep.Pruner, error) {
	o := sweep.ReadOptions(c.Options)
	p := readPercentile(c, o)
	p.share = o.Float("percentile", 25, 0, 100)
	return p, o.Err()
}

func readPercentile(c sweep.PrunerConfig, o *sweep.Options) percentile {
	return percentile{when: readWhen(c, o), share: 50, startup: o.Int("startup_trials", 5, 0, most), minimum: o.Int("min_trials", 1, 1, most)}
}

// Prune implements sweep.Pruner.
func (p percentile) Prune(h sweep.History, t trials.Trial) (bool, error) {
	epoch, ok := judged(h, t)
	if !ok || !p.judges(t.Measurements) {
		return false, nil
	}
	rivals := newField(h).rivals(t, complete)
	if len(rivals) < p.startup {
		return false, nil
	}
	var values []float64
	for _, r := range rivals {
		if v, ok := goodAt(h, r.curve, epoch); ok {
			values = append(values, v)
		}
	}
	if len(values) < p.minimum {
		return false, nil
	}
	own, _ := best(h, t.Measurements)
	return own < quantile(values, 1-p.share/100), nil
}

// quantile interpolates between order statistics (Hyndman and Fan 1996, definition 7); it sorts values, which are not empty.
func quantile(values []float64, q float64) float64 {
	slices.Sort(values)
	at := q * float64(len(values)-1)
	i := int(math.Floor(at))
	if i+1 >= len(values) {
		return values[len(values)-1]
	}
	return values[i] + (at-float64(i))*(values[i+1]-values[i])
}
