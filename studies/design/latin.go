package design

import (
	"math"
	"math/rand/v2"
)

// stream is the second half of the seed of a Latin hypercube's random numbers.
const stream = 0x6c61746e

// Of a Latin hypercube the best of at most that many draws is taken, or of as many as cost that many distances.
const (
	mostDraws     = 50
	mostDistances = 5_000_000
)

// latin draws a Latin hypercube of n points in d dimensions, in [0, 1): every dimension is cut into n strata, and each
// has one point, anywhere in it (McKay, Beckman and Conover 1979). Of several draws it is the one whose closest two
// points are farthest apart (maximin: Johnson, Moore and Ylvisaker 1990).
func latin(n, d int, seed int64) [][]float64 {
	rng := rand.New(rand.NewPCG(uint64(seed), stream))
	best, apart := draw(n, d, rng), -1.0
	draws := min(mostDraws, mostDistances/(n*n*d/2+1))
	if draws < 2 {
		return best
	}
	apart = closest(best)
	for range draws - 1 {
		points := draw(n, d, rng)
		if a := closest(points); a > apart {
			best, apart = points, a
		}
	}
	return best
}

func draw(n, d int, rng *rand.Rand) [][]float64 {
	points := make([][]float64, n)
	for i := range points {
		points[i] = make([]float64, d)
	}
	for j := range d {
		for i, stratum := range rng.Perm(n) {
			points[i][j] = (float64(stratum) + rng.Float64()) / float64(n)
		}
	}
	return points
}

// closest is the least squared distance between two points.
func closest(points [][]float64) float64 {
	least := math.Inf(1)
	for i, p := range points {
		for _, q := range points[:i] {
			s := 0.0
			for j := range p {
				s += (p[j] - q[j]) * (p[j] - q[j])
			}
			least = min(least, s)
		}
	}
	return least
}
