package tpe

import (
	"math"
	"math/rand/v2"
	"slices"
)

// mixture is a Parzen estimator (Bergstra et al. 2011; jointly over all dimensions: Falkner et al. 2018, Watanabe 2023): a
// kernel for each observation and one for the prior, each the product of a distribution per dimension. Numbers have normal
// distributions cut to [0, 1], on a grid the mass of the cell; choices their own one more often than the others.
// In a dimension that an observation lacks, as it was not active there, its kernel is even, so that parameters are
// modelled together as far as they occur together.
//
// The tables are by dimension and kernel.
type mixture struct {
	dims    []dimension
	kernels int
	logw    []float64   // log weights
	cum     []float64   // cumulative weights, to draw by
	mu      [][]float64 // place, or index of the choice; NaN: even (numbers: 0)
	inv     [][]float64 // 1 / standard deviation; 0: even
	norm    [][]float64 // continuous: log of the constant factor of the density
	hit     []float64   // by dimension: log probability of the observed choice,
	miss    []float64   // and of each other one
	room    []float64
	shapes  []shapes // by dimension: of grids
}

const rootTwoPi = 2.50662827463100050242

// newMixture makes the estimator over some dimensions (which are columns of s) of the observations that have any of them.
func newMixture(dims []dimension, cols []int, s side, o settings, floor float64) *mixture {
	m := &mixture{dims: dims, hit: make([]float64, len(dims)), miss: make([]float64, len(dims)), shapes: make([]shapes, len(dims))}
	var rows []int
	var weights []float64
	for k, w := range s.weights {
		if slices.ContainsFunc(cols, func(j int) bool { return !math.IsNaN(s.points[k*s.columns+j]) }) {
			rows, weights = append(rows, k), append(weights, w)
		}
	}
	m.kernels = len(rows) + 1
	m.room = make([]float64, m.kernels)
	m.weigh(append(weights, o.prior))
	for i, j := range cols {
		xs := make([]float64, len(rows))
		for k, r := range rows {
			xs[k] = s.points[r*s.columns+j]
		}
		m.norm, m.mu, m.inv = append(m.norm, make([]float64, m.kernels)), append(m.mu, append(xs, math.NaN())), append(m.inv, nil)
		if dims[i].categorical {
			m.choices(i, o.prior/float64(m.kernels))
		} else {
			m.numbers(i, bandwidths(xs, least(len(rows), floor, dims[i].grid)))
		}
	}
	return m
}

func (m *mixture) weigh(ws []float64) {
	sum := 0.0
	for _, w := range ws {
		sum += w
	}
	at := 0.0
	for _, w := range ws {
		at += w / sum
		m.logw, m.cum = append(m.logw, math.Log(w/sum)), append(m.cum, at)
	}
}

// choices gives each observed choice 1 and every choice e, the prior's weight shared by all kernels, as Optuna does.
func (m *mixture) choices(i int, e float64) {
	c := m.dims[i].count
	m.hit[i], m.miss[i] = math.Log((1+e)/(1+e*c)), math.Log(e/(1+e*c))
}

// numbers sets up normal kernels; the prior's is as wide as the range, around its middle.
func (m *mixture) numbers(i int, sigmas []float64) {
	m.inv[i] = make([]float64, m.kernels)
	for k := range m.kernels {
		mu, sigma := m.mu[i][k], 1.0
		switch {
		case m.dims[i].single:
			continue
		case k == m.kernels-1:
			mu = 0.5
		case math.IsNaN(mu):
			m.mu[i][k] = 0
			continue
		default:
			sigma = sigmas[k]
		}
		m.mu[i][k], m.inv[i][k] = mu, 1/sigma
		if !m.dims[i].grid {
			m.norm[i][k] = -math.Log(inside(mu, 1/sigma)) - math.Log(sigma*rootTwoPi)
		}
	}
	if m.dims[i].grid {
		m.shapes[i] = newShapes(m.mu[i], m.inv[i])
	}
}

// inside is the mass in [0, 1]; what lies nine deviations away does not show in its digits.
func inside(mu, inv float64) float64 {
	if mu*inv > 9 && (1-mu)*inv > 9 {
		return 1
	}
	return mass(0, 1, mu, inv)
}

// mass is the part of a normal distribution that lies from low to high; it keeps its digits in the tails.
func mass(low, high, mu, inv float64) float64 {
	a, b := (low-mu)*inv/math.Sqrt2, (high-mu)*inv/math.Sqrt2
	if a > 0 {
		return 0.5 * (math.Erfc(a) - math.Erfc(b))
	}
	return 0.5 * (math.Erfc(-b) - math.Erfc(-a))
}

// pick draws a kernel by its weight.
func (m *mixture) pick(rng *rand.Rand) int {
	k, _ := slices.BinarySearch(m.cum, rng.Float64())
	return min(k, m.kernels-1)
}

// draw draws a place of dimension i from kernel k, by the inverse distribution function.
func (m *mixture) draw(k, i int, rng *rand.Rand) float64 {
	d, mu, u := m.dims[i], m.mu[i][k], rng.Float64()
	switch {
	case d.categorical && math.IsNaN(mu):
		return d.choice(u)
	case d.categorical:
		return m.drawChoice(i, mu, u)
	case m.inv[i][k] == 0:
		return d.snap(u)
	}
	inv := m.inv[i][k]
	low, high := mass(math.Inf(-1), 0, mu, inv), mass(math.Inf(-1), 1, mu, inv)
	x := mu + math.Sqrt2*math.Erfinv(2*(low+u*(high-low))-1)/inv
	return d.snap(math.Min(math.Max(x, 0), 1))
}

func (m *mixture) drawChoice(i int, own, u float64) float64 {
	p, others := math.Exp(m.hit[i]), m.dims[i].count-1
	if u < p || others == 0 {
		return own
	}
	x := math.Min(math.Floor((u-p)/(1-p)*others), others-1)
	if x >= own {
		x++
	}
	return x
}
