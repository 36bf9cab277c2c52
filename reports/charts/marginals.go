package charts

import (
	"math"

	"gonum.org/v1/plot/vg"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies/inference/importance"
)

// marginalsChart is a small panel per parameter: the mean score along it, averaged over all others.
type marginalsChart struct {
	panels []importance.Marginal // scaled
	axis   string
	lo, hi float64
}

func marginalsData(s *reports.Snapshot) (marginalsChart, error) {
	r, err := importances(s)
	if err != nil {
		return marginalsChart{}, err
	}
	return marginalsOf(r, s.Metric)
}

func marginalsOf(r importance.Result, m reports.Metric) (marginalsChart, error) {
	d := marginalsChart{axis: "mean " + m.Axis()}
	var all []float64
	for _, one := range r.Marginals {
		scaled := one
		scaled.Mean, scaled.SD = nil, nil
		for i := range one.X {
			y, sd := m.Scale(one.Mean[i]), math.Abs(m.Scale(one.SD[i]))
			scaled.Mean, scaled.SD = append(scaled.Mean, y), append(scaled.SD, sd)
			all = append(all, y-sd, y+sd)
		}
		if len(scaled.Mean) > 0 {
			d.panels = append(d.panels, scaled)
		}
	}
	lo, hi, ok := extent(all...)
	if !ok {
		return d, nothing("no marginals")
	}
	d.lo, d.hi = around(lo, hi, 0.06)
	return d, nil
}

func marginalsSize(d marginalsChart) (w, h vg.Length) {
	rows := (len(d.panels) + slicesColumns - 1) / slicesColumns
	return pageWidth, vg.Length(rows) * (slicesPanel + slicesFoot)
}

func marginalsDraw(d marginalsChart, c *canvas) {
	ts := ticks(d.lo, d.hi, 4, false)
	start := c.Min.X + 16 + tickWidth(ts) + 4
	slot := (c.Max.X - start) / slicesColumns
	for i, p := range d.panels {
		top := c.Max.Y - vg.Length(i/slicesColumns)*(slicesPanel+slicesFoot)
		x0 := start + slot*vg.Length(i%slicesColumns)
		f := frame{x: scale{from: x0, to: x0 + slot - 12}, y: scale{lo: d.lo, hi: d.hi, from: top - slicesPanel, to: top - 6}}
		if i%slicesColumns == 0 {
			c.grid(f, ts)
			c.vertical(tickStyle, d.axis, pt(c.Min.X+6, (f.y.from+f.y.to)/2))
		} else {
			for _, t := range ts {
				c.line(Line, 0.6, pt(f.x.from, f.y.at(t.value)), pt(f.x.to, f.y.at(t.value)))
			}
		}
		drawMarginal(c, p, f)
	}
}

func drawMarginal(c *canvas, p importance.Marginal, f frame) {
	name := p.Name
	f.x.from, f.x.to = f.x.from+6, f.x.to-6
	var marks []tick
	if p.Labels != nil {
		f.x.lo, f.x.hi = -0.5, float64(len(p.Labels))-0.5
		room := (f.x.to - f.x.from) / vg.Length(max(len(p.Labels), 1))
		for i, l := range p.Labels {
			marks = append(marks, tick{float64(i), wrap(tickStyle, l, room-4, 1)[0]})
		}
	} else {
		f.x.lo, f.x.hi, _ = extent(p.X...)
		f.x.log = p.Log && f.x.lo > 0
		if !(f.x.lo < f.x.hi) {
			f.x.lo, f.x.hi, f.x.log = f.x.lo-0.5, f.x.lo+0.5, false
		}
		if marks = ticks(f.x.lo, f.x.hi, 4, false); f.x.log {
			marks = logTicks(f.x.lo, f.x.hi)
			name += " (log)"
		}
	}
	c.below(f, marks)
	for i, t := range wrap(tickStyle.with(Ink), name, f.x.to-f.x.from, 2) {
		c.text(tickStyle.with(Ink), t, pt((f.x.from+f.x.to)/2, f.y.from-19-vg.Length(i)*tickStyle.lineHeight()), centre)
	}
	if p.Labels != nil {
		for i, x := range p.X {
			at := f.x.at(x)
			if sd := p.SD[i]; sd > 0 {
				c.line(Light, 1.4, pt(at, f.y.at(p.Mean[i]-sd)), pt(at, f.y.at(p.Mean[i]+sd)))
			}
			c.dot(Blue, pt(at, f.y.at(p.Mean[i])), 3)
		}
		return
	}
	var up, down, mid []vg.Point
	for i, x := range p.X {
		at, sd := f.x.at(x), p.SD[i]
		if math.IsNaN(sd) {
			sd = 0
		}
		mid = append(mid, pt(at, f.y.at(p.Mean[i])))
		up = append(up, pt(at, f.y.at(p.Mean[i]+sd)))
		down = append([]vg.Point{pt(at, f.y.at(p.Mean[i]-sd))}, down...)
	}
	c.polygon(fade(Blue, 0.13), append(up, down...)...)
	c.line(Blue, 1.6, mid...)
}
