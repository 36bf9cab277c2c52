package charts

import (
	"fmt"
	"image/color"
	"io"

	"gonum.org/v1/plot/vg"
)

// Levels are curves over 0..1 in both axes: precision, recall or F1 by confidence, precision by recall.
type Levels struct {
	X, Y string // of the axes
	// Mean is the curve of all classes together, drawn thick; Lines are those of the classes, drawn thin.
	Mean  Level
	Lines []Level
	At    float64 // x of a dashed vertical line; below 0: none
}

// Level is one curve: its points lie at equal steps from 0 to 1.
type Level struct {
	Name   string
	Values []float64
}

// namedLevels is how many curves get colours and names of their own; more are all grey.
const namedLevels = 12

// Width of the names.
const (
	levelsKeyLeast vg.Length = 130
	levelsKeyMost  vg.Length = 190
)

// key is the width that the names take.
func (d Levels) key() vg.Length {
	if len(d.Lines) > namedLevels {
		return levelsKeyLeast
	}
	w := labelStyle.strong().width(d.Mean.Name)
	for _, l := range d.Lines {
		w = max(w, labelStyle.width(l.Name))
	}
	return min(max(levelsKeyLeast, w+20), levelsKeyMost)
}

func levelsDraw(d Levels, c *canvas) {
	ts, names := ticks(0, 1, 5, false), d.key()
	f := frame{
		x: scale{lo: 0, hi: 1, from: c.Min.X + 16 + tickWidth(ts) + 4, to: c.Max.X - names - 14},
		y: scale{lo: 0, hi: 1.02, from: c.Min.Y + 34, to: c.Max.Y - 8},
	}
	c.grid(f, ts)
	c.below(f, ts)
	c.text(tickStyle, d.X, pt((f.x.from+f.x.to)/2, c.Min.Y+8), centre)
	c.vertical(tickStyle, d.Y, pt(c.Min.X+6, (f.y.from+f.y.to)/2))
	if d.At >= 0 {
		x := f.x.at(d.At)
		c.dashed(Light, 0.8, []vg.Length{3, 3}, pt(x, f.y.from), pt(x, f.y.to))
	}
	y := f.y.to - 6
	key := func(l Level, col color.Color, width vg.Length, dash []vg.Length, s style) {
		c.dashed(col, width, dash, pt(f.x.to+14, y), pt(f.x.to+28, y))
		c.text(s, wrap(s, l.Name, names-20, 1)[0], pt(f.x.to+32, y), left)
		y -= s.lineHeight() + 3
	}
	key(d.Mean, Ink, 2.2, nil, labelStyle.strong())
	for i, l := range d.Lines {
		if len(d.Lines) > namedLevels {
			c.level(f, l, fade(Mute, 0.35), 0.7)
			continue
		}
		col, dash := series[i%len(series)], []vg.Length(nil)
		if i >= len(series) {
			dash = []vg.Length{4, 2}
		}
		c.levelDashed(f, l, col, 1.1, dash)
		key(l, col, 1.6, dash, labelStyle)
	}
	if len(d.Lines) > namedLevels {
		key(Level{Name: fmt.Sprintf("%d classes", len(d.Lines))}, fade(Mute, 0.35), 1.2, nil, labelStyle)
	}
	c.level(f, d.Mean, Ink, 2.2)
}

func (c *canvas) level(f frame, l Level, col color.Color, width vg.Length) {
	c.levelDashed(f, l, col, width, nil)
}

func (c *canvas) levelDashed(f frame, l Level, col color.Color, width vg.Length, dash []vg.Length) {
	pts := make([]vg.Point, len(l.Values))
	for i, v := range l.Values {
		pts[i] = pt(f.x.at(float64(i)/float64(max(1, len(l.Values)-1))), f.y.at(v))
	}
	c.dashed(col, width, dash, pts...)
}

// WriteLevels renders curves in one of Formats. It returns ErrNothing where the mean has no points.
func WriteLevels(w io.Writer, d Levels, format string) error {
	if len(d.Mean.Values) < 2 {
		return nothing("no curve")
	}
	p := newPlot(func(c *canvas) { levelsDraw(d, c) })
	height := max(260, 60+vg.Length(min(len(d.Lines), namedLevels)+1)*(labelStyle.lineHeight()+3))
	if err := render(w, p, pageWidth, height, format); err != nil {
		return fmt.Errorf("write curves as %s: %w", format, err)
	}
	return nil
}
