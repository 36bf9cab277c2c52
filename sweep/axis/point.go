package axis

import (
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
)

// Point is the suggestion at a place of the unit cube: of every axis that is active there the value at us[i], from
// 0 to 1. us belongs to xs, which has an axis for each parameter of the history's space, in any order.
func Point(h sweep.History, xs []Axis, us []float64) trials.Suggestion {
	at := make(map[string]float64, len(xs))
	for i, x := range xs {
		at[x.Param.Name] = us[i]
	}
	params := trials.Params{}
	for _, x := range RequiredFirst(xs) {
		if sweep.Active(x.Param, h.Space, params, h.Fixed) {
			params[x.Param.Name] = x.Value(at[x.Param.Name])
		}
	}
	s := trials.Suggestion{Params: params}
	for _, p := range h.Space {
		if _, active := params[p.Name]; active {
			s.Space = append(s.Space, p)
		}
	}
	return s
}

// Place is the reverse: where a trial lies on each axis. known[i] is false where the parameter did not matter there
// or has a value that the axis does not reach (any more).
func Place(xs []Axis, t *trials.Trial) (us []float64, known []bool) {
	us, known = make([]float64, len(xs)), make([]bool, len(xs))
	for i, x := range xs {
		if _, varies := t.Space.Lookup(x.Param.Name); varies {
			us[i], known[i] = x.Unit(t.Params[x.Param.Name])
		}
	}
	return us, known
}
