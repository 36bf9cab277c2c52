package nsga

import (
	"math"
	"math/rand/v2"

	"github.com/mapsweep/mapsweep/sweep/axis"
	"github.com/mapsweep/mapsweep/trials"
)

// Indexes of the distributions of crossover and mutation: the larger, the nearer children are to their parents (Deb
// et al. 2002, section IV, have 20 for both).
const (
	etaCrossover = 20
	etaMutation  = 20
)

// breeder makes points.
type breeder struct {
	crossover string  // sbx, uniform
	cross     float64 // how often two parents are crossed; otherwise a child is a mutant of one
	mutate    float64 // how often each parameter mutates
}

// parent wins a tournament of two: the lower rank, then the less crowded (section III-C).
func parent(all []*individual, rng *rand.Rand) *individual {
	a, b := all[rng.IntN(len(all))], all[rng.IntN(len(all))]
	if b.rank < a.rank || b.rank == a.rank && b.crowding > a.crowding {
		return b
	}
	return a
}

// child is a place made from two others, one number for each axis. What did not matter in a parent is drawn anew, since the child may
// need it.
func (br breeder) child(xs []axis.Axis, a, b *individual, rng *rand.Rand) []float64 {
	at, other := genes(a, rng), genes(b, rng)
	if rng.Float64() < br.cross {
		for i, x := range xs {
			swap := rng.Float64() < 0.5
			switch {
			case br.crossover == "uniform" || x.Param.Kind == trials.Categorical:
				if swap {
					at[i] = other[i]
				}
			case swap:
				at[i] = between(at[i], other[i], rng)
			}
		}
	}
	for i, x := range xs {
		if rng.Float64() < br.mutate {
			at[i] = mutant(x, at[i], rng)
		}
	}
	return at
}

func genes(a *individual, rng *rand.Rand) []float64 {
	at := make([]float64, len(a.place))
	for i := range at {
		if at[i] = a.place[i]; !a.known[i] {
			at[i] = rng.Float64()
		}
	}
	return at
}

// between is simulated binary crossover (Deb and Agrawal 1995): one of the two children of places a and b.
func between(a, b float64, rng *rand.Rand) float64 {
	u := rng.Float64()
	spread := math.Pow(2*u, 1.0/(etaCrossover+1))
	if u > 0.5 {
		spread = math.Pow(1/(2*(1-u)), 1.0/(etaCrossover+1))
	}
	if rng.Float64() < 0.5 {
		spread = -spread
	}
	return clip((a + b + spread*(a-b)) / 2)
}

// mutant is polynomial mutation (Deb and Goyal 1996) on a number, at least to another value of a grid, and another choice of a
// categorical parameter.
func mutant(x axis.Axis, at float64, rng *rand.Rand) float64 {
	if x.Single() {
		return at
	}
	cells := x.Cells()
	if x.Param.Kind == trials.Categorical {
		return (math.Mod(math.Floor(at*cells)+1+math.Floor(rng.Float64()*(cells-1)), cells) + 0.5) / cells
	}
	u := rng.Float64()
	move := math.Pow(2*u, 1.0/(etaMutation+1)) - 1
	if u > 0.5 {
		move = 1 - math.Pow(2*(1-u), 1.0/(etaMutation+1))
	}
	if at+move < 0 || at+move > 1 {
		move = -move
	}
	for x.Levels() > 1 && move != 0 && x.Value(at+move) == x.Value(at) { // in the same cell
		if move *= 2; math.Abs(move) > 2 {
			move = -move / 64
		}
	}
	return clip(at + move)
}

func clip(u float64) float64 { return math.Min(math.Max(u, 0), 1) }
