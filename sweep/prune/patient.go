package prune

import (
	"fmt"
	"maps"
	"slices"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
)

// patient lets another pruner judge only once a trial has stopped getting better.
type patient struct {
	judge    sweep.Pruner // nil: having stopped is enough
	patience int
	delta    float64
}

// Patient wraps one of the pruners by name (option pruner; none: nobody else has to agree). A trial is stopped when its best
// of the last patience+1 epochs is worse than its best before by more than min_delta (early stopping, Prechelt 1998, in Optuna's
// form), and the wrapped pruner wants it, too. Other options are the wrapped pruner's. What is wrapped must not let pruned trials go on.
func Patient(known map[string]sweep.NewPruner) sweep.NewPruner {
	return func(c sweep.PrunerConfig) (sweep.Pruner, error) {
		o := read(c)
		p := patient{patience: o.whole("patience", max(3, c.Epochs/10), 0), delta: o.number("min_delta", 0, 0, 1e300)}
		name := o.text("pruner", "none", append(slices.Sorted(maps.Keys(known)), "none"))
		if o.err != nil || name == "none" {
			return p, o.done()
		}
		inner := c
		inner.Options = maps.Clone(c.Options)
		maps.DeleteFunc(inner.Options, func(k string, _ any) bool { return slices.Contains(o.known, k) })
		var err error
		if p.judge, err = known[name](inner); err != nil {
			return nil, fmt.Errorf("wrapped pruner %s: %w (patient itself has patience, min_delta and pruner)", name, err)
		}
		if _, promotes := p.judge.(sweep.Promoter); promotes {
			return nil, fmt.Errorf("option pruner is %s: a pruner that lets trials go on cannot be wrapped", name)
		}
		return p, nil
	}
}

// Prune implements sweep.Pruner.
func (p patient) Prune(h sweep.History, t trials.Trial) (bool, error) {
	if _, ok := judged(h, t); !ok {
		return false, nil
	}
	split := len(t.Measurements) - p.patience - 1
	if split < 1 {
		return false, nil
	}
	before, ok := best(h, t.Measurements[:split])
	after, ok2 := best(h, t.Measurements[split:])
	if !ok || !ok2 || after >= before-p.delta {
		return false, nil
	}
	if p.judge == nil {
		return true, nil
	}
	return p.judge.Prune(h, t)
}
