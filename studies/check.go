package studies

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mapsweep/mapsweep/trials"
)

// namePattern is what a study may be called: the name becomes a folder.
const namePattern = `^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`

var nameRule = regexp.MustCompile(namePattern)

// CheckName says what is wrong with the name of a study, or nil.
func CheckName(name string) error {
	if nameRule.MatchString(name) {
		return nil
	}
	return Fault{Path: "name", Text: name, Message: fmt.Sprintf("%q cannot name a study", name),
		Hint: "1 to 64 letters, digits, dots, dashes and underscores, a letter or digit first"}
}

// metrics that trainers report under house names; others are allowed.
var metrics = []string{"mAP50-95", "mAP50", "mAP75", "mAP-small", "mAP-medium", "mAP-large",
	"precision", "recall", "loss/box", "loss/cls", "loss/dfl", "time/epoch", "time/train", "time/image", "model/parameters", "model/gflops"}

// checker collects faults of a decoded study. They carry paths; place finds the lines.
type checker struct {
	spec   Spec
	faults Faults
}

func (c *checker) add(path, hint, format string, args ...any) {
	c.faults = append(c.faults, Fault{Path: path, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// checkSpec holds the parts of a study against each other. What a trainer's knobs say is Validate's.
func checkSpec(s Spec) Faults {
	c := checker{spec: s}
	if err := CheckName(s.Name); err != nil {
		c.faults = append(c.faults, err.(Fault))
	}
	c.objective()
	c.trainer()
	for i, f := range s.Factors {
		c.factor(f)
		c.requires(f, s.Factors[:i])
	}
	c.design()
	c.replicates()
	c.tune()
	c.several()
	c.constraints()
	c.dataSplit()
	c.budget()
	return c.faults
}

func (c *checker) objective() {
	m := c.spec.Objective.Metric
	if o := c.spec.Objective; o.BestBy != "" && o.Epoch != "best" {
		c.add("objective.best_by", "add epoch: best", "objective.best_by chooses the best epoch, and the study reads the last one")
	}
	c.metric("objective.metric", m)
}

// metric checks a metric that the study names.
func (c *checker) metric(path, m string) {
	if m == "" {
		c.add(path, "for instance mAP50-95", "%s is empty", path)
		return
	}
	if strings.Contains(m, "@") {
		c.part(path, m)
		return
	}
	near := Nearest(m, metrics)
	fold := strings.NewReplacer("_", "", "-", "", "@", "", ":", "", ".", "").Replace
	if near != "" && near != m && strings.EqualFold(fold(m), fold(near)) {
		c.add(path, didYouMean(m, metrics), "no trainer reports a metric %q", m)
	}
}

// part checks an objective that is restricted to a part of objects or pictures: it is made from the matches that a
// trial keeps of its last epoch. A program of the user's may report such a metric itself, under any name.
func (c *checker) part(path, metric string) {
	base, part, err := CutMetric(metric)
	t, official := c.spec.Trainer, c.spec.Trainer.Backend == BackendYOLOv9
	switch plain := strings.TrimPrefix(base, "coco/"); {
	case t.Backend == BackendCommand:
	case err != nil:
		c.add(path, "for instance mAP50@small+dense", "%s: %v", path, err)
	case !slices.Contains([]string{"mAP50-95", "mAP50", "mAP75"}, plain):
		c.add(path, "", "of a part of objects or pictures there is mAP50-95, mAP50 or mAP75, and no %s", base)
	case official && plain == base:
		c.add(path, fmt.Sprintf("write %q", part.Metric("coco/"+base)), "of a part of objects or pictures the official trainer has COCO scores only")
	case official && !t.COCO:
		c.add(path, "add trainer.coco: true", "%s is made from COCO scores, which this study does not ask for", metric)
	case c.spec.Objective.Epoch == "best":
		c.add("objective.epoch", "write epoch: last", "%s is scored after the last epoch only", metric)
	case c.spec.NoMatches:
		c.add("store_matches", "leave it out", "%s is made from the matches of a trial, which this study does not keep", metric)
	}
}

func (c *checker) trainer() {
	t := c.spec.Trainer
	needs := func(missing bool, key, hint string) {
		if missing {
			c.add("trainer."+key, hint, "trainer lacks the key %q, which backend %s needs", key, t.Backend)
		}
	}
	switch t.Backend {
	case BackendNative:
		needs(t.Model == "", "model", "for instance gelan-n")
		needs(len(t.Data) == 0, "data", "for instance builtin:digits, or the path of a data.yaml")
		needs(t.Epochs == 0, "epochs", "for instance 20")
		if t.ImageSize%32 != 0 {
			c.add("trainer.image_size", fmt.Sprintf("the nearest is %d", max(32, (t.ImageSize+16)/32*32)),
				"trainer.image_size must be a multiple of 32, not %d", t.ImageSize)
		}
		if len(t.Command) > 0 {
			c.add("trainer.command", "for your own program write backend: command", "trainer.command is not read by backend native")
		}
		if len(t.Env) > 0 {
			c.add("trainer.env", "for your own program write backend: command", "trainer.env is not read by backend native")
		}
	case BackendCommand:
		needs(len(t.Command) == 0, "command", "for instance [python, train.py]")
		c.arguments(t)
		c.metrics(t.Metrics)
		c.checkpoint(t.Checkpoint)
	case BackendYOLOv9:
		needs(t.Model == "", "model", "for instance gelan-t or yolov9-s")
		needs(len(t.Data) == 0, "data", "the path of a data.yaml")
		needs(t.Epochs == 0, "epochs", "for instance 100")
		if len(t.Command) > 0 {
			c.add("trainer.command", "for your own program write backend: command", "trainer.command is not read by backend yolov9")
		}
	}
	if t.Backend != "" && t.Backend != BackendYOLOv9 {
		for key, set := range map[string]bool{"checkout": t.Checkout != "", "python": t.Python != "", "coco": t.COCO} {
			if set {
				c.add("trainer."+key, "", "trainer.%s is read by backend yolov9 only", key)
			}
		}
	}
	if t.Backend != "" && t.Backend != BackendNative && t.Weights != "" {
		hint := ""
		if t.Backend == BackendYOLOv9 {
			hint = "write baseline: {weights: FILE.pt}"
		}
		c.add("trainer.weights", hint, "trainer.weights is read by backend native only")
	}
	if t.Backend != "" && t.Backend != BackendNative {
		for key, set := range map[string]bool{"cache": t.Cache != "", "loaders": t.Loaders != nil, "threads": t.Threads != 0} {
			if set {
				c.add("trainer."+key, "", "trainer.%s is read by backend native only", key)
			}
		}
	}
	if _, err := t.CacheBytes(); err != nil {
		c.add("trainer.cache", "ram, none, or for instance 2GiB", "trainer.cache %v", err)
	}
	if n := t.Loaders; n != nil && (*n < 0 || *n > 64) {
		c.add("trainer.loaders", "0 to 64", "trainer.loaders cannot be %d", *n)
	}
	if t.Threads < 0 || t.Threads > 256 {
		c.add("trainer.threads", "1 to 256, or leave it out for the trial's cores", "trainer.threads cannot be %d", t.Threads)
	}
	if t.Backend != "" && t.Backend != BackendCommand {
		for key, set := range map[string]bool{"arguments": t.Arguments != nil, "metrics": t.Metrics != nil, "checkpoint": t.Checkpoint != nil} {
			if set {
				c.add("trainer."+key, "for your own program write backend: command", "trainer.%s is read by backend command only", key)
			}
		}
	}
	for i, d := range t.Data {
		if strings.TrimSpace(d) == "" {
			c.add(index("trainer.data", i), "", "a data set has no name")
		} else if slices.Contains(t.Data[:i], d) {
			c.add(index("trainer.data", i), "", "data set %s is there twice", d)
		}
	}
	if t.GPUs > 0 && t.Device == "cpu" {
		c.add("trainer.gpus", "leave one of them out", "trainer.gpus is %d, and trainer.device says cpu", t.GPUs)
	}
	if t.Timeout != "" {
		if d, err := time.ParseDuration(t.Timeout); err != nil || d <= 0 {
			c.add("trainer.timeout", "for instance 90s, 45m or 2h30m", "trainer.timeout is no duration: %q", t.Timeout)
		}
	}
	switch d := t.Device; {
	case d == "auto", d == "cpu", d == "cuda", d == "":
	case !isDeviceList(d):
		c.add("trainer.device", "auto, cpu, cuda, cuda:0, or several as cuda:0,2", "trainer.device cannot be %q", d)
	}
}

// isDeviceList says that a text names GPUs: cuda:0, or cuda:0,2 with no number twice.
func isDeviceList(text string) bool {
	list, ok := strings.CutPrefix(text, "cuda:")
	seen := map[uint64]bool{}
	for item := range strings.SplitSeq(list, ",") {
		n, err := strconv.ParseUint(item, 10, 8)
		if err != nil || seen[n] {
			return false
		}
		seen[n] = true
	}
	return ok
}

// factor checks range and levels of one factor.
func (c *checker) factor(f Factor) {
	at := "factors." + f.Name
	hasRange := f.Low != nil && f.High != nil
	switch {
	case f.Low != nil && f.High == nil:
		c.add(at, "", "factor %s has low but no high", f.Name)
		return
	case f.High != nil && f.Low == nil:
		c.add(at, "", "factor %s has high but no low", f.Name)
		return
	case !hasRange && (f.Step != 0 || f.Log || f.Int):
		c.add(at, "write low: and high:", "factor %s has step, log or int, but no range", f.Name)
		return
	}
	if hasRange && !c.rangeOf(f, at) {
		return
	}
	for i, v := range f.Levels {
		path := index(at+".levels", i)
		if slices.ContainsFunc(f.Levels[:i], func(w any) bool { return trials.SameValue(v, w) }) {
			c.add(path, "", "factor %s has the level %s twice", f.Name, trials.FormatValue(v))
			continue
		}
		if k := slices.IndexFunc(f.Levels[:i], func(w any) bool { return printsAs(v, w) }); k >= 0 {
			c.add(path, "leave one of them out, or choose another word", "factor %s has %s and %s as levels: they print alike and could not be told apart in tables",
				f.Name, kindOf(f.Levels[k]), kindOf(v))
			continue
		}
		if hasRange && !f.Param().Contains(v) {
			c.add(path, "widen the range or change the level", "level %s of %s is outside its range %s",
				trials.FormatValue(v), f.Name, describeRange(f))
		}
	}
	base, named := c.spec.Baseline[f.Name]
	if !named || len(f.Levels) == 0 || slices.ContainsFunc(f.Levels, func(v any) bool { return trials.SameValue(v, base) }) {
		return
	}
	if k := slices.IndexFunc(f.Levels, func(v any) bool { return printsAs(v, base) }); k >= 0 {
		c.add(index(at+".levels", k), fmt.Sprintf("write the level and baseline.%s alike, in quotes or without", f.Name),
			"the baseline of %s is %s, its level is %s", f.Name, kindOf(base), kindOf(f.Levels[k]))
	} else {
		c.add(at+".levels", fmt.Sprintf("put %s first among the levels, or change baseline.%s", trials.FormatValue(base), f.Name),
			"the levels of %s do not have its baseline value %s", f.Name, trials.FormatValue(base))
	}
}

// printsAs says that two different scalars look the same in tables: the text "1" and the number 1.
func printsAs(v, w any) bool {
	return !trials.SameValue(v, w) && trials.FormatValue(v) == trials.FormatValue(w)
}

// kindOf names a scalar with its type: the text "1", the number 1, the truth value true.
func kindOf(v any) string {
	switch v := v.(type) {
	case string:
		return "the text " + quote(v)
	case bool:
		return "the truth value " + trials.FormatValue(v)
	case nil:
		return "an empty value"
	}
	return "the number " + trials.FormatValue(v)
}

// rangeOf checks low, high, step, log and int against each other.
func (c *checker) rangeOf(f Factor, at string) bool {
	before := len(c.faults)
	low, high := *f.Low, *f.High
	if low >= high {
		c.add(at+".low", "", "the range of %s is empty: low %s is not below high %s", f.Name, trials.FormatValue(low), trials.FormatValue(high))
	}
	if f.Log && low <= 0 {
		c.add(at+".low", "raise low, or leave log out", "the range of %s is logarithmic and begins at %s", f.Name, trials.FormatValue(low))
	}
	if f.Log && f.Step != 0 {
		c.add(at+".step", "leave one of them out", "factor %s has both log and step", f.Name)
	}
	for i, x := range []float64{low, high, f.Step} {
		if name := []string{"low", "high", "step"}[i]; f.Int && x != math.Trunc(x) {
			c.add(at+"."+name, "", "factor %s has int: true, but %s is %s", f.Name, name, trials.FormatValue(x))
		}
	}
	if steps := (high - low) / f.Step; f.Step > 0 && math.Abs(steps-math.Round(steps)) > 1e-8 {
		c.add(at+".high", fmt.Sprintf("high could be %s", trials.FormatValue(roundTo(low+math.Floor(steps)*f.Step))),
			"high of %s is not low plus a whole number of steps", f.Name)
	}
	return len(c.faults) == before
}

// requires checks that the named knobs are part of the study, and that no two factors require each other.
func (c *checker) requires(f Factor, earlier []Factor) {
	at := "factors." + f.Name + ".requires"
	var known []string
	for _, g := range c.spec.Factors {
		if g.Name != f.Name {
			known = append(known, g.Name)
		}
	}
	for _, name := range c.spec.Baseline.Names() {
		if name != f.Name && !slices.Contains(known, name) {
			known = append(known, name)
		}
	}
	for _, name := range f.Requires.Names() {
		path := at + "." + name
		if name == f.Name {
			c.add(path, "", "factor %s requires itself", f.Name)
			continue
		}
		if !slices.Contains(known, name) {
			hint := "write its value under baseline:"
			if n := Nearest(name, known); n != "" {
				hint = didYouMean(name, known)
			}
			c.add(path, hint, "factor %s requires %s, which neither baseline nor factors name", f.Name, name)
			continue
		}
		g, varied := c.spec.Factor(name)
		if varied && slices.ContainsFunc(earlier, func(e Factor) bool { return e.Name == name }) {
			if _, back := g.Requires[f.Name]; back {
				c.add(path, "", "%s and %s require each other", name, f.Name)
			}
		}
	}
}

// design checks that the factors have what the design needs.
func (c *checker) design() {
	s := c.spec
	if s.Design == "" {
		return
	}
	c.options()
	c.variants()
	if s.Design == DesignVariants {
		c.size(float64(len(s.Variants)+1), "variants")
		return
	}
	if s.Design == DesignSearch {
		c.search()
		if s.Search != nil {
			c.size(float64(s.Search.Trials), "search.trials")
		}
		return
	}
	least := map[string]int{DesignOneFactor: 0, DesignLeaveOneOut: 2, DesignFactorial: 1, DesignGrid: 1,
		DesignFractional: 3, DesignPlackettBurman: 2, DesignLatinHypercube: 1, DesignSobol: 1}[s.Design]
	if len(s.Factors) < least {
		c.add("factors", "for instance mixup: [0.15, 0]", "design %s needs at least %d factor%s, the study has %d",
			s.Design, least, plural(least), len(s.Factors))
	}
	points := 1.0
	for _, f := range s.Factors {
		if s.Ranges(f) {
			continue
		}
		switch len(f.Levels) {
		case 0:
			c.add("factors."+f.Name, "for instance [0.3, 0]", "factor %s has no levels, which design %s needs", f.Name, s.Design)
		case 1:
			c.add("factors."+f.Name+".levels", "add a level, or move it to baseline:", "factor %s has one level only: nothing to compare", f.Name)
		default:
			c.twoLevels(f)
		}
		points *= float64(max(1, len(f.Levels)))
	}
	if (s.Design == DesignFactorial || s.Design == DesignGrid) && points > MaxPoints {
		c.add("factors", "use design one-factor or search", "%s has %.0f combinations, more than %d", s.Design, points, MaxPoints)
		return
	}
	arms := points
	switch s.Design {
	case DesignOneFactor:
		arms = 1
		for _, f := range s.Factors {
			arms += float64(max(0, len(f.Levels)-1))
		}
	case DesignLeaveOneOut:
		arms = float64(len(s.Factors) + 2)
	case DesignFractional, DesignPlackettBurman, DesignLatinHypercube, DesignSobol:
		if len(s.Factors) < least {
			return
		}
		arms = c.layout()
	}
	c.size(arms, "factors")
}

// minAlpha is the smallest chance of a false verdict: below it no table could name the level.
const minAlpha = 1e-6

// maxMargin bounds margins of metrics that are no fractions: more is a slip, and no picture could show it.
const maxMargin = 1e12

// replicates checks the rules by which replicates are added and verdicts given.
func (c *checker) replicates() {
	s := c.spec
	if a := s.Rules.Alpha; a >= 1 || a > 0 && a < minAlpha {
		c.add("replicates.alpha", "for instance 0.05", "replicates.alpha must be from %g and below 1", minAlpha)
	}
	switch m := s.Margin(); {
	case IsFraction(s.Objective.Metric) && m >= 1:
		c.add("replicates.margin", "0.002 are 0.2 points", "replicates.margin of %s must be below 1: the metric is a fraction", s.Objective.Metric)
	case m > maxMargin:
		c.add("replicates.margin", "", "replicates.margin must be at most %g", float64(maxMargin))
	}
	if s.Rules.Correction == CorrectionEBH && (s.Settle == nil || s.Settle.Rule != RuleAnytime) {
		c.add("replicates.correction", "write until: settled and rule: anytime", "e-bh is a correction of e-values, which only rule anytime has")
	}
	if s.Settle == nil {
		return
	}
	if s.Rules.Correction != "" && s.Rules.Correction != CorrectionEBH {
		c.add("replicates.correction", "leave it out", "until settled every variant has its own share of alpha; %s is read with a number of replicates only", s.Rules.Correction)
	}
	if !s.Referenced() {
		c.add("replicates.until", "use design one-factor, leave-one-out, variants or factorial, or give a number of replicates",
			"design %s has no reference to settle variants against", s.Design)
	}
	if s.Tune != nil {
		c.add("replicates.until", "give a number of replicates", "a study that tunes its variants has a fixed number of replicates")
	}
	last, rising := 0, true
	for i, n := range s.Settle.Looks {
		path := index("replicates.looks", i)
		switch {
		case n < 2:
			c.add(path, "", "a look needs at least 2 replicates: one says nothing of how much seeds differ")
		case n <= last:
			c.add(path, "", "looks must rise, and %d comes after %d", n, last)
		}
		rising = rising && n > last
		last = n
	}
	if rising && last != 0 && last != s.Replicates {
		c.add("replicates.looks", fmt.Sprintf("end them with %d, or set max: %d", s.Replicates, last), "the last look is at %d replicates, and max is %d", last, s.Replicates)
	}
}

// maxHours bounds budgets: more than a century is a slip.
const maxHours = 1e6

// tune checks what tuning of the variants needs.
func (c *checker) tune() {
	t := c.spec.Tune
	if t == nil {
		return
	}
	if !c.spec.Referenced() {
		c.add("tune", "use design one-factor, leave-one-out, variants or factorial", "tuning compares variants, and design %s has none", c.spec.Design)
	}
	if len(t.Knobs) == 0 {
		c.add("tune.knobs", "for instance lr0: {low: 0.001, high: 0.1, log: true}", "nothing to tune")
	}
	if t.DeviceHours > maxHours {
		c.add("tune.device_hours", "", "tune.device_hours must be at most %g", float64(maxHours))
	}
	if t.DeviceHours <= 0 {
		c.add("tune.device_hours", "", "tune.device_hours must be above 0: it is the budget of one tuning")
	}
	if t.Repeats > MaxTunings {
		c.add("tune.repeats", "", "%d tunings of each variant are more than %d", t.Repeats, MaxTunings)
	}
	if t.Split == c.spec.Objective.Split {
		c.add("tune.split", "set objective.split: test", "tuning is scored on the split %s, and so are its results: the best of many trials would be quoted by the score that chose it", t.Split)
	}
	search := c.spec
	search.Factors, search.Design, search.Search = t.Knobs, DesignSearch, &Search{Trials: t.Trials}
	tuned := checker{spec: search}
	for i, f := range t.Knobs {
		tuned.factor(f)
		tuned.requires(f, t.Knobs[:i])
		if _, twice := c.spec.Factor(f.Name); twice {
			c.add("tune.knobs."+f.Name, "leave it out of one of them", "%s is a factor of the study and tuned as well", f.Name)
		}
	}
	tuned.search()
	for _, f := range tuned.faults {
		if rest, ok := strings.CutPrefix(f.Path, "factors."); ok {
			f.Path = "tune.knobs." + rest
			c.faults = append(c.faults, f)
		}
	}
}

// size refuses a study that is too large to lay out. path is where its points come from.
func (c *checker) size(points float64, path string) {
	replicates, data := float64(max(1, c.spec.Replicates)), float64(max(1, len(c.spec.Trainer.Data)))
	if n := points * replicates * data; n > MaxTrials {
		if replicates > points {
			path = "replicates"
		}
		c.add(path, "", "%.0f points x %.0f replicates x %.0f data sets are %.0f trials, more than %d", points, replicates, data, n, MaxTrials)
	}
}

// MaxTrials bounds the trials of a study.
const MaxTrials = 1000000

// MaxPoints bounds the combinations of a factorial or grid: more is a slip, not a plan.
const MaxPoints = 100000

func (c *checker) search() {
	s := c.spec
	if s.Search == nil {
		c.add("search", "for instance search: {sampler: tpe, trials: 40}", "design search needs the key search")
	}
	if len(s.Factors) == 0 {
		c.add("factors", "for instance lr0: {low: 0.001, high: 0.1, log: true}", "design search needs at least 1 factor, the study has 0")
	}
	if s.Search != nil {
		c.points()
		c.ends()
	}
	for _, f := range s.Factors {
		hasRange := f.Low != nil || f.High != nil
		switch {
		case !hasRange && len(f.Levels) == 0:
			c.add("factors."+f.Name, "for instance {low: 0, high: 0.5} or [0.3, 0]", "factor %s has no range and no levels to search", f.Name)
		case !hasRange && len(f.Levels) == 1:
			c.add("factors."+f.Name+".levels", "add a level, or move it to baseline:", "factor %s has one level only: nothing to search", f.Name)
		}
	}
}

// describeRange prints a range for people: 0 to 0.5, 1 to 9 in steps of 2.
func describeRange(f Factor) string {
	s := trials.FormatValue(*f.Low) + " to " + trials.FormatValue(*f.High)
	if f.Step > 0 {
		s += " in steps of " + trials.FormatValue(f.Step)
	}
	if f.Int {
		s += ", whole numbers"
	}
	return s
}

func roundTo(x float64) float64 {
	y, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 12, 64), 64)
	return y
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}
