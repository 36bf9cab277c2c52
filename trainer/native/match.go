package native

import (
	"fmt"
	"strings"

	"github.com/mapsweep/mapsweep/trainer/native/model"
	"github.com/mapsweep/mapsweep/trainer/native/model/spec"
)

// match says which tensors of a file belong to which of a network.
type match struct {
	names  map[string]string // of the file's tensors, by the network's; nil: they are the same
	layout *spec.Layout      // that the file has; nil: it is not known, for why
	why    error
}

// name is that of the file for a tensor of the network; "" where there is none.
func (m match) name(of string) string {
	if m.names == nil {
		return of
	}
	return m.names[of]
}

// reason is why a file whose names do not fit cannot be taken by its layers, for the end of a sentence.
func (m match) reason() string {
	if m.why == nil {
		return ""
	}
	return "; " + m.why.Error()
}

// match compares the file with the network's model, and then with those that are built in: yolov9-c has the detector of
// gelan-c, in layers of other numbers and a head of another name.
func (s *source) match(n *model.Network) match {
	shapes := spec.Shapes{}
	for name, t := range s.tensors {
		shapes[name] = t.shape
	}
	l, err := spec.ReadLayout(shapes, n.Config().File)
	if err != nil {
		return match{why: err}
	}
	if l.Own {
		return match{layout: l}
	}
	names, err := spec.Rename(l.Model, n.Model())
	if err != nil {
		return match{why: fmt.Errorf("it has %s, and %w", l, err)}
	}
	return match{names: names, layout: l}
}

// auxiliaryNames are the tensors of a model that no level of its main head depends on.
func auxiliaryNames(m *spec.Model) map[string]bool {
	names := map[string]bool{}
	for _, t := range m.State() {
		if t.TrainingOnly {
			names[t.Name] = true
		}
	}
	return names
}

// taken counts what a network took from a file.
type taken struct {
	file      *source
	tensors   int             // of the network
	values    int             // tensors of the network that have values of the file's
	asked     map[string]bool // of the file: what the network has a place for
	fresh     []string        // tensors of the network that keep their initial values,
	auxiliary int             // and those of its auxiliary branch where the file is laid out as a model without one
}

func (c *taken) miss(name string, auxiliary bool) {
	if auxiliary {
		c.auxiliary++
		return
	}
	c.fresh = append(c.fresh, name)
}

// text says what was taken, what the network has anew, and what the file has besides.
func (c *taken) text(m match) string {
	text := fmt.Sprintf("%s (sha256 %.12s): %d of %d tensors", c.file.path, c.file.hash, c.values, c.tensors)
	if m.names != nil {
		text += fmt.Sprintf(" by their layers, for the file has %s", m.layout)
	}
	const most = 6
	var anew []string
	if n := len(c.fresh); n > 0 {
		anew = append(anew, strings.Join(c.fresh[:min(most, n)], ", "))
		if n > most {
			anew[0] += fmt.Sprintf(" and %d more", n-most)
		}
	}
	if c.auxiliary > 0 {
		anew = append(anew, fmt.Sprintf("the auxiliary branch (%d tensors)", c.auxiliary))
	}
	if len(anew) > 0 {
		text += "; anew: " + strings.Join(anew, ", ")
	}
	if left := c.left(m); len(left) > 0 {
		text += "; left out: " + strings.Join(left, " and ")
	}
	return text
}

// left says what the file has and the network has no place for. The bins' numbers of a head are no values.
func (c *taken) left(m match) (left []string) {
	branch := map[string]bool{}
	if m.layout != nil && m.layout.Auxiliary {
		branch = auxiliaryNames(m.layout.Model)
	}
	auxiliary, others := 0, 0
	for name := range c.file.tensors {
		switch {
		case c.asked[name] || strings.Contains(name, ".dfl"):
		case branch[name]:
			auxiliary++
		default:
			others++
		}
	}
	if auxiliary > 0 {
		left = append(left, fmt.Sprintf("the auxiliary branch (%d tensors)", auxiliary))
	}
	if others > 0 {
		left = append(left, fmt.Sprintf("%d tensors that this model has no place for", others))
	}
	return left
}
