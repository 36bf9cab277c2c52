package charts

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"

	xfont "golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgpdf"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/mapsweep/mapsweep/reports"
)

// Formats are the file formats of Write, which are also their file name extensions.
var Formats = []string{"svg", "png", "pdf"}

// PNG files have 300 dots per inch, enough for print, and fewer where that would make more than 16 million pixels.
const (
	dpi    = 300
	pixels = 16e6
)

func resolution(width, height vg.Length) int {
	return int(min(dpi, math.Sqrt(pixels/(width.Dots(1)*height.Dots(1)))))
}

// Write renders a chart of the snapshot's first block. It returns ErrNothing where there is nothing to draw.
// Text is text in SVG, and shapes in PNG and PDF.
func Write(w io.Writer, c Chart, s *reports.Snapshot, format string) error {
	p, err := c.Draw(s)
	if err != nil {
		return fmt.Errorf("draw chart %s: %w", c.Name, err)
	}
	width, height := c.Size(s)
	if err := render(w, p, width, height, format); err != nil {
		return fmt.Errorf("write chart %s as %s: %w", c.Name, format, err)
	}
	return nil
}

func render(w io.Writer, p *plot.Plot, width, height vg.Length, format string) error {
	var out io.WriterTo
	var target vg.CanvasSizer
	switch format {
	case "svg":
		c := vgsvg.New(width, height)
		out, target = c, c
	case "png":
		c := vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(resolution(width, height)))
		out, target = vgimg.PngCanvas{Canvas: c}, boxed{c}
	case "pdf":
		c := vgpdf.New(width, height)
		out, target = c, boxed{outlined{c}}
	default:
		return fmt.Errorf("unknown format; there are %s", strings.Join(Formats, ", "))
	}
	p.BackgroundColor = background
	p.Draw(draw.New(target))
	if _, err := out.WriteTo(w); err != nil {
		return err
	}
	return nil
}

// boxed is a canvas that shows a box for every letter that the font lacks, where gonum/plot would show nothing.
type boxed struct{ vg.CanvasSizer }

// FillString implements vg.Canvas.
func (b boxed) FillString(f font.Face, at vg.Point, t string) {
	own := face{f, f.Font.Size}
	b.CanvasSizer.FillString(f, at, strings.Map(func(r rune) rune {
		if own.has(r) {
			return r
		}
		return '□'
	}, t))
}

// outlined is a canvas that draws letters as shapes. vgpdf v0.17 writes text in a code page in which "−" and "→" do
// not exist, and stores bold fonts under a name that it does not find; shapes look right everywhere, need no
// temporary directory and make files a tenth as large, but cannot be searched for.
type outlined struct{ vg.CanvasSizer }

// FillString implements vg.Canvas.
func (o outlined) FillString(f font.Face, at vg.Point, t string) {
	var buf sfnt.Buffer
	ppem := fixed.Int26_6(f.Face.UnitsPerEm())
	unit := f.Font.Size / vg.Length(ppem) // canvas points for one font unit
	var prev sfnt.GlyphIndex
	for i, r := range t {
		g, err := f.Face.GlyphIndex(&buf, r)
		if err != nil {
			continue
		}
		if i > 0 {
			if k, err := f.Face.Kern(&buf, prev, g, ppem, xfont.HintingNone); err == nil {
				at.X += vg.Length(k) * unit
			}
		}
		if segments, err := f.Face.LoadGlyph(&buf, g, ppem, nil); err == nil && len(segments) > 0 {
			o.Fill(glyphPath(segments, at, unit))
		}
		if w, err := f.Face.GlyphAdvance(&buf, g, ppem, xfont.HintingNone); err == nil {
			at.X += vg.Length(w) * unit
		}
		prev = g
	}
}

// glyphPath places a glyph's outline, whose y axis points down, at a point of the canvas.
func glyphPath(segments sfnt.Segments, at vg.Point, unit vg.Length) vg.Path {
	put := func(p fixed.Point26_6) vg.Point {
		return vg.Point{X: at.X + vg.Length(p.X)*unit, Y: at.Y - vg.Length(p.Y)*unit}
	}
	var path vg.Path
	for i, s := range segments {
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			if i > 0 {
				path.Close()
			}
			path.Move(put(s.Args[0]))
		case sfnt.SegmentOpLineTo:
			path.Line(put(s.Args[0]))
		case sfnt.SegmentOpQuadTo:
			path.QuadTo(put(s.Args[0]), put(s.Args[1]))
		case sfnt.SegmentOpCubeTo:
			path.CubeTo(put(s.Args[0]), put(s.Args[1]), put(s.Args[2]))
		}
	}
	path.Close()
	return path
}

// Inline renders a chart as an SVG element for an HTML page: without background, sizes or fonts of its own, its
// colours replaced by the custom properties --ink, --mute, ... so that the page sets them, with label for screen readers.
func Inline(c Chart, s *reports.Snapshot, label string) (string, error) {
	p, err := c.Draw(s)
	if err != nil {
		return "", fmt.Errorf("draw chart %s: %w", c.Name, err)
	}
	width, height := c.Size(s)
	var b bytes.Buffer
	if err := renderBare(&b, p, width, height); err != nil {
		return "", fmt.Errorf("write chart %s: %w", c.Name, err)
	}
	return inline(b.String(), label), nil
}

// renderBare writes SVG without a background.
func renderBare(w io.Writer, p *plot.Plot, width, height vg.Length) error {
	canvas := vgsvg.New(width, height)
	p.Draw(draw.New(canvas))
	_, err := canvas.WriteTo(w)
	return err
}
