package charts

import (
	"cmp"
	"slices"
	"strconv"

	"gonum.org/v1/plot/vg"

	"github.com/mapsweep/mapsweep/reports"
)

// frontChart shows the points of a search with several objectives: a panel for each objective but the first, which is
// the y axis of all.
type frontChart struct {
	y      goalAxis
	panels []frontPanel
	broken bool
}

// goalAxis is an objective as an axis, its values scaled.
type goalAxis struct {
	title  string
	better string // "higher is better"
	lo, hi float64
}

type frontPanel struct {
	x      goalAxis
	points []frontDot
	stairs bool // with two objectives the front is a line
	up     bool // larger is better, of x
	top    bool // of y
}

type frontDot struct {
	x, y       float64
	label      string // trial
	on, broken bool
}

// frontData reads the front.
func frontData(s *reports.Snapshot) (frontChart, error) {
	f := s.Front
	if f == nil || len(f.Points) == 0 {
		return frontChart{}, nothing("no complete trial with several objectives")
	}
	d := frontChart{y: newGoalAxis(f, 0)}
	for g := 1; g < len(f.Goals); g++ {
		p := frontPanel{x: newGoalAxis(f, g), stairs: len(f.Goals) == 2, up: f.Metrics[g].Gain(1) > 0, top: f.Metrics[0].Gain(1) > 0}
		for _, q := range f.Points {
			p.points = append(p.points, frontDot{x: f.Metrics[g].Scale(q.Values[g]), y: f.Metrics[0].Scale(q.Values[0]), label: strconv.Itoa(q.Trial), on: q.On, broken: q.Broken})
			d.broken = d.broken || q.Broken
		}
		d.panels = append(d.panels, p)
	}
	return d, nil
}

func newGoalAxis(f *reports.Front, g int) goalAxis {
	m := f.Metrics[g]
	a := goalAxis{title: m.Axis(), better: "higher is better"}
	if m.Gain(1) < 0 {
		a.better = "lower is better"
	}
	var vs []float64
	for _, p := range f.Points {
		vs = append(vs, m.Scale(p.Values[g]))
	}
	lo, hi, _ := extent(vs...)
	a.lo, a.hi = around(lo, hi, 0.08)
	return a
}

func frontSize(frontChart) (w, h vg.Length) { return pageWidth, 260 }

func frontDraw(d frontChart, c *canvas) {
	ts := ticks(d.y.lo, d.y.hi, 5, false)
	start := c.Min.X + 16 + tickWidth(ts) + 4
	slot := (c.Max.X - start) / vg.Length(len(d.panels))
	for i, p := range d.panels {
		f := frame{
			x: scale{lo: p.x.lo, hi: p.x.hi, from: start + slot*vg.Length(i) + 6, to: start + slot*vg.Length(i+1) - 14},
			y: scale{lo: d.y.lo, hi: d.y.hi, from: c.Min.Y + 46, to: c.Max.Y - 14},
		}
		c.grid(f, ts)
		if i > 0 { // one axis for all
			c.rect(background, f.x.from-6-tickWidth(ts), f.y.from-4, f.x.from-1, f.y.to+6)
		}
		c.below(f, ticks(p.x.lo, p.x.hi, 5, false))
		c.text(tickStyle, p.x.title+" ("+p.x.better+")", pt((f.x.from+f.x.to)/2, c.Min.Y+22), centre)
		p.draw(c, f)
	}
	c.vertical(tickStyle, d.y.title+" ("+d.y.better+")", pt(c.Min.X+6, (c.Min.Y+46+c.Max.Y-14)/2))
	note := "blue: on the front, with the number of the trial"
	if d.broken {
		note += "; crosses: a constraint is broken"
	}
	c.text(tickStyle, note, pt(c.Max.X-8, c.Min.Y+6), right)
}

func (p frontPanel) draw(c *canvas, f frame) {
	at := func(q frontDot) vg.Point { return pt(f.x.at(q.x), f.y.at(q.y)) }
	var on []frontDot
	for _, q := range p.points {
		switch {
		case q.on:
			on = append(on, q)
		case q.broken:
			c.cross(Light, at(q), 2.2)
		default:
			c.dot(fade(Mute, 0.6), at(q), 2)
		}
	}
	slices.SortStableFunc(on, func(a, b frontDot) int { return cmp.Compare(a.x, b.x) })
	if p.stairs {
		c.line(fade(Blue, 0.6), 1.2, p.steps(on, at)...)
	}
	var taken []vg.Point
	for _, q := range on {
		c.dot(Blue, at(q), 2.8)
	}
	for _, q := range on {
		to := at(q)
		to.X, to.Y = to.X+5, to.Y+7
		if to.X+labelStyle.width(q.label) > f.x.to+12 {
			to.X = at(q).X - 5 - labelStyle.width(q.label)
		}
		if slices.ContainsFunc(taken, func(o vg.Point) bool { return abs(o.X-to.X) < 16 && abs(o.Y-to.Y) < 9 }) {
			continue // the table has them all
		}
		taken = append(taken, to)
		c.text(labelStyle.with(Blue), q.label, to, left)
	}
}

// steps is the edge of what the front dominates: between two points as bad as the worse of them in each objective.
func (p frontPanel) steps(on []frontDot, at func(frontDot) vg.Point) []vg.Point {
	var line []vg.Point
	for i, q := range on {
		if i > 0 {
			line = append(line, p.corner(at(on[i-1]), at(q)))
		}
		line = append(line, at(q))
	}
	return line
}

// corner is the best point that two neighbours of the front both dominate.
func (p frontPanel) corner(a, b vg.Point) vg.Point {
	x, y := min(a.X, b.X), min(a.Y, b.Y)
	if !p.up {
		x = max(a.X, b.X)
	}
	if !p.top {
		y = max(a.Y, b.Y)
	}
	return pt(x, y)
}

func abs(v vg.Length) vg.Length { return max(v, -v) }

// volumeChart is the hypervolume over the finished trials, as a share of its last value.
type volumeChart struct{ values []float64 }

func volumeData(s *reports.Snapshot) (volumeChart, error) {
	f := s.Front
	if f == nil || len(f.Volume) == 0 || !(f.Volume[len(f.Volume)-1] > 0) {
		return volumeChart{}, nothing("no volume of a front")
	}
	d := volumeChart{}
	last := f.Volume[len(f.Volume)-1]
	for _, v := range f.Volume {
		d.values = append(d.values, v/last)
	}
	return d, nil
}

func volumeSize(volumeChart) (w, h vg.Length) { return pageWidth, 190 }

func volumeDraw(d volumeChart, c *canvas) {
	ts := ticks(0, 1, 5, false)
	f := frame{
		x: scale{lo: 0.5, hi: float64(len(d.values)) + 0.5, from: c.Min.X + 16 + tickWidth(ts) + 4, to: c.Max.X - 8},
		y: scale{lo: 0, hi: 1.06, from: c.Min.Y + 34, to: c.Max.Y - 10},
	}
	c.grid(f, ts)
	c.below(f, wholeTicks(1, float64(len(d.values)), 10))
	c.text(tickStyle, "complete trials", pt((f.x.from+f.x.to)/2, c.Min.Y+8), centre)
	c.vertical(tickStyle, "hypervolume, share of the last", pt(c.Min.X+6, (f.y.from+f.y.to)/2))
	var line []vg.Point
	for i, v := range d.values {
		x := f.x.at(float64(i + 1))
		if len(line) > 0 {
			line = append(line, pt(x, line[len(line)-1].Y))
		}
		line = append(line, pt(x, f.y.at(v)))
	}
	c.line(Blue, 1.5, line...)
	c.dot(Blue, line[len(line)-1], 2.4)
}
