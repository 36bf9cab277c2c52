package charts

import (
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies/inference"
)

// sequenceChart is a small panel per arm: the interval of its effect against the number of replicates.
type sequenceChart struct {
	panels []sequencePanel
	axis   string
	margin float64
	lo, hi float64
	last   int // most pairs
}

type sequencePanel struct {
	label, verdict string
	steps          []inference.Step // scaled
	mark, ink      color.NRGBA
}

func sequenceData(s *reports.Snapshot) (sequenceChart, error) {
	b := &s.Blocks[0]
	d := sequenceChart{margin: s.Metric.Scale(b.Margin), axis: "change of " + s.Metric.Axis(), last: max(2, s.Spec.Replicates)}
	for _, e := range b.Effects {
		if e.Course == nil || len(e.Course.Steps) == 0 {
			continue
		}
		p := sequencePanel{label: e.Label, verdict: string(e.Verdict)}
		p.mark, p.ink = verdictColors(e.Verdict)
		for _, st := range e.Course.Steps {
			for _, x := range []*float64{&st.Mean, &st.Low, &st.High, &st.SoFarLow, &st.SoFarHigh} {
				*x = s.Metric.Scale(*x)
			}
			p.steps = append(p.steps, st)
		}
		d.panels = append(d.panels, p)
	}
	return d.ranged()
}

// ranged sets the scale: all means, and intervals as far as they leave the others to be seen.
func (d sequenceChart) ranged() (sequenceChart, error) {
	var means, ends []float64
	for _, p := range d.panels {
		for _, st := range p.steps {
			means = append(means, st.Mean)
		}
		last := p.steps[len(p.steps)-1]
		for _, x := range []float64{last.SoFarLow, last.SoFarHigh} {
			if !math.IsInf(x, 0) {
				ends = append(ends, x)
			}
		}
	}
	if _, _, ok := extent(means...); !ok {
		return d, nothing("no arm was looked at yet")
	}
	d.lo, d.hi = effectsRange(means, ends, d.margin)
	return d, nil
}

const (
	sequenceColumns = 3
	sequencePanelH  = 112
	sequenceFoot    = 44
)

func sequenceSize(d sequenceChart) (w, h vg.Length) {
	rows := (len(d.panels) + sequenceColumns - 1) / sequenceColumns
	return pageWidth, vg.Length(rows) * (sequencePanelH + sequenceFoot)
}

func sequenceDraw(d sequenceChart, c *canvas) {
	ts := ticks(d.lo, d.hi, 4, true)
	start := c.Min.X + 16 + tickWidth(ts) + 4
	slot := (c.Max.X - start) / sequenceColumns
	for i, p := range d.panels {
		top := c.Max.Y - vg.Length(i/sequenceColumns)*(sequencePanelH+sequenceFoot)
		x0 := start + slot*vg.Length(i%sequenceColumns)
		f := frame{x: scale{lo: 1.4, hi: float64(d.last) + 0.6, from: x0, to: x0 + slot - 14},
			y: scale{lo: d.lo, hi: d.hi, from: top - sequencePanelH, to: top - 28}}
		if d.margin > 0 {
			c.rect(Wash, f.x.from, f.y.at(max(-d.margin, d.lo)), f.x.to, f.y.at(min(d.margin, d.hi)))
		}
		if i%sequenceColumns == 0 {
			c.grid(f, ts)
			c.vertical(tickStyle, d.axis, pt(c.Min.X+6, (f.y.from+f.y.to)/2))
		} else {
			for _, t := range ts {
				c.line(Line, 0.6, pt(f.x.from, f.y.at(t.value)), pt(f.x.to, f.y.at(t.value)))
			}
		}
		if d.lo <= 0 && d.hi >= 0 {
			c.line(Ink, 0.8, pt(f.x.from, f.y.at(0)), pt(f.x.to, f.y.at(0)))
		}
		c.text(tickStyle.with(Ink), wrap(tickStyle, p.label, slot-14, 1)[0], pt(f.x.from, top-8), left)
		c.text(tickStyle.strong().with(p.ink), p.verdict, pt(f.x.from, top-19), left)
		p.draw(c, f)
	}
}

// draw paints the band of what is left so far, a bar for each look's own interval, and the means.
func (p sequencePanel) draw(c *canvas, f frame) {
	within := func(x float64) vg.Length { return f.y.at(min(max(x, f.y.lo), f.y.hi)) }
	var up, down []vg.Point
	var marks []tick
	for _, st := range p.steps {
		x := f.x.at(float64(st.N))
		up, down = append(up, pt(x, within(st.SoFarHigh))), append([]vg.Point{pt(x, within(st.SoFarLow))}, down...)
		marks = append(marks, tick{float64(st.N), reports.Number(float64(st.N), 0)})
	}
	c.polygon(fade(p.mark, 0.16), append(up, down...)...)
	for _, st := range p.steps {
		x := f.x.at(float64(st.N))
		c.line(p.mark, 1.4, pt(x, within(st.Low)), pt(x, within(st.High)))
		if st.High > f.y.hi {
			c.polygon(p.mark, pt(x, f.y.to+4), pt(x-3, f.y.to-1), pt(x+3, f.y.to-1))
		}
		if st.Low < f.y.lo {
			c.polygon(p.mark, pt(x, f.y.from-4), pt(x-3, f.y.from+1), pt(x+3, f.y.from+1))
		}
		c.dot(p.mark, pt(x, within(st.Mean)), 2.6)
	}
	c.below(f, marks)
	c.text(tickStyle, "replicates", pt((f.x.from+f.x.to)/2, f.y.from-20), centre)
}
