package tpe

import (
	"math"
	"slices"
)

// logDensity is the log density of the mixture at x, by dimension. Where x is NaN the parameter is not active, and does not
// count. Not for use by several goroutines at once.
func (m *mixture) logDensity(x []float64) float64 {
	acc := m.room
	copy(acc, m.logw)
	for i, d := range m.dims {
		switch {
		case math.IsNaN(x[i]) || d.single:
		case d.categorical:
			m.addChoice(acc, i, x[i])
		case d.grid:
			m.addCell(acc, i, x[i])
		default:
			mu, inv, norm := m.mu[i], m.inv[i], m.norm[i]
			for k := range acc {
				if inv[k] > 0 {
					z := (x[i] - mu[k]) * inv[k]
					acc[k] += norm[k] - 0.5*z*z
				}
			}
		}
	}
	return logSum(acc)
}

func (m *mixture) addChoice(acc []float64, i int, x float64) {
	even := -math.Log(m.dims[i].count)
	for k, mu := range m.mu[i] {
		switch {
		case mu == x:
			acc[k] += m.hit[i]
		case math.IsNaN(mu):
			acc[k] += even
		default:
			acc[k] += m.miss[i]
		}
	}
}

// addCell adds the log mass of the cell around x.
func (m *mixture) addCell(acc []float64, i int, x float64) {
	logs := m.shapes[i].cell(m.dims[i], x)
	for k, shape := range m.shapes[i].of {
		acc[k] += logs[shape]
	}
}

// logSum is log(sum(exp(v))), without overflow.
func logSum(v []float64) float64 {
	top := slices.Max(v)
	if math.IsInf(top, 0) {
		return top
	}
	sum := 0.0
	for _, x := range v {
		if x -= top; x > -40 { // less than the last digit of the sum
			sum += math.Exp(x)
		}
	}
	return top + math.Log(sum)
}
