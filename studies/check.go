package studies

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
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

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}
