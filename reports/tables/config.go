package tables

import (
	"maps"
	"slices"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/trials"
)

// What a column of switches shows.
const (
	switchOn  = "✓"
	switchOff = "–"
)

// settings are columns with the arms' parameters: the study's factors first, in the file's order, then all others by
// name. With changed alone those that differ between arms.
func settings(s *reports.Snapshot, arms []reports.Arm, changed bool) []lead {
	ps := make([]trials.Params, len(arms))
	for i, a := range arms {
		ps[i] = a.Params
	}
	return parameters(s, ps, changed)
}

// parameters are columns of parameters, a text for each of ps.
func parameters(s *reports.Snapshot, ps []trials.Params, changed bool) []lead {
	var out []lead
	for _, name := range parameterNames(s, ps) {
		if changed && !differ(ps, name) {
			continue
		}
		l := lead{Column: Column{Title: name, Right: true}}
		switches := allSwitches(ps, name)
		for _, p := range ps {
			v, ok := p[name]
			switch on, _ := truth(v); {
			case !ok:
				l.texts = append(l.texts, "")
			case switches && on:
				l.texts = append(l.texts, switchOn)
			case switches:
				l.texts = append(l.texts, switchOff)
			default:
				l.texts = append(l.texts, reports.ShortValue(v))
			}
			if _, number := trials.Number(v); ok && !number && !switches {
				l.Right = false
			}
		}
		out = append(out, l)
	}
	return out
}

func parameterNames(s *reports.Snapshot, ps []trials.Params) []string {
	seen := map[string]bool{}
	for _, p := range ps {
		for n := range p {
			seen[n] = true
		}
	}
	var names []string
	for _, f := range s.Spec.Factors {
		if seen[f.Name] {
			names = append(names, f.Name)
			delete(seen, f.Name)
		}
	}
	return append(names, slices.Sorted(maps.Keys(seen))...)
}

// differ says that a parameter is not the same everywhere.
func differ(ps []trials.Params, name string) bool {
	for _, p := range ps[1:] {
		a, had := ps[0][name]
		b, has := p[name]
		if had != has || had && !trials.SameValue(a, b) {
			return true
		}
	}
	return false
}

// allSwitches says that a parameter is only ever on and off: true and false, or 1 and 0.
func allSwitches(ps []trials.Params, name string) bool {
	on, off := false, false
	for _, p := range ps {
		if v, ok := p[name]; ok {
			x, known := truth(v)
			if !known {
				return false
			}
			on, off = on || x, off || !x
		}
	}
	return on && off
}

// truth reads a switch: true, false, 1 or 0.
func truth(v any) (on, known bool) {
	if b, ok := v.(bool); ok {
		return b, true
	}
	x, ok := trials.Number(v)
	return x == 1, ok && (x == 0 || x == 1)
}

// switchNote explains the signs of switches, if a table has them.
func switchNote(ls []lead) []string {
	for _, l := range ls {
		if slices.Contains(l.texts, switchOn) {
			return []string{switchOn + " stands for 1 or true, " + switchOff + " for 0 or false."}
		}
	}
	return nil
}
