package studies

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/mapsweep/mapsweep/trials"
)

// factor checks range and levels of one factor.
func (c *checker) factor(f Factor) {
	at := "factors." + f.Name
	hasRange := f.Low != nil && f.High != nil
	switch {
	case f.Low != nil && f.High == nil:
		c.add(at, "", "factor %s has low but no high", f.Name)
		return
	case f.High != nil && f.Low == nil:
		c.add(at, "", "factor %s has high but no low", f.Name)
		return
	case !hasRange && (f.Step != 0 || f.Log || f.Int):
		c.add(at, "write low: and high:", "factor %s has step, log or int, but no range", f.Name)
		return
	}
	if hasRange && !c.rangeOf(f, at) {
		return
	}
	for i, v := range f.Levels {
		path := index(at+".levels", i)
		if slices.ContainsFunc(f.Levels[:i], func(w any) bool { return trials.SameValue(v, w) }) {
			c.add(path, "", "factor %s has the level %s twice", f.Name, trials.FormatValue(v))
			continue
		}
		if k := slices.IndexFunc(f.Levels[:i], func(w any) bool { return printsAs(v, w) }); k >= 0 {
			c.add(path, "leave one of them out, or choose another word", "factor %s has %s and %s as levels: they print alike and could not be told apart in tables",
				f.Name, kindOf(f.Levels[k]), kindOf(v))
			continue
		}
		if hasRange && !f.Param().Contains(v) {
			c.add(path, "widen the range or change the level", "level %s of %s is outside its range %s",
				trials.FormatValue(v), f.Name, describeRange(f))
		}
	}
	base, named := c.spec.Baseline[f.Name]
	if !named || len(f.Levels) == 0 || slices.ContainsFunc(f.Levels, func(v any) bool { return trials.SameValue(v, base) }) {
		return
	}
	if k := slices.IndexFunc(f.Levels, func(v any) bool { return printsAs(v, base) }); k >= 0 {
		c.add(index(at+".levels", k), fmt.Sprintf("write the level and baseline.%s alike, in quotes or without", f.Name),
			"the baseline of %s is %s, its level is %s", f.Name, kindOf(base), kindOf(f.Levels[k]))
	} else {
		c.add(at+".levels", fmt.Sprintf("put %s first among the levels, or change baseline.%s", trials.FormatValue(base), f.Name),
			"the levels of %s do not have its baseline value %s", f.Name, trials.FormatValue(base))
	}
}

// printsAs says that two different scalars look the same in tables: the text "1" and the number 1.
func printsAs(v, w any) bool {
	return !trials.SameValue(v, w) && trials.FormatValue(v) == trials.FormatValue(w)
}

// kindOf names a scalar with its type: the text "1", the number 1, the truth value true.
func kindOf(v any) string {
	switch v := v.(type) {
	case string:
		return "the text " + quote(v)
	case bool:
		return "the truth value " + trials.FormatValue(v)
	case nil:
		return "an empty value"
	}
	return "the number " + trials.FormatValue(v)
}

// rangeOf checks low, high, step, log and int against each other.
func (c *checker) rangeOf(f Factor, at string) bool {
	before := len(c.faults)
	low, high := *f.Low, *f.High
	if low >= high {
		c.add(at+".low", "", "the range of %s is empty: low %s is not below high %s", f.Name, trials.FormatValue(low), trials.FormatValue(high))
	}
	if f.Log && low <= 0 {
		c.add(at+".low", "raise low, or leave log out", "the range of %s is logarithmic and begins at %s", f.Name, trials.FormatValue(low))
	}
	if f.Log && f.Step != 0 {
		c.add(at+".step", "leave one of them out", "factor %s has both log and step", f.Name)
	}
	for i, x := range []float64{low, high, f.Step} {
		if name := []string{"low", "high", "step"}[i]; f.Int && x != math.Trunc(x) {
			c.add(at+"."+name, "", "factor %s has int: true, but %s is %s", f.Name, name, trials.FormatValue(x))
		}
	}
	if steps := (high - low) / f.Step; f.Step > 0 && math.Abs(steps-math.Round(steps)) > 1e-8 {
		c.add(at+".high", fmt.Sprintf("high could be %s", trials.FormatValue(roundTo(low+math.Floor(steps)*f.Step))),
			"high of %s is not low plus a whole number of steps", f.Name)
	}
	return len(c.faults) == before
}

// requires checks that the named knobs are part of the study, and that no two factors require each other.
func (c *checker) requires(f Factor, earlier []Factor) {
	at := "factors." + f.Name + ".requires"
	var known []string
	for _, g := range c.spec.Factors {
		if g.Name != f.Name {
			known = append(known, g.Name)
		}
	}
	for _, name := range c.spec.Baseline.Names() {
		if name != f.Name && !slices.Contains(known, name) {
			known = append(known, name)
		}
	}
	for _, name := range f.Requires.Names() {
		path := at + "." + name
		if name == f.Name {
			c.add(path, "", "factor %s requires itself", f.Name)
			continue
		}
		if !slices.Contains(known, name) {
			hint := "write its value under baseline:"
			if n := Nearest(name, known); n != "" {
				hint = didYouMean(name, known)
			}
			c.add(path, hint, "factor %s requires %s, which neither baseline nor factors name", f.Name, name)
			continue
		}
		g, varied := c.spec.Factor(name)
		if varied && slices.ContainsFunc(earlier, func(e Factor) bool { return e.Name == name }) {
			if _, back := g.Requires[f.Name]; back {
				c.add(path, "", "%s and %s require each other", name, f.Name)
			}
		}
	}
}

// describeRange prints a range for people: 0 to 0.5, 1 to 9 in steps of 2.
func describeRange(f Factor) string {
	s := trials.FormatValue(*f.Low) + " to " + trials.FormatValue(*f.High)
	if f.Step > 0 {
		s += " in steps of " + trials.FormatValue(f.Step)
	}
	if f.Int {
		s += ", whole numbers"
	}
	return s
}

func roundTo(x float64) float64 {
	y, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 12, 64), 64)
	return y
}
