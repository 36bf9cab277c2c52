package inference

import "math"

// many is the joint distribution of the t statistics of m arms against one reference, with one pooled standard deviation of
// df degrees of freedom (Dunnett 1955). Arm i with n_i values and the reference with n_0 give
// T_i and T_j the correlation l_i l_j, where l_i = sqrt(n_i/(n_i+n_0)).
type many struct {
	df   float64
	l    []float64
	s, z []node
}

// newMany takes the sizes of the arms.
func newMany(reference int, arms []int, df float64) many {
	m := many{df: df, s: chiNodes(df)}
	narrow := 1.0
	for _, n := range arms {
		l := math.Sqrt(float64(n) / float64(n+reference))
		m.l = append(m.l, l)
		narrow = min(narrow, math.Sqrt(1-l*l))
	}
	m.z = normalNodes(int(math.Ceil(max(2, 1/narrow)))) // the integrand's steps have this width
	return m
}

// within is P(|T_i| <= t for all i):
//
//	∫ f(s) ∫ φ(z) Π_i [Φ((l_i z + t s)/sqrt(1-l_i²)) - Φ((l_i z - t s)/sqrt(1-l_i²))] dz ds
//
// with s the pooled standard deviation over the true one.
func (m many) within(t float64) float64 {
	equal := true
	for _, l := range m.l {
		equal = equal && l == m.l[0]
	}
	sum := 0.0
	for _, s := range m.s {
		for _, z := range m.z {
			if s.w*z.w < 1e-18 {
				continue
			}
			product := 1.0
			for i, l := range m.l {
				if equal && i > 0 {
					break
				}
				c := math.Sqrt(1 - l*l)
				product *= normal((l*z.x+t*s.x)/c) - normal((l*z.x-t*s.x)/c)
			}
			if equal {
				product = math.Pow(product, float64(len(m.l)))
			}
			sum += s.w * z.w * product
		}
	}
	return min(1, sum)
}

// critical is the t with within(t) = 1 - alpha, between the quantiles of one arm and of Bonferroni, by the secant method
// kept in that bracket (Illinois).
func (m many) critical(alpha float64) float64 {
	if len(m.l) == 1 {
		return quantile(1-alpha/2, m.df)
	}
	f := func(t float64) float64 { return m.within(t) - (1 - alpha) }
	a, b := quantile(1-alpha/2, m.df), quantile(1-alpha/float64(2*len(m.l)), m.df)
	fa, fb := f(a), f(b)
	for range 100 {
		c := b - fb*(b-a)/(fb-fa)
		fc := f(c)
		if math.Abs(fc) < 1e-13 || math.Abs(b-a) < 1e-12*b {
			return c
		}
		if (fc < 0) != (fb < 0) {
			a, fa = b, fb
		} else {
			fa /= 2
		}
		b, fb = c, fc
	}
	return b
}

// dunnett turns effects against one reference into Dunnett's test: arms compared by all their values, no pairing, one
// standard deviation pooled over the reference and all arms. Arms with a single value count in the comparison and add
// nothing to the pooled deviation; arms without any are left as they are. It reports false, and changes nothing, if
// the effects do not share their reference or nothing has spread.
func dunnett(effects []Effect) bool {
	var tested []*Effect
	for i := range effects {
		if !same(effects[i].Reference, effects[0].Reference) {
			return false
		}
		if effects[i].Variant.N > 0 && effects[i].Reference.N > 0 {
			tested = append(tested, &effects[i])
		}
	}
	if len(tested) == 0 {
		return false
	}
	ref := tested[0].Reference
	squares, df, sizes := sumSquares(ref), float64(ref.N-1), []int{}
	for _, e := range tested {
		squares += sumSquares(e.Variant)
		df += float64(e.Variant.N - 1)
		sizes = append(sizes, e.Variant.N)
	}
	if !(squares > 0) {
		return false
	}
	sd, joint := math.Sqrt(squares/df), newMany(ref.N, sizes, df)
	for _, e := range tested {
		e.pooled(sd, df)
	}
	wide := joint.critical(tested[0].Options.alpha())
	for _, e := range tested {
		e.Comparisons, e.Correction, e.PHolm = len(tested), ByDunnett, max(0, 1-joint.within(math.Abs(e.Mean)/e.SE))
		e.WideLow, e.WideHigh = e.Mean-wide*e.SE, e.Mean+wide*e.SE
	}
	return true
}

// pooled is Student's test of two arms with a standard deviation from elsewhere, of df degrees of freedom.
func (e *Effect) pooled(sd, df float64) {
	a, b := e.Reference, e.Variant
	e.Method, e.N, e.Alone = Pooled, min(a.N, b.N), 0
	e.Mean, e.DF = b.Mean-a.Mean, df
	e.SE = sd * math.Sqrt(1/float64(a.N)+1/float64(b.N))
	e.SD = e.SE * math.Sqrt(float64(e.N))
	e.test()
}

// same says that two summaries are of the same arm.
func same(a, b Summary) bool {
	equal := func(x, y float64) bool { return x == y || math.IsNaN(x) && math.IsNaN(y) }
	return a.N == b.N && equal(a.Mean, b.Mean) && equal(a.SD, b.SD)
}

// sumSquares about the mean.
func sumSquares(s Summary) float64 {
	if s.N < 2 {
		return 0
	}
	return s.SD * s.SD * float64(s.N-1)
}
