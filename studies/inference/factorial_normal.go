package inference

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// HalfNormal is a term in a half-normal plot (Daniel 1959): noise lies on a line through the origin, effects lie above.
type HalfNormal struct {
	Term     int     `json:"term"`     // index in Factorial.Terms
	Size     float64 `json:"size"`     // of the estimate, brought to the standard error of the first term
	Quantile float64 `json:"quantile"` // of the half-normal distribution: of (rank - 1/2) / terms
}

// HalfNormal are the terms by rising size. Terms of unequal standard error are brought to one, so that they compare.
func (f Factorial) HalfNormal() []HalfNormal {
	var out []HalfNormal
	for i, t := range f.Terms {
		size := math.Abs(t.Estimate)
		if first := f.Terms[0].SE; t.SE > 0 && first > 0 {
			size *= first / t.SE
		}
		out = append(out, HalfNormal{Term: i, Size: size})
	}
	slices.SortStableFunc(out, func(a, b HalfNormal) int { return cmp.Compare(a.Size, b.Size) })
	for i := range out {
		out[i].Quantile = distuv.UnitNormal.Quantile(0.5 + 0.5*(float64(i)+0.5)/float64(len(out)))
	}
	return out
}

// MarshalJSON writes null for missing numbers.
func (f Factorial) MarshalJSON() ([]byte, error) {
	type plain Factorial
	return json.Marshal(struct {
		plain
		Residual number `json:"residual"`
		DF       number `json:"df"`
		PSE      number `json:"pse"`
		ME       number `json:"me"`
		SME      number `json:"sme"`
	}{plain(f), number(f.Residual), number(f.DF), number(f.PSE), number(f.ME), number(f.SME)})
}

// MarshalJSON writes null for missing numbers.
func (t Term) MarshalJSON() ([]byte, error) {
	type plain Term
	return json.Marshal(struct {
		plain
		Estimate number `json:"estimate"`
		SE       number `json:"se"`
		Low      number `json:"low"`
		High     number `json:"high"`
		P        number `json:"p"`
		PHolm    number `json:"p_holm"`
	}{plain(t), number(t.Estimate), number(t.SE), number(t.Low), number(t.High), number(t.P), number(t.PHolm)})
}

// MarshalJSON writes null for the mean of no trial.
func (c Cell) MarshalJSON() ([]byte, error) {
	type plain Cell
	return json.Marshal(struct {
		plain
		Mean number `json:"mean"`
	}{plain(c), number(c.Mean)})
}
