package charts

import (
	"io"

	"gonum.org/v1/plot/vg"

	"github.com/mapsweep/mapsweep/reports"
)

// Wrap breaks a tick label.
func Wrap(t string, width vg.Length, limit int) []string { return wrap(tickStyle, t, width, limit) }

// Width measures a tick label, or one in bold at another size.
func Width(t string, size vg.Length, bold bool) vg.Length { return getFace(size, bold).width(t) }

// Spread moves labels apart.
func Spread(ys, heights []vg.Length, lo, hi vg.Length) []vg.Length {
	return spread(ys, heights, lo, hi)
}

// Ticks lists the labels of an axis.
func Ticks(lo, hi float64, n int) []string { return labels(ticks(lo, hi, n, false)) }

// WholeTicks lists the labels of an axis of whole numbers.
func WholeTicks(lo, hi float64, n int) []string { return labels(wholeTicks(lo, hi, n)) }

// LogTicks lists the labels of a logarithmic axis.
func LogTicks(lo, hi float64) []string { return labels(logTicks(lo, hi)) }

func labels(ts []tick) []string {
	var out []string
	for _, t := range ts {
		out = append(out, t.label)
	}
	return out
}

// The charts of analyses, from their numbers alone.
var (
	HalfNormal   = picture(halfNormalOf, halfNormalDraw, halfNormalSize)
	Interactions = picture(interactionsOf, interactionsDraw, interactionsSize)
	Importance   = picture(importanceOf, importanceDraw, importanceSize)
	HeatMap      = picture(heatOf, heatDraw, heatSize)
	Marginals    = picture(marginalsOf, marginalsDraw, marginalsSize)
)

func picture[A, D any](data func(A, reports.Metric) (D, error), paint func(D, *canvas), size func(D) (w, h vg.Length)) func(A, io.Writer, string) error {
	return func(a A, w io.Writer, format string) error {
		d, err := data(a, reports.MetricOf("mAP50-95"))
		if err != nil {
			return err
		}
		width, height := size(d)
		return render(w, newPlot(func(c *canvas) { paint(d, c) }), width, height, format)
	}
}
