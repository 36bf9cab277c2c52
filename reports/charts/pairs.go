package charts

import (
	"bytes"
	"fmt"
	"image/color"
	"io"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"

	"github.com/mapsweep/mapsweep/reports"
)

// Pairs is a forest plot of two series: under each label the interval of either study. Numbers are scaled as they are
// shown; NaN: not there.
type Pairs struct {
	Axis   string    // "effect on mAP50-95 in points"
	Names  [2]string // of the series
	Margin float64   // half-width of the grey band; 0: none
	Rows   []PairRow
}

// PairRow is a label with two intervals, and words about them at the right edge.
type PairRow struct {
	Label     string
	Values    [2]PairValue
	Words     string // in bold
	Numbers   string
	Highlight bool // the words say that the two differ
}

// PairValue is a mean and its interval.
type PairValue struct{ Mean, Low, High float64 }

// pairColors are the two series; their marks differ too: a filled and an open circle.
var pairColors = [2]color.NRGBA{Ink, Green}

// pairsChart is what is drawn.
type pairsChart struct {
	Pairs
	lo, hi float64
}

func pairsData(p Pairs) (pairsChart, error) {
	var means, ends []float64
	for _, r := range p.Rows {
		for _, v := range r.Values {
			means, ends = append(means, v.Mean), append(ends, v.Low, v.High)
		}
	}
	if _, _, ok := extent(means...); !ok {
		return pairsChart{}, nothing("no effect to compare")
	}
	d := pairsChart{Pairs: p}
	d.lo, d.hi = effectsRange(means, ends, p.Margin)
	return d, nil
}

const pairsHead = 20 // names of the series

func (d pairsChart) layout(width vg.Length) effectsLayout {
	e := effectsChart{}
	for _, r := range d.Rows {
		e.rows = append(e.rows, effectRow{label: r.Label, verdict: r.Words, numbers: r.Numbers})
	}
	l := e.layout(width)
	l.height += pairsHead
	for i, h := range l.heights {
		l.heights[i] = max(h, 30)
		l.height += l.heights[i] - h
	}
	return l
}

func pairsSize(d pairsChart) (w, h vg.Length) { return pageWidth, d.layout(innerWidth).height }

func pairsDraw(d pairsChart, c *canvas) {
	l := d.layout(c.Size().X)
	x := scale{lo: d.lo, hi: d.hi, from: c.Min.X + l.left + 14, to: c.Max.X - l.right - 14}
	top, foot := c.Max.Y-4-pairsHead, c.Min.Y+effectsFoot
	if d.Margin > 0 {
		c.rect(Wash, x.at(-d.Margin), foot, x.at(d.Margin), top)
	}
	at := x.from
	for i, n := range d.Names {
		c.pairMark(i, pt(at+4, c.Max.Y-10), 3.2)
		c.text(labelStyle.strong().with(pairColors[i]), n, pt(at+12, c.Max.Y-10), left)
		at += 12 + labelStyle.strong().width(n) + 16
	}
	f := frame{x: x, y: scale{from: foot, to: top}}
	ts := ticks(d.lo, d.hi, max(3, int((x.to-x.from)/45)), true)
	for _, t := range ts {
		if t.value != 0 {
			c.line(Line, 0.6, pt(x.at(t.value), foot), pt(x.at(t.value), top))
		}
	}
	c.line(Ink, 0.8, pt(x.at(0), foot), pt(x.at(0), top))
	c.below(f, ts)
	title := d.Axis
	if d.Margin > 0 {
		title += " (grey band: no relevant effect, ±" + reports.Number(d.Margin, 1) + ")"
	}
	w := tickStyle.width(title)
	c.text(tickStyle, title, pt(min(max((x.from+x.to)/2, c.Min.X+w/2), c.Max.X-w/2), c.Min.Y+8), centre)
	y := top
	for i, r := range d.Rows {
		mid := y - l.heights[i]/2
		c.lines(labelStyle, l.labels[i], pt(c.Min.X+l.left, mid), right)
		for k, v := range r.Values {
			c.pairInterval(k, v, x, mid+5-10*vg.Length(k))
		}
		ink := Mute
		if r.Highlight {
			ink = Vermilion
		}
		c.text(labelStyle.strong().with(ink), r.Words, pt(c.Max.X-l.right, mid+5), left)
		c.text(tickStyle, r.Numbers, pt(c.Max.X-l.right, mid-5.5), left)
		y -= l.heights[i]
	}
}

func (c *canvas) pairMark(series int, at vg.Point, r vg.Length) {
	if series == 0 {
		c.dot(pairColors[0], at, r)
		return
	}
	c.dot(background, at, r)
	c.ring(pairColors[1], at, r, 1.6)
}

// pairInterval draws one study's interval; an end beyond the axis gets an arrow head.
func (c *canvas) pairInterval(series int, v PairValue, x scale, y vg.Length) {
	if math.IsNaN(v.Mean) {
		return
	}
	if !math.IsNaN(v.Low) && !math.IsNaN(v.High) {
		r := effectRow{mean: v.Mean, low: v.Low, high: v.High, mark: pairColors[series]}
		low, high := max(r.low, x.lo), min(r.high, x.hi)
		c.line(r.mark, 1.8, pt(x.at(low), y), pt(x.at(high), y))
		if low > r.low {
			c.polygon(r.mark, pt(x.from-4, y), pt(x.from+3, y+3.5), pt(x.from+3, y-3.5))
		}
		if high < r.high {
			c.polygon(r.mark, pt(x.to+4, y), pt(x.to-3, y+3.5), pt(x.to-3, y-3.5))
		}
	}
	c.pairMark(series, pt(x.at(v.Mean), y), 3.2)
}

// WritePairs renders a chart of two series in one of Formats. It returns ErrNothing where there is nothing to draw.
func WritePairs(w io.Writer, p Pairs, format string) error {
	d, err := pairsData(p)
	if err != nil {
		return fmt.Errorf("draw chart of two studies: %w", err)
	}
	width, height := pairsSize(d)
	if err := render(w, pairsPlot(d), width, height, format); err != nil {
		return fmt.Errorf("write chart of two studies as %s: %w", format, err)
	}
	return nil
}

// InlinePairs renders a chart of two series as Inline does.
func InlinePairs(p Pairs, label string) (string, error) {
	d, err := pairsData(p)
	if err != nil {
		return "", fmt.Errorf("draw chart of two studies: %w", err)
	}
	width, height := pairsSize(d)
	var b bytes.Buffer
	if err := renderBare(&b, pairsPlot(d), width, height); err != nil {
		return "", fmt.Errorf("write chart of two studies: %w", err)
	}
	return inline(b.String(), label), nil
}

func pairsPlot(d pairsChart) *plot.Plot { return newPlot(func(c *canvas) { pairsDraw(d, c) }) }
