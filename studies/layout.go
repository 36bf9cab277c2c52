package studies

import (
	"errors"
	"fmt"
)

// MostDimensions is the number of factors that design sobol can have.
const MostDimensions = 21

// layout checks the options of a design that spreads points, and returns at most how many arms it has.
func (c *checker) layout() float64 {
	s := c.spec
	l := Layout{}
	if s.Layout != nil {
		l = *s.Layout
	}
	n, p := l.Runs, 0
	var err error
	switch s.Design {
	case DesignFractional:
		p, err = FractionExponent(s.Factors, l)
		n = 1 << p
	case DesignPlackettBurman:
		n, err = ScreeningRuns(len(s.Factors), l)
	default:
		if n == 0 {
			c.add("design.runs", fmt.Sprintf("for instance design: {kind: %s, runs: %d}", s.Design, max(16, 10*len(s.Factors))), "design %s needs the key %q: how many points", s.Design, "runs")
		}
		if s.Design == DesignSobol && len(s.Factors) > MostDimensions {
			c.add("factors", "use design latin-hypercube", "a Sobol sequence takes at most %d factors here, the study has %d", MostDimensions, len(s.Factors))
		}
	}
	if f := (Fault{}); errors.As(err, &f) {
		c.faults = append(c.faults, f)
	}
	if l.FoldOver {
		n *= 2
	}
	return float64(n)
}

// options refuses options of a design that it does not read.
func (c *checker) options() {
	s := c.spec
	if s.Layout == nil {
		return
	}
	l := s.Layout
	fractional, screening := s.Design == DesignFractional, s.Design == DesignPlackettBurman
	for _, o := range []struct {
		key       string
		set, read bool
	}{
		{"resolution", l.Resolution > 0, fractional},
		{"generators", len(l.Generators) > 0, fractional},
		{"fold_over", l.FoldOver, fractional || screening},
		{"runs", l.Runs > 0, s.Screens()},
	} {
		if o.set && !o.read {
			c.add("design."+o.key, "leave it out", "design %s does not read %s", s.Design, o.key)
		}
	}
}

// twoLevels refuses further levels where a design has two.
func (c *checker) twoLevels(f Factor) {
	if d := c.spec.Design; (d == DesignFractional || d == DesignPlackettBurman) && len(f.Levels) > 2 {
		c.add("factors."+f.Name+".levels", "leave two, the baseline's and another; or use factorial, latin-hypercube or sobol",
			"design %s compares two levels, and factor %s has %d", d, f.Name, len(f.Levels))
	}
}
