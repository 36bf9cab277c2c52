package charts

import (
	"math"
	"strconv"

	"gonum.org/v1/plot/vg"

	"github.com/mapsweep/mapsweep/reports"
)

// historyChart is a search in the order in which its trials ended.
type historyChart struct {
	steps  []reports.Step // values scaled
	axis   string
	label  string // of the best
	lo, hi float64
}

// historyData reads the search's steps.
func historyData(s *reports.Snapshot) (historyChart, error) {
	if s.Search == nil || len(s.Search.Steps) == 0 {
		return historyChart{}, nothing("no finished trial of a search")
	}
	d := historyChart{axis: s.Metric.Axis()}
	var vs []float64
	for _, x := range s.Search.Steps {
		x.Value, x.Best = s.Metric.Scale(x.Value), s.Metric.Scale(x.Best)
		if x.Record {
			d.label = "best: trial " + strconv.Itoa(x.Trial) + ", " + s.Metric.Value(unscale(s.Metric, x.Best), math.NaN())
		}
		vs = append(vs, x.Value)
		d.steps = append(d.steps, x)
	}
	lo, hi, _ := robust(vs, s.Metric.Points)
	d.lo, d.hi = widen(lo, hi, 0.08)
	return d, nil
}

func unscale(m reports.Metric, x float64) float64 {
	return x / m.Scale(1)
}

func historySize(historyChart) (w, h vg.Length) { return pageWidth, 220 }

func historyDraw(d historyChart, c *canvas) {
	ts := ticks(d.lo, d.hi, 5, false)
	n := len(d.steps)
	f := frame{
		x: scale{lo: 0.5, hi: float64(n) + 0.5, from: c.Min.X + 16 + tickWidth(ts) + 4, to: c.Max.X - 8},
		y: scale{lo: d.lo, hi: d.hi, from: c.Min.Y + 34, to: c.Max.Y - 18},
	}
	c.grid(f, ts)
	c.below(f, wholeTicks(1, float64(n), 10))
	c.text(tickStyle, "finished trials", pt((f.x.from+f.x.to)/2, c.Min.Y+8), centre)
	c.vertical(tickStyle, d.axis, pt(c.Min.X+6, (f.y.from+f.y.to)/2))
	var line []vg.Point
	var bestAt vg.Point
	var pruned bool
	for i, x := range d.steps {
		at := pt(f.x.at(float64(i+1)), f.y.at(min(max(x.Value, d.lo), d.hi)))
		if x.Pruned {
			pruned = true
			c.ring(Light, at, 2.1, 0.8)
		} else {
			c.dot(fade(Mute, 0.7), at, 2.1)
		}
		if math.IsNaN(x.Best) {
			continue
		}
		y := f.y.at(min(max(x.Best, d.lo), d.hi))
		if len(line) > 0 && x.Record {
			line = append(line, pt(at.X, line[len(line)-1].Y))
		}
		line = append(line, pt(at.X, y))
		if x.Record {
			bestAt = pt(at.X, y)
		}
	}
	c.line(Blue, 1.5, line...)
	if d.label != "" {
		c.dot(Blue, bestAt, 2.8)
		w := labelStyle.width(d.label)
		up := bestAt.Y + 9
		if up > c.Max.Y-5 {
			up = c.Max.Y - 5
		}
		if d.lowerIsBetter() {
			up = bestAt.Y - 9
		}
		x := min(max(bestAt.X, f.x.from+w/2), f.x.to-w/2)
		c.text(labelStyle.with(Blue), d.label, pt(x, up), centre)
	}
	if pruned {
		note := "hollow: stopped early, last score"
		c.text(tickStyle, note, pt(c.Max.X-8, c.Min.Y+8), right)
	}
}

func (d historyChart) lowerIsBetter() bool {
	first := math.NaN()
	for _, x := range d.steps {
		if math.IsNaN(x.Best) {
			continue
		}
		if math.IsNaN(first) {
			first = x.Best
		}
		if x.Best < first {
			return true
		}
	}
	return false
}
