package design

import (
	"math"
	"strconv"

	"github.com/mapsweep/mapsweep/studies"
)

// fine is the share of a range to which values are rounded: no difference to a trainer, and shorter names.
const fine = 1e-6

// valueAt is the value of a factor at u in [0, 1): equal parts of u for its levels or the steps of its range, or
// the range itself, on a logarithmic scale if it has one.
func valueAt(s studies.Spec, f studies.Factor, u float64) any {
	if !s.Ranges(f) {
		return f.Levels[part(u, len(f.Levels))]
	}
	low, high := *f.Low, *f.High
	switch {
	case f.Log && f.Int: // every whole number has the stretch between its halves
		x := math.Exp(math.Log(low-0.5) + u*(math.Log(high+0.5)-math.Log(low-0.5)))
		return f.Value(min(max(math.Round(x), low), high))
	case f.Int || f.Step > 0:
		step := f.Step
		if step == 0 {
			step = 1
		}
		steps := int(math.Round((high - low) / step))
		return f.Value(rounded(low+float64(part(u, steps+1))*step, 12))
	case f.Log:
		x := math.Exp(math.Log(low) + u*(math.Log(high)-math.Log(low)))
		return min(max(rounded(x, 6), low), high)
	}
	unit := math.Pow(10, math.Floor(math.Log10(high-low))) * fine
	return min(max(rounded(math.Round((low+u*(high-low))/unit)*unit, 12), low), high)
}

// part says in which of n equal parts of [0, 1) a number lies.
func part(u float64, n int) int { return min(int(u*float64(n)), n-1) }

// rounded keeps a number of significant digits.
func rounded(x float64, digits int) float64 {
	y, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'g', digits, 64), 64) // what was written is read
	return y
}
