package studies

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/trials"
)

// search compares what a sampler is told. Its points follow from that, so that all of it stays, but for what adds points
// behind those that are there and for when the search ends.
func (d *differ) search(old, now *Search) {
	switch {
	case old == nil && now == nil:
	case old == nil:
		d.text("search", "", now.describe(), false)
	case now == nil:
		d.text("search", old.describe(), "", false)
	default:
		d.text("search.sampler", old.Sampler, now.Sampler, false)
		d.params("search.sampler_options", old.SamplerOptions, now.SamplerOptions)
		d.number("search.trials", old.Trials, now.Trials, now.Trials > old.Trials)
		d.text("search.pruner", old.Pruner, now.Pruner, false)
		d.params("search.pruner_options", old.PrunerOptions, now.PrunerOptions)
		d.params("search.fix", old.Fix, now.Fix)
		d.text("search.forbid", describePoints(old.Forbid), describePoints(now.Forbid), false)
		d.text("search.try", describePoints(old.Try), describePoints(now.Try), appends(old.Try, now.Try))
		d.text("search.warm_start", list(old.WarmStart), list(now.WarmStart), false)
		d.text("search.stop", old.Stop.describe(), now.Stop.describe(), true)
	}
}

// appends says that new points only come behind the old ones.
func appends(old, now []trials.Params) bool {
	return len(now) >= len(old) && slices.EqualFunc(old, now[:len(old)], func(p, q trials.Params) bool { return p.Key() == q.Key() })
}

func (s Search) describe() string {
	return fmt.Sprintf("{sampler: %s, trials: %d, pruner: %s}", s.Sampler, s.Trials, s.Pruner)
}

// describe is when a search ends, "" if only with its last trial.
func (s *Stop) describe() string {
	if s == nil {
		return ""
	}
	var parts []string
	if s.NoImprovement > 0 {
		parts = append(parts, fmt.Sprintf("no_improvement: %d", s.NoImprovement))
	}
	if s.Expected > 0 {
		parts = append(parts, "expected: "+trials.FormatValue(s.Expected))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// describePoints writes points so that two different lists never look alike.
func describePoints(ps []trials.Params) string {
	var parts []string
	for _, p := range ps {
		parts = append(parts, "{"+p.Key()+"}")
	}
	return strings.Join(parts, ", ")
}

func describeGoals(gs []trials.Goal) string {
	var parts []string
	for _, g := range gs {
		parts = append(parts, strings.ToLower(string(g.Direction))+" "+g.Metric)
	}
	return strings.Join(parts, ", ")
}

func describeConstraints(cs []Constraint) string {
	var parts []string
	for _, c := range cs {
		parts = append(parts, c.String())
	}
	return strings.Join(parts, ", ")
}

// String is the constraint in words: "time/epoch at most 60".
func (c Constraint) String() string {
	if c.AtMost != nil {
		return c.Metric + " at most " + trials.FormatValue(*c.AtMost)
	}
	if c.AtLeast != nil {
		return c.Metric + " at least " + trials.FormatValue(*c.AtLeast)
	}
	return c.Metric
}
