package design

import (
	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trials"
)

// NameOf is the name of the arm that a configuration would be in a study's design, whether or not the design has it:
// for trials that were not laid out but found. In a grid and
// among spread points all values are named, else what differs from the baseline.
func NameOf(s studies.Spec, params trials.Params) string {
	b := builder{spec: s, base: baseline(s)}
	switch s.Design {
	case studies.DesignGrid, studies.DesignLatinHypercube, studies.DesignSobol:
		return b.fullName(params)
	}
	if name, ok := variantOf(s, params); ok {
		return name
	}
	if cs := b.changes(b.base, params); len(cs) > 0 {
		return armName(cs)
	}
	return Baseline
}
