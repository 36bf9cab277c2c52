package prune

import (
	"fmt"
	"maps"
	"math"
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
	names := append(slices.Sorted(maps.Keys(known)), "none")
	return func(c sweep.PrunerConfig) (sweep.Pruner, error) {
		own, others := c.Options.With(nil), c.Options.With(nil)
		for name := range c.Options {
			if name == "patience" || name == "min_delta" || name == "pruner" {
				delete(others, name)
			} else {
				delete(own, name)
			}
		}
		p, name, err := readPatient(c, own, names)
		if err == nil && name == "none" {
			_, _, err = readPatient(c, c.Options, names) // there is nobody for the others
			return p, err
		}
		if err != nil {
			return nil, err
		}
		c.Options = others
		if p.judge, err = known[name](c); err != nil {
			return nil, fmt.Errorf("pruner %s inside patient, which itself has the options patience, min_delta and pruner: %w", name, err)
		}
		if _, promotes := p.judge.(sweep.Promoter); promotes {
			return nil, fmt.Errorf("option pruner: %s lets pruned trials go on and cannot be wrapped", name)
		}
		return p, nil
	}
}

func readPatient(c sweep.PrunerConfig, given trials.Params, names []string) (p patient, wrapped string, err error) {
	o := sweep.ReadOptions(given)
	p = patient{patience: o.Int("patience", max(3, c.Epochs/10), 0, most), delta: o.Float("min_delta", 0, 0, math.MaxFloat64)}
	wrapped = o.Choice("pruner", "none", names...)
	return p, wrapped, o.Err()
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
