package trials

// Meets says whether p has the values that requires asks for, so that a parameter
// with this requirement matters. Text, truth values and zero must be equal. A number
// other than zero means "on": {mosaic: 1} is met by every mosaic but 0, since a
// probability or gain that is half on is not off. A name that p lacks is not met.
func (p Params) Meets(requires Params) bool {
	for name, want := range requires {
		have, ok := p[name]
		if !ok {
			return false
		}
		if SameValue(have, want) {
			continue
		}
		w, number := Number(want)
		h, too := Number(have)
		if !number || !too || w == 0 || h == 0 {
			return false
		}
	}
	return true
}
