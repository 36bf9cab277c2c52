package tpe

import (
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
	for i, r := range rows {
		above.add(weights[i]*age(r, len(c.ranks)), func(d int) float64 { return c.places[d][r] })
	}
	if s.liar {
		for _, t := range newest(h.Open, s.kernels) {
			above.add(1, func(d int) float64 { return c.dims[d].place(t) })
		}
	}
	return below, above
}

func newest(ts []*trials.Trial, n int) []*trials.Trial { return ts[max(0, len(ts)-n):] }

// order is the weight of number i of the n best: falling in equal steps, 1 on average, if the order is to count.
func (s settings) order(i, n int) float64 {
	if !s.ranked {
		return 1
	}
	return 2 * float64(n-i) / float64(n+1)
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

// age is the weight of a row of n: the newest 25 weigh 1, older ones less and less down to 1/n (Optuna's default_weights,
// counted over all trials).
func age(row, n int) float64 {
	const flat = 25
	old := n - flat // rows that are older
	if row >= old {
		return 1
	}
	if old == 1 {
		return 1 / float64(n)
	}
	return 1/float64(n) + (1-1/float64(n))*float64(row)/float64(old-1)
}
