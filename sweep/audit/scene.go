package audit

import (
	"slices"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trials"
)

// scene is a configuration in which the values of a knob are compared, all else equal.
type scene struct {
	base    trials.Params
	changed trials.Params // what it switches on against the study's reference
	inStudy bool          // some trial of the study runs under it
}

// scenes are the reference and, where a knob's requirements are not met there, the reference with them met.
func (c catalogue) scenes(s subject) []scene {
	base := c.base.Clone()
	for name, want := range s.needs { // a chance that is on only now and then must be on for sure
		k, _ := c.knob(name)
		if x, ok := trials.Number(c.have(base, name)); ok && probability(k) && x > 0 && meets(x, want) {
			base[name] = 1.0
		}
	}
	list := []scene{{base: base, inStudy: true}}
	changed := trials.Params{}
	c.switchOn(s.needs, changed, len(c.knobs))
	if len(changed) == 0 {
		return list
	}
	inStudy := true
	for name, v := range changed {
		inStudy = inStudy && c.varies(name, v)
	}
	return append(list, scene{base: base.With(changed), changed: changed, inStudy: inStudy})
}

func meets(have, want any) bool {
	return trials.Params{"": have}.Meets(trials.Params{"": want})
}

// switchOn collects what must change for requirements to be met, and for what they require in turn.
func (c catalogue) switchOn(needs, changed trials.Params, depth int) {
	for name, want := range needs {
		k, _ := c.knob(name)
		if _, done := changed[name]; !done && !meets(c.have(c.base, name), want) {
			changed[name] = want
			if f, ok := c.spec.Factor(name); ok && !probability(k) {
				if i := slices.IndexFunc(f.Levels, func(v any) bool { return meets(v, want) }); i >= 0 {
					changed[name] = f.Levels[i] // as the study has it
				}
			}
		}
		if depth > 0 {
			c.switchOn(k.Requires, changed, depth-1)
		}
	}
}

// varies says that trials of the study have the knob on beside other factors that vary.
func (c catalogue) varies(name string, want any) bool {
	switch c.spec.Design {
	case studies.DesignVariants:
		return slices.ContainsFunc(c.spec.Variants, func(v studies.Variant) bool {
			x, ok := v.Params[name]
			return ok && meets(x, want)
		})
	case studies.DesignOneFactor, studies.DesignLeaveOneOut:
		return false
	}
	f, ok := c.spec.Factor(name)
	if !ok {
		return false
	}
	if c.spec.Ranges(f) {
		return meets(*f.Low, want) || meets(*f.High, want)
	}
	return slices.ContainsFunc(f.Levels, func(v any) bool { return meets(v, want) })
}
