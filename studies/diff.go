package studies

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/trials"
)

// Change is one difference between two study files.
type Change struct {
	Path    string `json:"path"`    // "factors.mixup.levels"
	Old     string `json:"old"`     // as the file would write it; "" if there was nothing
	New     string `json:"new"`     // "" if it was removed
	Extends bool   `json:"extends"` // the study can go on with it: what was run stays valid
}

// String is the change for people: "replicates: 3 -> 5".
func (c Change) String() string {
	return fmt.Sprintf("%s: %s -> %s", c.Path, cmp.Or(c.Old, "(nothing)"), cmp.Or(c.New, "(nothing)"))
}

// Diff compares a stored study with the one that is asked for now. extend says that
// the new one only adds to the old one, so that finished trials stay valid: more
// replicates, more trials of a search, points to try appended, levels appended, or another budget, time limit,
// end of a search, keep or description. Without changes extend is true. All changes are listed, in the order of the file.
func Diff(old, now Spec) (extend bool, changes []Change) {
	d := differ{}
	d.text("name", old.Name, now.Name, false)
	d.text("description", old.Description, now.Description, true)
	d.objective(old.Objective, now.Objective)
	d.trainer(old.Trainer, now.Trainer)
	d.factors(old, now)
	d.variants(old.Variants, now.Variants)
	d.text("design", old.Design, now.Design, false)
	d.search(old.Search, now.Search)
	d.text("constraints", describeConstraints(old.Constraints), describeConstraints(now.Constraints), false)
	d.text("data_split", written(old.DataSplit), written(now.DataSplit), false)
	d.text("design options", written(old.Layout), written(now.Layout), layoutExtends(old, now))
	d.replicates(old, now)
	d.text("tune", written(old.Tune), written(now.Tune), false)
	d.text("store_matches", fmt.Sprint(!old.NoMatches), fmt.Sprint(!now.NoMatches), true)
	d.number("seed", old.Seed, now.Seed, false)
	d.number("budget.parallel", old.Budget.Parallel, now.Budget.Parallel, true)
	d.value("budget.device_hours", old.Budget.DeviceHours, now.Budget.DeviceHours, true)
	d.number("budget.epochs", old.Budget.Epochs, now.Budget.Epochs, true)
	d.text("budget.wall_clock", old.Budget.WallClock, now.Budget.WallClock, true)
	d.number("keep.best", old.Keep.Best, now.Keep.Best, true)
	d.number("keep.last", old.Keep.Last, now.Keep.Last, true)
	extend = !slices.ContainsFunc(d.changes, func(c Change) bool { return !c.Extends })
	return extend, d.changes
}

// replicates compares how many there are and by which rules verdicts are given: what was declared before the first
// trial stays, but for more replicates of a fixed number.
func (d *differ) replicates(old, now Spec) {
	more := now.Replicates > old.Replicates && old.Settle == nil && now.Settle == nil
	d.number("replicates", old.Replicates, now.Replicates, more)
	d.text("replicates.until", written(old.Settle), written(now.Settle), false)
	if old.Objective.Metric == now.Objective.Metric {
		d.text("replicates.margin", trials.FormatValue(old.Margin()), trials.FormatValue(now.Margin()), false)
	}
	d.text("replicates.alpha", trials.FormatValue(old.Rules.Level()), trials.FormatValue(now.Rules.Level()), false)
	d.text("replicates.correction", old.Rules.Correction, now.Rules.Correction, false)
}

type differ struct{ changes []Change }

func (d *differ) text(path, old, now string, extends bool) {
	if old != now {
		d.changes = append(d.changes, Change{path, old, now, extends})
	}
}

func (d *differ) number(path string, old, now any, extends bool) {
	d.text(path, fmt.Sprint(old), fmt.Sprint(now), extends)
}

// value compares scalars by value: 1 and 1.0 are the same.
func (d *differ) value(path string, old, now any, extends bool) {
	if !trials.SameValue(old, now) {
		d.text(path, trials.FormatValue(old), trials.FormatValue(now), extends)
	}
}

// params compares two sets of knobs, sorted by name.
func (d *differ) params(path string, old, now trials.Params) {
	all := append(old.Names(), now.Names()...)
	slices.Sort(all)
	for _, n := range slices.Compact(all) {
		o, had := old[n]
		v, has := now[n]
		switch at := join(path, n); {
		case !had:
			d.text(at, "", trials.FormatValue(v), false)
		case !has:
			d.text(at, trials.FormatValue(o), "", false)
		default:
			d.value(at, o, v, false)
		}
	}
}

func (d *differ) objective(old, now Objective) {
	d.text("objective.metric", old.Metric, now.Metric, false)
	d.text("objective.direction", strings.ToLower(string(old.Direction)), strings.ToLower(string(now.Direction)), false)
	d.text("objective.epoch", old.Epoch, now.Epoch, false)
	d.text("objective.best_by", old.BestBy, now.BestBy, false)
	d.text("objective.split", old.Split, now.Split, false)
	d.text("objective.also", describeGoals(old.Also), describeGoals(now.Also), false)
}

func (d *differ) trainer(old, now Trainer) {
	d.text("trainer.backend", old.Backend, now.Backend, false)
	d.text("trainer.model", old.Model, now.Model, false)
	d.text("trainer.data", strings.Join(old.Data, ", "), strings.Join(now.Data, ", "), false)
	d.number("trainer.image_size", old.ImageSize, now.ImageSize, false)
	d.number("trainer.epochs", old.Epochs, now.Epochs, false)
	d.number("trainer.batch", old.Batch, now.Batch, false)
	d.device(old, now)
	d.text("trainer.weights", old.Weights, now.Weights, false)
	d.text("trainer.command", list(old.Command), list(now.Command), false)
	d.params("trainer.env", envParams(old.Env), envParams(now.Env))
	d.text("trainer.cache", old.Cache, now.Cache, true)
	d.text("trainer.loaders", written(old.Loaders), written(now.Loaders), true)
	d.number("trainer.threads", old.Threads, now.Threads, true)
	d.text("trainer.precision", cmp.Or(old.Precision, "fp32"), cmp.Or(now.Precision, "fp32"), false)
	d.text("trainer.convolution", cmp.Or(old.Convolution, "auto"), cmp.Or(now.Convolution, "auto"), false)
	d.text("trainer.timeout", old.Timeout, now.Timeout, true)
	d.text("trainer.checkout", old.Checkout, now.Checkout, false)
	d.text("trainer.python", old.Python, now.Python, false)
	d.number("trainer.gpus", old.GPUs, now.GPUs, false)
	d.text("trainer.coco", fmt.Sprint(old.COCO), fmt.Sprint(now.COCO), false)
	d.text("trainer.arguments", written(old.Arguments), written(now.Arguments), false)
	d.text("trainer.metrics", written(old.Metrics), written(now.Metrics), false)
	d.text("trainer.checkpoint", written(old.Checkpoint), written(now.Checkpoint), false)
}

// device compares the devices. The native trainer's is the CPU where it is left out; earlier versions, which had no other,
// recorded that as auto.
func (d *differ) device(old, now Trainer) {
	a, b := old.Device, now.Device
	if old.Backend == BackendNative && now.Backend == BackendNative {
		if a == "auto" && b == "" {
			return
		}
		a, b = cmp.Or(a, "cpu"), cmp.Or(b, "cpu")
	}
	d.text("trainer.device", a, b, false)
}

func envParams(env map[string]string) trials.Params {
	p := trials.Params{}
	for k, v := range env {
		p[k] = v
	}
	return p
}

// written is a part of the study as JSON, "" if it is not there.
func written[T any](part *T) string {
	if part == nil {
		return ""
	}
	b, _ := json.Marshal(part) // texts and numbers always encode
	return string(b)
}

// list writes texts so that two different lists never look alike.
func list(words []string) string {
	if len(words) == 0 {
		return ""
	}
	b, _ := json.Marshal(words) // strings always encode
	return string(b)
}

// factors compares baseline and factors: what is trained in each arm.
func (d *differ) factors(old, now Spec) {
	d.params("baseline", old.Baseline, now.Baseline)
	for _, f := range old.Factors {
		if _, still := now.Factor(f.Name); !still {
			d.text("factors."+f.Name, describeFactor(f), "", false)
		}
	}
	var kept []string
	for _, f := range now.Factors {
		o, had := old.Factor(f.Name)
		if !had {
			d.text("factors."+f.Name, "", describeFactor(f), now.Design == DesignVariants && old.Design == DesignVariants) // a new variant's
			continue
		}
		kept = append(kept, f.Name)
		d.factor(o, f, old.Design)
	}
	var before []string
	for _, f := range old.Factors {
		if slices.Contains(kept, f.Name) {
			before = append(before, f.Name)
		}
	}
	if !slices.Equal(before, kept) { // arm names and sampling follow the order
		d.text("factors", strings.Join(before, ", "), strings.Join(kept, ", "), false)
	}
}

func (d *differ) factor(old, now Factor, design string) {
	at := "factors." + now.Name
	d.text(at+".levels", describeLevels(old.Levels), describeLevels(now.Levels), levelsExtend(old, now, design))
	d.text(at+".low", pointer(old.Low), pointer(now.Low), false)
	d.text(at+".high", pointer(old.High), pointer(now.High), false)
	d.value(at+".step", old.Step, now.Step, false)
	d.number(at+".log", old.Log, now.Log, false)
	d.number(at+".int", old.Int, now.Int, false)
	d.params(at+".requires", old.Requires, now.Requires)
}

// layoutExtends says that other options only add points: a Sobol sequence goes on where it ended.
func layoutExtends(old, now Spec) bool {
	if old.Design != DesignSobol || now.Design != DesignSobol || old.Layout == nil || now.Layout == nil {
		return false
	}
	return now.Layout.Runs > old.Layout.Runs
}

// levelsExtend says that new levels only add arms. In leave-one-out the last level is the full configuration, in
// a search levels without a range are the space itself, and designs that spread points over levels spread them anew.
func levelsExtend(old, now Factor, design string) bool {
	switch design {
	case DesignLeaveOneOut, DesignFractional, DesignPlackettBurman:
		return false
	case DesignSearch, DesignLatinHypercube, DesignSobol:
		return old.Low != nil && now.Low != nil
	}
	return len(now.Levels) >= len(old.Levels) && slices.EqualFunc(old.Levels, now.Levels[:len(old.Levels)], trials.SameValue)
}

func describeLevels(levels []any) string {
	if len(levels) == 0 {
		return ""
	}
	var parts []string
	for _, v := range levels {
		parts = append(parts, trials.FormatValue(v))
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func describeFactor(f Factor) string {
	s := describeLevels(f.Levels)
	if f.Low != nil && f.High != nil {
		s = strings.TrimSpace(describeRange(f) + " " + s)
	}
	return s
}

func pointer(x *float64) string {
	if x == nil {
		return ""
	}
	return trials.FormatValue(*x)
}
