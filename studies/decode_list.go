package studies

import (
	"fmt"
	"reflect"

	"github.com/mapsweep/mapsweep/trials"
)

// The lists of mappings in a study file.
type (
	filePoints      []trials.Params  // of factors to values
	fileGoals       []fileGoal       // further objectives
	fileConstraints []fileConstraint // bounds of metrics
)

func (p *filePoints) read(d *decoder, n *node, path string) {
	d.each(n, path, "mappings of factors to values", "for instance [{lr0: 0.01}]", func(item *node, at string) {
		if item.shape == mapping && len(item.entries) == 0 {
			d.fault(item, at, at+" is empty", "name a factor and its value")
			return
		}
		var one fileParams
		if one.read(d, item, at); one != nil {
			*p = append(*p, trials.Params(one))
		}
	})
}

func (g *fileGoals) read(d *decoder, n *node, path string) {
	d.each(n, path, "objectives", "for instance [{metric: time/epoch}]", func(item *node, at string) {
		var one fileGoal
		d.object(item, at, reflect.ValueOf(&one).Elem())
		*g = append(*g, one)
	})
}

func (c *fileConstraints) read(d *decoder, n *node, path string) {
	d.each(n, path, "constraints", "for instance [{metric: time/epoch, at_most: 60}]", func(item *node, at string) {
		var one fileConstraint
		d.object(item, at, reflect.ValueOf(&one).Elem())
		*c = append(*c, one)
	})
}

// each reads a list item by item.
func (d *decoder) each(n *node, path, what, hint string, read func(item *node, at string)) {
	if n.shape != sequence {
		d.fault(n, path, fmt.Sprintf("%s must be a list of %s, not %s", path, what, describe(n)), hint)
		return
	}
	for i, item := range n.items {
		read(item, index(path, i))
	}
}
