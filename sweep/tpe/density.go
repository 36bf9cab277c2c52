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
			at, mu, inv, norm := x[i], m.mu[i][:len(acc)], m.inv[i][:len(acc)], m.norm[i][:len(acc)]
			for k := range acc { // where the kernel is even all three are 0
				z := (at - mu[k]) * inv[k]
				acc[k] += norm[k] - 0.5*z*z
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
		if x -= top; x > -28 { // a thousand of the others would add 1e-9, which decides between no two candidates
			sum += math.Exp(x)
		}
	}
	return top + math.Log(sum)
}
