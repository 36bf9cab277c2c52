package gp

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// How the point of the largest expected improvement is looked for: many rows, and from the best of them uphill.
const (
	candidates = 512 // evenly over the cube
	near       = 64  // around the best observations
	starts     = 4
	levels     = 24 // values of a discrete parameter that are all tried
)

// place is a point of the cube, its row, and how good it is.
type place struct {
	u, row []float64
	score  float64
}

// acquire finds the place whose logarithm of expected improvement is largest. ok is false if all places tried were forbidden.
func acquire(s *space, m *model, rng *rand.Rand) (best place, ok bool) {
	var ps []place
	try := func(u []float64) {
		if row, allowed := s.settle(u); allowed {
			ps = append(ps, place{u: u, row: row, score: m.logImprovement(row)})
		}
	}
	for _, u := range spread(len(s.axes), candidates, rng) {
		try(u)
	}
	for _, u := range around(m, near, rng) {
		try(u)
	}
	if len(ps) == 0 {
		return place{}, false
	}
	slices.SortStableFunc(ps, func(a, b place) int { return cmp.Compare(b.score, a.score) })
	best = ps[0]
	for _, p := range ps[:min(starts, len(ps))] {
		if p = climb(s, m, p, rng); p.score > best.score {
			best = p
		}
	}
	return best, true
}

// spread are n points evenly over the cube: the additive recurrence of Roberts (2018), whose steps are powers of the root of
// x^(d+1) = x + 1, from a random start.
func spread(d, n int, rng *rand.Rand) [][]float64 {
	root := 2.0
	for range 50 {
		root = math.Pow(1+root, 1/float64(d+1))
	}
	at := make([]float64, d)
	for j := range at {
		at[j] = rng.Float64()
	}
	out := make([][]float64, n)
	for i := range out {
		out[i] = slices.Clone(at)
		for j := range at {
			_, at[j] = math.Modf(at[j] + math.Pow(root, -float64(j+1)))
		}
	}
	return out
}

// around are n points next to the best four observations.
func around(m *model, n int, rng *rand.Rand) [][]float64 {
	order := make([]int, len(m.problem.values))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(m.problem.values[a], m.problem.values[b]) })
	var out [][]float64
	for i := range n {
		u := slices.Clone(m.problem.rows[order[i%min(4, len(order))]])
		for j := range u {
			switch {
			case m.problem.choice[j] && (u[j] == absent || rng.Float64() < 0.2):
				u[j] = rng.Float64()
			case !m.problem.choice[j]:
				u[j] = clip(u[j] + 0.1*rng.NormFloat64())
			}
		}
		out = append(out, u)
	}
	return out
}

func clip(u float64) float64 { return math.Min(math.Max(u, 0), 1) }

// climb goes uphill one coordinate at a time: numbers by steps that are halved when none helps, discrete parameters of few
// values by trying each of them.
func climb(s *space, m *model, p place, rng *rand.Rand) place {
	for step := 0.1; step > 5e-4; {
		better := p
		for _, j := range rng.Perm(len(s.axes)) {
			for _, v := range moves(s, p.u, j, step) {
				u := slices.Clone(better.u)
				u[j] = v
				row, allowed := s.settle(u)
				if !allowed {
					continue
				}
				if score := m.logImprovement(row); score > better.score+1e-9 {
					better = place{u: u, row: row, score: score}
				}
			}
		}
		if better.score == p.score {
			step /= 3
		}
		p = better
	}
	return p
}

// moves are the places to try along axis j.
func moves(s *space, u []float64, j int, step float64) []float64 {
	x := s.axes[j]
	n := x.Levels()
	if n == 0 || n > levels && !s.choice[j] {
		if n > levels {
			step = math.Max(step, 1/n)
		}
		return []float64{clip(u[j] - step), clip(u[j] + step)}
	}
	var out []float64
	for i := range int(math.Min(n, 4*levels)) {
		if v, ok := x.Unit(x.Level(float64(i))); ok {
			out = append(out, v)
		}
	}
	return out
}
