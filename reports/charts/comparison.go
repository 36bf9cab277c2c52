package charts

import (
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"

	"github.com/mapsweep/mapsweep/reports"
)

// comparisonChart shows the score of every complete trial, by arm.
type comparisonChart struct {
	arms   []comparisonArm
	axis   string
	base   float64 // mean of the reference, scaled; NaN: none
	lo, hi float64
}

type comparisonArm struct {
	label  string
	values []float64 // scaled
	mean   float64
	mark   color.NRGBA
}

// comparisonData collects the scores of the first block's arms in design order.
func comparisonData(s *reports.Snapshot) (comparisonChart, error) {
	b := &s.Blocks[0]
	d := comparisonChart{axis: s.Metric.Axis(), base: math.NaN()}
	var all []float64
	for _, a := range b.Arms {
		c := comparisonArm{label: a.Label, mean: s.Metric.Scale(a.Mean), mark: Ink}
		if e, ok := b.Effect(a.Name); ok {
			c.mark, _ = verdictColors(e.Verdict)
		}
		if a.Reference {
			d.base = c.mean
		}
		for _, v := range a.Scores {
			c.values = append(c.values, s.Metric.Scale(v.Value))
		}
		all = append(all, c.values...)
		d.arms = append(d.arms, c)
	}
	lo, hi, ok := extent(all...)
	if !ok {
		return d, nothing("no arm has a complete trial")
	}
	d.lo, d.hi = around(lo, hi, 0.08)
	return d, nil
}

// comparisonLayout says whether arms stand side by side, or in rows where their names need the room.
type comparisonLayout struct {
	rows    bool
	labels  [][]string
	heights []vg.Length // of rows
	names   vg.Length   // width of the names (rows) or their height (columns)
	height  vg.Length
}

func (d comparisonChart) layout(width vg.Length) comparisonLayout {
	n := vg.Length(len(d.arms))
	slot := (width - 50) / n
	l := comparisonLayout{rows: slot < 56}
	for _, a := range d.arms {
		ls := wrap(tickStyle, a.label, slot-6, 20)
		l.labels = append(l.labels, ls)
		l.names = max(l.names, tickStyle.lineHeight()*vg.Length(len(ls)))
		l.rows = l.rows || len(ls) > 4
	}
	if !l.rows {
		l.height = 190 + l.names
		return l
	}
	l.labels, l.names, l.height = nil, 0, 40
	for _, a := range d.arms {
		ls := wrap(labelStyle, a.label, 0.4*width, 6)
		h := max(20, labelStyle.lineHeight()*vg.Length(len(ls))+6)
		l.labels = append(l.labels, ls)
		l.heights = append(l.heights, h)
		l.names = max(l.names, labelStyle.widest(ls))
		l.height += h
	}
	return l
}

func comparisonSize(d comparisonChart) (w, h vg.Length) {
	return pageWidth, d.layout(innerWidth).height
}

func comparisonDraw(d comparisonChart, c *canvas) {
	l := d.layout(c.Size().X)
	if l.rows {
		d.drawRows(c, l)
		return
	}
	ts := ticks(d.lo, d.hi, 6, false)
	f := frame{x: scale{from: c.Min.X + 16 + tickWidth(ts) + 4, to: c.Max.X - 2}, y: scale{lo: d.lo, hi: d.hi, from: c.Min.Y + l.names + 12, to: c.Max.Y - 6}}
	c.grid(f, ts)
	c.vertical(tickStyle, d.axis, pt(c.Min.X+6, (f.y.from+f.y.to)/2))
	if !math.IsNaN(d.base) {
		c.dashed(Mute, 0.7, []vg.Length{3, 3}, pt(f.x.from, f.y.at(d.base)), pt(f.x.to, f.y.at(d.base)))
	}
	slot := (f.x.to - f.x.from) / vg.Length(len(d.arms))
	for i, a := range d.arms {
		mid := f.x.from + slot*(vg.Length(i)+0.5)
		half := min(16, slot/3)
		for k, v := range a.values {
			c.dot(a.dot(), pt(mid+place(k, len(a.values), half), f.y.at(v)), 2.1)
		}
		if len(a.values) > 1 {
			c.line(a.mark, 1.8, pt(mid-half-3, f.y.at(a.mean)), pt(mid+half+3, f.y.at(a.mean)))
		} else if len(a.values) == 0 {
			c.text(tickStyle, "no score", pt(mid, f.y.from+8), centre)
		}
		y := f.y.from - 9
		for _, t := range l.labels[i] {
			c.text(tickStyle.with(Ink), t, pt(mid, y), centre)
			y -= tickStyle.lineHeight()
		}
	}
}

// drawRows draws the arms one below the other, for many arms or long names.
func (d comparisonChart) drawRows(c *canvas, l comparisonLayout) {
	f := frame{x: scale{lo: d.lo, hi: d.hi, from: c.Min.X + l.names + 14, to: c.Max.X - 14}, y: scale{from: c.Min.Y + 34, to: c.Max.Y - 4}}
	ts := ticks(d.lo, d.hi, max(3, int((f.x.to-f.x.from)/50)), false)
	for _, t := range ts {
		c.line(Line, 0.6, pt(f.x.at(t.value), f.y.from), pt(f.x.at(t.value), f.y.to))
	}
	c.below(f, ts)
	c.text(tickStyle, d.axis, pt((f.x.from+f.x.to)/2, c.Min.Y+8), centre)
	if !math.IsNaN(d.base) {
		c.dashed(Mute, 0.7, []vg.Length{3, 3}, pt(f.x.at(d.base), f.y.from), pt(f.x.at(d.base), f.y.to))
	}
	y := f.y.to
	for i, a := range d.arms {
		mid := y - l.heights[i]/2
		c.lines(labelStyle, l.labels[i], pt(c.Min.X+l.names, mid), right)
		for k, v := range a.values {
			c.dot(a.dot(), pt(f.x.at(v), mid+place(k, len(a.values), 5)), 2.1)
		}
		if len(a.values) > 1 {
			c.line(a.mark, 1.8, pt(f.x.at(a.mean), mid-8), pt(f.x.at(a.mean), mid+8))
		} else if len(a.values) == 0 {
			c.text(tickStyle, "no score", pt(f.x.from+4, mid), left)
		}
		y -= l.heights[i]
	}
}

// dot is the colour of a trial's dot: pale behind a mean, full where it stands alone.
func (a comparisonArm) dot() color.NRGBA {
	if len(a.values) < 2 {
		return a.mark
	}
	return fade(a.mark, 0.5)
}

// place spreads n dots evenly over -half..half, so that equal scores do not hide each other.
func place(k, n int, half vg.Length) vg.Length {
	if n < 2 {
		return 0
	}
	step := min(6, 2*half/vg.Length(n-1))
	return step * (vg.Length(k) - vg.Length(n-1)/2)
}
