package spec

import "slices"

// head resolves the head's levels. Without weight the auxiliary ones are left out.
func (r *resolver) head(weight float64) {
	in := r.file.Head
	h := &r.model.Head
	h.Module, h.Hidden = in.Module, r.scale("hidden", in.Hidden)
	h.Dual, h.Weight = len(in.Auxiliary) > 0, weight
	switch {
	case !slices.Contains(headModules, in.Module):
		r.add(in.Pos, "unknown module %s of the head: %s", in.Module, known(in.Module, headModules))
	case in.Module == SlimDetect && in.Hidden == 0:
		r.add(in.Pos, "head %s needs hidden: the channels inside its branches", in.Module)
	case in.Module == DDetect && in.Hidden != 0:
		r.add(in.hidden, "head %s has no argument hidden", in.Module)
	}
	h.Main = r.levels("main", in.Main, in.main)
	h.Auxiliary = r.levels("auxiliary", in.Auxiliary, in.auxiliary)
	if len(r.faults) > 0 {
		return
	}
	h.Steps = r.steps(h.Main)
	if aux := r.steps(h.Auxiliary); len(h.Auxiliary) > 0 && !slices.Equal(aux, h.Steps) {
		r.add(in.auxiliary[0], "auxiliary levels have strides %v, main ones %v: they must be equal", aux, h.Steps)
	}
	for i := 1; i < len(h.Steps); i++ {
		if h.Steps[i] <= h.Steps[i-1] {
			r.add(in.main[i], "main levels have strides %v: they must rise", h.Steps)
		}
	}
}

func (r *resolver) levels(key string, labels []string, at []Pos) (numbers []int) {
	if len(labels) > maxLevels {
		r.add(at[0], "%s has %d levels: at most %d are possible", key, len(labels), maxLevels)
		return nil
	}
	for k, label := range labels {
		n, ok := r.numbers[label]
		switch {
		case !ok:
			hint := known(label, sortedKeys(r.numbers))
			if len(r.numbers) == 0 {
				hint = "no layer has a label, give those of the levels one with as"
			}
			r.add(at[k], "%s level %d is %s, and no layer is called so: %s", key, k, label, hint)
		case r.isImage(n) || r.model.Layers[n].Module == "CBLinear":
			r.add(at[k], "%s level %d is %s: a head reads one result, neither groups nor the image", key, k, label)
		default:
			numbers = append(numbers, n)
		}
	}
	return numbers
}

func (r *resolver) steps(levels []int) (steps []int) {
	for _, n := range levels {
		steps = append(steps, r.model.Layers[n].Step)
	}
	return steps
}

// serve marks the layers that only the auxiliary head depends on; without weight it leaves the auxiliary head out. A
// layer that nothing depends on is a fault.
func (r *resolver) serve() {
	m := r.model
	main, all := m.reached(m.Head.Main), m.reached(append(slices.Clone(m.Head.Main), m.Head.Auxiliary...))
	for i := range m.Layers {
		if !all[i] {
			r.add(m.Layers[i].at, "nothing reads layer %d: no level of the head depends on it; use it or take it out", i)
		}
		m.Layers[i].TrainingOnly = !main[i]
	}
	if m.Head.Weight == 0 {
		m.Head.Auxiliary = nil
	}
}

// reached marks all layers that the given ones depend on, themselves included.
func (m *Model) reached(numbers []int) []bool {
	seen := make([]bool, len(m.Layers))
	for _, n := range numbers {
		seen[n] = true
	}
	for i := len(m.Layers) - 1; i >= 0; i-- {
		for _, n := range m.Layers[i].From {
			if seen[i] && n >= 0 {
				seen[n] = true
			}
		}
	}
	return seen
}
