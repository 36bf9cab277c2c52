package charts

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Coordinates are vg points, y upwards from the lower left corner.

// pageWidth is the width that charts are laid out for: 7.2 inches, a page of text or the report's column.
const pageWidth vg.Length = 520

// edge is the margin left and right, so that no letter touches the border; innerWidth is what charts are laid out in.
const (
	edge       vg.Length = 2
	innerWidth           = pageWidth - 2*edge
)

// The colours: Okabe and Ito's, and greys.
var (
	Ink        = color.NRGBA{0x1f, 0x29, 0x37, 0xff}
	Mute       = color.NRGBA{0x6b, 0x72, 0x80, 0xff}
	Light      = color.NRGBA{0x9c, 0xa3, 0xaf, 0xff}
	Line       = color.NRGBA{0xe5, 0xe7, 0xeb, 0xff}
	Wash       = color.NRGBA{0xf3, 0xf4, 0xf6, 0xff}
	Blue       = color.NRGBA{0x00, 0x72, 0xb2, 0xff}
	Vermilion  = color.NRGBA{0xd5, 0x5e, 0x00, 0xff}
	Green      = color.NRGBA{0x00, 0x9e, 0x73, 0xff}
	Purple     = color.NRGBA{0xcc, 0x79, 0xa7, 0xff}
	Orange     = color.NRGBA{0xe6, 0x9f, 0x00, 0xff}
	Sky        = color.NRGBA{0x56, 0xb4, 0xe9, 0xff}
	background = color.NRGBA{0xff, 0xff, 0xff, 0xff}
)

// series are the colours of arms beside the baseline, in the order of use.
// They leave out the two that mean better and worse for as long as they can.
var series = []color.NRGBA{Green, Purple, Orange, Sky, Blue, Vermilion}

// canvas is what charts paint on.
type canvas struct {
	vg.Canvas
	vg.Rectangle
}

// painter is a plotter that fills the whole plot by itself.
type painter func(*canvas)

// Plot implements plot.Plotter.
func (f painter) Plot(c draw.Canvas, _ *plot.Plot) {
	r := c.Rectangle
	r.Min.X += edge
	r.Max.X -= edge
	f(&canvas{Canvas: c.Canvas, Rectangle: r})
}

// newPlot makes a plot without axes of its own: the painter draws them where measured texts leave room.
func newPlot(f painter) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	p.HideAxes()
	p.X.Padding, p.Y.Padding = 0, 0
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, 1
	p.Add(f)
	return p
}

func fade(c color.NRGBA, opacity float64) color.NRGBA {
	c.A = uint8(math.Round(255 * opacity))
	return c
}

func (c *canvas) line(col color.Color, width vg.Length, pts ...vg.Point) {
	c.dashed(col, width, nil, pts...)
}

func (c *canvas) dashed(col color.Color, width vg.Length, dash []vg.Length, pts ...vg.Point) {
	if len(pts) < 2 {
		return
	}
	c.SetColor(col)
	c.SetLineWidth(width)
	c.SetLineDash(dash, 0)
	var p vg.Path
	p.Move(pts[0])
	for _, q := range pts[1:] {
		p.Line(q)
	}
	c.Stroke(p)
}

func (c *canvas) polygon(col color.Color, pts ...vg.Point) {
	if len(pts) < 3 {
		return
	}
	c.SetColor(col)
	var p vg.Path
	p.Move(pts[0])
	for _, q := range pts[1:] {
		p.Line(q)
	}
	p.Close()
	c.Fill(p)
}

func (c *canvas) rect(col color.Color, x0, y0, x1, y1 vg.Length) {
	c.polygon(col, vg.Point{X: x0, Y: y0}, vg.Point{X: x1, Y: y0}, vg.Point{X: x1, Y: y1}, vg.Point{X: x0, Y: y1})
}

func circle(at vg.Point, r vg.Length) vg.Path {
	var p vg.Path
	p.Move(vg.Point{X: at.X + r, Y: at.Y})
	p.Arc(at, r, 0, 2*math.Pi)
	p.Close()
	return p
}

func (c *canvas) dot(col color.Color, at vg.Point, r vg.Length) {
	c.SetColor(col)
	c.Fill(circle(at, r))
}

func (c *canvas) ring(col color.Color, at vg.Point, r, width vg.Length) {
	c.SetColor(col)
	c.SetLineWidth(width)
	c.SetLineDash(nil, 0)
	c.Stroke(circle(at, r))
}

func pt(x, y vg.Length) vg.Point { return vg.Point{X: x, Y: y} }

// cross draws a mark for what did not count.
func (c *canvas) cross(col color.Color, at vg.Point, r vg.Length) {
	c.line(col, 1, pt(at.X-r, at.Y-r), pt(at.X+r, at.Y+r))
	c.line(col, 1, pt(at.X-r, at.Y+r), pt(at.X+r, at.Y-r))
}
