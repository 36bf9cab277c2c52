package studies

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mapsweep/mapsweep/trials"
)

// points checks what a search says of points by hand: those that are fixed, forbidden and tried first.
func (c *checker) points() {
	s := c.spec.Search
	at := "search.fix"
	for _, name := range s.Fix.Names() {
		c.point(at, name, s.Fix[name])
	}
	free := slices.ContainsFunc(c.spec.Factors, func(f Factor) bool { _, fixed := s.Fix[f.Name]; return !fixed })
	if len(c.spec.Factors) > 0 && !free {
		c.add(at, "leave a factor out of it", "search.fix has all factors: nothing is left to search")
	}
	for i, p := range s.Forbid {
		at := index("search.forbid", i)
		for _, name := range p.Names() {
			if f, ok := c.point(at, name, p[name]); ok && c.spec.Ranges(f) && f.Step == 0 && !f.Int {
				c.add(join(at, name), "give the factor levels, step or int", "%s can have any value of its range, and a sampler will hardly ever propose just %s", name, trials.FormatValue(p[name]))
			}
		}
	}
	if c.nothingLeft() {
		c.add("search.forbid", "", "search.forbid leaves no point to try")
	}
	c.tried()
}

// point checks a factor and its value in a point by hand.
func (c *checker) point(at, name string, value any) (Factor, bool) {
	f, ok := c.spec.Factor(name)
	if !ok {
		hint := didYouMean(name, factorNames(c.spec.Factors))
		if _, fixed := c.spec.Baseline[name]; fixed {
			hint = name + " is set under baseline: for all trials"
		}
		c.add(join(at, name), hint, "%s has %s, which is no factor of the study", at, name)
		return f, false
	}
	if p := f.Param(); !p.Contains(value) {
		allowed := "levels are " + strings.Trim(describeLevels(f.Levels), "[]")
		if p.Kind != trials.Categorical {
			allowed = "its range is " + describeRange(f)
		}
		c.add(join(at, name), allowed, "%s cannot be %s", name, kindOf(value))
		return f, false
	}
	return f, true
}

func factorNames(fs []Factor) []string {
	var names []string
	for _, f := range fs {
		names = append(names, f.Name)
	}
	return names
}

// tried checks the points that come first.
func (c *checker) tried() {
	s := c.spec.Search
	if n := len(s.Try); s.Trials > 0 && n > s.Trials {
		c.add("search.try", fmt.Sprintf("raise search.trials to %d, or leave points out", n), "search.try has %d points, and search.trials is %d", n, s.Trials)
	}
	for i, p := range s.Try {
		at := index("search.try", i)
		for _, name := range p.Names() {
			v, ok := s.Fix[name]
			if f, good := c.point(at, name, p[name]); good && ok && f.Param().Contains(v) && !trials.SameValue(v, p[name]) {
				c.add(join(at, name), "leave it out", "search.fix holds %s at %s", name, trials.FormatValue(v))
			}
		}
		point := c.spec.Baseline.With(s.Fix).With(p)
		if k := slices.IndexFunc(s.Forbid, func(q trials.Params) bool { return holds(point, q) }); k >= 0 {
			c.add(at, "leave one of them out", "the point {%s} is forbidden by search.forbid[%d]", p.Key(), k)
		}
		if slices.ContainsFunc(s.Try[:i], func(q trials.Params) bool { return q.Key() == p.Key() }) {
			c.add(at, "", "the point {%s} is there twice", p.Key())
		}
	}
}

// holds says that a point has all values of another one.
func holds(point, part trials.Params) bool {
	for name, v := range part {
		if have, ok := point[name]; !ok || !trials.SameValue(have, v) {
			return false
		}
	}
	return len(part) > 0
}

// maxForbidden bounds the combinations that nothingLeft goes through.
const maxForbidden = 10000

// nothingLeft says that every combination of the factors in search.forbid is forbidden. Factors with a range that has
// more than a few values, or is continuous, always leave some.
func (c *checker) nothingLeft() bool {
	s := c.spec.Search
	if len(s.Forbid) == 0 {
		return false
	}
	named := trials.Params{}
	for _, p := range s.Forbid {
		named = named.With(p)
	}
	combinations := []trials.Params{{}}
	for _, name := range named.Names() {
		f, _ := c.spec.Factor(name)
		values := f.Levels
		if v, fixed := s.Fix[name]; fixed {
			values = []any{v}
		} else if c.spec.Ranges(f) {
			values = f.grid()
		}
		if len(values) == 0 || len(values)*len(combinations) > maxForbidden {
			return false
		}
		var next []trials.Params
		for _, p := range combinations {
			for _, v := range values {
				next = append(next, p.With(trials.Params{name: v}))
			}
		}
		combinations = next
	}
	return !slices.ContainsFunc(combinations, func(p trials.Params) bool {
		return !slices.ContainsFunc(s.Forbid, func(q trials.Params) bool { return holds(p, q) })
	})
}

// grid lists the values of a range with steps or whole numbers; nil if it is continuous or has too many.
func (f Factor) grid() []any {
	step := f.Step
	if step == 0 && f.Int {
		step = 1
	}
	if step <= 0 || (*f.High-*f.Low)/step >= maxForbidden {
		return nil
	}
	var out []any
	for i := 0; *f.Low+float64(i)*step <= *f.High+step*1e-8; i++ {
		out = append(out, f.Value(*f.Low+float64(i)*step))
	}
	return out
}

// ends checks from where a search starts and when it ends.
func (c *checker) ends() {
	s := c.spec.Search
	for i, name := range s.WarmStart {
		at := index("search.warm_start", i)
		switch {
		case CheckName(name) != nil:
			c.add(at, "", "%q cannot name a study", name)
		case name == c.spec.Name:
			c.add(at, "a study that is run again goes on by itself", "the study cannot start from its own trials")
		case slices.Contains(s.WarmStart[:i], name):
			c.add(at, "", "study %s is there twice", name)
		}
	}
	if s.Stop != nil && len(c.spec.Objective.Also) > 0 {
		c.add("search.stop", "leave it out", "search.stop is read with one objective only: no point is the best of several")
	}
	if s.Stop != nil && s.Stop.Expected > 0 && s.Sampler != "gp" {
		c.add("search.stop.expected", "stop by no_improvement, or write sampler: gp", "sampler %s does not tell what it expects of a further point", s.Sampler)
	}
	if s.Pruner == "none" && len(s.PrunerOptions) > 0 {
		c.add("search.pruner_options", "name a pruner, or leave them out", "search.pruner_options are of no pruner: search.pruner is none")
	}
}

// maxGoals bounds the objectives of a search: with more of them nearly every point is on the front.
const maxGoals = 3

// several checks the objectives beside the first one.
func (c *checker) several() {
	s := c.spec
	goals := s.Objective.Goals()
	if len(goals) == 1 {
		return
	}
	c.searchOnly("objective.also", "a further objective")
	if len(goals) > maxGoals {
		c.add("objective.also", "make one of them a constraint", "%d objectives are more than %d", len(goals), maxGoals)
	}
	for i, g := range goals[1:] {
		at := index("objective.also", i) + ".metric"
		if slices.ContainsFunc(goals[:i+1], func(h trials.Goal) bool { return h.Metric == g.Metric }) {
			c.add(at, "", "the objective %s is there twice", g.Metric)
			continue
		}
		c.metric(at, g.Metric)
	}
	if s.Design != DesignSearch || s.Search == nil {
		return
	}
	if p := s.Search.Pruner; p != "" && p != "none" {
		c.add("search.pruner", "write pruner: none", "pruner %s compares trials by one objective, and the study has %d", p, len(goals))
	}
	switch s.Search.Sampler {
	case "cmaes", "goptuna-tpe", "gp":
		c.add("search.sampler", "use nsga2, tpe, random, sobol or grid", "sampler %s knows one objective, and the study has %d", s.Search.Sampler, len(goals))
	}
}

// searchOnly refuses what other designs do not read.
func (c *checker) searchOnly(path, what string) {
	if c.spec.Design != DesignSearch && c.spec.Design != "" {
		c.add(path, "leave it out, or write design: search", "%s is for a search only, not for design %s", what, c.spec.Design)
	}
}

// constraints checks the bounds of metrics.
func (c *checker) constraints() {
	for i, k := range c.spec.Constraints {
		at := index("constraints", i)
		if i == 0 {
			c.searchOnly("constraints", "a constraint")
		}
		if (k.AtMost == nil) == (k.AtLeast == nil) {
			c.add(at, "for instance {metric: time/epoch, at_most: 60}", "the constraint on %s needs one of at_most and at_least", k.Metric)
			continue
		}
		c.metric(at+".metric", k.Metric)
		for j, o := range c.spec.Constraints[:i] {
			switch {
			case o.Metric != k.Metric:
			case (o.AtMost != nil) == (k.AtMost != nil):
				c.add(at, "", "the constraint on %s is there twice", k.Metric)
			case contradict(o, k) || contradict(k, o):
				c.add(at, "", "no point meets this and constraints[%d]: %s cannot be at least %s and at most %s", j, k.Metric, pointer(firstOf(o.AtLeast, k.AtLeast)), pointer(firstOf(o.AtMost, k.AtMost)))
			}
		}
	}
}

func contradict(low, high Constraint) bool {
	return low.AtLeast != nil && high.AtMost != nil && *low.AtLeast > *high.AtMost
}

func firstOf(a, b *float64) *float64 {
	if a != nil {
		return a
	}
	return b
}

// dataSplit checks that a search is reported on pictures that it was not scored on.
func (c *checker) dataSplit() {
	s := c.spec
	if s.DataSplit == nil {
		return
	}
	c.searchOnly("data_split", "data_split")
	if s.DataSplit.Tune == s.DataSplit.Report {
		c.add("data_split.report", "for instance data_split: {tune: val, report: test}", "a search that is tuned and reported on %s is quoted by the pictures that chose it", s.DataSplit.Tune)
	}
	if s.Objective.Split != s.DataSplit.Tune {
		c.add("objective.split", "leave it out", "objective.split is %s, and data_split.tune is %s", s.Objective.Split, s.DataSplit.Tune)
	}
}

// budget checks bounds on the whole study.
func (c *checker) budget() {
	b := c.spec.Budget
	if b.WallClock != "" {
		if d, err := time.ParseDuration(b.WallClock); err != nil || d <= 0 {
			c.add("budget.wall_clock", "for instance 90m, 12h or 72h", "budget.wall_clock is no duration: %q", b.WallClock)
		}
	}
	if e := c.spec.Trainer.Epochs; b.Epochs > 0 && b.Epochs < e {
		c.add("budget.epochs", "", "budget.epochs is %d, and one trial takes %d", b.Epochs, e)
	}
}
