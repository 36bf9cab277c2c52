package goptuna

import (
	"fmt"
	"math"

	"github.com/c-bata/goptuna"
	"github.com/c-bata/goptuna/successivehalving"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
)

type halvingPruner struct{ first, factor int }

// SuccessiveHalving stops all but the best quarter of the trials at each rung (Li et al. 2018,
// asynchronous, in Optuna's form): with trials of E epochs after ceil(E/16) epochs, four times that, and so on. Options min_epochs and
// reduction_factor set the first rung, and the share of the trials and the distance of the rungs.
func SuccessiveHalving(c sweep.PrunerConfig) (sweep.Pruner, error) {
	p := halvingPruner{first: max(1, (c.Epochs+15)/16), factor: 4}
	for _, name := range c.Options.Names() {
		at, least := &p.first, 1
		switch name {
		case "min_epochs":
		case "reduction_factor":
			at, least = &p.factor, 2
		default:
			return nil, fmt.Errorf("no option %q; there are min_epochs, reduction_factor", name)
		}
		v, ok := trials.Number(c.Options[name])
		if !ok || v != math.Trunc(v) || v < float64(least) || v > 1<<30 {
			return nil, fmt.Errorf("option %s is %s: it must be a whole number from %d on", name, trials.FormatValue(c.Options[name]), least)
		}
		*at = int(v)
	}
	return p, nil
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
