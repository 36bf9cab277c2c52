package prune

import (
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
)

// wilcoxon stops a trial that is shown to be behind the best one.
type wilcoxon struct {
	level   float64
	startup int
}

// Wilcoxon compares a trial with the best complete one, epoch by epoch: the trial is stopped when a signed-rank test of the
// differences at the epochs that both have (Wilcoxon 1945) says that it is behind, one-sided at p_threshold, once there are
// startup of them; not while its mean over those epochs is the better one. The idea is that of Optuna's pruner of this
// name, with epochs in place of problem instances. Epochs of one run are not independent, so the level is a setting
// and no error rate.
func Wilcoxon(c sweep.PrunerConfig) (sweep.Pruner, error) {
	o := sweep.ReadOptions(c.Options)
	p := wilcoxon{level: o.Float("p_threshold", 0.1, 0, 1), startup: o.Int("startup", max(2, c.Epochs/10), 1, most)}
	return p, o.Err()
}

// Prune implements sweep.Pruner.
func (p wilcoxon) Prune(h sweep.History, t trials.Trial) (bool, error) {
	if _, ok := judged(h, t); !ok {
		return false, nil
	}
	var top *point
	for _, r := range newField(h).rivals(t, complete) {
		if top == nil || h.Direction.Better(r.Values[0], top.Values[0]) {
			top = &r
		}
	}
	if top == nil {
		return false, nil
	}
	var behind []float64
	sum := 0.0
	for _, m := range t.Measurements {
		own, ok := good(h, m)
		other, ok2 := goodAt(h, top.curve, m.Epoch)
		if ok && ok2 {
			behind = append(behind, other-own)
			sum += other - own
		}
	}
	if len(behind) < p.startup || !(sum > 0) {
		return false, nil
	}
	return signedRank(behind) < p.level, nil
}
