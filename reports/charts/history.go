package charts

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"gonum.org/v1/plot/vg"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/trials"
)

// historyChart is a search in the order in which its trials ended.
type historyChart struct {
	steps  []historyStep // in the order of their end
	axis   string
	label  string // of the best
	lo, hi float64
	marks  []string // what the marks mean that are there
	open   int      // trials that run
}

// historyStep is a finished trial, its values scaled.
type historyStep struct {
	reports.Step
	failed bool // it has no value
}

// historyData reads the search's steps.
func historyData(s *reports.Snapshot) (historyChart, error) {
	if s.Search == nil || len(s.Search.Steps) == 0 || s.Front != nil {
		return historyChart{}, nothing("no finished trial of a search with one objective")
	}
	d := historyChart{axis: s.Metric.Axis(), open: s.Count.Running}
	var vs []float64
	steps := withFailures(s)
	for _, x := range steps {
		if x.failed {
			x.Best = s.Metric.Scale(x.Best)
			d.steps = append(d.steps, x)
			continue
		}
		x.Value, x.Best = s.Metric.Scale(x.Value), s.Metric.Scale(x.Best)
		if x.Record {
			d.label = "best: trial " + strconv.Itoa(x.Trial) + ", " + s.Metric.Value(unscale(s.Metric, x.Best), math.NaN())
		}
		vs = append(vs, x.Value)
		d.steps = append(d.steps, x)
	}
	for mark, has := range map[string]func(historyStep) bool{
		"hollow: stopped early, last score": func(x historyStep) bool { return x.Pruned && !x.failed },
		"cross: a constraint is broken":     func(x historyStep) bool { return x.Broken && !x.Pruned },
		"cross below: failed":               func(x historyStep) bool { return x.failed },
	} {
		if slices.ContainsFunc(d.steps, has) {
			d.marks = append(d.marks, mark)
		}
	}
	slices.Sort(d.marks)
	lo, hi, _ := robust(vs, s.Metric.Points)
	d.lo, d.hi = around(lo, hi, 0.08)
	return d, nil
}

// withFailures are the steps of a search and, between them where they ended, the trials that failed.
func withFailures(s *reports.Snapshot) []historyStep {
	var out []historyStep
	ended := map[int]time.Time{}
	for _, t := range s.Trials {
		ended[t.Number] = t.Finished
		if t.State == trials.Fail && t.Counts() && t.Text(trials.AttrClass) != trials.ClassSkipped {
			out = append(out, historyStep{Step: reports.Step{Trial: t.Number, Best: math.NaN()}, failed: true})
		}
	}
	for _, x := range s.Search.Steps {
		out = append(out, historyStep{Step: x})
	}
	slices.SortStableFunc(out, func(a, b historyStep) int {
		return cmp.Or(ended[a.Trial].Compare(ended[b.Trial]), cmp.Compare(a.Trial, b.Trial))
	})
	best := math.NaN()
	for i := range out {
		if out[i].failed {
			out[i].Best = best
		}
		best = out[i].Best
	}
	return out
}

func unscale(m reports.Metric, x float64) float64 {
	return x / m.Scale(1)
}

func historySize(d historyChart) (w, h vg.Length) { return pageWidth, 220 + d.foot() }

// foot is the room for a second line under the axis, where the marks need one.
func (d historyChart) foot() vg.Length {
	if len(d.marks) < 2 && d.open == 0 {
		return 0
	}
	return 14
}

func historyDraw(d historyChart, c *canvas) {
	ts := ticks(d.lo, d.hi, 5, false)
	n := len(d.steps)
	f := frame{
		x: scale{lo: 0.5, hi: float64(n) + 0.5, from: c.Min.X + 16 + tickWidth(ts) + 4, to: c.Max.X - 8},
		y: scale{lo: d.lo, hi: d.hi, from: c.Min.Y + 34 + d.foot(), to: c.Max.Y - 18},
	}
	c.grid(f, ts)
	c.below(f, wholeTicks(1, float64(n), 10))
	c.text(tickStyle, "finished trials", pt((f.x.from+f.x.to)/2, c.Min.Y+8+d.foot()), centre)
	c.vertical(tickStyle, d.axis, pt(c.Min.X+6, (f.y.from+f.y.to)/2))
	var line []vg.Point
	var bestAt vg.Point
	for i, x := range d.steps {
		at := pt(f.x.at(float64(i+1)), f.y.at(min(max(x.Value, d.lo), d.hi)))
		switch {
		case x.failed:
			c.cross(Vermilion, pt(at.X, f.y.from+4), 2)
		case x.Pruned:
			c.ring(Light, at, 2.1, 0.8)
		case x.Broken:
			c.cross(Mute, at, 2.1)
		default:
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
		if crowded := slices.ContainsFunc(d.steps, func(x historyStep) bool { return x.Broken && !x.Pruned }); d.lowerIsBetter() != crowded {
			up = bestAt.Y - 9
		}
		x := min(max(bestAt.X, f.x.from+w/2), f.x.to-w/2)
		c.text(labelStyle.with(Blue), d.label, pt(x, up), centre)
	}
	if len(d.marks) > 0 {
		c.text(tickStyle, strings.Join(d.marks, "; "), pt(c.Max.X-8, c.Min.Y+8), right)
	}
	if d.open > 0 {
		c.text(tickStyle, strconv.Itoa(d.open)+" running", pt(c.Min.X, c.Min.Y+8), left)
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
