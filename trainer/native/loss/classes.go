package loss

import "math"

// Classes says how the class loss differs from plain binary cross-entropy. The zero value does not.
type Classes struct {
	// Smoothing e turns each target t into e/2 + (1-e) t, for background too (Szegedy et al. 2016, arXiv:1512.00567, for
	// two outcomes). 0..1, below 1.
	Smoothing float64
	// Weight multiplies the part of the cross-entropy that asks for an object of the class: t log p. 0 stands for 1.
	Weight float64
	// Gamma above 0 makes it a focal loss (Lin et al. 2017, arXiv:1708.02002, equation 5, with alpha 0.25), for targets
	// between 0 and 1 by interpolation.
	Gamma float64
}

// alpha balances objects against background in the focal loss.
const alpha = 0.25

func (c Classes) special() bool {
	return c.Smoothing > 0 || c.Weight != 0 && c.Weight != 1 || c.Gamma > 0
}

// special makes the terms from to to-1 with everything that Classes can say.
func (j *classing) special(from, to int) {
	c, h, t := j.l.Classes, j.h, j.t
	if c.Weight == 0 {
		c.Weight = 1
	}
	for term := from; term < to; term++ {
		at := j.first + term
		i, k := at/h.K, at%h.K
		target := c.Smoothing / 2
		if truth := t.Truth[i]; truth >= 0 && t.truth[truth].Class == k {
			target += (1 - c.Smoothing) * float64(t.Score[i])
		}
		value, slope := c.point(float64(h.Class[at]), target)
		j.terms[term] = value
		j.dClass[at] = float32(j.scale * slope)
	}
}

// point is the loss of one logit and its derivative. With p the probability, q = t p + (1-t)(1-p) how well it fits
// and a = alpha t + (1-alpha)(1-t):
//
//	bce = -w t log p - (1-t) log(1-p);  loss = bce, or with gamma a (1-q)^gamma bce
func (c Classes) point(z, t float64) (value, slope float64) {
	e := math.Exp(-math.Abs(z))
	p, soft := 1/(1+e), math.Log1p(e)
	if z < 0 {
		p = e / (1 + e)
	}
	// -log p = max(-z, 0) + soft, -log(1-p) = max(z, 0) + soft
	value = c.Weight*t*(max(-z, 0)+soft) + (1-t)*(max(z, 0)+soft)
	slope = (1-t)*p - c.Weight*t*(1-p)
	if c.Gamma == 0 {
		return value, slope
	}
	misfit := 1 - t*p - (1-t)*(1-p)
	if misfit <= 0 { // no more than rounding away from a perfect fit
		return 0, 0
	}
	a := alpha*t + (1-alpha)*(1-t)
	m := math.Pow(misfit, c.Gamma)
	byFit := c.Gamma * math.Pow(misfit, c.Gamma-1) * (2*t - 1) * p * (1 - p) // -dm/dz
	return a * m * value, a * (m*slope - byFit*value)
}
