package inference

import "math"

// node is a place and a weight of a quadrature rule.
type node struct{ x, w float64 }

// gauss is the Gauss-Legendre rule with n nodes on [-1, 1] (Newton's method on the Legendre polynomial).
func gauss(n int) []node {
	out := make([]node, n)
	for i := range out {
		x := math.Cos(math.Pi * (float64(i) + 0.75) / (float64(n) + 0.5))
		slope := 0.0
		for range 20 {
			p, before := 1.0, 0.0
			for k := range n {
				p, before = (float64(2*k+1)*x*p-float64(k)*before)/float64(k+1), p
			}
			slope = float64(n) * (x*p - before) / (x*x - 1)
			x -= p / slope
		}
		out[i] = node{x, 2 / ((1 - x*x) * slope * slope)}
	}
	return out
}

var gauss32 = gauss(32)

// panels is the rule over [low, high], cut into equal panels of 32 nodes.
func panels(low, high float64, count int) []node {
	var out []node
	half := (high - low) / float64(2*count)
	for p := range count {
		middle := low + half*float64(2*p+1)
		for _, g := range gauss32 {
			out = append(out, node{middle + half*g.x, half * g.w})
		}
	}
	return out
}

// normalNodes integrate against the standard normal density: sum of w f(z).
func normalNodes(count int) []node {
	out := panels(-9, 9, count)
	for i, n := range out {
		out[i].w *= math.Exp(-n.x*n.x/2) / math.Sqrt(2*math.Pi)
	}
	return out
}

// chiNodes integrate against the density of s = sqrt(chi-square/df), the sample standard deviation with df degrees of
// freedom over the true one. The variable is u = log s, whose density is
// proportional to exp(df u - df exp(2u)/2); it is cut where it has fallen to exp(-36) of its peak at 0.
func chiNodes(df float64) []node {
	fall := func(u float64) float64 { return df * (u - math.Expm1(2*u)/2) }
	edge := func(inside, outside float64) float64 {
		for math.Abs(outside-inside) > 1e-6*math.Abs(outside) {
			if u := (inside + outside) / 2; fall(u) > -36 {
				inside = u
			} else {
				outside = u
			}
		}
		return outside
	}
	low, high := edge(0, -40/df-40), edge(0, 6)
	out := panels(low, high, 1+int((high-low)*max(4, math.Sqrt(2*df))/8)) // 8 standard deviations of u, or 2
	total := 0.0
	for i, n := range out {
		out[i] = node{math.Exp(n.x), n.w * math.Exp(fall(n.x))}
		total += out[i].w
	}
	for i := range out {
		out[i].w /= total
	}
	return out
}

// normal is the standard normal distribution function.
func normal(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }
