package axis

import (
	"fmt"
	"math"

	"github.com/mapsweep/mapsweep/trials"
)

// Axis maps one parameter to the unit interval and back. A continuous range is stretched
// over it, linearly or by its logarithm; a grid or a list of choices cuts it into equal
// cells, log-ints into cells around each whole number on the logarithmic scale.
type Axis struct {
	Param trials.Param
	cells float64 // of a grid or list; 0: continuous or log-int
	a, b  float64 // ends of a logarithmic scale
}

// New makes the axis of one parameter.
func New(p trials.Param) (Axis, error) {
	if err := p.Check(); err != nil {
		return Axis{}, err
	}
	x := Axis{Param: p}
	switch {
	case p.Kind == trials.Categorical:
		x.cells = float64(len(p.Choices))
	case p.Log && p.Kind == trials.Int:
		x.a, x.b = math.Log(p.Low-0.5), math.Log(p.High+0.5)
	case p.Log:
		x.a, x.b = math.Log(p.Low), math.Log(p.High)
	case p.Kind == trials.Int || p.Step > 0:
		// The small addition keeps the upper end of grids like 0, 0.1 .. 0.3.
		x.cells = math.Floor((p.High-p.Low)/x.step()+1e-9) + 1
	}
	if math.IsInf(x.cells, 0) || math.IsInf(p.High-p.Low, 0) {
		return Axis{}, fmt.Errorf("%s: range %v to %v is too wide", p.Name, p.Low, p.High)
	}
	return x, nil
}

// All makes the axes of a space, in its order. A space without parameters is an error.
func All(space trials.Space) ([]Axis, error) {
	if len(space) == 0 {
		return nil, fmt.Errorf("the search space is empty: give factors a range or levels")
	}
	xs := make([]Axis, len(space))
	for i, p := range space {
		var err error
		if xs[i], err = New(p); err != nil {
			return nil, err
		}
	}
	return xs, nil
}

func (x Axis) step() float64 {
	if x.Param.Step > 0 {
		return x.Param.Step
	}
	return 1
}

// Cells is the number of equal cells that a grid or a list of choices cuts the interval into; 0 for a continuous
// range and for log-ints, whose cells are not equal.
func (x Axis) Cells() float64 { return x.cells }

// Levels is how many values the parameter can take; 0 for a continuous range.
func (x Axis) Levels() float64 {
	switch {
	case x.Single():
		return 1
	case x.Param.Kind == trials.Int && x.Param.Log:
		return x.Param.High - x.Param.Low + 1
	}
	return x.cells
}

// Single says whether there is only one value.
func (x Axis) Single() bool {
	if x.cells > 0 {
		return x.cells == 1
	}
	return x.Param.Low == x.Param.High
}

// Level is the parameter's value number i, from 0 to Levels()-1.
func (x Axis) Level(i float64) any {
	p := x.Param
	switch {
	case p.Kind == trials.Categorical:
		return p.Choices[int(i)]
	case p.Kind == trials.Int:
		return int64(math.Min(p.Low+i*x.step(), p.High))
	}
	return math.Min(p.Low+i*x.step(), p.High)
}

// Value is the parameter's value at u in [0, 1]; u outside is taken to the nearer end.
func (x Axis) Value(u float64) any {
	u = math.Min(math.Max(u, 0), 1)
	p := x.Param
	switch {
	case x.cells > 0:
		return x.Level(math.Min(math.Floor(u*x.cells), x.cells-1))
	case p.Kind == trials.Int: // logarithmic
		return int64(math.Min(math.Max(math.Round(math.Exp(x.a+u*(x.b-x.a))), p.Low), p.High))
	case u == 0:
		return p.Low
	case u == 1:
		return p.High
	case p.Log:
		return math.Min(math.Max(math.Exp(x.a+u*(x.b-x.a)), p.Low), p.High)
	}
	return math.Min(math.Max(p.Low+u*(p.High-p.Low), p.Low), p.High)
}

// Unit is the place of a value: the middle of its cell on a grid. ok is false for what
// the parameter cannot take (any more), NaN among it.
func (x Axis) Unit(v any) (u float64, ok bool) {
	if !x.Param.Contains(v) {
		return 0, false
	}
	if x.Param.Kind == trials.Categorical {
		i, err := x.Param.Internal(v)
		return (i + 0.5) / x.cells, err == nil
	}
	f, ok := trials.Number(v)
	switch {
	case !ok:
		return 0, false
	case x.cells > 0:
		return (math.Round((f-x.Param.Low)/x.step()) + 0.5) / x.cells, true
	case x.Single():
		return 0.5, true
	case x.Param.Log:
		return (math.Log(f) - x.a) / (x.b - x.a), true
	}
	return (f - x.Param.Low) / (x.Param.High - x.Param.Low), true
}
