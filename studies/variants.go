package studies

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"

	"github.com/mapsweep/mapsweep/trials"
)

// Variant is a named configuration of design variants: what it changes against the baseline, several knobs at once
// if need be.
type Variant struct {
	Name   string        `json:"name"`
	Params trials.Params `json:"params"`
}

// fileVariants are named sets of knobs, in file order.
type fileVariants []Variant

// variantRule is what a variant may be called: the name becomes part of the keys of its trials.
var variantRule = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_+-]{0,63}$`)

// reserved are names of arms with a meaning of their own.
var reserved = []string{"baseline", "full"}

func variantNames(vs []Variant) []string {
	var out []string
	for _, v := range vs {
		out = append(out, v.Name)
	}
	return out
}

// variantFactors are the knobs that variants change, in the order in which they are first named, with the baseline's
// value as the first level. Everything that asks a study for what varies (audit, search space, tables) reads these.
func variantFactors(baseline trials.Params, vs []Variant) []Factor {
	var out []Factor
	for _, v := range vs {
		for _, name := range v.Params.Names() {
			i := slices.IndexFunc(out, func(f Factor) bool { return f.Name == name })
			if i < 0 {
				i = len(out)
				out = append(out, Factor{Name: name})
				if base, ok := baseline[name]; ok {
					out[i].Levels = []any{base}
				}
			}
			x := v.Params[name]
			if !slices.ContainsFunc(out[i].Levels, func(y any) bool { return trials.SameValue(x, y) }) {
				out[i].Levels = append(out[i].Levels, x)
			}
		}
	}
	return out
}

// variants checks names, knobs and differences of the variants.
func (c *checker) variants() {
	s := c.spec
	if s.Design != DesignVariants {
		if len(s.Variants) > 0 {
			c.add("variants", "write design: variants, or put levels under factors:", "variants are read by design variants only, and the design is %s", s.Design)
		}
		return
	}
	if len(s.Variants) == 0 {
		c.add("variants", "for instance variants: {gentle: {lr0: 0.005, warmup_epochs: 1}}", "design variants needs the key %q: what is compared with the baseline", "variants")
	}
	if !reflect.DeepEqual(s.Factors, variantFactors(s.Baseline, s.Variants)) {
		c.add("factors", "leave them out", "design variants reads variants, and no factors")
	}
	seen := map[string]string{s.Baseline.Key(): "the baseline"}
	for _, v := range s.Variants {
		at := "variants." + v.Name
		switch {
		case slices.Contains(reserved, v.Name):
			c.add(at, "choose another name", "%q cannot name a variant: it has a meaning of its own", v.Name)
		case !variantRule.MatchString(v.Name):
			c.add(at, "1 to 64 letters, digits, dashes, pluses and underscores, a letter or digit first", "%q cannot name a variant", v.Name)
		}
		if len(v.Params) == 0 {
			c.add(at, "for instance {lr0: 0.005}", "variant %s changes nothing", v.Name)
			continue
		}
		unnamed := false
		for _, name := range v.Params.Names() {
			if _, ok := s.Baseline[name]; !ok {
				unnamed = true
				c.add(at+"."+name, "write its value under baseline:", "variant %s changes %s, which the baseline does not name", v.Name, name)
			}
		}
		key := s.Baseline.With(v.Params).Key()
		if other, twice := seen[key]; twice && !unnamed {
			c.add(at, "leave one of them out", "variant %s is the same as %s", v.Name, other)
		}
		seen[key] = fmt.Sprintf("variant %s", v.Name)
	}
}

// variants compares the variants of two studies: new ones at the end only add trials.
func (d *differ) variants(old, now []Variant) {
	for i, o := range old {
		at := "variants." + o.Name
		if i >= len(now) || now[i].Name != o.Name {
			d.text(at, describeParams(o.Params), "", false)
			continue
		}
		d.params(at, o.Params, now[i].Params)
	}
	for i, n := range now {
		if i >= len(old) || old[i].Name != n.Name {
			d.text("variants."+n.Name, "", describeParams(n.Params), i >= len(old))
		}
	}
}

func describeParams(p trials.Params) string { return "{" + p.Key() + "}" }
