package goptuna

import (
	"fmt"
	"math"

	"github.com/mapsweep/mapsweep/trials"
)

// axis maps one parameter to the unit interval and back. A continuous range is stretched
// over it, linearly or by its logarithm; a grid or a list of choices cuts it into equal
// cells, log-ints into cells around each whole number on the logarithmic scale.
type axis struct {
	p     trials.Param
	cells float64 // of a grid or list; 0: continuous or log-int
	a, b  float64 // ends of a logarithmic scale
}

func newAxis(p trials.Param) (axis, error) {
	if err := p.Check(); err != nil {
		return axis{}, err
	}
	x := axis{p: p}
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
		return axis{}, fmt.Errorf("%s: range %v to %v is too wide", p.Name, p.Low, p.High)
	}
	return x, nil
}

func (x axis) step() float64 {
	if x.p.Step > 0 {
		return x.p.Step
	}
	return 1
}

// single says whether there is only one value.
func (x axis) single() bool {
	if x.cells > 0 {
		return x.cells == 1
	}
	return x.p.Low == x.p.High
}

// value is the parameter's value at u in [0, 1]; u outside is taken to the nearer end.
func (x axis) value(u float64) any {
	u = math.Min(math.Max(u, 0), 1)
	p := x.p
	cell := math.Min(math.Floor(u*x.cells), x.cells-1)
	switch {
	case p.Kind == trials.Categorical:
		return p.Choices[int(cell)]
	case p.Log && p.Kind == trials.Int:
		return int64(math.Min(math.Max(math.Round(math.Exp(x.a+u*(x.b-x.a))), p.Low), p.High))
	case p.Kind == trials.Int:
		return int64(math.Min(p.Low+cell*x.step(), p.High))
	case x.cells > 0:
		return math.Min(p.Low+cell*x.step(), p.High)
	case u == 0:
		return p.Low
	case u == 1:
		return p.High
	case p.Log:
		return math.Min(math.Max(math.Exp(x.a+u*(x.b-x.a)), p.Low), p.High)
	}
	return math.Min(math.Max(p.Low+u*(p.High-p.Low), p.Low), p.High)
}

// unit is the place of a value: the middle of its cell on a grid. ok is false for what
// the parameter cannot take (any more), NaN among it.
func (x axis) unit(v any) (u float64, ok bool) {
	if !x.p.Contains(v) {
		return 0, false
	}
	if x.p.Kind == trials.Categorical {
		i, err := x.p.Internal(v)
		return (i + 0.5) / x.cells, err == nil
	}
	f, ok := trials.Number(v)
	switch {
	case !ok:
		return 0, false
	case x.cells > 0:
		return (math.Round((f-x.p.Low)/x.step()) + 0.5) / x.cells, true
	case x.single():
		return 0.5, true
	case x.p.Log:
		return (math.Log(f) - x.a) / (x.b - x.a), true
	}
	return (f - x.p.Low) / (x.p.High - x.p.Low), true
}

// axes makes the axes of a space, in its order.
func axes(space trials.Space) ([]axis, error) {
	if len(space) == 0 {
		return nil, fmt.Errorf("the search space is empty: give factors a range or levels")
	}
	var xs []axis
	for _, p := range space {
		x, err := newAxis(p)
		if err != nil {
			return nil, err
		}
		xs = append(xs, x)
	}
	return xs, nil
}
