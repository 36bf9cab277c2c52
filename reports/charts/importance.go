package charts

import (
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies/inference/importance"
)

// importanceChart is a bar per parameter: its share of the variance of scores.
type importanceChart struct {
	bars []importanceBar
	axis string
	hi   float64 // end of the axis, percent
}

type importanceBar struct {
	name      string
	value, sd float64 // percent; sd NaN: none
}

// mostBars bounds the parameters that are shown.
const mostBars = 20

func importanceData(s *reports.Snapshot) (importanceChart, error) {
	r, err := importances(s)
	if err != nil {
		return importanceChart{}, err
	}
	return importanceOf(r, s.Metric)
}

// importances are those of a search, or of a design that spreads points over a space.
func importances(s *reports.Snapshot) (importance.Result, error) {
	if s.Search == nil {
		return importance.Result{}, nothing("variants are compared one by one")
	}
	r, err := s.Importance()
	if err != nil {
		return r, nothing(err.Error())
	}
	return r, nil
}

func importanceOf(r importance.Result, m reports.Metric) (importanceChart, error) {
	d := importanceChart{axis: "share of the variance of " + m.Key + ", percent (" + r.Method + ")"}
	for _, i := range byFallingValue(len(r.Single), func(i int) float64 { return r.Single[i].Value }) {
		one := r.Single[i]
		if math.IsNaN(one.Value) || math.IsInf(one.Value, 0) || len(d.bars) == mostBars {
			continue
		}
		b := importanceBar{one.Name, 100 * one.Value, 100 * one.SD}
		d.bars = append(d.bars, b)
		d.hi = max(d.hi, b.value)
		if !math.IsNaN(b.sd) {
			d.hi = max(d.hi, b.value+b.sd)
		}
	}
	if len(d.bars) == 0 || d.hi == 0 {
		return d, nothing("no parameter explains anything")
	}
	d.hi = min(100, d.hi*1.04)
	return d, nil
}

const barHeight = 18

func importanceSize(d importanceChart) (w, h vg.Length) {
	return pageWidth, vg.Length(len(d.bars))*barHeight + effectsFoot + 6
}

func importanceDraw(d importanceChart, c *canvas) {
	var names, numbers vg.Length
	for _, b := range d.bars {
		names = max(names, min(0.3*c.Size().X, labelStyle.width(b.name)))
		numbers = max(numbers, tickStyle.width(b.number()))
	}
	top, foot := c.Max.Y-4, c.Min.Y+effectsFoot
	f := frame{x: scale{lo: 0, hi: d.hi, from: c.Min.X + names + 8, to: c.Max.X - numbers - 10}, y: scale{from: foot, to: top}}
	ts := ticks(0, d.hi, 6, false)
	for _, t := range ts {
		c.line(Line, 0.6, pt(f.x.at(t.value), foot), pt(f.x.at(t.value), top))
	}
	c.below(f, ts)
	c.text(tickStyle, d.axis, pt((f.x.from+f.x.to)/2, c.Min.Y+8), centre)
	y := top - barHeight/2
	for _, b := range d.bars {
		c.text(labelStyle, wrap(labelStyle, b.name, names, 1)[0], pt(c.Min.X+names, y), right)
		c.rect(Blue, f.x.at(0), y-5, f.x.at(min(b.value, d.hi)), y+5)
		if b.sd > 0 {
			c.line(Ink, 1, pt(f.x.at(max(0, b.value-b.sd)), y), pt(f.x.at(min(d.hi, b.value+b.sd)), y))
		}
		c.text(tickStyle.with(Ink), b.number(), pt(c.Max.X-numbers, y), left)
		y -= barHeight
	}
}

// number is the share in percent, with its spread over the trees of the forest.
func (b importanceBar) number() string {
	if math.IsNaN(b.sd) {
		return reports.Number(b.value, 1) + " %"
	}
	return reports.Number(b.value, 1) + " ± " + reports.Number(b.sd, 1) + " %"
}

// heatChart is a heat map: what two parameters do together beyond what each does alone; on the diagonal what each
// does alone.
type heatChart struct {
	names []string
	value [][]float64 // percent, lower triangle with diagonal; NaN: not known
	hi    float64
	axis  string
}

// mostPairs bounds the parameters of the heat map: those with the largest shares.
const mostPairs = 8

func heatData(s *reports.Snapshot) (heatChart, error) {
	r, err := importances(s)
	if err != nil {
		return heatChart{}, err
	}
	return heatOf(r, s.Metric)
}

func heatOf(r importance.Result, m reports.Metric) (heatChart, error) {
	d := heatChart{axis: "percent of the variance of " + m.Key}
	if len(r.Pairs) == 0 {
		return d, nothing("pairs of parameters were not computed")
	}
	at := map[string]int{}
	for _, i := range byFallingValue(len(r.Single), func(i int) float64 { return r.Single[i].Value }) {
		if len(d.names) == mostPairs || math.IsNaN(r.Single[i].Value) {
			break
		}
		at[r.Single[i].Name] = len(d.names)
		d.names = append(d.names, r.Single[i].Name)
		row := make([]float64, mostPairs)
		for k := range row {
			row[k] = math.NaN()
		}
		row[len(d.names)-1] = 100 * r.Single[i].Value
		d.value = append(d.value, row)
	}
	for _, p := range r.Pairs {
		a, okA := at[p.A]
		b, okB := at[p.B]
		if okA && okB {
			d.value[max(a, b)][min(a, b)] = 100 * p.Value
		}
	}
	for _, row := range d.value {
		for _, v := range row {
			if !math.IsNaN(v) {
				d.hi = max(d.hi, v)
			}
		}
	}
	if len(d.names) < 2 || d.hi == 0 {
		return d, nothing("no pair of parameters explains anything")
	}
	return d, nil
}

const heatCell = 30

func heatSize(d heatChart) (w, h vg.Length) {
	return pageWidth, vg.Length(len(d.names))*heatCell + 50
}

func heatDraw(d heatChart, c *canvas) {
	n := len(d.names)
	var left0 vg.Length
	for _, name := range d.names {
		left0 = max(left0, min(0.3*c.Size().X, labelStyle.width(name)))
	}
	x0 := c.Min.X + left0 + 8
	wide := min(68, (c.Max.X-x0)/vg.Length(n))
	top := c.Max.Y - 2
	for i, name := range d.names {
		y := top - heatCell*vg.Length(i)
		c.text(labelStyle, wrap(labelStyle, name, left0, 1)[0], pt(c.Min.X+left0, y-heatCell/2), right)
		for k := range i + 1 {
			x := x0 + wide*vg.Length(k)
			v := d.value[i][k]
			if math.IsNaN(v) {
				continue
			}
			share := math.Max(0, v) / d.hi
			c.rect(shade(share), x+1, y-heatCell+1, x+wide-1, y-1)
			ink := style{tickSize, i == k, Ink}
			if share > 0.55 {
				ink.color = background
			}
			c.text(ink, reports.Number(v, 1), pt(x+wide/2, y-heatCell/2), centre)
		}
		lines := wrap(tickStyle, name, wide-4, 2)
		for k, t := range lines {
			c.text(tickStyle, t, pt(x0+wide*(vg.Length(i)+0.5), top-heatCell*vg.Length(n)-9-vg.Length(k)*tickStyle.lineHeight()), centre)
		}
	}
	c.text(tickStyle, d.axis+"; bold: alone, below: two together beyond both alone", pt(c.Min.X, c.Min.Y+7), left)
}

// shade goes from the wash of an empty cell to full blue, in five steps that print apart.
func shade(share float64) color.NRGBA {
	steps := []float64{0.06, 0.22, 0.42, 0.68, 1}
	return fade(Blue, steps[min(4, int(share*5))])
}
