package grid

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/axis"
	"github.com/mapsweep/mapsweep/trials"
)

// most is how many combinations a grid may have.
const most = 1_000_000

// grid is the combinations of a space, numbered from 0 with the last parameter running fastest.
type grid struct {
	axes   []axis.Axis
	levels [][]float64 // places of each axis' levels in the unit interval
	order  []int       // of the combinations
}

// newGrid lays out the grid. A continuous parameter gets that many points, evenly spread over its scale with both ends; without
// points it is refused.
func newGrid(space trials.Space, points int, shuffle *rand.Rand) (*grid, error) {
	xs, err := axis.All(space)
	if err != nil {
		return nil, err
	}
	g := &grid{axes: xs}
	n := 1.0
	var continuous []string
	for _, x := range xs {
		levels := x.Levels()
		if levels == 0 {
			continuous = append(continuous, x.Param.Name)
			levels = float64(points)
		}
		if n *= max(levels, 1); n > most {
			return nil, fmt.Errorf("the grid has more than a million combinations: give factors fewer levels or larger steps, or take another sampler")
		}
		g.levels = append(g.levels, places(x, int(levels)))
	}
	if len(continuous) > 0 && points == 0 {
		return nil, fmt.Errorf("%s: a grid needs a step there, or the sampler option points: how many values each such factor gets", strings.Join(continuous, ", "))
	}
	if g.order = make([]int, int(n)); shuffle != nil {
		g.order = shuffle.Perm(int(n))
		return g, nil
	}
	for i := range g.order {
		g.order[i] = i
	}
	return g, nil
}

func places(x axis.Axis, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		if x.Levels() > 0 {
			out[i], _ = x.Unit(x.Level(float64(i)))
		} else {
			out[i] = float64(i) / float64(n-1)
		}
	}
	return out
}

// at is combination i. ok is false if it is forbidden, or the same as another one because it differs from that only in parameters
// that do not matter: of those the one with first levels counts.
func (g *grid) at(h sweep.History, i int) (s trials.Suggestion, ok bool) {
	us, first := make([]float64, len(g.axes)), make([]bool, len(g.axes))
	for j := range slices.Backward(g.axes) {
		n := len(g.levels[j])
		us[j], first[j] = g.levels[j][i%n], i%n == 0
		i /= n
	}
	s = axis.Point(h, g.axes, us)
	for j, x := range g.axes {
		v, active := s.Params[x.Param.Name]
		if !active && !first[j] {
			return s, false
		}
		if f, number := v.(float64); number && x.Levels() == 0 {
			s.Params[x.Param.Name] = tidy(f, x.Param)
		}
	}
	return s, !h.Forbids(s.Params)
}

// tidy rounds a number between the ends of a scale to ten digits, so that the middle of 1e-4 to 1e-2 is 0.001.
func tidy(f float64, p trials.Param) float64 {
	r, err := strconv.ParseFloat(strconv.FormatFloat(f, 'g', 10, 64), 64)
	if err != nil || r < p.Low || r > p.High {
		return f
	}
	return r
}
