package audit

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trials"
)

// probes is how many values of a range are tried.
const probes = 5

// subject is a knob under audit.
type subject struct {
	name   string
	knob   trials.Knob
	known  bool  // the trainer describes it
	levels []any // that the study uses, or that stand for its range
	ranged bool  // levels are probes of a range
	tried  []any // values that are run: levels, or 0 and 1 for a probability
	forced bool  // 0 and 1 stand for the levels
	needs  trials.Params
	skip   string // why it cannot be tried, or ""
}

// catalogue is what a study and its trainer say about knobs.
type catalogue struct {
	spec     studies.Spec
	knobs    []trials.Knob
	defaults trials.Params // of knobs, with what the study's trainer block makes of them
	base     trials.Params // the arm that levels are put into
	values   int           // of a knob that the study does not vary, at least 2
}

func newCatalogue(spec studies.Spec, knobs []trials.Knob, defaults trials.Params) catalogue {
	spec = withTuned(spec)
	c := catalogue{spec: spec, knobs: knobs, defaults: trials.Params{}, base: reference(spec), values: MinValues}
	for _, k := range knobs {
		if k.Default != nil {
			c.defaults[k.Name] = k.Default
		}
	}
	c.defaults = c.defaults.With(defaults)
	return c
}

// reference is the arm against which a design compares: the baseline, complete with first levels or the middle of
// ranges; in leave-one-out the full configuration.
func reference(spec studies.Spec) trials.Params {
	p := spec.Baseline.Clone()
	for _, f := range spec.Factors {
		_, named := p[f.Name]
		switch {
		case spec.Design == studies.DesignLeaveOneOut && len(f.Levels) > 0:
			p[f.Name] = f.Full(p[f.Name])
		case named:
		case len(f.Levels) > 0:
			p[f.Name] = f.Levels[0]
		case f.Low != nil && f.High != nil:
			p[f.Name] = spread(f)[probes/2]
		}
	}
	return p
}

func (c catalogue) knob(name string) (trials.Knob, bool) {
	i := slices.IndexFunc(c.knobs, func(k trials.Knob) bool { return k.Name == name })
	if i < 0 {
		return trials.Knob{Name: name, Low: 0, High: -1}, false
	}
	return c.knobs[i], true
}

// have is the value that a knob has in p, given or by default; nil if unknown.
func (c catalogue) have(p trials.Params, name string) any {
	if v, ok := p[name]; ok {
		return v
	}
	return c.defaults[name]
}

// subjects lists what is to be audited: the named knobs, all, or the study's factors.
func (c catalogue) subjects(names []string, all bool) ([]subject, error) {
	if len(names) == 0 {
		for _, f := range c.spec.Factors {
			names = append(names, f.Name)
		}
		if all {
			for _, k := range c.knobs {
				if _, factor := c.spec.Factor(k.Name); !factor {
					names = append(names, k.Name)
				}
			}
		}
	}
	var list []subject
	for _, n := range names {
		if n == trials.AuditSeed {
			continue // has its own row
		}
		f, factor := c.spec.Factor(n)
		k, known := c.knob(n)
		if _, fixed := c.spec.Baseline[n]; !factor && !known && !fixed {
			return nil, &UnknownError{Name: n, Near: studies.Nearest(n, c.names())}
		}
		list = append(list, c.subject(k, known, f))
	}
	return list, nil
}

func (c catalogue) names() []string {
	names := []string{trials.AuditSeed}
	for _, k := range c.knobs {
		names = append(names, k.Name)
	}
	for _, f := range c.spec.Factors {
		names = append(names, f.Name)
	}
	return names
}

// UnknownError is a name that is neither a knob nor a factor.
type UnknownError struct{ Name, Near string }

// Error names it, with the nearest name that exists.
func (e *UnknownError) Error() string {
	if e.Near == "" {
		return fmt.Sprintf("no knob %q", e.Name)
	}
	return fmt.Sprintf("no knob %q; did you mean %q?", e.Name, e.Near)
}

// subject chooses the values that are tried.
func (c catalogue) subject(k trials.Knob, known bool, f studies.Factor) subject {
	s := subject{name: k.Name, knob: k, known: known, needs: k.Requires.With(f.Requires)}
	switch {
	case c.spec.Ranges(f), len(f.Levels) == 0 && f.Low != nil && f.High != nil:
		s.levels, s.ranged = spread(f), true
	case len(f.Levels) > 0:
		s.levels = distinct(f.Levels)
	default:
		if v := c.have(c.base, k.Name); v != nil {
			s.levels = []any{v}
		}
	}
	if len(s.levels) > 0 && probability(k) {
		s.tried, s.forced = []any{0.0, 1.0}, true
		if len(s.levels) < 2 {
			s.levels = s.tried
		}
		return s
	}
	if len(s.levels) < 2 {
		s.levels = distinct(append(s.levels, others(k, s.levels)...))
		s.levels = s.levels[:min(len(s.levels), c.values)]
	}
	if len(s.levels) < 2 {
		s.skip = "no second value is known to compare with; make it a factor with levels"
		return s
	}
	s.tried = s.levels
	return s
}

func distinct(levels []any) []any {
	var out []any
	for _, v := range levels {
		if !slices.ContainsFunc(out, func(x any) bool { return trials.SameValue(x, v) }) {
			out = append(out, v)
		}
	}
	return out
}

// spread lays probes over a range: evenly, or by ratio on a logarithmic one, on the steps of the range.
func spread(f studies.Factor) []any {
	low, high := *f.Low, *f.High
	out := make([]any, probes)
	for i := range out {
		z := float64(i) / (probes - 1)
		v := low + z*(high-low)
		if f.Log && low > 0 {
			v = low * math.Pow(high/low, z)
		}
		if f.Step > 0 {
			v = low + f.Step*math.Floor((v-low)/f.Step+1e-9)
		}
		v = min(v, high)
		if f.Int {
			out[i] = int64(math.Round(v))
		} else {
			out[i] = v
		}
	}
	return out
}

// chances are words in the names of knobs that are probabilities.
var chances = []string{"mosaic", "mixup", "cutmix", "copy_paste", "flip", "erasing", "dropout"}

// probability says that a knob is the chance of something that happens to a picture, so that a small value may do
// nothing in a few steps; 0 and 1 show whether it is read.
func probability(k trials.Knob) bool {
	if k.Kind != trials.Float || k.Low != 0 || k.High != 1 {
		return false
	}
	return strings.HasPrefix(k.Help, "probability") || slices.ContainsFunc(chances, func(w string) bool { return strings.Contains(k.Name, w) })
}

// others are values of a knob to compare a first one with, the best to tell whether it is read first; none if none is
// known.
func others(k trials.Knob, levels []any) []any {
	var have any
	if len(levels) > 0 {
		have = levels[0]
	}
	if k.Kind == trials.Categorical {
		return slices.DeleteFunc(slices.Clone(k.Choices), func(c any) bool { return trials.SameValue(c, have) })
	}
	v, ok := trials.Number(have)
	if !ok {
		return nil
	}
	p := trials.Param{Kind: k.Kind, Low: k.Low, High: k.High}
	if k.High < k.Low {
		p.Low, p.High = math.Inf(-1), math.Inf(1)
	}
	tries := []float64{v / 2, v * 2, v / 4, v * 4, v / 8} // smaller first: cheaper for pictures and batches
	if k.Kind == trials.Int {
		tries = []float64{math.Floor(v / 2), v * 2, v + 1, math.Floor(v / 4), v * 4, v + 2}
		if v < 2 {
			tries = []float64{v + 1, v - 1, v + 2, v + 4, v + 8}
		}
	} else if v == 0 {
		tries = []float64{1, 0.5, k.High / 2, k.Low / 2, k.High / 4, k.High / 8, k.High / 16}
		if k.High > 1 && k.High <= 1000 {
			tries = append([]float64{k.High / 10}, tries...)
		}
	}
	var out []any
	for _, x := range tries {
		switch {
		case x == v || !p.Contains(x):
		case k.Kind == trials.Int:
			out = append(out, int64(x))
		default:
			out = append(out, x)
		}
	}
	return distinct(out)
}

// beyond are values far from all levels of a number, as far as the knob's range goes: they tell a knob that nothing
// reads from levels that are too close to differ.
func beyond(k trials.Knob, levels []any) []any {
	if k.Kind != trials.Float {
		return nil // a whole number is often a size, and a far one may not fit the memory
	}
	top := 1.0
	for _, v := range levels {
		x, ok := trials.Number(v)
		if !ok {
			return nil
		}
		top = max(top, math.Abs(x))
	}
	var far []any
	for _, factor := range []float64{10, 1000} {
		x := factor * top
		if k.High >= k.Low {
			x = min(x, k.High)
		}
		far = append(far, x)
	}
	return slices.DeleteFunc(distinct(far), func(x any) bool {
		return slices.ContainsFunc(levels, func(v any) bool { return trials.SameValue(v, x) })
	})
}
