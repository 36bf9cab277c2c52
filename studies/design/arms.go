package design

import (
	"fmt"
	"strings"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trials"
)

// builder collects arms and drops those that train what another one trains already.
type builder struct {
	spec  studies.Spec
	base  trials.Params
	arms  []Arm
	notes []string
	seen  map[string]string // what is trained -> the arm that does

	halves bool // of a two-level design: some factor changes nothing in part of the runs
}

func (b *builder) note(format string, args ...any) {
	b.notes = append(b.notes, fmt.Sprintf(format, args...))
}

// settle puts every factor that does not matter back to its baseline value:
// two configurations that settle alike train alike. It names the factors it moved.
func (b *builder) settle(p trials.Params) (trials.Params, []string) {
	q := p.Clone()
	var moved []string
	for _, f := range b.spec.Factors {
		if !b.active(f, p, len(b.spec.Factors)) && !trials.SameValue(p[f.Name], b.base[f.Name]) {
			if v, has := b.base[f.Name]; has {
				q[f.Name] = v
			} else { // a range without a value in the baseline: the trainer's default
				delete(q, f.Name)
			}
			moved = append(moved, f.Name)
		}
	}
	return q, moved
}

// active says whether a factor matters in a configuration: its requirements are met, and
// the factors that it requires matter themselves. depth ends circles.
func (b *builder) active(f studies.Factor, p trials.Params, depth int) bool {
	if !p.Meets(f.Requires) {
		return false
	}
	for name := range f.Requires {
		if g, varied := b.spec.Factor(name); varied && depth > 0 && !b.active(g, p, depth-1) {
			return false
		}
	}
	return true
}

// add takes an arm unless another one trains the same. The reason for a merger is noted.
func (b *builder) add(name string, params, reference trials.Params) {
	settled, moved := b.settle(params)
	id := settled.Key()
	if first, dup := b.seen[id]; dup {
		if name != first {
			b.note("%s is not run: it trains the same as %s%s", name, first, b.why(moved))
		}
		return
	}
	b.seen[id] = name
	b.arms = append(b.arms, Arm{Name: name, Params: params, Changed: b.changes(reference, params)})
}

// why explains which requirement made factors meaningless.
func (b *builder) why(moved []string) string {
	var parts []string
	for _, name := range moved {
		f, _ := b.spec.Factor(name)
		parts = append(parts, fmt.Sprintf("%s requires %s", name, requirement(f)))
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

func requirement(f studies.Factor) string {
	var parts []string
	for _, n := range f.Requires.Names() {
		parts = append(parts, n+"="+level(f.Requires[n]))
	}
	return strings.Join(parts, " and ")
}

func (b *builder) changes(from, to trials.Params) []Change {
	var cs []Change
	for _, f := range b.spec.Factors {
		if !trials.SameValue(from[f.Name], to[f.Name]) {
			cs = append(cs, Change{f.Name, from[f.Name], to[f.Name]})
		}
	}
	return cs
}

func (b *builder) oneFactor() {
	b.add(Baseline, b.base, b.base)
	for _, f := range b.spec.Factors {
		for _, v := range f.Levels {
			if trials.SameValue(v, b.base[f.Name]) {
				continue
			}
			p := b.base.With(trials.Params{f.Name: v})
			b.add(armName(b.changes(b.base, p)), p, b.base)
		}
	}
}

func (b *builder) leaveOneOut() {
	full := b.base.Clone()
	for _, f := range b.spec.Factors {
		full[f.Name] = f.Full(b.base[f.Name])
	}
	b.add(Full, full, full)
	for _, f := range b.spec.Factors {
		if trials.SameValue(full[f.Name], b.base[f.Name]) {
			continue
		}
		b.add("without "+f.Name, full.With(trials.Params{f.Name: b.base[f.Name]}), full)
	}
	b.add(Baseline, b.base, full)
}

// combine makes every combination, the last factor fastest; the baseline comes first.
// Combinations that train alike become one, in which meaningless factors have their baseline value.
func (b *builder) combine(grid bool) {
	merged := map[string]int{} // sentence about a factor -> combinations it took away
	var order []string
	name := func(p trials.Params) string {
		if grid {
			return b.fullName(p)
		}
		if cs := b.changes(b.base, p); len(cs) > 0 {
			return armName(cs)
		}
		return Baseline
	}
	if !grid {
		b.add(Baseline, b.base, b.base)
	}
	b.each(0, b.base.Clone(), func(p trials.Params) {
		settled, moved := b.settle(p)
		for _, m := range moved {
			f, _ := b.spec.Factor(m)
			why := fmt.Sprintf("%s changes nothing without %s", m, requirement(f))
			if merged[why]++; merged[why] == 1 {
				order = append(order, why)
			}
		}
		if _, dup := b.seen[settled.Key()]; !dup {
			b.add(name(settled), settled, b.base)
		}
	})
	for _, why := range order {
		b.note("%s: %d combination%s merged with others", why, merged[why], plural(merged[why]))
	}
}

func (b *builder) each(i int, p trials.Params, visit func(trials.Params)) {
	if i == len(b.spec.Factors) {
		visit(p.Clone())
		return
	}
	f := b.spec.Factors[i]
	for _, v := range f.Levels {
		p[f.Name] = v
		b.each(i+1, p, visit)
	}
}

// fullName names all levels, also those of the baseline.
func (b *builder) fullName(p trials.Params) string {
	var cs []Change
	for _, f := range b.spec.Factors {
		if v, has := p[f.Name]; has {
			cs = append(cs, Change{Factor: f.Name, To: v})
		}
	}
	return armName(cs)
}

// inertNotes says in which arms a factor stays as it is without having an effect there.
func (b *builder) inertNotes() {
	for _, f := range b.spec.Factors {
		var in []string
		for _, a := range b.arms {
			if !b.active(f, a.Params, len(b.spec.Factors)) {
				in = append(in, a.Name)
			}
		}
		if len(in) > 0 && len(in) < 4 {
			b.note("%s has no effect in %s: it requires %s", f.Name, strings.Join(in, ", "), requirement(f))
		} else if len(in) > 0 {
			b.note("%s has no effect in %d arms: it requires %s", f.Name, len(in), requirement(f))
		}
	}
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}
