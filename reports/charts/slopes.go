package charts

import (
	"image/color"

	"gonum.org/v1/plot/vg"

	"github.com/mapsweep/mapsweep/reports"
)

// slopesChart is a small panel per arm: reference and arm, seed by seed, on one scale.
type slopesChart struct {
	panels []slope
	from   string // name of the reference
	axis   string
	lo, hi float64
}

type slope struct {
	label string
	pairs [][2]float64 // scaled: reference, arm
	color color.NRGBA
}

// slopesData pairs the scores of every arm with the reference's.
func slopesData(s *reports.Snapshot) (slopesChart, error) {
	b := &s.Blocks[0]
	ref, ok := b.Reference()
	if !ok {
		return slopesChart{}, nothing("no reference")
	}
	d := slopesChart{from: ref.Short, axis: s.Metric.Axis()}
	base := map[int]float64{}
	for _, v := range ref.Scores {
		base[v.Replicate] = s.Metric.Scale(v.Value)
	}
	var all []float64
	for _, a := range b.Arms {
		if a.Reference {
			continue
		}
		p := slope{label: a.Short, color: Light}
		if e, ok := b.Effect(a.Name); ok {
			p.color, _ = verdictColors(e.Verdict)
		}
		for _, v := range a.Scores {
			if x, ok := base[v.Replicate]; ok {
				y := s.Metric.Scale(v.Value)
				p.pairs = append(p.pairs, [2]float64{x, y})
				all = append(all, x, y)
			}
		}
		if len(p.pairs) > 0 {
			d.panels = append(d.panels, p)
		}
	}
	lo, hi, ok := extent(all...)
	if !ok {
		return d, nothing("no seed is complete in two arms")
	}
	d.lo, d.hi = around(lo, hi, 0.06)
	return d, nil
}

// slopesLayout is the grid of panels.
type slopesLayout struct {
	columns, rows int
	labels        [][]string
	names         []vg.Length // height of the names under each row
	height        vg.Length
}

const slopesPanel = 120 // height of the data area of a panel

func (d slopesChart) layout(width vg.Length) slopesLayout {
	n := len(d.panels)
	l := slopesLayout{columns: min(n, 5)}
	l.rows = (n + l.columns - 1) / l.columns
	slot := (width - 46) / vg.Length(max(l.columns, 3))
	l.names = make([]vg.Length, l.rows)
	for i, p := range d.panels {
		ls := wrap(tickStyle, p.label, slot-12, 6)
		l.labels = append(l.labels, ls)
		l.names[i/l.columns] = max(l.names[i/l.columns], tickStyle.lineHeight()*vg.Length(len(ls)))
	}
	for _, h := range l.names {
		l.height += h + slopesPanel + 32
	}
	return l
}

func slopesSize(d slopesChart) (w, h vg.Length) { return pageWidth, d.layout(innerWidth).height }

func slopesDraw(d slopesChart, c *canvas) {
	l := d.layout(c.Size().X)
	ts := ticks(d.lo, d.hi, 4, false)
	start := c.Min.X + 16 + tickWidth(ts) + 4
	slot := (c.Max.X - start) / vg.Length(max(l.columns, 3))
	y := c.Max.Y
	for r := range l.rows {
		row := scale{lo: d.lo, hi: d.hi, from: y - slopesPanel - 6, to: y - 6}
		c.vertical(tickStyle, d.axis, pt(c.Min.X+6, (row.from+row.to)/2))
		for k := r * l.columns; k < min((r+1)*l.columns, len(d.panels)); k++ {
			x0 := start + slot*vg.Length(k-r*l.columns)
			f := frame{x: scale{from: x0, to: x0 + slot - 8}, y: row}
			if k == r*l.columns {
				c.grid(f, ts)
			} else {
				for _, t := range ts {
					c.line(Line, 0.6, pt(f.x.from, row.at(t.value)), pt(f.x.to, row.at(t.value)))
				}
			}
			d.drawSlope(c, d.panels[k], l.labels[k], f)
		}
		y -= slopesPanel + 32 + l.names[r]
	}
}

func (d slopesChart) drawSlope(c *canvas, p slope, label []string, f frame) {
	a, b := f.x.from+0.22*(f.x.to-f.x.from), f.x.from+0.78*(f.x.to-f.x.from)
	for _, v := range p.pairs {
		c.line(fade(p.color, 0.8), 1, pt(a, f.y.at(v[0])), pt(b, f.y.at(v[1])))
	}
	for _, v := range p.pairs {
		c.dot(Ink, pt(a, f.y.at(v[0])), 2)
		c.dot(p.color, pt(b, f.y.at(v[1])), 2)
	}
	y := f.y.from - 9
	c.text(tickStyle, d.from+" →", pt((f.x.from+f.x.to)/2, y), centre)
	for _, t := range label {
		y -= tickStyle.lineHeight()
		c.text(tickStyle.with(Ink), t, pt((f.x.from+f.x.to)/2, y), centre)
	}
}
