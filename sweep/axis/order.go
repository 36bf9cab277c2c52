package axis

// RequiredFirst orders axes so that each follows those it requires, and otherwise as declared.
// Requirements that go round in a circle stay in declared order; none of them is ever met.
func RequiredFirst(xs []Axis) []Axis {
	var out []Axis
	placed := map[string]bool{}
	waits := func(x Axis) bool {
		for _, y := range xs {
			if _, requires := x.Param.Requires[y.Param.Name]; requires && !placed[y.Param.Name] {
				return true
			}
		}
		return false
	}
	for len(out) < len(xs) {
		before := len(out)
		for _, x := range xs {
			if !placed[x.Param.Name] && !waits(x) {
				out, placed[x.Param.Name] = append(out, x), true
				break
			}
		}
		if len(out) == before { // a circle
			for _, x := range xs {
				if !placed[x.Param.Name] {
					out, placed[x.Param.Name] = append(out, x), true
				}
			}
		}
	}
	return out
}
