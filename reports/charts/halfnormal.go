package charts

import (
	"cmp"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
	"gonum.org/v1/plot/vg"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies/inference"
)

// halfNormalChart sets the sizes of a factorial's effects against what chance alone would give: terms that are
// noise lie on a line through the origin.
type halfNormalChart struct {
	points []halfNormalPoint // rising
	axis   string
	pse    float64 // scaled slope of the line of noise; NaN: none
	limits []limit
}

type halfNormalPoint struct {
	label string
	x, y  float64 // half-normal quantile; scaled size of the effect
	color color.NRGBA
	named bool
}

// limit is a size above which a term stands out.
type limit struct {
	at   float64
	text string
}

// mostNamed is how many terms of a half-normal plot have their name beside them.
const mostNamed = 10

func halfNormalData(s *reports.Snapshot) (halfNormalChart, error) {
	f, err := s.Factorial(&s.Blocks[0])
	if err != nil {
		return halfNormalChart{}, nothing(err.Error())
	}
	return halfNormalOf(f, s.Metric)
}

// halfNormalOf places n terms at the quantiles of |z| for probabilities (i - 1/2)/n (Daniel 1959).
func halfNormalOf(f inference.Factorial, m reports.Metric) (halfNormalChart, error) {
	d := halfNormalChart{axis: "size of the effect on " + m.Key, pse: math.NaN()}
	if m.Points {
		d.axis += ", points"
	}
	for _, t := range f.Terms {
		if math.IsNaN(t.Estimate) || math.IsInf(t.Estimate, 0) {
			continue
		}
		p := halfNormalPoint{label: t.Label, y: math.Abs(m.Scale(t.Estimate))}
		p.color, _ = verdictColors(t.Verdict)
		p.named = t.Verdict == inference.Better || t.Verdict == inference.Worse
		d.points = append(d.points, p)
	}
	if len(d.points) < 3 {
		return d, nothing("fewer than three effects")
	}
	slices.SortStableFunc(d.points, func(a, b halfNormalPoint) int { return cmp.Compare(a.y, b.y) })
	n := float64(len(d.points))
	for i := range d.points {
		d.points[i].x = distuv.UnitNormal.Quantile(0.5 + (float64(i)+0.5)/(2*n))
		if i < len(d.points)-mostNamed {
			d.points[i].named = false
		}
		d.points[i].named = d.points[i].named || i >= len(d.points)-3
	}
	if f.PSE > 0 && !math.IsInf(f.PSE, 0) {
		d.pse = m.Scale(f.PSE)
	}
	for _, l := range []limit{{f.ME, "margin of error, one effect"}, {f.SME, "margin of error, all effects"}} {
		if l.at > 0 && !math.IsInf(l.at, 0) {
			d.limits = append(d.limits, limit{m.Scale(l.at), l.text})
		}
	}
	return d, nil
}

const halfNormalHeight = 230

func halfNormalSize(halfNormalChart) (w, h vg.Length) { return pageWidth, halfNormalHeight }

func halfNormalDraw(d halfNormalChart, c *canvas) {
	last := d.points[len(d.points)-1]
	top := last.y
	for _, l := range d.limits {
		top = max(top, min(l.at, 2*last.y))
	}
	f := frame{y: scale{lo: 0, hi: top * 1.08, from: c.Min.Y + 34, to: c.Max.Y - 8}}
	if top == 0 {
		f.y.hi = 1
	}
	ts := ticks(0, f.y.hi, 5, false)
	f.x = scale{lo: 0, hi: last.x * 1.06, from: c.Min.X + 16 + tickWidth(ts) + 4, to: c.Max.X - 10}
	c.grid(f, ts)
	c.below(f, ticks(0, f.x.hi, 6, false))
	c.text(tickStyle, "what chance alone would give (half-normal quantile)", pt((f.x.from+f.x.to)/2, f.y.from-21), centre)
	c.vertical(tickStyle, d.axis, pt(c.Min.X+6, (f.y.from+f.y.to)/2))
	for _, l := range d.limits {
		if y := f.y.at(l.at); y <= f.y.to {
			c.dashed(Mute, 0.8, []vg.Length{3, 2}, pt(f.x.from, y), pt(f.x.to, y))
			c.text(tickStyle, l.text, pt(f.x.from+4, y+6), left)
		}
	}
	if d.pse > 0 {
		x := min(f.x.hi, f.y.hi/d.pse)
		c.line(Light, 1, pt(f.x.at(0), f.y.at(0)), pt(f.x.at(x), f.y.at(x*d.pse)))
	}
	d.drawPoints(c, f)
}

func (d halfNormalChart) drawPoints(c *canvas, f frame) {
	var at []int
	var ys, hs []vg.Length
	for i, p := range d.points {
		c.dot(p.color, pt(f.x.at(p.x), f.y.at(p.y)), 2.8)
		if p.named {
			at, ys, hs = append(at, i), append(ys, f.y.at(p.y)), append(hs, tickStyle.lineHeight()+1)
		}
	}
	for k, y := range spread(ys, hs, f.y.from, f.y.to+6) {
		p := d.points[at[k]]
		x := f.x.at(p.x) - 6
		text := wrap(tickStyle.with(Ink), p.label, x-f.x.from-4, 1)[0]
		c.line(Light, 0.5, pt(f.x.at(p.x)-3, ys[k]), pt(x+1, y))
		c.text(tickStyle.with(Ink), text, pt(x, y), right)
	}
}
