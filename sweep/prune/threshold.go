package prune

import (
	"errors"
	"math"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
)

// threshold stops a trial whose objective leaves a band.
type threshold struct {
	when
	lower, upper float64
	nan          bool // a value that is not finite leaves it, too
}

// Threshold stops a trial whose objective is below lower or above upper, whatever the direction; at least one of the two has
// to be given. nan: prune stops one whose objective is not a number, too; otherwise (ignore) such a trial runs on and fails as
// diverged if it ends that way.
func Threshold(c sweep.PrunerConfig) (sweep.Pruner, error) {
	o := sweep.ReadOptions(c.Options)
	p := threshold{when: readWhen(c, o)}
	p.lower = o.Float("lower", math.Inf(-1), -math.MaxFloat64, math.MaxFloat64)
	p.upper = o.Float("upper", math.Inf(1), -math.MaxFloat64, math.MaxFloat64)
	p.nan = o.Choice("nan", "ignore", "ignore", "prune") == "prune"
	if err := o.Err(); err != nil {
		return nil, err
	}
	switch {
	case math.IsInf(p.lower, 0) && math.IsInf(p.upper, 0):
		return nil, errors.New("option lower or upper is needed: pruner_options: {lower: 0.1} stops a trial whose objective is below 0.1")
	case p.lower > p.upper:
		return nil, errors.New("option lower is above option upper: every trial would be stopped")
	}
	return p, nil
}

// Prune implements sweep.Pruner.
func (p threshold) Prune(h sweep.History, t trials.Trial) (bool, error) {
	n := len(t.Measurements)
	if !p.judges(t.Measurements) {
		return false, nil
	}
	v, ok := t.Measurements[n-1].Metrics[h.Metric]
	switch {
	case !ok:
		return false, nil
	case math.IsNaN(v):
		return p.nan, nil
	case math.IsInf(v, 0) && !p.nan:
		return false, nil
	}
	return v < p.lower || v > p.upper, nil
}
