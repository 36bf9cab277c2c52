package charts_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/reports/charts"
	"github.com/mapsweep/mapsweep/reports/internal/golden"
)

func pairs() charts.Pairs {
	return charts.Pairs{Axis: "effect on mAP50-95 in points", Names: [2]string{"A: before", "B: after"}, Margin: 0.2, Rows: []charts.PairRow{
		{Label: "mosaic 1 → 0", Values: [2]charts.PairValue{{Mean: -5.2, Low: -5.4, High: -4.9}, {Mean: -1.4, Low: -1.7, High: -1.1}}, Words: "higher in B",
			Numbers: "B − A +3.8 [+3.4, +4.1]", Highlight: true},
		{Label: "mixup 0.15 → 0", Values: [2]charts.PairValue{{Mean: -0.3, Low: -1.1, High: 0.5}, {Mean: -0.1, Low: math.NaN(), High: math.NaN()}}, Words: "not tested"},
		{Label: "copy_paste 0.3 → 0", Values: [2]charts.PairValue{{Mean: math.NaN(), Low: math.NaN(), High: math.NaN()}, {Mean: 0.4, Low: -90, High: 90}}, Words: "not tested"},
	}}
}

// Two series are told apart by colour and by mark; what is not there is not drawn.
func TestPairs(t *testing.T) {
	var svg bytes.Buffer
	if err := charts.WritePairs(&svg, pairs(), "svg"); err != nil {
		t.Fatal(err)
	}
	golden.Check(t, "pairs.svg", svg.Bytes())
	for _, w := range []string{"A: before", "B: after", "higher in B", "copy_paste 0.3 → 0"} {
		if !strings.Contains(svg.String(), w) {
			t.Errorf("no %q in the picture", w)
		}
	}
	if strings.Contains(svg.String(), "NaN") {
		t.Error("NaN in the picture")
	}
	inline, err := charts.InlinePairs(pairs(), "two <studies>")
	if err != nil || !strings.Contains(inline, "two &lt;studies&gt;") || !strings.Contains(inline, "var(--green)") {
		t.Errorf("inline: %v", err)
	}
	p := pairs()
	p.Rows = p.Rows[:0]
	if err := charts.WritePairs(&svg, p, "svg"); !errors.Is(err, charts.ErrNothing) {
		t.Errorf("nothing to draw: %v", err)
	}
}
