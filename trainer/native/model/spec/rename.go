package spec

import (
	"fmt"
	"slices"
	"strings"
)

// Rename says under which name of from's state each tensor of to's detector stands: by the name in to. Both must be the
// same network, but for the places of layers in their files and for what is auxiliary, which is left out. The number of
// classes may differ, and shapes in the class branches with it.
func Rename(from, to *Model) (map[string]string, error) {
	a, b := from.detector(), to.detector()
	for i := range min(len(a.layers), len(b.layers)) {
		if x, y := a.describe(i), b.describe(i); x != y {
			return nil, fmt.Errorf("layer %d of %s is %s, where layer %d of %s is %s", a.layers[i].Number, from.Name, x, b.layers[i].Number, to.Name, y)
		}
	}
	if n, k := len(a.layers), len(b.layers); n != k {
		return nil, fmt.Errorf("the detector of %s has %d layers, that of %s has %d", from.Name, n, to.Name, k)
	}
	if x, y := a.describeHead(), b.describeHead(); x != y {
		return nil, fmt.Errorf("the head of %s is %s, that of %s is %s", from.Name, x, to.Name, y)
	}
	if len(a.state) != len(b.state) {
		return nil, fmt.Errorf("the detector of %s has %d tensors, that of %s has %d", from.Name, len(a.state), to.Name, len(b.state))
	}
	names := map[string]string{}
	for i, t := range b.state { // one walk over equal layers meets equal tensors
		names[t.Name] = a.state[i].Name
	}
	return names, nil
}

// detector is the part of a model that serves its main head, without layers that only pass on what they read.
type detector struct {
	model  *Model
	layers []Layer
	places map[int]int // in layers, of each layer's number; -1: the image
	state  []Tensor
}

func (m *Model) detector() detector {
	d := detector{model: m, places: map[int]int{-1: -1}}
	for _, l := range m.Layers {
		switch {
		case l.TrainingOnly:
		case l.Module == "Silence":
			d.places[l.Number] = d.places[l.From[0]]
		default:
			d.places[l.Number] = len(d.layers)
			d.layers = append(d.layers, l)
		}
	}
	for _, t := range m.State() {
		if !t.TrainingOnly && t.Taken() {
			d.state = append(d.state, t)
		}
	}
	return d
}

// describe is all that layer i is, in words: equal for equal layers.
func (d detector) describe(i int) string {
	l := d.layers[i]
	text := l.Module
	for _, a := range []struct {
		key   string
		value int
	}{{"out", l.Out}, {"split", l.Split}, {"hidden", l.Hidden}, {"kernel", l.Kernel}, {"stride", l.Stride}, {"repeats", l.Repeats}} {
		if m := modules[l.Module]; slices.Contains(append(slices.Clone(m.needs), m.may...), a.key) {
			text += fmt.Sprintf(" %s %d", a.key, a.value)
		}
	}
	if len(l.Outs) > 0 {
		text += fmt.Sprintf(" outs %v", l.Outs)
	}
	if len(l.Pick) > 0 {
		text += fmt.Sprintf(" pick %v", l.Pick)
	}
	var from []string
	for _, n := range l.From {
		switch back := i - d.places[n]; {
		case d.places[n] < 0:
			from = append(from, "the image")
		case back > 1 || len(l.From) > 1:
			from = append(from, fmt.Sprintf("%d above", back))
		}
	}
	if len(from) > 0 {
		text += " from " + strings.Join(from, ", ")
	}
	return text
}

func (d detector) describeHead() string {
	h := d.model.Head
	var levels []string
	for _, n := range h.Main {
		levels = append(levels, fmt.Sprint(len(d.layers)-d.places[n]))
	}
	return fmt.Sprintf("%s with %d bins, %d hidden, of the layers %s above", h.Module, d.model.Bins, h.Hidden, strings.Join(levels, ", "))
}
