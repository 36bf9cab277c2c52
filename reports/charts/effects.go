package charts

import (
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies/inference"
)

// effectsChart is a forest plot: a row per arm.
type effectsChart struct {
	rows   []effectRow
	axis   string
	margin float64 // half-width of the grey band, scaled; 0: none
	lo, hi float64
}

type effectRow struct {
	label            string
	mean, low, high  float64 // scaled; NaN: not there
	verdict, numbers string
	mark, ink        color.NRGBA
}

// effectsData collects the effects of the first block, best first.
func effectsData(s *reports.Snapshot) (effectsChart, error) {
	b := &s.Blocks[0]
	m := s.Metric
	if len(b.Effects) == 0 {
		return effectsChart{}, nothing("no variant to compare")
	}
	d := effectsChart{margin: m.Scale(b.Margin), axis: "change of " + m.Key}
	if m.Points {
		d.axis += " in points"
	}
	var means, ends []float64
	for _, e := range s.Sorted(b) {
		r := effectRow{label: e.Label, mean: m.Scale(e.Mean), low: m.Scale(e.Low), high: m.Scale(e.High), verdict: string(e.Verdict)}
		r.mark, r.ink = verdictColors(e.Verdict)
		switch {
		case math.IsNaN(e.Mean):
			r.numbers = "no pair of seeds"
		case math.IsNaN(e.Low):
			r.numbers = m.Effect(e) + ", " + e.Seeds()
		default:
			r.numbers = m.Effect(e) + " " + m.Interval(e) + ", " + e.Seeds()
		}
		means = append(means, r.mean)
		ends = append(ends, r.low, r.high)
		d.rows = append(d.rows, r)
	}
	if _, _, ok := extent(means...); !ok {
		return d, nothing("no seed is complete in two arms")
	}
	d.lo, d.hi = effectsRange(means, ends, d.margin)
	return d, nil
}

// effectsRange covers zero, all means and the intervals, but not more of an interval than lets the others be seen.
func effectsRange(means, ends []float64, margin float64) (lo, hi float64) {
	far := 0.0
	for _, x := range means {
		if !math.IsNaN(x) {
			far = max(far, math.Abs(x))
		}
	}
	var sizes []float64
	for _, x := range ends {
		if !math.IsNaN(x) {
			sizes = append(sizes, math.Abs(x))
		}
	}
	reach := math.Inf(1)
	if len(sizes) > 0 {
		slices.Sort(sizes)
		reach = 4 * max(far, sizes[len(sizes)/2])
	}
	lo, hi = -margin*1.5, margin*1.5
	for _, x := range append(slices.Clone(means), ends...) {
		if !math.IsNaN(x) {
			lo, hi = min(lo, max(x, -reach)), max(hi, min(x, reach))
		}
	}
	return widen(lo, hi, 0.06)
}

// verdictColors are a verdict's colours for marks and for text, which needs more contrast.
func verdictColors(v inference.Verdict) (mark, ink color.NRGBA) {
	switch v {
	case inference.Better:
		return Blue, Blue
	case inference.Worse:
		return Vermilion, Vermilion
	case inference.Equivalent:
		return Mute, Mute
	}
	return Light, Mute
}

// effectsLayout is the place of everything at a given width.
type effectsLayout struct {
	labels  [][]string
	heights []vg.Length
	left    vg.Length // width of the labels
	right   vg.Length // width of verdicts and numbers
	height  vg.Length
}

const effectsFoot = 34 // tick labels and axis title

func (d effectsChart) layout(width vg.Length) effectsLayout {
	var l effectsLayout
	l.height = effectsFoot + 6
	for _, r := range d.rows {
		l.right = max(l.right, tickStyle.width(r.numbers), labelStyle.strong().width(r.verdict))
	}
	room := max(80, min(0.36*width, width-l.right-150))
	for _, r := range d.rows {
		ls := wrap(labelStyle, r.label, room, 6)
		h := max(26, labelStyle.lineHeight()*vg.Length(len(ls))+8)
		l.labels = append(l.labels, ls)
		l.heights = append(l.heights, h)
		l.left = max(l.left, labelStyle.widest(ls))
		l.height += h
	}
	return l
}

func effectsSize(d effectsChart) (w, h vg.Length) { return pageWidth, d.layout(innerWidth).height }

func effectsDraw(d effectsChart, c *canvas) {
	l := d.layout(c.Size().X)
	x := scale{lo: d.lo, hi: d.hi, from: c.Min.X + l.left + 14, to: c.Max.X - l.right - 14}
	top, foot := c.Max.Y-4, c.Min.Y+effectsFoot
	if d.margin > 0 {
		c.rect(Wash, x.at(-d.margin), foot, x.at(d.margin), top)
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
	title := d.axis
	if d.margin > 0 {
		title += " (grey band: no relevant effect, ±" + reports.Number(d.margin, 1) + ")"
	}
	w := tickStyle.width(title)
	at := min(max((x.from+x.to)/2, c.Min.X+w/2), c.Max.X-w/2)
	c.text(tickStyle, title, pt(at, c.Min.Y+8), centre)
	y := top
	for i, r := range d.rows {
		mid := y - l.heights[i]/2
		c.lines(labelStyle, l.labels[i], pt(c.Min.X+l.left, mid), right)
		effectMark(c, r, x, mid)
		c.text(labelStyle.strong().with(r.ink), r.verdict, pt(c.Max.X-l.right, mid+5), left)
		c.text(tickStyle, r.numbers, pt(c.Max.X-l.right, mid-5.5), left)
		y -= l.heights[i]
	}
}

// effectMark draws the interval and the mean; an end beyond the axis gets an arrow head.
func effectMark(c *canvas, r effectRow, x scale, y vg.Length) {
	if math.IsNaN(r.mean) {
		return
	}
	if math.IsNaN(r.low) {
		c.ring(r.mark, pt(x.at(r.mean), y), 3, 1.2)
		return
	}
	low, high := max(r.low, x.lo), min(r.high, x.hi)
	c.line(r.mark, 2, pt(x.at(low), y), pt(x.at(high), y))
	if low > r.low {
		c.polygon(r.mark, pt(x.from-4, y), pt(x.from+3, y+3.5), pt(x.from+3, y-3.5))
	}
	if high < r.high {
		c.polygon(r.mark, pt(x.to+4, y), pt(x.to-3, y+3.5), pt(x.to-3, y-3.5))
	}
	c.dot(r.mark, pt(x.at(r.mean), y), 3.4)
}
