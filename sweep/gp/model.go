package gp

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// model is a fitted process: what it expects at any row. Values are standardised.
type model struct {
	problem *problem
	theta   theta
	inverse []float64 // 1 / l_j^2
	alpha   *mat.VecDense
	inv     *mat.SymDense // of the covariance
	best    float64       // the least expected value at an observed point
}

// newModel conditions the process on the data. ok is false if the matrix cannot be inverted.
func newModel(p *problem, t theta) (m *model, ok bool) {
	m = &model{problem: p, theta: t, inverse: t.inverses(), alpha: &mat.VecDense{}, inv: &mat.SymDense{}}
	var chol mat.Cholesky
	if !chol.Factorize(p.covariance(t)) || chol.InverseTo(m.inv) != nil ||
		chol.SolveVecTo(m.alpha, mat.NewVecDense(len(p.values), p.values)) != nil {
		return nil, false
	}
	m.best = math.Inf(1)
	for _, row := range p.rows {
		mean, _ := m.at(row)
		m.best = min(m.best, mean)
	}
	return m, true
}

// at is the mean and the standard deviation of the function, without noise, at a row (Rasmussen and Williams 2006,
// equations 2.25 and 2.26).
func (m *model) at(row []float64) (mean, deviation float64) {
	n, s := len(m.problem.rows), m.theta.scale()
	k, sq := make([]float64, n), make([]float64, len(row))
	for i, other := range m.problem.rows {
		squares(row, other, m.problem.choice, sq)
		k[i], _ = matern(sq, m.inverse, s)
		mean += k[i] * m.alpha.AtVec(i)
	}
	v := mat.NewVecDense(n, k)
	variance := s - mat.Inner(v, m.inv, v)
	return mean, math.Sqrt(math.Max(variance, 1e-12))
}

// believing is the model after open trials, each taken to have the value that is expected there ("kriging believer", Ginsbourger, Le
// Riche and Carraro 2010, section 4), without noise. That may well be the best.
func (m *model) believing(open [][]float64) *model {
	if len(open) == 0 {
		return m
	}
	rows, values := m.problem.rows, m.problem.values
	for _, row := range open {
		mean, _ := m.at(row)
		rows, values = append(rows[:len(rows):len(rows)], row), append(values[:len(values):len(values)], mean)
	}
	p := newProblem(rows, values, m.problem.choice)
	p.exact = len(open)
	after, ok := newModel(p, m.theta)
	if !ok {
		return m
	}
	return after
}

// logImprovement is the logarithm of the expected improvement on the best value (Jones, Schonlau and Welch 1998), by formulas that
// hold where it underflows (Ament et al. 2023, "Unexpected improvements to expected improvement", equation 8).
func (m *model) logImprovement(row []float64) float64 {
	mean, deviation := m.at(row)
	return logH((m.best-mean)/deviation) + math.Log(deviation)
}

// logH is log(phi(z) + z Phi(z)). Far below 0 it is phi's logarithm with the first terms of the asymptotic series
// 1/z^2 - 3/z^4 + 15/z^6 - 105/z^8.
func logH(z float64) float64 {
	logPhi := -z*z/2 - math.Log(2*math.Pi)/2
	if z > -25 {
		return math.Log(math.Exp(logPhi) + z*math.Erfc(-z/math.Sqrt2)/2)
	}
	q := 1 / (z * z)
	return logPhi + math.Log(q*(1-3*q+15*q*q-105*q*q*q))
}
