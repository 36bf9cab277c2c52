package tpe

import (
	"math"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
)

// side is one of the two sets of observations: a row-major table of points with a column per dimension (NaN: the
// parameter did not vary there), and a weight for each point.
type side struct {
	columns int
	points  []float64
	weights []float64
}

func (s *side) add(weight float64, place func(d int) float64) {
	s.weights = append(s.weights, weight)
	for d := range s.columns {
		s.points = append(s.points, place(d))
	}
}

// split separates the best observations from the others. Trials under way count among the others, as the newest
// (constant liar).
func (c *columns) split(h sweep.History, s settings) (below, above side) {
	below, above = side{columns: len(c.dims)}, side{columns: len(c.dims)}
	skip := map[int]bool{} // rows that are no more of the others
	for _, t := range h.Open {
		if r, known := c.row[t.Number]; known {
			skip[r] = true
		}
	}
	var best []rank
	for _, r := range c.leading(s.gamma(c.judged)) {
		if !skip[r.row] {
			best = append(best, r)
		}
	}
	for i, r := range best {
		skip[r.row] = true
		below.add(s.order(i, len(best)), func(d int) float64 { return c.places[d][r.row] })
	}
	rows, weights := thin(len(c.ranks), s.kernels, func(r int) bool { return c.ranks[r].tier != unusable && !skip[r] })
	var open []*trials.Trial
	if s.liar {
		open = newest(h.Open, s.kernels)
	}
	n := float64(len(open))
	for _, w := range weights {
		n += w
	}
	at := 0.0
	for i, r := range rows {
		above.add(weights[i]*age(at, n), func(d int) float64 { return c.places[d][r] })
		at += weights[i]
	}
	for _, t := range open {
		above.add(age(at, n), func(d int) float64 { return c.dims[d].place(t) })
		at++
	}
	return below, above
}

func newest(ts []*trials.Trial, n int) []*trials.Trial { return ts[max(0, len(ts)-n):] }

// order is the weight of number i of the n best, if the order is to count: it falls with the square of the place, and is 1 on
// average.
func (s settings) order(i, n int) float64 {
	if !s.ranked {
		return 1
	}
	place := float64(n - i)
	return 6 * place * place / float64((n+1)*(2*n+1))
}

// thin chooses at most about limit of n rows that are wanted: the newest half as they are, of the older ones some evenly
// spaced, whose weights stand for those in between. It looks at no more than limit rows.
func thin(n, limit int, wanted func(r int) bool) (rows []int, weights []float64) {
	recent, stride := 0, 1.0
	if n > limit {
		recent = n - limit/2
		stride = float64(recent) / float64(limit-limit/2)
	}
	for i := 0; int(float64(i)*stride) < recent; i++ {
		if r := int(float64(i) * stride); wanted(r) {
			rows, weights = append(rows, r), append(weights, stride)
		}
	}
	for r := recent; r < n; r++ {
		if wanted(r) {
			rows, weights = append(rows, r), append(weights, 1)
		}
	}
	return rows, weights
}

// age is the weight of observation number i of n, from the oldest: the newest 25 weigh 1, older ones less and less, down
// to 1/n (Optuna's default_weights).
func age(i, n float64) float64 {
	const flat = 25
	if old := n - flat; i < old {
		return 1/n + (1-1/n)*i/math.Max(old-1, 1)
	}
	return 1
}
