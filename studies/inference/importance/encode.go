package importance

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// Problem is a study's points with their scores.
type Problem struct {
	Space    trials.Space
	Baseline trials.Params // values of parameters at points where they do not matter
	Points   []Point
	Minimize bool // a smaller score is better
}

// Point is one configuration and its score. It lacks the parameters that do not matter at it.
type Point struct {
	Params trials.Params
	Score  float64
}

// FewestPoints is how many points with a score an analysis needs.
const FewestPoints = 10

// mostChoices is how many choices a split can tell apart; more are taken as ordered.
const mostChoices = 64

// dim is one dimension of the unit cube that points are encoded to: numbers on their scale from 0 to 1, whole numbers
// and grids in cells of equal width; choices as their index.
type dim struct {
	trials.Param
	low, high float64 // ends of the scale, after the logarithm
	choices   int     // 0: a number
}

// encoded is a problem as numbers: x[d][i] is dimension d of point i.
type encoded struct {
	dims   []dim
	x      [][]float64
	y      []float64
	absent [][]bool // parameters that do not matter at a point
	notes  []string
}

func newDim(p trials.Param) (d dim, ok bool) {
	d = dim{Param: p}
	if p.Kind == trials.Categorical {
		if d.choices = len(p.Choices); d.choices > mostChoices {
			d.choices, d.low, d.high = 0, -0.5, float64(len(p.Choices))-0.5
		}
		return d, len(p.Choices) > 1
	}
	step := p.Step
	if p.Kind == trials.Int && step == 0 {
		step = 1
	}
	d.low, d.high = p.Low-step/2, p.High+step/2
	if p.Log {
		d.low, d.high = math.Log(d.low), math.Log(d.high)
	}
	return d, p.High > p.Low && !math.IsNaN(d.low) && !math.IsInf(d.low, 0)
}

// unit encodes a value; ok is false for one that the parameter cannot take. Numbers out of range are moved to its end.
func (d dim) unit(v any) (x float64, ok bool) {
	x, err := d.Internal(v)
	if err != nil || math.IsNaN(x) {
		return 0, false
	}
	if d.choices > 0 {
		return x, true
	}
	if d.Log {
		x = math.Log(x)
	}
	return min(max((x-d.low)/(d.high-d.low), 0), 1), true
}

// value decodes a place on the unit scale of a number.
func (d dim) value(u float64) float64 {
	x := d.low + u*(d.high-d.low)
	if d.Log {
		x = math.Exp(x)
	}
	return min(max(x, d.Low), d.High)
}

// usual is the place of a parameter at points where it does not matter.
func (d dim) usual(baseline trials.Params) float64 {
	if v, ok := baseline[d.Name]; ok {
		if u, ok := d.unit(v); ok {
			return u
		}
	}
	if d.choices > 0 {
		return 0
	}
	return 0.5
}

// encode turns points into numbers, one for each configuration with the mean of its scores, and leaves out those without a finite score or with a value that the space lacks.
func encode(p Problem) (*encoded, error) {
	e := &encoded{}
	for _, q := range p.Space {
		d, ok := newDim(q)
		if !ok {
			e.note("%s has one value only and is left out.", q.Name)
			continue
		}
		e.dims = append(e.dims, d)
	}
	e.x, e.absent = make([][]float64, len(e.dims)), make([][]bool, len(e.dims))
	foreign, taken := 0, 0
	seen := map[string]int{}
	var times []float64
	row, gone := make([]float64, len(e.dims)), make([]bool, len(e.dims))
	for _, pt := range p.Points {
		if math.IsNaN(pt.Score) || math.IsInf(pt.Score, 0) {
			continue
		}
		if !e.place(pt, p.Baseline, row, gone) {
			foreign++
			continue
		}
		taken++
		key := name(row, gone)
		if i, again := seen[key]; again {
			e.y[i] += pt.Score
			times[i]++
			continue
		}
		seen[key] = len(e.y)
		for j := range e.dims {
			e.x[j] = append(e.x[j], row[j])
			e.absent[j] = append(e.absent[j], gone[j])
		}
		e.y, times = append(e.y, pt.Score), append(times, 1)
	}
	for i := range e.y {
		e.y[i] /= times[i]
	}
	if taken > len(e.y) {
		e.note("%d trials are of %d configurations: replicates of one count once, by their mean.", taken, len(e.y))
	}
	if foreign > 0 {
		e.note("%d trials with values that the space does not have are left out.", foreign)
	}
	return e, e.check()
}

// name is a key of an encoded point.
func name(row []float64, gone []bool) string {
	b := make([]byte, 0, 9*len(row))
	for j, x := range row {
		if gone[j] {
			x = math.Inf(1)
		}
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
	}
	return string(b)
}

func (e *encoded) note(format string, args ...any) {
	e.notes = append(e.notes, fmt.Sprintf(format, args...))
}

// place encodes one point.
func (e *encoded) place(pt Point, baseline trials.Params, row []float64, gone []bool) bool {
	for j, d := range e.dims {
		v, ok := pt.Params[d.Name]
		gone[j] = !ok
		if !ok {
			row[j] = d.usual(baseline)
			continue
		}
		if row[j], ok = d.unit(v); !ok {
			return false
		}
	}
	return true
}

func (e *encoded) check() error {
	switch {
	case len(e.dims) == 0:
		return inference.Nothing("no parameter varies")
	case len(e.y) == 0:
		return inference.Nothing("no trial has a score")
	case len(e.y) < FewestPoints:
		return inference.Nothing(fmt.Sprintf("%d configurations with a score are too few to say which parameters mattered: at least %d are needed", len(e.y), FewestPoints))
	case alike(e.y):
		return inference.Nothing("all configurations scored exactly alike: there is nothing to explain")
	}
	return nil
}

// conditional notes which parameters do not matter everywhere.
func (e *encoded) conditional(what string) {
	for j, d := range e.dims {
		n := 0
		for _, a := range e.absent[j] {
			if !a {
				n++
			}
		}
		if n < len(e.y) {
			e.note("%s matters in %d of %d configurations; %s.", d.Name, n, len(e.y), what)
		}
	}
}

// alike says that numbers are equal but for rounding.
func alike(y []float64) bool {
	low, high := y[0], y[0]
	for _, v := range y {
		low, high = min(low, v), max(high, v)
	}
	return high-low <= 1e-12*max(math.Abs(low), math.Abs(high))
}
