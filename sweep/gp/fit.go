package gp

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// problem is the data that hyper-parameters are fitted to: values are standardised.
type problem struct {
	rows   [][]float64 // n x d
	values []float64   // n
	choice []bool      // d: categorical
	exact  int         // how many of the last rows have values without noise
	sq     [][]float64 // squared distances of each pair i > j, d numbers each, at i(i-1)/2 + j
}

func newProblem(rows [][]float64, values []float64, choice []bool) *problem {
	p := &problem{rows: rows, values: values, choice: choice}
	for i := range rows {
		for j := range i {
			out := make([]float64, len(choice))
			squares(rows[i], rows[j], choice, out)
			p.sq = append(p.sq, out)
		}
	}
	return p
}

// covariance is the n x n matrix of the observations, noise included.
func (p *problem) covariance(t theta) *mat.SymDense {
	n, inverse, s := len(p.rows), t.inverses(), t.scale()
	k := mat.NewSymDense(n, nil)
	for i := range n {
		k.SetSym(i, i, s+minNoise)
		if i < n-p.exact {
			k.SetSym(i, i, s+t.noise())
		}
		for j := range i {
			v, _ := matern(p.sq[i*(i-1)/2+j], inverse, s)
			k.SetSym(i, j, v)
		}
	}
	return k
}

// prior is the negative logarithm of the prior density of a hyper-parameter, up to a constant, and its derivative, both by the
// logarithm v of the hyper-parameter. Length scales l have BoTorch's Gamma(3, 6) (Balandat et al. 2020), most probable at half of
// the range: priors that are kinder to long ones (Hvarfner, Hellsten and Nardi 2024), for hundreds of parameters, let too
// many of a few go unnoticed at the start. The kernel's variance is log-normal around 1 with deviation 1, that of the noise around
// e^-6 with deviation 1.5.
func (p *problem) prior(j int, v float64) (f, slope float64) {
	d := len(p.choice)
	if j < d {
		l := math.Exp(v)
		return 6*l - 3*v, 6*l - 3
	}
	mean, dev := 0.0, 1.0
	if j > d {
		mean, dev = -6, 1.5
	}
	z := (v - mean) / dev
	return z * z / 2, z / dev
}

// loss is the negative logarithm of the posterior density of hyper-parameters, up to a constant, and its gradient
// (Rasmussen and Williams 2006, equations 2.30 and 5.9). It is +Inf where the matrix cannot be inverted.
func (p *problem) loss(t theta, gradient []float64) float64 {
	n, d := len(p.rows), len(p.choice)
	var chol mat.Cholesky
	if ok := chol.Factorize(p.covariance(t)); !ok {
		return math.Inf(1)
	}
	var alpha mat.VecDense
	var inv mat.SymDense
	y := mat.NewVecDense(n, p.values)
	if chol.SolveVecTo(&alpha, y) != nil || chol.InverseTo(&inv) != nil {
		return math.Inf(1)
	}
	f := mat.Dot(y, &alpha)/2 + chol.LogDet()/2
	clear(gradient)
	inverse, s, noise := t.inverses(), t.scale(), t.noise()
	for i := range n {
		w := (inv.At(i, i) - alpha.AtVec(i)*alpha.AtVec(i)) / 2
		gradient[d] += w * s
		gradient[d+1] += w * (noise - minNoise)
		for j := range i {
			w := inv.At(i, j) - alpha.AtVec(i)*alpha.AtVec(j) // both halves
			sq := p.sq[i*(i-1)/2+j]
			k, slope := matern(sq, inverse, s)
			gradient[d] += w * k
			for q, v := range sq {
				gradient[q] += w * slope * v * inverse[q]
			}
		}
	}
	for j, v := range t {
		prior, slope := p.prior(j, v)
		f += prior
		gradient[j] += slope
	}
	return f
}

// fit finds the most probable hyper-parameters, the better of two descents: from the priors' middle, and from short
// length scales.
func (p *problem) fit() theta {
	var best theta
	least := math.Inf(1)
	for _, l := range []float64{0.5, 0.15} {
		start := make(theta, len(p.choice)+2)
		for j := range p.choice {
			start[j] = math.Log(l * math.Sqrt(float64(len(p.choice))))
		}
		start[len(p.choice)+1] = -6
		if t, f := descend(p.loss, start, 40); f < least {
			best, least = t, f
		}
	}
	if best == nil { // nothing could be inverted, which the noise makes all but impossible
		best = make(theta, len(p.choice)+2)
	}
	return best
}
