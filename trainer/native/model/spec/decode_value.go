package spec

import (
	"math"

	"github.com/goccy/go-yaml/ast"
)

func (d *decoder) text(p pair) string {
	s, ok := p.val.(*ast.StringNode)
	if !ok || s.Value == "" {
		d.add(p.at, "%s must be text", p.key)
		return ""
	}
	return s.Value
}

// labels reads one label or a list of them.
func (d *decoder) labels(p pair) (labels []string, at []Pos) {
	values := []ast.Node{p.val}
	if list, ok := p.val.(*ast.SequenceNode); ok {
		values = list.Values
	}
	for _, v := range values {
		s, ok := v.(*ast.StringNode)
		if !ok {
			d.add(posOf(v), "%s must name layers by their labels (as), or %s or %s", p.key, Above, Image)
			continue
		}
		labels, at = append(labels, s.Value), append(at, posOf(v))
	}
	return labels, at
}

func (d *decoder) whole(n ast.Node, key string, low, high int) int {
	if i, ok := n.(*ast.IntegerNode); ok {
		switch v := i.Value.(type) {
		case int64:
			if v >= int64(low) && v <= int64(high) {
				return int(v)
			}
		case uint64:
			if v >= uint64(max(0, low)) && v <= uint64(high) {
				return int(v)
			}
		}
	}
	d.add(posOf(n), "%s must be a whole number from %d to %d", key, low, high)
	return low
}

func (d *decoder) wholes(p pair, a argument) (all []int) {
	list, ok := p.val.(*ast.SequenceNode)
	if !ok || len(list.Values) == 0 || len(list.Values) > maxGroups {
		d.add(p.at, "%s must be a list of 1 to %d whole numbers", p.key, maxGroups)
		return nil
	}
	for _, v := range list.Values {
		all = append(all, d.whole(v, p.key, a.low, a.high))
	}
	return all
}

func (d *decoder) number(p pair, low, high float64) float64 {
	x := math.NaN()
	switch n := p.val.(type) {
	case *ast.FloatNode:
		x = n.Value
	case *ast.IntegerNode:
		switch v := n.Value.(type) {
		case int64:
			x = float64(v)
		case uint64:
			x = float64(v)
		}
	}
	if !(x >= low && x <= high) {
		d.add(posOf(p.val), "%s must be a number from %g to %g", p.key, low, high)
		return low
	}
	return x
}
