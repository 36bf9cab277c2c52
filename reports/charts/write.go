package charts

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	xfont "golang.org/x/image/font"
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

// dpi of PNG files, enough for print.
const dpi = 300

// Write renders a chart of the snapshot's first block. It returns ErrNothing where there is nothing to draw.
// PDF needs a writable temporary directory, in which gonum/plot prepares its fonts.
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
		c := vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(dpi))
		out, target = vgimg.PngCanvas{Canvas: c}, boxed{c}
	case "pdf":
		c := vgpdf.New(width, height)
		out, target = c, boxed{upright{c}}
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

// upright hides from vgpdf that a font is bold: vgpdf v0.17 stores a bold font under its plain style and then does not
// find it. The font itself, told apart by its typeface, stays the bold one.
type upright struct{ vg.CanvasSizer }

// FillString implements vg.Canvas.
func (u upright) FillString(f font.Face, at vg.Point, t string) {
	if f.Font.Weight == xfont.WeightBold {
		f.Font.Typeface += "Bold"
		f.Font.Weight = xfont.WeightNormal
	}
	u.CanvasSizer.FillString(f, at, t)
}

// Inline renders a chart as an SVG element for an HTML page: without background, sizes or fonts of its own, its
// colours replaced by the custom properties --ink, --mute, ... so that the page sets them, with label for screen readers.
func Inline(c Chart, s *reports.Snapshot, label string) (string, error) {
	p, err := c.Draw(s)
	if err != nil {
		return "", fmt.Errorf("draw chart %s: %w", c.Name, err)
	}
	width, height := c.Size(s)
	canvas := vgsvg.New(width, height)
	p.Draw(draw.New(canvas))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return "", fmt.Errorf("write chart %s: %w", c.Name, err)
	}
	return inline(b.String(), label), nil
}
