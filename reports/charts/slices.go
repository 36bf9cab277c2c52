package charts

import (
	"math"

	"gonum.org/v1/plot/vg"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/trials"
)

// slicesChart is a panel per parameter: score against its value.
type slicesChart struct {
	panels []slice
	axis   string
	lo, hi float64
}

type slice struct {
	param  trials.Param
	points []slicePoint
}

type slicePoint struct {
	x, y   float64 // parameter (index of the choice for a categorical), scaled score
	pruned bool
	broken bool // a constraint
	best   bool // or on the Pareto front
}

// slicesData reads finished trials of a search or a grid, parameter by parameter.
func slicesData(s *reports.Snapshot) (slicesChart, error) {
	if s.Search == nil || len(s.Search.Steps) == 0 {
		return slicesChart{}, nothing("no finished trial of a search")
	}
	d := slicesChart{axis: s.Metric.Axis()}
	byNumber := map[int]trials.Trial{}
	for _, t := range s.Trials {
		byNumber[t.Number] = t
	}
	best, _ := bestTrials(s)
	var ys []float64
	for _, p := range s.Search.Space {
		sl := slice{param: p}
		for _, st := range s.Search.Steps {
			v, ok := byNumber[st.Trial].Params[p.Name]
			if !ok {
				continue
			}
			x, err := p.Internal(v)
			if err != nil || p.Log && x <= 0 {
				continue
			}
			y := s.Metric.Scale(st.Value)
			ys = append(ys, y)
			sl.points = append(sl.points, slicePoint{x, y, st.Pruned, st.Broken, best[st.Trial]})
		}
		if len(sl.points) > 0 {
			d.panels = append(d.panels, sl)
		}
	}
	lo, hi, ok := robust(ys, s.Metric.Points)
	if !ok {
		return d, nothing("no parameter varies")
	}
	d.lo, d.hi = around(lo, hi, 0.06)
	return d, nil
}

const (
	slicesColumns = 3
	slicesPanel   = 120
	slicesFoot    = 36
)

func slicesSize(d slicesChart) (w, h vg.Length) {
	rows := (len(d.panels) + slicesColumns - 1) / slicesColumns
	return pageWidth, vg.Length(rows) * (slicesPanel + slicesFoot)
}

func slicesDraw(d slicesChart, c *canvas) {
	ts := ticks(d.lo, d.hi, 4, false)
	start := c.Min.X + 16 + tickWidth(ts) + 4
	slot := (c.Max.X - start) / slicesColumns
	for i, p := range d.panels {
		top := c.Max.Y - vg.Length(i/slicesColumns)*(slicesPanel+slicesFoot)
		x0 := start + slot*vg.Length(i%slicesColumns)
		f := frame{y: scale{lo: d.lo, hi: d.hi, from: top - slicesPanel, to: top - 6}}
		f.x = scale{from: x0, to: x0 + slot - 12}
		if i%slicesColumns == 0 {
			c.grid(f, ts)
			c.vertical(tickStyle, d.axis, pt(c.Min.X+6, (f.y.from+f.y.to)/2))
		} else {
			for _, t := range ts {
				c.line(Line, 0.6, pt(f.x.from, f.y.at(t.value)), pt(f.x.to, f.y.at(t.value)))
			}
		}
		d.drawSlice(c, p, f)
	}
}

func (d slicesChart) drawSlice(c *canvas, p slice, f frame) {
	var marks []tick
	f.x, marks = sliceScale(p, f.x)
	c.below(f, marks)
	name := p.param.Name
	if p.param.Log {
		name += " (log)"
	}
	for i, t := range wrap(tickStyle.with(Ink), name, f.x.to-f.x.from, 2) {
		c.text(tickStyle.with(Ink), t, pt((f.x.from+f.x.to)/2, f.y.from-19-vg.Length(i)*tickStyle.lineHeight()), centre)
	}
	for k, q := range p.points {
		x := f.x.at(q.x)
		if p.param.Kind == trials.Categorical { // spread equal choices
			x += vg.Length(k%7-3) * 1.8
		}
		at := pt(x, f.y.at(min(max(q.y, d.lo), d.hi)))
		switch {
		case q.best:
			c.dot(Blue, at, 3)
		case q.pruned:
			c.ring(Light, at, 1.9, 0.8)
		case q.broken:
			c.cross(Light, at, 1.9)
		default:
			c.dot(fade(Mute, 0.6), at, 1.9)
		}
	}
}

// sliceScale is the x axis of a parameter, with some room at both ends, and its ticks.
func sliceScale(p slice, x scale) (scale, []tick) {
	x.from, x.to = x.from+6, x.to-6
	if p.param.Kind == trials.Categorical {
		var ts []tick
		for i, ch := range p.param.Choices {
			ts = append(ts, tick{float64(i), trials.FormatValue(ch)})
		}
		x.lo, x.hi = -0.5, float64(len(ts))-0.5
		room := (x.to - x.from) / vg.Length(max(len(ts), 1))
		for i := range ts {
			ts[i].label = wrap(tickStyle, ts[i].label, room-4, 1)[0]
		}
		return x, ts
	}
	x.lo, x.hi, x.log = p.param.Low, p.param.High, p.param.Log
	if !(x.lo < x.hi) {
		x.lo, x.hi, x.log = x.lo-0.5, x.lo+0.5, false
	}
	for _, q := range p.points { // values enqueued by hand may lie outside
		x.lo, x.hi = math.Min(x.lo, q.x), math.Max(x.hi, q.x)
	}
	switch {
	case x.log:
		return x, logTicks(x.lo, x.hi)
	case p.param.Kind == trials.Int:
		return x, wholeTicks(x.lo, x.hi, 5)
	}
	return x, ticks(x.lo, x.hi, 4, false)
}
