package inference

import "math"

// Between compares two effects that were measured independently of each other, in two studies say: b minus a. Their
// squared standard errors add up, and the degrees of freedom are Welch and Satterthwaite's. For two paired effects
// this is Welch's test of the two samples of differences. The result comes as a family of its own.
func Between(a, b Effect, o Options) Effect {
	e := Effect{Method: Welch, N: min(a.N, b.N), Mean: b.Mean - a.Mean, Correlation: math.NaN(), Options: o,
		Reference: Summary{N: a.N, Mean: a.Mean, SD: a.SD}, Variant: Summary{N: b.N, Mean: b.Mean, SD: b.SD}}
	va, vb := a.SE*a.SE, b.SE*b.SE
	e.SE = math.Sqrt(va + vb)
	e.SD = e.SE * math.Sqrt(float64(e.N))
	e.DF = (va + vb) * (va + vb) / (va*va/a.DF + vb*vb/b.DF)
	e.test()
	return Family([]Effect{e})[0]
}
