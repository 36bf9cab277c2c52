package studies

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/trials"
)

// MaxTunings bounds tune.repeats.
const MaxTunings = 50

// Tuning is the study as a search over the tuned knobs, with the study's own factors beside them: what a trainer is to
// say of knobs and ranges holds for it. Its trials are scored on the split of tuning, and what they leave behind is of
// no use once one is chosen: only matches that the objective is made from are kept. The study must have tune.
func (s Spec) Tuning() Spec {
	s.Factors = append(slices.Clone(s.Factors), s.Tune.Knobs...)
	s.Design, s.Variants, s.Layout = DesignSearch, nil, nil
	s.Objective.Split = s.Tune.Split
	s.Replicates, s.Keep = 1, Keep{}
	if _, part, err := CutMetric(s.Objective.Metric); err != nil || reflect.DeepEqual(part, Part{}) {
		s.NoMatches = true
	}
	return s
}

// Active are the tuned knobs that matter in an arm with those parameters: whose requirements hold there, or may hold
// as other tuned knobs are changed. The others are not sampled in it.
func (t Tune) Active(arm trials.Params) []Factor {
	var out []Factor
	for _, f := range t.Knobs {
		if t.active(f, arm, len(t.Knobs)) {
			out = append(out, f)
		}
	}
	return out
}

// active says whether a tuned knob can matter in an arm. depth ends circles.
func (t Tune) active(f Factor, arm trials.Params, depth int) bool {
	for name, want := range f.Requires {
		i := slices.IndexFunc(t.Knobs, func(k Factor) bool { return k.Name == name })
		if i < 0 {
			if !(trials.Params{name: arm[name]}).Meets(trials.Params{name: want}) {
				return false
			}
			continue
		}
		k := t.Knobs[i]
		if !reaches(k, trials.Params{name: want}) || depth > 0 && !t.active(k, arm, depth-1) {
			return false
		}
	}
	return true
}

// reaches says that some value of the knob meets a requirement on it.
func reaches(k Factor, want trials.Params) bool {
	values := slices.Clone(k.Levels)
	if k.Low != nil && k.High != nil {
		values = []any{*k.Low, *k.High}
	}
	return slices.ContainsFunc(values, func(v any) bool { return trials.Params{k.Name: v}.Meets(want) })
}

// tuned holds the tuned knobs against those of the trainer, as Validate does factors.
func (v *validator) tuned(s Spec, strict bool) {
	if s.Tune == nil {
		return
	}
	all := validator{knobs: v.knobs, names: v.names}
	all.spec = merge(s.Tuning(), slices.Collect(maps.Values(v.knobs)), func(string) bool { return true })
	for _, f := range s.Tune.Knobs {
		at := "factors." + f.Name
		if k, ok := v.knobs[f.Name]; ok {
			all.factor(k, f, at)
		} else if strict {
			all.unknown(f.Name, at)
		}
	}
	for _, f := range all.spec.Factors[len(s.Factors):] {
		all.alive(f)
	}
	for _, f := range all.faults {
		f.Path = "tune.knobs." + strings.TrimPrefix(f.Path, "factors.")
		f.Hint = strings.Replace(f.Hint, "leave the factor out", "leave the knob out", 1)
		v.faults = append(v.faults, f)
	}
}
