package prune

import (
	"fmt"
	"math"

	"github.com/mapsweep/mapsweep/sweep"
)

// short says why trials of so few epochs, or so few trials, give nobody anything to judge; "" if they do. others: the pruner compares
// with other trials.
func short(c sweep.PrunerConfig, others bool) string {
	switch {
	case c.Epochs == 1:
		return "trials have one epoch, and none is stopped after its last"
	case others && c.Trials == 1:
		return "it compares trials, and there is one"
	}
	return ""
}

// idle says that the first epoch at which to judge comes too late.
func (w when) idle(c sweep.PrunerConfig) (why, option string) {
	if c.Epochs > 0 && w.warmUp >= c.Epochs-1 {
		return fmt.Sprintf("it judges after epoch %d, and trials have %d epochs, of which the last is not judged", w.warmUp, c.Epochs), "warm_up"
	}
	return "", ""
}

// Idle implements sweep.Idler.
func (p percentile) Idle(c sweep.PrunerConfig) (why, option string) {
	if why = short(c, true); why != "" {
		return why, ""
	}
	if why, option = p.when.idle(c); why != "" {
		return why, option
	}
	need, option := p.startup, "startup_trials"
	if p.minimum > need {
		need, option = p.minimum, "min_trials"
	}
	if c.Trials > 0 && need >= c.Trials {
		return fmt.Sprintf("it waits for %d complete trials, and there are %d in all", need, c.Trials), option
	}
	return "", ""
}

// Idle implements sweep.Idler.
func (p threshold) Idle(c sweep.PrunerConfig) (why, option string) {
	if why = short(c, false); why != "" {
		return why, ""
	}
	return p.when.idle(c)
}

// Idle implements sweep.Idler.
func (p patient) Idle(c sweep.PrunerConfig) (why, option string) {
	if why = short(c, false); why != "" {
		return why, ""
	}
	if c.Epochs > 0 && p.patience >= c.Epochs-2 {
		return fmt.Sprintf("it needs %d epochs to judge, and trials have %d, of which the last is not judged", p.patience+2, c.Epochs), "patience"
	}
	if i, ok := p.judge.(sweep.Idler); ok {
		return i.Idle(c)
	}
	return "", ""
}

// Idle implements sweep.Idler.
func (p wilcoxon) Idle(c sweep.PrunerConfig) (why, option string) {
	if why = short(c, true); why != "" {
		return why, ""
	}
	n := c.Epochs - 1 // epochs that are judged; the smallest p value of n differences is 1/2^n
	switch {
	case p.level == 0:
		return "no p value is below 0", "p_threshold"
	case c.Epochs > 0 && p.startup > n:
		return fmt.Sprintf("it needs %d epochs to judge, and trials have %d, of which the last is not judged", p.startup, c.Epochs), "startup"
	case c.Epochs > 0 && n <= exactUpTo && math.Pow(2, -float64(n)) >= p.level:
		return fmt.Sprintf("of %d epochs that are judged the smallest p value is %.3g, and it must be below %.3g", n, math.Pow(2, -float64(n)), p.level), "p_threshold"
	}
	return "", ""
}

// Idle implements sweep.Idler.
func (s halving) Idle(c sweep.PrunerConfig) (why, option string) {
	return short(c, true), ""
}
