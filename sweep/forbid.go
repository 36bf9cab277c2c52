package sweep

import "github.com/mapsweep/mapsweep/trials"

// Forbids says whether the values of a point hold all of a forbidden combination. What does not vary has its
// fixed value; a parameter that varies and has no value at the point matches nothing.
func (h History) Forbids(params trials.Params) bool {
	if len(h.Forbidden) == 0 {
		return false
	}
	at := h.Fixed.Clone()
	for _, p := range h.Space {
		delete(at, p.Name)
	}
	at = at.With(params)
	for _, combination := range h.Forbidden {
		if len(combination) > 0 && holds(at, combination) {
			return true
		}
	}
	return false
}

func holds(at, combination trials.Params) bool {
	for name, v := range combination {
		if w, ok := at[name]; !ok || !trials.SameValue(v, w) {
			return false
		}
	}
	return true
}
