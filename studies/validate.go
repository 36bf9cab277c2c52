package studies

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/trials"
)

// Validate holds a parsed study against the knobs of its trainer: names (with "did you
// mean"), types, ranges and choices of baseline, levels and search ranges, and the
// knobs' requirements: a factor that can never matter, mixup in a study without
// mosaic say, is a fault. With strict false names that are not among the knobs are
// allowed, for trainers whose knobs are not all known. The error is a Faults without
// places; Locate finds them.
func Validate(s Spec, knobs []trials.Knob, strict bool) error {
	v := validator{spec: merge(s, knobs, func(string) bool { return true }), knobs: map[string]trials.Knob{}}
	for _, k := range knobs {
		v.knobs[k.Name] = k
		v.names = append(v.names, k.Name)
	}
	for _, name := range s.Baseline.Names() {
		f, factor := s.Factor(name)
		k, ok := v.knobs[name]
		switch {
		case factor && s.Design != DesignVariants && (!ok || len(f.Levels) > 0): // looked at below: the value is one of the levels
		case ok:
			v.value(k, s.Baseline[name], "baseline."+name)
		case strict:
			v.unknown(name, "baseline."+name)
		}
	}
	v.variants(strict)
	for _, f := range s.Factors {
		if s.Design == DesignVariants {
			break // they were made from the variants
		}
		at := "factors." + f.Name
		k, ok := v.knobs[f.Name]
		if !ok {
			if strict {
				v.unknown(f.Name, at)
			}
			continue
		}
		v.factor(k, f, at)
		for _, name := range f.Requires.Names() {
			if _, known := v.knobs[name]; !known && strict {
				v.unknown(name, at+".requires."+name)
			}
		}
	}
	for _, f := range v.spec.Factors {
		if _, fixed := v.spec.held()[f.Name]; !fixed {
			v.alive(f)
		}
	}
	v.tried()
	v.tuned(s, strict)
	return v.faults.err()
}

// WithKnobs adds to every factor the requirements that its knob has, so that designs
// and samplers know them: those about knobs that the study names. A knob that the study
// leaves at its default is the same in all trials, and Validate has looked at it.
// Requirements in the study file go first. It leaves s as it is.
func WithKnobs(s Spec, knobs []trials.Knob) Spec {
	named := func(name string) bool {
		_, fixed := s.Baseline[name]
		_, varied := s.Factor(name)
		return fixed || varied || s.Tune != nil && slices.ContainsFunc(s.Tune.Knobs, func(f Factor) bool { return f.Name == name })
	}
	if s.Tune != nil {
		t := *s.Tune
		t.Knobs = merge(Spec{Factors: t.Knobs}, knobs, named).Factors
		s.Tune = &t
	}
	return merge(s, knobs, named)
}

// merge adds the requirements of knobs to factors where use agrees.
func merge(s Spec, knobs []trials.Knob, use func(name string) bool) Spec {
	s.Factors = slices.Clone(s.Factors)
	for i, f := range s.Factors {
		for _, k := range knobs {
			if k.Name != f.Name {
				continue
			}
			all := trials.Params{}
			for name, want := range k.Requires {
				if use(name) {
					all[name] = want
				}
			}
			if all = all.With(f.Requires); len(all) > 0 {
				s.Factors[i].Requires = all
			}
		}
	}
	return s
}

type validator struct {
	spec   Spec
	knobs  map[string]trials.Knob
	names  []string
	faults Faults
}

func (v *validator) add(path, text, hint, format string, args ...any) {
	v.faults = append(v.faults, Fault{Path: path, Text: text, Hint: hint, Message: fmt.Sprintf(format, args...)})
}

// notKnobs are keys of trainer: that people look for among the knobs.
var notKnobs = []string{"epochs", "batch", "image_size", "model", "device", "data", "weights"}

func (v *validator) unknown(name, path string) {
	hint := didYouMean(name, v.names)
	if slices.Contains(notKnobs, name) {
		hint = name + " is set under trainer: and is the same for all trials"
	}
	v.add(path, name, hint, "the trainer has no knob %q", name)
}

// value checks one value of a knob.
func (v *validator) value(k trials.Knob, x any, path string) {
	shown := trials.FormatValue(x)
	if s, ok := x.(string); ok {
		shown = quote(s)
	}
	if k.Kind == trials.Categorical {
		if len(k.Choices) > 0 && !slices.ContainsFunc(k.Choices, func(c any) bool { return trials.SameValue(c, x) }) {
			v.add(path, "", choicesHint(k, x), "%s cannot be %s", k.Name, shown)
		}
		return
	}
	n, ok := trials.Number(x)
	switch {
	case !ok:
		v.add(path, "", "", "%s must be a number, not %s", k.Name, shown)
	case k.Kind == trials.Int && n != math.Trunc(n):
		v.add(path, "", "", "%s must be a whole number, not %s", k.Name, shown)
	case k.High >= k.Low && (n < k.Low || n > k.High):
		v.add(path, "", k.Help, "%s must be %s to %s, not %s", k.Name, trials.FormatValue(k.Low), trials.FormatValue(k.High), shown)
	}
}

// choicesHint lists the choices; it knows the usual slips around switches.
func choicesHint(k trials.Knob, x any) string {
	var words []string
	truth := true
	for _, c := range k.Choices {
		words = append(words, trials.FormatValue(c))
		_, isBool := c.(bool)
		truth = truth && isBool
	}
	s, isText := x.(string)
	switch {
	case truth:
		return "write true or false"
	case isText:
		return didYouMean(s, words)
	}
	return "one of " + strings.Join(words, ", ")
}

// factor checks levels and range of a factor.
func (v *validator) factor(k trials.Knob, f Factor, at string) {
	for i, x := range f.Levels {
		v.value(k, x, index(at+".levels", i))
	}
	if f.Low == nil || f.High == nil {
		return
	}
	if k.Kind == trials.Categorical {
		v.add(at, "", "give levels: "+strings.Join(choiceNames(k), ", "), "%s is no number and has no range", k.Name)
		return
	}
	if k.Kind == trials.Int && !f.Int {
		v.add(at, "", "add int: true", "%s takes whole numbers only, its range does not", k.Name)
		return
	}
	v.value(k, *f.Low, at+".low")
	v.value(k, *f.High, at+".high")
}

func choiceNames(k trials.Knob) []string {
	var words []string
	for _, c := range k.Choices {
		words = append(words, trials.FormatValue(c))
	}
	return words
}

// variants checks what the variants change.
func (v *validator) variants(strict bool) {
	for _, w := range v.spec.Variants {
		for _, name := range w.Params.Names() {
			at := "variants." + w.Name + "." + name
			if k, ok := v.knobs[name]; ok {
				v.value(k, w.Params[name], at)
			} else if _, fixed := v.spec.Baseline[name]; strict && !fixed { // else it was found there
				v.unknown(name, at)
			}
		}
	}
}

// alive checks that the factor's requirements are met in some arm of the design that
// compares its levels: in a one-factor design in the baseline, in leave-one-out in the
// full configuration, otherwise in any combination.
func (v *validator) alive(f Factor) {
	for _, name := range f.Requires.Names() {
		want := f.Requires[name]
		if v.canMeet(name, want) {
			continue
		}
		where := map[string]string{DesignOneFactor: "the baseline", DesignLeaveOneOut: "the full configuration"}[v.spec.Design]
		if where == "" {
			where = "every trial of the study"
		}
		have, named := v.have(name)
		shown := "without " + name
		if named {
			shown = name + "=" + trials.FormatValue(have)
		}
		at := "factors." + f.Name
		if v.spec.Design == DesignVariants {
			at = "variants"
		}
		if _, fixed := v.spec.held()[name]; fixed {
			v.add("search.fix."+name, "", fmt.Sprintf("fix %s as well, or search over %s", f.Name, name),
				"%s changes nothing here: it requires %s=%s, and search.fix has %s", f.Name, name, trials.FormatValue(want), shown)
			continue
		}
		v.add(at, f.Name, fmt.Sprintf("set baseline.%s to %s, or leave the factor out", name, trials.FormatValue(want)),
			"%s changes nothing here: it requires %s=%s, and %s has %s", f.Name, name, trials.FormatValue(want), where, shown)
	}
}

// have is the value that a knob has in the arm against which a factor is varied.
func (v *validator) have(name string) (any, bool) {
	if f, ok := v.spec.Factor(name); ok && v.spec.Design == DesignLeaveOneOut && len(f.Levels) > 0 {
		return f.Full(v.spec.Baseline[name]), true
	}
	if x, ok := v.spec.held()[name]; ok {
		return x, true
	}
	if x, ok := v.spec.Baseline[name]; ok {
		return x, true
	}
	k, ok := v.knobs[name]
	return k.Default, ok && k.Default != nil
}

func (v *validator) canMeet(name string, want any) bool {
	meets := func(x any) bool { return trials.Params{name: x}.Meets(trials.Params{name: want}) }
	if slices.ContainsFunc(v.spec.Variants, func(w Variant) bool { x, ok := w.Params[name]; return ok && meets(x) }) {
		return true
	}
	if x, fixed := v.spec.held()[name]; fixed {
		return meets(x)
	}
	f, varied := v.spec.Factor(name)
	anyLevel := v.spec.Design == DesignFactorial || v.spec.Design == DesignGrid || v.spec.Design == DesignSearch || v.spec.Screens()
	if varied && anyLevel {
		if v.spec.Ranges(f) {
			return meets(*f.Low) || meets(*f.High)
		}
		return slices.ContainsFunc(f.Levels, meets)
	}
	x, ok := v.have(name)
	return ok && meets(x)
}

// held are the factors that a search keeps at a value.
func (s Spec) held() trials.Params {
	if s.Design != DesignSearch || s.Search == nil {
		return nil
	}
	return s.Search.Fix
}

// tried checks that every factor that a point by hand names matters there.
func (v *validator) tried() {
	if v.spec.Design != DesignSearch || v.spec.Search == nil {
		return
	}
	for i, p := range v.spec.Search.Try {
		point := v.spec.held().With(p)
		for _, f := range v.spec.Factors {
			if _, named := p[f.Name]; !named || trials.SameValue(p[f.Name], v.spec.Baseline[f.Name]) {
				continue
			}
			for _, name := range f.Requires.Names() {
				have, ok := point[name]
				if !ok {
					have, ok = v.have(name)
				}
				if want := f.Requires[name]; ok && !(trials.Params{name: have}).Meets(trials.Params{name: want}) {
					v.add(index("search.try", i)+"."+f.Name, f.Name, fmt.Sprintf("add %s to the point, or leave %s out of it", name, f.Name),
						"%s changes nothing at this point: it requires %s=%s, and the point has %s=%s", f.Name, name, trials.FormatValue(want), name, trials.FormatValue(have))
				}
			}
		}
	}
}
