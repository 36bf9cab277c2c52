package gp

import (
	"math"
	"slices"
)

// descend finds a minimum by the method of Broyden, Fletcher, Goldfarb and Shanno (Nocedal and Wright 2006, algorithm 6.1) with
// steps halved until they pay (Armijo's rule), at most that many. f returns the value and writes the gradient; +Inf is no
// place to go to.
func descend(f func(x theta, gradient []float64) float64, start theta, steps int) (theta, float64) {
	n := len(start)
	x, g := slices.Clone(start), make([]float64, n)
	h := identity(n)
	fx := f(x, g)
	if math.IsInf(fx, 1) || math.IsNaN(fx) {
		return x, math.Inf(1)
	}
	for range steps {
		p := times(h, g, -1)
		slope := dot(p, g)
		if slope >= 0 { // rounding spoiled h: begin anew along the gradient
			h = identity(n)
			p = times(h, g, -1)
			slope = dot(p, g)
		}
		if -slope < 1e-10 {
			break
		}
		next, fn, gn := search(f, x, p, fx, slope)
		if next == nil || fx-fn < 1e-5*(1+math.Abs(fx)) {
			break
		}
		update(h, sub(next, x), sub(gn, g))
		x, fx, g = next, fn, gn
	}
	return x, fx
}

// search goes along p from x, no further than 3 in any coordinate, and returns nil if no step pays.
func search(f func(theta, []float64) float64, x theta, p []float64, fx, slope float64) (theta, float64, []float64) {
	a := 1.0
	for _, v := range p {
		a = min(a, 3/math.Abs(v))
	}
	for range 25 {
		next, g := make(theta, len(x)), make([]float64, len(x))
		for i := range x {
			next[i] = x[i] + a*p[i]
		}
		if fn := f(next, g); fn <= fx+1e-4*a*slope {
			return next, fn, g
		}
		a /= 2
	}
	return nil, 0, nil
}

// update is equation 6.17: h stays an estimate of the inverse of the second derivatives. s is the step, y the change of the gradient.
func update(h [][]float64, s, y []float64) {
	sy := dot(s, y)
	if sy < 1e-12 {
		return
	}
	hy := times(h, y, 1)
	c := (1 + dot(y, hy)/sy) / sy
	for i := range h {
		for j := range h {
			h[i][j] += c*s[i]*s[j] - (hy[i]*s[j]+s[i]*hy[j])/sy
		}
	}
}

func identity(n int) [][]float64 {
	h := make([][]float64, n)
	for i := range h {
		h[i] = make([]float64, n)
		h[i][i] = 1
	}
	return h
}

func times(h [][]float64, v []float64, sign float64) []float64 {
	out := make([]float64, len(v))
	for i := range h {
		out[i] = sign * dot(h[i], v)
	}
	return out
}

func sub(a, b []float64) []float64 {
	out := make([]float64, len(a))
	for i := range a {
		out[i] = a[i] - b[i]
	}
	return out
}

func dot(a, b []float64) float64 {
	s := 0.0
	for i := range a {
		s += a[i] * b[i]
	}
	return s
}
