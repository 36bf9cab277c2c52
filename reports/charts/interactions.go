package charts

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies/inference"
)

// interactionsChart is a small panel per pair of factors: mean scores over the levels of one, a line per level of the
// other. Parallel lines are two changes that add up.
type interactionsChart struct {
	panels []interaction
	axis   string
	lo, hi float64
}

type interaction struct {
	title, note string
	levels      []string // along x
	lines       []interactionLine
}

type interactionLine struct {
	label string
	y     []float64 // by level, scaled; NaN: not run
}

// mostInteractions bounds the panels: those with the largest effects are shown.
const mostInteractions = 9

func interactionsData(s *reports.Snapshot) (interactionsChart, error) {
	f, err := s.Factorial(&s.Blocks[0])
	if err != nil {
		return interactionsChart{}, nothing(err.Error())
	}
	return interactionsOf(f, s.Metric)
}

func interactionsOf(f inference.Factorial, m reports.Metric) (interactionsChart, error) {
	d := interactionsChart{axis: m.Axis()}
	terms := slices.DeleteFunc(slices.Clone(f.Terms), func(t inference.Term) bool { return len(t.Factors) != 2 || len(t.Cells) == 0 })
	slices.SortStableFunc(terms, func(a, b inference.Term) int { return numbersFirst(-math.Abs(a.Estimate), -math.Abs(b.Estimate)) })
	seen := map[string]bool{} // factors with several levels have several terms of the same cells
	var all []float64
	for _, t := range terms {
		key := strings.Join(t.Factors, "\x00")
		if seen[key] || len(d.panels) == mostInteractions {
			continue
		}
		seen[key] = true
		p := interactionOf(t, m)
		for _, l := range p.lines {
			all = append(all, l.y...)
		}
		d.panels = append(d.panels, p)
	}
	lo, hi, ok := extent(all...)
	if !ok {
		return d, nothing("no pair of factors varies together")
	}
	d.lo, d.hi = around(lo, hi, 0.08)
	return d, nil
}

// interactionOf arranges the cells of a term; levels keep the order in which they come.
func interactionOf(t inference.Term, m reports.Metric) interaction {
	p := interaction{title: t.Factors[0] + " × " + t.Factors[1]}
	if !t.Clear {
		p.note = "confused with others"
	}
	var second []string
	for _, c := range t.Cells {
		if !slices.Contains(p.levels, c.Levels[0]) {
			p.levels = append(p.levels, c.Levels[0])
		}
		if !slices.Contains(second, c.Levels[1]) {
			second = append(second, c.Levels[1])
		}
	}
	for _, b := range second {
		l := interactionLine{label: t.Factors[1] + "=" + b}
		for range p.levels {
			l.y = append(l.y, math.NaN())
		}
		for _, c := range t.Cells {
			if c.Levels[1] == b && c.N > 0 {
				l.y[slices.Index(p.levels, c.Levels[0])] = m.Scale(c.Mean)
			}
		}
		p.lines = append(p.lines, l)
	}
	return p
}

const (
	interactionsColumns = 3
	interactionsPanel   = 118
	interactionsFoot    = 60
)

func interactionsSize(d interactionsChart) (w, h vg.Length) {
	rows := (len(d.panels) + interactionsColumns - 1) / interactionsColumns
	return pageWidth, vg.Length(rows) * (interactionsPanel + interactionsFoot)
}

func interactionsDraw(d interactionsChart, c *canvas) {
	ts := ticks(d.lo, d.hi, 4, false)
	start := c.Min.X + 16 + tickWidth(ts) + 4
	slot := (c.Max.X - start) / interactionsColumns
	for i, p := range d.panels {
		top := c.Max.Y - vg.Length(i/interactionsColumns)*(interactionsPanel+interactionsFoot)
		x0 := start + slot*vg.Length(i%interactionsColumns)
		f := frame{x: scale{lo: -0.2, hi: float64(len(p.levels)) - 0.8, from: x0, to: x0 + slot - 14},
			y: scale{lo: d.lo, hi: d.hi, from: top - interactionsPanel, to: top - 18}}
		if i%interactionsColumns == 0 {
			c.grid(f, ts)
			c.vertical(tickStyle, d.axis, pt(c.Min.X+6, (f.y.from+f.y.to)/2))
		} else {
			for _, t := range ts {
				c.line(Line, 0.6, pt(f.x.from, f.y.at(t.value)), pt(f.x.to, f.y.at(t.value)))
			}
		}
		title := p.title
		if p.note != "" {
			title += " (" + p.note + ")"
		}
		c.text(tickStyle.with(Ink), wrap(tickStyle, title, slot-14, 1)[0], pt(f.x.from, top-8), left)
		p.draw(c, f)
	}
}

// draw paints the lines, and under them which is which: two lines that cross leave no room for names beside them.
func (p interaction) draw(c *canvas, f frame) {
	var ts []tick
	room := (f.x.to - f.x.from) / vg.Length(max(len(p.levels), 1))
	for i, l := range p.levels {
		ts = append(ts, tick{float64(i), wrap(tickStyle, l, room-2, 1)[0]})
	}
	c.below(f, ts)
	name, _, _ := strings.Cut(p.title, " × ")
	c.text(tickStyle, wrap(tickStyle, name, f.x.to-f.x.from, 1)[0], pt((f.x.from+f.x.to)/2, f.y.from-18), centre)
	y := f.y.from - 30
	for k, l := range p.lines {
		col := series[k%len(series)]
		var ps []vg.Point
		for i, v := range l.y {
			if math.IsNaN(v) {
				continue
			}
			ps = append(ps, pt(f.x.at(float64(i)), f.y.at(v)))
		}
		var dash []vg.Length
		if k%2 == 1 {
			dash = []vg.Length{4, 2}
		}
		c.dashed(col, 1.6, dash, ps...)
		for _, q := range ps {
			c.dot(col, q, 2.4)
		}
		if k < 3 {
			c.dashed(col, 1.6, dash, pt(f.x.from, y), pt(f.x.from+16, y))
			c.text(tickStyle, wrap(tickStyle, l.label, f.x.to-f.x.from-22, 1)[0], pt(f.x.from+20, y), left)
			y -= tickStyle.lineHeight()
		}
	}
}

// byFallingValue orders indices by falling value; what is no number comes last.
func byFallingValue(n int, value func(int) float64) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Or(numbersFirst(-value(a), -value(b)), cmp.Compare(a, b)) })
	return order
}
