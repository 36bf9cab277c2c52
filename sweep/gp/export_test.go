package gp

import "math"

// For the tests of the arithmetic.

var LogH = logH

// Process is a process with given hyper-parameters, over numbers or choices.
type Process struct{ m *model }

// NewProcess conditions a process. lengths are per parameter; scale and noise are variances.
func NewProcess(rows [][]float64, values []float64, choice []bool, lengths []float64, scale, noise float64) Process {
	var t theta
	for _, l := range lengths {
		t = append(t, math.Log(l))
	}
	t = append(t, math.Log(scale), math.Log(noise-minNoise))
	m, ok := newModel(newProblem(rows, values, choice), t)
	if !ok {
		panic("not positive definite")
	}
	return Process{m}
}

// At is the mean and the standard deviation at a row.
func (p Process) At(row []float64) (mean, deviation float64) { return p.m.at(row) }

// Loss is the negative log posterior of other hyper-parameters, its gradient, and the part of the priors in it.
func (p Process) Loss(t []float64) (loss float64, gradient []float64, priors float64) {
	gradient = make([]float64, len(t))
	loss = p.m.problem.loss(t, gradient)
	for j, v := range t {
		prior, _ := p.m.problem.prior(j, v)
		priors += prior
	}
	return loss, gradient, priors
}

// Theta are the process's hyper-parameters, as logarithms.
func (p Process) Theta() []float64 { return p.m.theta }

// Fit are the most probable hyper-parameters.
func (p Process) Fit() []float64 { return p.m.problem.fit() }
