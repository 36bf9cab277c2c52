package reports_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies/inference"
)

func newRand() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

// The rounding rule of the Particle Data Group: two digits of an uncertainty that reads 10 to 35, else one.
func TestDigits(t *testing.T) {
	for u, want := range map[float64]int{0.148: 2, 0.34: 2, 0.36: 1, 0.6: 1, 0.95: 1, 1.2: 1, 3.5: 1, 3.6: 0, 12: 0, 88: 0, 0.0012: 4, 0.0004: 4} {
		if got := reports.Digits(u, 9); got != want {
			t.Errorf("uncertainty %g: %d digits, want %d", u, got, want)
		}
	}
	for _, u := range []float64{0, math.NaN(), math.Inf(1)} {
		if got := reports.Digits(u, 3); got != 3 {
			t.Errorf("uncertainty %g: %d digits, want the plain 3", u, got)
		}
	}
}

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		got, want string
	}{
		{reports.Number(-1.25, 1), "−1.2"}, {reports.Number(-0.04, 1), "0.0"}, {reports.Number(math.NaN(), 1), ""},
		{reports.Signed(1.26, 1), "+1.3"}, {reports.Signed(-1.26, 1), "−1.3"}, {reports.Signed(0.01, 1), "0.0"},
		{reports.PValue(0.00004), "<0.001"}, {reports.PValue(0.0312), "0.031"}, {reports.PValue(0.734), "0.73"}, {reports.PValue(math.NaN()), ""},
		{reports.Span(250 * time.Millisecond), "250 ms"}, {reports.Span(48 * time.Second), "48 s"}, {reports.Span(325 * time.Second), "5 min 25 s"},
		{reports.Span(48 * time.Minute), "48 min"}, {reports.Span(134 * time.Minute), "2 h 14 min"},
		{reports.ShortValue(0.0273519), "0.0274"}, {reports.ShortValue(int64(12345)), "12345"}, {reports.ShortValue("none"), "none"}, {reports.ShortValue(0.0), "0"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func TestMetric(t *testing.T) {
	ap := reports.MetricOf("mAP50-95")
	loss := reports.MetricOf("loss/box")
	effect := func(mean, low, high float64) reports.Effect {
		return reports.Effect{Effect: inference.Effect{N: 5, Mean: mean, Low: low, High: high}}
	}
	for _, c := range []struct{ got, want string }{
		{ap.MeanSpread(0.6299, 0.0048), "63.0 ± 0.5"}, {ap.MeanSpread(0.6299, math.NaN()), "63.0"}, {ap.MeanSpread(math.NaN(), math.NaN()), ""},
		{loss.MeanSpread(0.1753, 0.0031), "0.1753 ± 0.0031"}, {loss.MeanSpread(2.234, 0.05), "2.23 ± 0.05"}, {loss.MeanSpread(412.3, 12), "412 ± 12"},
		{ap.Effect(effect(-0.0573, -0.089, -0.026)), "−5.7"}, {ap.Interval(effect(-0.0573, -0.089, -0.026)), "[−8.9, −2.6]"},
		{ap.Interval(effect(0.005, 0.0002, 0.0098)), "[+0.02, +0.98]"}, // rounding must not put an end on zero
		{ap.Interval(effect(0.005, math.NaN(), math.NaN())), ""}, {ap.Effect(effect(0.005, math.NaN(), math.NaN())), "+0.5"},
		{ap.Axis(), "mAP50-95, points"}, {loss.Axis(), "loss/box"}, {ap.WithUnit("1.2"), "1.2 points"}, {loss.WithUnit("1.2"), "1.2"},
		{ap.Rough(0.01534), "1.5"}, {ap.Rough(0.107), "11"}, {loss.Rough(0.0123), "0.012"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

// The rules at the ends: a spread of nothing or of rounding asks for no digits, and sizes that nobody counts digits
// of have an exponent.
func TestExtremeNumbers(t *testing.T) {
	ap, loss := reports.MetricOf("mAP50-95"), reports.MetricOf("loss/box")
	effect := func(mean, low, high float64) reports.Effect {
		return reports.Effect{Effect: inference.Effect{N: 5, Mean: mean, Low: low, High: high}}
	}
	for _, c := range []struct{ got, want string }{
		{loss.MeanSpread(0.72, 0), "0.720 ± 0.000"}, {loss.MeanSpread(0.72, 1e-17), "0.720 ± 0.000"}, {loss.MeanSpread(0.72, 1.2e-7), "0.7200 ± 0.0000"},
		{ap.MeanSpread(0.72, 0), "72.0 ± 0.0"}, {ap.MeanSpread(0.72, 1.1e-16), "72.0 ± 0.0"}, {ap.MeanSpread(0.72, 0.0000012), "72.00 ± 0.00"},
		{loss.Value(1.5e301, math.NaN()), "1.5e+301"}, {loss.Value(-1.5e301, math.NaN()), "−1.5e+301"}, {loss.MeanSpread(2.5e8, 1e6), "2.5e+08 ± 1e+06"},
		{loss.Value(3e-6, math.NaN()), "3e-06"}, {loss.MeanSpread(2.34e-6, 1e-7), "2.34e-06 ± 1e-07"}, {loss.Value(0.00015, math.NaN()), "0.000150"}, {loss.Value(0, math.NaN()), "0.00"},
		{loss.Effect(effect(-2e-6, -3e-6, -1e-6)), "−2e-06"}, {loss.Interval(effect(-2e-6, -3e-6, 1e-6)), "[−3e-06, +1e-06]"}, {loss.Effect(effect(1e300, math.NaN(), math.NaN())), "+1e+300"},
		{ap.Value(0.00003, math.NaN()), "0.0"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
