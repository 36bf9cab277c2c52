package reports

import (
	"math"
	"strconv"
	"strings"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trials"
)

// Metric knows how values of one metric are written.
type Metric struct {
	Key       string // as stored: mAP50-95
	Direction trials.Direction
	Points    bool // a fraction 0..1, written in points (percent)
}

func newMetric(key string, d trials.Direction) Metric {
	return Metric{Key: key, Direction: d, Points: studies.IsFraction(key)}
}

// MetricOf is the metric under that key; losses and times are better when smaller, all else when larger.
func MetricOf(key string) Metric {
	if strings.HasPrefix(key, "loss") || strings.HasPrefix(key, "val-loss") || strings.HasPrefix(key, "time/") {
		return newMetric(key, trials.Minimize)
	}
	return newMetric(key, trials.Maximize)
}

// Scale turns a stored value into what is shown.
func (m Metric) Scale(x float64) float64 {
	if m.Points {
		return 100 * x
	}
	return x
}

// Unit is "points" or "".
func (m Metric) Unit() string {
	if m.Points {
		return "points"
	}
	return ""
}

// Axis is an axis title: the metric and its unit.
func (m Metric) Axis() string {
	if m.Points {
		return m.Key + ", points"
	}
	return m.Key
}

// WithUnit appends the unit to a number in words.
func (m Metric) WithUnit(number string) string {
	if !m.Points {
		return number
	}
	if number == "1" {
		return number + " point"
	}
	return number + " points"
}

// Gain is x with its sign turned so that larger is better.
func (m Metric) Gain(x float64) float64 {
	if m.Direction == trials.Minimize {
		return -x
	}
	return x
}

// Digits is the number of decimals that an uncertainty of that size (already scaled) supports. The rule is the
// Particle Data Group's: two significant digits of the uncertainty where they read 10 to 35, else one.
// A number without uncertainty gets what is asked for as plain.
func Digits(uncertainty float64, plain int) int {
	u := math.Abs(uncertainty)
	if !finite(u) || u == 0 {
		return plain
	}
	exp := math.Floor(math.Log10(u))
	lead := u / math.Pow(10, exp) // 1 <= lead < 10
	d := -int(exp)
	if lead < 3.55 {
		d++
	}
	return min(max(d, 0), 8)
}

// Numbers outside these bounds are written with an exponent.
const (
	leastPlain   = 1e-4
	largestPlain = 1e7
)

// Number writes x with d decimals and a true minus sign; "" for what is not a number. Negative zero is zero.
// From ten million on it is written with an exponent: "1.5e+301".
func Number(x float64, d int) string {
	if !finite(x) {
		return ""
	}
	if math.Abs(x) >= largestPlain {
		return significant(x)
	}
	t := strconv.FormatFloat(x, 'f', d, 64)
	if strings.HasPrefix(t, "-") {
		if strings.Trim(t, "-0.") == "" {
			return t[1:]
		}
		return "−" + t[1:]
	}
	return t
}

// significant writes x with four significant digits.
func significant(x float64) string {
	t, below := strings.CutPrefix(strconv.FormatFloat(x, 'g', 4, 64), "-")
	if below {
		return "−" + t
	}
	return t
}

// Signed is Number with a plus sign before what is above zero.
func Signed(x float64, d int) string {
	return plus(Number(x, d))
}

func plus(t string) string {
	if t == "" || strings.HasPrefix(t, "−") || strings.Trim(t, "0.") == "" {
		return t
	}
	return "+" + t
}

// plainDigits is how many decimals a single number of the metric gets, with nothing to say how uncertain it is.
func (m Metric) plainDigits(x float64) int {
	if m.Points {
		return 1
	}
	x = math.Abs(x)
	if !finite(x) || x == 0 {
		return 2
	}
	return min(max(2-int(math.Floor(math.Log10(x))), 0), 8)
}

// most is the largest number of decimals that a spread may ask for: two of a point, four of anything else, and more
// only where a number is so small that its first three digits come later.
func (m Metric) most(x float64) int {
	if m.Points {
		return 2
	}
	return max(4, m.plainDigits(x))
}

// digits is how many decimals x gets, whose uncertainty is u; one that is rounding and not spread says nothing.
func (m Metric) digits(x, u float64) int {
	plain := m.plainDigits(x)
	if math.Abs(u) <= 1e-9*math.Abs(x) {
		return plain
	}
	return min(Digits(m.Scale(u), plain), m.most(x))
}

// write writes x with d decimals, or with significant digits alone where size, that of the numbers beside it, is
// tiny or huge.
func (m Metric) write(x float64, d int, size float64) string {
	x = m.Scale(x)
	if tiny := !m.Points && size > 0 && size < leastPlain; finite(x) && (tiny || size >= largestPlain) {
		return significant(x)
	}
	return Number(x, d)
}

// Value writes one value whose uncertainty (standard deviation or half an interval; NaN: unknown) is u.
func (m Metric) Value(x, u float64) string {
	return m.write(x, m.digits(x, u), math.Abs(x))
}

// MeanSpread writes "62.9 ± 0.5"; without a spread the mean alone.
func (m Metric) MeanSpread(mean, sd float64) string {
	if !finite(mean) {
		return ""
	}
	if !finite(sd) {
		return m.Value(mean, math.NaN())
	}
	d, size := m.digits(mean, sd), max(math.Abs(mean), sd)
	return m.write(mean, d, size) + " ± " + m.write(sd, d, size)
}

// effectDigits is the number of decimals for an effect and its interval: what the half-width supports, and
// one or two more where rounding would hide on which side of zero an end lies.
func (m Metric) effectDigits(mean, low, high float64) int {
	if !finite(low) || !finite(high) {
		return m.plainDigits(mean)
	}
	d := min(Digits(m.Scale((high-low)/2), m.plainDigits(mean)), m.most(mean))
	for i := 0; i < 2; i++ {
		if !hidesSign(m.Scale(low), d) && !hidesSign(m.Scale(high), d) {
			break
		}
		d++
	}
	return d
}

// effectSize is the largest of the numbers that an effect is written with.
func effectSize(e Effect) float64 {
	size := math.Abs(e.Mean)
	for _, x := range []float64{e.Low, e.High} {
		if finite(x) {
			size = max(size, math.Abs(x))
		}
	}
	return size
}

func hidesSign(x float64, d int) bool {
	return x != 0 && strings.Trim(strconv.FormatFloat(x, 'f', d, 64), "-0.") == ""
}

// Effect writes an effect with its sign: "+1.2".
func (m Metric) Effect(e Effect) string {
	return plus(m.write(e.Mean, m.effectDigits(e.Mean, e.Low, e.High), effectSize(e)))
}

// Interval writes "[+0.6, +1.8]", or "" without an interval.
func (m Metric) Interval(e Effect) string {
	if !finite(e.Low) || !finite(e.High) {
		return ""
	}
	low, high := m.ends(e)
	return "[" + low + ", " + high + "]"
}

// ends writes the ends of an effect's interval.
func (m Metric) ends(e Effect) (low, high string) {
	d, size := m.effectDigits(e.Mean, e.Low, e.High), effectSize(e)
	return plus(m.write(e.Low, d, size)), plus(m.write(e.High, d, size))
}

// PValue writes a probability: three decimals, or "<0.001".
func PValue(p float64) string {
	switch {
	case !finite(p):
		return ""
	case p < 0.001:
		return "<0.001"
	case p >= 0.1:
		return strconv.FormatFloat(p, 'f', 2, 64)
	}
	return strconv.FormatFloat(p, 'f', 3, 64)
}

// Rough writes a size that is itself an estimate, with two significant digits.
func (m Metric) Rough(x float64) string {
	x = m.Scale(x)
	if !finite(x) || x == 0 {
		return Number(x, 0)
	}
	return Number(roundSignificant(x, 2), min(max(1-int(math.Floor(math.Log10(math.Abs(x)))), 0), 8))
}
