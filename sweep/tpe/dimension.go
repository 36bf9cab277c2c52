package tpe

import (
	"math"

	"github.com/mapsweep/mapsweep/sweep/axis"
	"github.com/mapsweep/mapsweep/trials"
)

// dimension is one parameter as it is modelled. The place of a number is where it lies on its axis, from 0 to 1; that of a
// choice is its index. On a grid every value owns a cell around its place.
type dimension struct {
	axis.Axis
	categorical bool
	grid        bool
	single      bool
	count       float64 // values, if there are not infinitely many
}

// dimensions makes the dimensions of a space, each after those that its parameter requires.
func dimensions(space trials.Space) ([]dimension, error) {
	xs, err := axis.All(space)
	if err != nil {
		return nil, err
	}
	ds := make([]dimension, 0, len(xs))
	for _, x := range axis.RequiredFirst(xs) {
		choice := x.Param.Kind == trials.Categorical
		ds = append(ds, dimension{Axis: x, categorical: choice, grid: !choice && x.Levels() > 0, single: x.Single(), count: x.Levels()})
	}
	return ds, nil
}

// place is where a trial lies, NaN if the parameter did not vary there or had a value that it cannot take (any more).
func (d dimension) place(t *trials.Trial) float64 {
	if _, varies := t.Space.Lookup(d.Param.Name); !varies {
		return math.NaN()
	}
	u, ok := d.Unit(t.Params[d.Param.Name])
	switch {
	case !ok:
		return math.NaN()
	case d.categorical:
		return d.choice(u)
	}
	return u
}

// choice is the index of the choice whose cell of the unit interval holds u.
func (d dimension) choice(u float64) float64 { return math.Min(math.Floor(u*d.count), d.count-1) }

// snap takes u to the nearest place that a value has.
func (d dimension) snap(u float64) float64 {
	switch {
	case d.categorical:
		return d.choice(u)
	case d.grid:
		u, _ = d.Unit(d.Value(u))
	}
	return u
}

// at is the parameter's value at a place.
func (d dimension) at(x float64) any {
	if d.categorical {
		return d.Param.Choices[int(x)]
	}
	return d.Value(x)
}

// cell is the part of the axis that belongs to the grid value at x.
func (d dimension) cell(x float64) (low, high float64) {
	if cells := d.Cells(); cells > 0 {
		i := math.Floor(x * cells)
		return i / cells, (i + 1) / cells
	}
	// A log-int: from k - 0.5 to k + 0.5.
	a, b := math.Log(d.Param.Low-0.5), math.Log(d.Param.High+0.5)
	k := math.Round(math.Exp(a + x*(b-a)))
	return (math.Log(k-0.5) - a) / (b - a), (math.Log(k+0.5) - a) / (b - a)
}
