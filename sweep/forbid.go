package sweep

import "github.com/mapsweep/mapsweep/trials"

// Forbids says whether the values of a point hold all of a forbidden combination. What does not vary has its
// fixed value; a parameter that varies and has no value at the point matches nothing.
func (h History) Forbids(params trials.Params) bool {
	for _, combination := range h.Forbidden {
		if len(combination) > 0 && h.holds(params, combination) {
			return true
		}
	}
	return false
}

func (h History) holds(params, combination trials.Params) bool {
	for name, v := range combination {
		w, ok := params[name]
		if _, varies := h.Space.Lookup(name); !ok && !varies {
			w, ok = h.Fixed[name]
		}
		if !ok || !trials.SameValue(v, w) {
			return false
		}
	}
	return true
}
