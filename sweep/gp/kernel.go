package gp

import "math"

// Legend: n observations, d parameters. A row is a place in the unit cube, d numbers; a categorical parameter's
// number only says which choice it is, and absent stands for a parameter that does not matter at that point.

// absent is the place of a categorical parameter that does not matter: unlike every choice. Numbers are put at
// middle instead.
const (
	absent = -1.0
	middle = 0.5
)

// theta are the hyper-parameters, as logarithms: d length scales, the kernel's variance, the noise's variance.
type theta []float64

func (t theta) scale() float64 { return math.Exp(t[len(t)-2]) }
func (t theta) noise() float64 { return minNoise + math.Exp(t[len(t)-1]) }

// minNoise keeps the matrix positive definite; values are standardised.
const minNoise = 1e-6

// squares are the squared distances of two rows along each parameter: of numbers their own, of choices 0 or 1
// (Hamming), as in the kernels for mixed spaces of Halstrup (2016), section 3.
func squares(a, b []float64, choice []bool, out []float64) {
	for j := range a {
		switch {
		case !choice[j]:
			out[j] = (a[j] - b[j]) * (a[j] - b[j])
		case a[j] != b[j]:
			out[j] = 1
		default:
			out[j] = 0
		}
	}
}

// matern is the Matern kernel of smoothness 5/2 with a length scale for each parameter (Rasmussen and Williams 2006, equation
// 4.17), k = s (1 + r5 + r5^2/3) exp(-r5) where r5 = sqrt(5 sum_j sq_j / l_j^2). The second result is 5/3 s (1 + r5) exp(-r5), which times
// sq_j / l_j^2 is its derivative by log l_j. inverse holds 1 / l_j^2.
func matern(sq, inverse []float64, s float64) (k, slope float64) {
	r2 := 0.0
	for j, v := range sq {
		r2 += v * inverse[j]
	}
	r5 := math.Sqrt(5 * r2)
	e := s * math.Exp(-r5)
	return e * (1 + r5 + r5*r5/3), e * (1 + r5) * 5 / 3
}

// inverses are 1 / l_j^2 for the d length scales.
func (t theta) inverses() []float64 {
	out := make([]float64, len(t)-2)
	for j := range out {
		out[j] = math.Exp(-2 * t[j])
	}
	return out
}
