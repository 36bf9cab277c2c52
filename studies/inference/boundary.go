package inference

import "math"

// interval is one look's interval.
func (q Sequence) interval(e Effect) (low, high float64) {
	if e.N < 2 || !(e.SE > 0) {
		return math.Inf(-1), math.Inf(1)
	}
	half := q.halfWidth(e.N, e.DF) * e.SE
	return e.Mean - half, e.Mean + half
}

// halfWidth is that of a look's interval after n pairs, with df degrees of freedom, in standard errors.
func (q Sequence) halfWidth(n int, df float64) float64 {
	if q.Rule == Anytime {
		return anytime(n, df, q.g(), q.share())
	}
	return quantile(1-q.share()/float64(2*max(1, len(q.Looks))), df)
}

// pValue is corrected for looks and arms.
func (q Sequence) pValue(e Effect, evidence float64) float64 {
	arms := float64(max(1, q.Arms))
	if q.Rule == Anytime {
		return math.Min(1, arms/evidence)
	}
	if math.IsNaN(e.P) {
		return 1
	}
	return math.Min(1, e.P*float64(len(q.Looks))*arms)
}

func (q Sequence) g() float64 {
	if q.G > 0 {
		return q.G
	}
	return DefaultG
}

// evidence is the e-value of n pairs against "no effect":
// (1+ng)^(-1/2) [ (1+t²/v) / (1+t²/(v(1+ng))) ]^((v+1)/2), with t = mean/SE and v degrees of freedom.
func (q Sequence) evidence(e Effect) float64 {
	if e.N < 2 || !(e.SE > 0) {
		return 0
	}
	t2, v, ng := (e.Mean/e.SE)*(e.Mean/e.SE), e.DF, 1+float64(e.N)*q.g()
	return math.Exp((v+1)/2*(math.Log1p(t2/v)-math.Log1p(t2/(v*ng))) - math.Log(ng)/2)
}

// anytime is the half-width of the e-process's interval in units of SE: where the e-value against the end of
// the interval is 1/alpha. It is infinite where n pairs can conclude nothing.
func anytime(n int, v, g, alpha float64) float64 {
	ng := 1 + float64(n)*g
	a := math.Pow(math.Sqrt(ng)/alpha, 2/(v+1))
	if a >= ng {
		return math.Inf(1)
	}
	return math.Sqrt(v * (a - 1) / (1 - a/ng))
}
