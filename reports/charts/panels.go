package charts

import (
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
)

// panelsChart is a stack of panels over epochs, each with lines and their names at the right.
type panelsChart struct {
	panels []panel
	epochs int // the last one
}

// panel shows one metric.
type panel struct {
	axis    string
	bounded bool // a fraction: all of its range is shown
	lines   []curve
	lo, hi  float64
}

// curve is a line over epochs, with a band where low and high differ.
type curve struct {
	epochs    []int
	y         []float64
	low, high []float64 // nil: no band
	label     string    // "": not named
	color     color.NRGBA
	width     vg.Length
	dashed    bool
}

// panelLayout is the place of names at the right.
type panelLayout struct {
	names  [][]string // by line; nil: not named
	right  vg.Length
	height vg.Length
}

func (d panelsChart) layout(p panel, width vg.Length) panelLayout {
	l := panelLayout{height: 150}
	if len(d.panels) == 1 {
		l.height = 210
	}
	var names vg.Length
	for _, c := range p.lines {
		if c.label == "" {
			l.names = append(l.names, nil)
			continue
		}
		ls := wrap(tickStyle, c.label, 0.26*width, 4)
		l.names = append(l.names, ls)
		l.right = max(l.right, tickStyle.widest(ls))
		names += nameHeight(ls)
	}
	l.height = max(l.height, names+44)
	return l
}

func nameHeight(lines []string) vg.Length { return tickStyle.lineHeight()*vg.Length(len(lines)) + 2 }

func panelsSize(d panelsChart) (w, h vg.Length) {
	for _, p := range d.panels {
		h += d.layout(p, innerWidth).height
	}
	return pageWidth, h
}

func panelsDraw(d panelsChart, c *canvas) {
	var right, ticksAt vg.Length
	for _, p := range d.panels { // all panels have their data areas one above the other
		right = max(right, d.layout(p, c.Size().X).right)
		ticksAt = max(ticksAt, tickWidth(ticks(p.lo, p.hi, 4, false)))
	}
	y := c.Max.Y
	for _, p := range d.panels {
		l := d.layout(p, c.Size().X)
		f := frame{
			x: scale{lo: 1, hi: float64(max(d.epochs, 2)), from: c.Min.X + 16 + ticksAt + 4, to: c.Max.X - right - 16},
			y: scale{lo: p.lo, hi: p.hi, from: y - l.height + 34, to: y - 8},
		}
		d.drawPanel(c, p, f, l)
		y -= l.height
	}
}

func (d panelsChart) drawPanel(c *canvas, p panel, f frame, l panelLayout) {
	c.grid(f, ticks(p.lo, p.hi, 4, false))
	c.below(f, wholeTicks(1, f.x.hi, 8))
	c.text(tickStyle, "epoch", pt((f.x.from+f.x.to)/2, f.y.from-21), centre)
	c.vertical(tickStyle, p.axis, pt(c.Min.X+6, (f.y.from+f.y.to)/2))
	for _, cv := range p.lines {
		c.band(f, cv)
	}
	for i := range p.lines { // the first is the most important: it lies on top
		c.curve(f, p.lines[len(p.lines)-1-i])
	}
	var at []int
	var ys, hs []vg.Length
	for i, cv := range p.lines {
		if l.names[i] != nil && len(cv.y) > 0 {
			at = append(at, i)
			ys = append(ys, f.y.at(inside(cv.y[len(cv.y)-1], p)))
			hs = append(hs, nameHeight(l.names[i]))
		}
	}
	for k, y := range spread(ys, hs, f.y.from-26, f.y.to+8) {
		cv := p.lines[at[k]]
		end := f.x.at(float64(cv.epochs[len(cv.epochs)-1]))
		c.line(fade(cv.color, 0.6), 0.5, pt(end+2, ys[k]), pt(f.x.to+8, y), pt(f.x.to+11, y))
		c.lines(tickStyle.with(cv.color), l.names[at[k]], pt(f.x.to+13, y), left)
	}
}

func inside(v float64, p panel) float64 { return min(max(v, p.lo), p.hi) }

func (c *canvas) band(f frame, cv curve) {
	var up, down []vg.Point
	for i, e := range cv.epochs {
		if cv.low == nil {
			return
		}
		x := f.x.at(float64(e))
		up = append(up, pt(x, f.y.at(min(max(cv.high[i], f.y.lo), f.y.hi))))
		down = append(down, pt(x, f.y.at(min(max(cv.low[i], f.y.lo), f.y.hi))))
	}
	for i := len(down) - 1; i >= 0; i-- {
		up = append(up, down[i])
	}
	c.polygon(fade(cv.color, 0.13), up...)
}

func (c *canvas) curve(f frame, cv curve) {
	var ps []vg.Point
	for i, e := range cv.epochs {
		ps = append(ps, pt(f.x.at(float64(e)), f.y.at(min(max(cv.y[i], f.y.lo), f.y.hi))))
	}
	if len(ps) == 1 { // one epoch is a point
		c.dot(cv.color, ps[0], 2.2)
		return
	}
	var dash []vg.Length
	if cv.dashed {
		dash = []vg.Length{2, 2}
	}
	c.dashed(cv.color, cv.width, dash, ps...)
}

// finish sets the ranges of a chart's panels; ok is false if no line has a point.
func (d *panelsChart) finish() bool {
	some := false
	for i := range d.panels {
		p := &d.panels[i]
		var vs []float64
		for _, l := range p.lines {
			vs = append(vs, l.y...)
			vs = append(vs, l.low...)
			vs = append(vs, l.high...)
			for _, e := range l.epochs {
				d.epochs = max(d.epochs, e)
			}
		}
		lo, hi, ok := robust(vs, p.bounded)
		some = some || ok
		p.lo, p.hi = around(lo, hi, 0.04)
		if lo >= 0 {
			p.lo = max(p.lo, 0)
		}
		if math.IsNaN(p.lo) || math.IsNaN(p.hi) {
			p.lo, p.hi = 0, 1
		}
	}
	return some
}
