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
	o := sweep.ReadOptions(c.Options)
	p := halvingPruner{first: o.Int("min_epochs", max(1, (c.Epochs+15)/16), 1, most), factor: o.Int("reduction_factor", 4, 2, most)}
	return p, o.Err()
}

// most bounds the options: more is a slip.
const most = 1 << 30

// Idle implements sweep.Idler.
func (p halvingPruner) Idle(c sweep.PrunerConfig) (why, option string) {
	switch {
	case c.Epochs > 0 && p.first >= c.Epochs:
		return fmt.Sprintf("its first rung is after epoch %d, and trials have %d, of which the last is not judged", p.first, c.Epochs), "min_epochs"
	case c.Trials == 1:
		return "it compares trials, and there is one", ""
	}
	return "", ""
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
