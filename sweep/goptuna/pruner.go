package goptuna

import (
	"fmt"
	"math"

	"github.com/c-bata/goptuna"
	"github.com/c-bata/goptuna/medianstopping"
	"github.com/c-bata/goptuna/successivehalving"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
)

type medianPruner struct{ warmUp int }

// Median stops a trial whose best objective so far is worse than the median of the complete trials at
// the same epoch (Golovin et al. 2017), once five are complete. The first tenth of the epochs, at least one,
// is not judged.
func Median(c sweep.PrunerConfig) (sweep.Pruner, error) {
	return medianPruner{warmUp: max(1, c.Epochs/10)}, nil
}

// Prune implements sweep.Pruner.
func (p medianPruner) Prune(h sweep.History, t trials.Trial) (stop bool, err error) {
	defer guard(&err)
	judged := freezeTrial(h, nil, t)
	if !justMeasured(h, t) {
		return false, nil
	}
	m := medianstopping.NewMedianPruner()
	m.NWarmUpSteps = p.warmUp
	study, _, err := newStudy(freeze(h, nil), goptuna.StudyOptionPruner(m))
	if err != nil {
		return false, err
	}
	return study.Pruner.Prune(study, judged)
}

type halvingPruner struct{ first, factor int }

// SuccessiveHalving stops all but the best quarter of the trials at each rung (Li et al. 2018,
// asynchronous, in Optuna's form): with trials of E epochs after ceil(E/16) epochs, four times that, and so on.
func SuccessiveHalving(c sweep.PrunerConfig) (sweep.Pruner, error) {
	return halvingPruner{first: max(1, (c.Epochs+15)/16), factor: 4}, nil
}

// rung is the epoch at which rung r is judged.
func (p halvingPruner) rung(r int) int {
	return p.first * int(math.Pow(float64(p.factor), float64(r)))
}

// Prune implements sweep.Pruner. goptuna is asked when the trial has just reached a rung, and sees what
// the other trials had there.
func (p halvingPruner) Prune(h sweep.History, t trials.Trial) (stop bool, err error) {
	defer guard(&err)
	if !justMeasured(h, t) {
		return false, nil
	}
	judged := freezeTrial(h, nil, t)
	step, _ := judged.GetLatestStep()
	r := 0
	for p.rung(r+1) <= step {
		r++
	}
	if first, ok := p.reached(judged, r); !ok || first != step {
		return false, nil // before the first rung, or judged there already
	}
	var others []goptuna.FrozenTrial
	for _, o := range h.All() {
		if o.ID == t.ID {
			continue
		}
		f := freezeTrial(h, nil, *o)
		for k := 0; k <= r; k++ {
			if at, ok := p.reached(f, k); ok {
				f.SystemAttrs[rungKey(k)] = fmt.Sprint(f.IntermediateValues[at])
			}
		}
		others = append(others, f)
	}
	judged.SystemAttrs[rungKey(r)] = "" // goptuna reads from the name which rung is due
	asha, err := successivehalving.NewPruner(successivehalving.OptionMinResource(p.first), successivehalving.OptionReductionFactor(p.factor))
	if err != nil {
		return false, err
	}
	study, _, err := newStudy(others, goptuna.StudyOptionPruner(asha))
	if err != nil {
		return false, err
	}
	return study.Pruner.Prune(study, judged)
}

// rungKey is goptuna's name for the value at a rung.
func rungKey(r int) string { return fmt.Sprintf("completed_rung_%d", r) }

// reached is the first measured epoch at or after rung r.
func (p halvingPruner) reached(t goptuna.FrozenTrial, r int) (step int, ok bool) {
	for s := range t.IntermediateValues {
		if s >= p.rung(r) && (!ok || s < step) {
			step, ok = s, true
		}
	}
	return step, ok
}

// justMeasured says whether the trial's last epoch has a finite objective: without one there is
// nothing to judge.
func justMeasured(h sweep.History, t trials.Trial) bool {
	n := len(t.Measurements)
	if n == 0 {
		return false
	}
	v, ok := t.Measurements[n-1].Metrics[h.Metric]
	return ok && finite(v)
}
