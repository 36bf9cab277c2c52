package design

import (
	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trials"
)

// variants adds the baseline and every configuration that the study names. One that trains the same as an earlier
// one, because what it changes has no effect there, is not run, and a note says so.
func (b *builder) variants() {
	b.add(Baseline, b.base, b.base)
	for _, v := range b.spec.Variants {
		b.add(v.Name, b.base.With(v.Params), b.base)
	}
}

// variantOf is the name that a study gives to a configuration, if it is one of its variants.
func variantOf(s studies.Spec, params trials.Params) (string, bool) {
	base := baseline(s)
	for _, v := range s.Variants {
		if base.With(v.Params).Key() == params.Key() {
			return v.Name, true
		}
	}
	return "", false
}
