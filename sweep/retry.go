package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep/local"
	"github.com/mapsweep/mapsweep/trials"
)

// rule says what follows a failure of a class within the same run.
type rule struct {
	times int         // starts again
	how   local.Alone // what the new start shares with nobody
}

// rules by class. A class that is not here is not tried again: the same program on the same input would fail the
// same way (error, diverged, infeasible, data, usage, script, package), or cost as much again (timeout).
// Lost workers have a count of their own, Limits.Attempts, and are not judged here.
var rules = map[string]rule{
	// Other trials, or fragments of an earlier one, may have held what was missing.
	trials.ClassMemory: {times: 1, how: local.AloneOnGPU},
	// The kernel kills whoever is largest when several trials together want too much.
	trials.ClassHostMemory: {times: 1, how: local.AloneOnHost},
	// One trial's fault takes all down that share the GPU in a process. Alone, it takes down only itself.
	trials.ClassDevice: {times: 1, how: local.AloneOnGPU},
}

// Retries reads how often a trial was started again after a failure, by class.
func Retries(t trials.Trial) map[string]int {
	counts := map[string]int{}
	if json.Unmarshal(t.Attrs[trials.AttrRetries], &counts) != nil || counts == nil {
		return map[string]int{} // not ours, or none
	}
	return counts
}

// needs is how a claimed trial has to be leased, by what happened to it before.
func needs(t trials.Trial) local.Alone {
	how := local.Shared
	for class, n := range Retries(t) {
		if r, ok := rules[class]; ok && n > 0 {
			how = max(how, r.how)
		}
	}
	return how
}

// ruleClass is the class whose rule and count hold: out of memory without a GPU is out of the machine's.
func ruleClass(class string, lease local.Lease) string {
	if class == trials.ClassMemory && len(lease.GPUs) == 0 {
		return trials.ClassHostMemory
	}
	return class
}

// tryAgain puts a failed trial back if its class may be tried again. The count is written before the trial goes back:
// a process that is killed between the two has used up the retry, and never grants a second one.
func (r *run) tryAgain(ctx context.Context, a *active, lease local.Lease, v verdict) (bool, error) {
	if v.outcome.State != trials.Fail {
		return false, nil
	}
	class := ruleClass(v.class, lease)
	rule, counts := rules[class], Retries(a.trial)
	if counts[class] >= rule.times {
		return false, nil
	}
	counts[class]++
	err := r.Store.SetAttrs(a.holding(ctx), a.trial.ID, map[string]json.RawMessage{trials.AttrRetries: trials.Attr(counts)})
	if taken(err) {
		return true, r.leave(a)
	}
	if err != nil {
		return false, fmt.Errorf("count retry of trial %d: %w", a.trial.Number, err)
	}
	err = r.requeue(ctx, a, trials.OutcomeName(trials.Fail), fmt.Sprintf("%s; it starts again, %s", v.reason, rule.how))
	return true, err
}

// outOfMemory is the last word on a trial that ran out of GPU memory even alone: the point cannot be run here.
func outOfMemory(v verdict, lease local.Lease, peak int64) verdict {
	var where string
	for i, g := range lease.GPUs {
		if i > 0 {
			where += " and "
		}
		where += g.String()
	}
	held := ""
	if peak > 0 {
		held = fmt.Sprintf("at its peak it held %d MiB; ", peak)
	}
	v.class = trials.ClassInfeasible
	reason := fmt.Sprintf("out of GPU memory again, %s, %s: %sa smaller batch, smaller pictures or a smaller model would need less. %s",
		lease.Alone, where, held, v.text)
	v.reason = v.class + ": " + reason
	v.outcome.Attrs[trials.AttrClass] = trials.Attr(v.class)
	v.outcome.Attrs[trials.AttrReason] = trials.Attr(reason)
	return v
}

// ErrEveryTrial: data, flags, script or packages are at fault, and every trial of the study would fail of it.
var ErrEveryTrial = errors.New("every trial would fail the same way")

// common are the classes of faults that are no trial's own.
var common = []string{trials.ClassData, trials.ClassUsage, trials.ClassScript, trials.ClassPackage}

// hopeless says that the study need not go on after t has failed, or nil: the fault is a common one and no trial
// has got as far as an epoch. A flag or a script may be wrong for the values of one arm only, a data set for its own block
// only, so those must have failed more widely.
func hopeless(spec studies.Spec, t trials.Trial, all func() []trials.Trial) error {
	class := t.Text(trials.AttrClass)
	if t.State != trials.Fail || !slices.Contains(common, class) {
		return nil
	}
	points, data, baseline := map[string]bool{}, map[string]bool{}, false
	for _, o := range all() {
		if len(o.Measurements) > 0 || o.State == trials.Complete || o.State == trials.Pruned {
			return nil
		}
		if o.State == trials.Fail && o.Text(trials.AttrClass) == class && !o.Superseded() {
			points[o.Params.Key()], data[o.Text(trials.AttrData)] = true, true
			baseline = baseline || sameParams(o.Params, spec.Baseline)
		}
	}
	switch class {
	case trials.ClassUsage, trials.ClassScript:
		if !baseline && len(points) < 2 && len(spec.Factors) > 0 {
			return nil
		}
	case trials.ClassData:
		if len(data) < len(spec.Trainer.Data) {
			return nil
		}
	}
	return fmt.Errorf("%w: trial %d: %s: %s\nNo trial has finished an epoch, and no other one was started after it. The same command goes on when it is mended; a study file that has to change needs another name (--as)",
		ErrEveryTrial, t.Number, class, t.Text(trials.AttrReason))
}

func sameParams(a, b trials.Params) bool { return maps.EqualFunc(a, b, trials.SameValue) }
