package inference

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Conjunction is on how many of several data sets an effect holds (Dror et al. 2017; Benjamini and Heller 2008).
type Conjunction struct {
	// P[u-1] is the p value against "it holds on fewer than u data sets".
	P     []float64 `json:"p"`
	Holds int       `json:"holds"` // the largest u that is shown at level alpha, on the way up from 1
}

// HoldsOn asks on how many data sets an effect holds, from one one-sided p value per data set. NaN counts as 1: nothing was shown
// there. With the N p values sorted up, the p value for at least u is
//
//	(N-u+1) p_(u)                                                  Bonferroni, valid whatever the dependence
//	P(chi²[2(N-u+1)] >= -2 (ln p_(u) + ... + ln p_(N)))            Fisher, for independent data sets
//
// each made to rise with u.
func HoldsOn(p []float64, alpha float64, independent bool) Conjunction {
	sorted := slices.Clone(p)
	for i, x := range sorted {
		if math.IsNaN(x) {
			sorted[i] = 1
		}
	}
	slices.Sort(sorted)
	n, c, highest := len(sorted), Conjunction{P: []float64{}}, 0.0
	for u := 1; u <= n; u++ {
		value := float64(n-u+1) * sorted[u-1]
		if independent {
			value = fisher(sorted[u-1:])
		}
		highest = max(highest, min(1, value))
		c.P = append(c.P, highest)
		if highest <= alpha {
			c.Holds = u
		}
	}
	return c
}

// fisher is the combined p value of independent tests.
func fisher(p []float64) float64 {
	sum := 0.0
	for _, x := range p {
		sum -= 2 * math.Log(x)
	}
	if math.IsInf(sum, 1) {
		return 0
	}
	return distuv.ChiSquared{K: float64(2 * len(p))}.Survival(sum)
}

// OneSided is the p value of "the variant is not better" that belongs to an effect's two-sided one; NaN if it was not tested.
func (e Effect) OneSided() float64 {
	if (e.Mean > 0) != e.Options.Minimize {
		return e.P / 2
	}
	return 1 - e.P/2
}
