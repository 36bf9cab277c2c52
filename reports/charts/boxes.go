package charts

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"

	xfont "golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// Marked is an object to be drawn into a picture: corners in pixels, and words about it.
type Marked struct {
	X0, Y0, X1, Y1 float64
	Class          int // chooses the colour
	Label          string
}

// marks are the colours of classes, each with that of text on it. Dark and light outlines keep boxes visible on any ground.
var marks = []struct{ box, text color.NRGBA }{
	{Vermilion, background}, {Blue, background}, {Green, background}, {Orange, Ink}, {Purple, Ink}, {Sky, Ink},
	{color.NRGBA{0xf0, 0xe4, 0x42, 0xff}, Ink}, {Ink, background},
}

// DrawBoxes draws boxes with their labels into a picture, the first one last, so that it is on top. Lines and letters
// grow with the picture.
func DrawBoxes(dst *image.RGBA, objects []Marked) error {
	side := float64(max(dst.Rect.Dx(), dst.Rect.Dy()))
	thick := max(1, int(math.Round(side/400)))
	tall := min(max(side/42, 11), 48)
	font, err := opentype.Parse(gobold.TTF)
	if err != nil {
		return fmt.Errorf("load font: %w", err)
	}
	letters, err := opentype.NewFace(font, &opentype.FaceOptions{Size: tall, DPI: 72, Hinting: xfont.HintingFull})
	if err != nil {
		return fmt.Errorf("load font: %w", err)
	}
	defer letters.Close()
	for i := len(objects) - 1; i >= 0; i-- {
		frameBox(dst, objects[i], thick)
	}
	for i := len(objects) - 1; i >= 0; i-- { // no box crosses a label
		labelBox(dst, letters, objects[i], thick)
	}
	return nil
}

func (m Marked) rect() image.Rectangle {
	round := func(v float64) int { return int(math.Round(v)) }
	return image.Rect(round(m.X0), round(m.Y0), round(m.X1), round(m.Y1))
}

func (m Marked) colours() (box, text color.NRGBA) {
	c := marks[(m.Class%len(marks)+len(marks))%len(marks)]
	return c.box, c.text
}

// frameBox draws the edges inwards, with a thin dark line inside.
func frameBox(dst *image.RGBA, m Marked, thick int) {
	r := m.rect()
	col, _ := m.colours()
	edges(dst, r.Inset(thick), max(1, thick/2), color.NRGBA{0, 0, 0, 0x70})
	edges(dst, r, thick, col)
}

func edges(dst *image.RGBA, r image.Rectangle, thick int, col color.Color) {
	if r.Empty() {
		return
	}
	thick = min(thick, (r.Dx()+1)/2, (r.Dy()+1)/2)
	ink := image.NewUniform(col)
	for _, e := range []image.Rectangle{
		image.Rect(r.Min.X, r.Min.Y, r.Max.X, r.Min.Y+thick), image.Rect(r.Min.X, r.Max.Y-thick, r.Max.X, r.Max.Y),
		image.Rect(r.Min.X, r.Min.Y+thick, r.Min.X+thick, r.Max.Y-thick), image.Rect(r.Max.X-thick, r.Min.Y+thick, r.Max.X, r.Max.Y-thick),
	} {
		draw.Draw(dst, e, ink, image.Point{}, draw.Over)
	}
}

// labelBox writes the label on a plate above the box, below it where the picture ends above, inside where it ends on
// both sides, and never beyond its edges.
func labelBox(dst *image.RGBA, letters xfont.Face, m Marked, thick int) {
	if m.Label == "" {
		return
	}
	met := letters.Metrics()
	up, down, pad := met.Ascent.Ceil(), met.Descent.Ceil(), thick+1
	w, h := xfont.MeasureString(letters, m.Label).Ceil()+2*pad, up+down
	r, all := m.rect(), dst.Rect
	x, y := r.Min.X, r.Min.Y-h
	switch {
	case y >= all.Min.Y:
	case r.Max.Y+h <= all.Max.Y:
		y = r.Max.Y
	default:
		y = max(min(r.Min.Y, all.Max.Y-h), all.Min.Y)
	}
	x = max(min(x, all.Max.X-w), all.Min.X)
	col, text := m.colours()
	draw.Draw(dst, image.Rect(x, y, x+w, y+h), image.NewUniform(col), image.Point{}, draw.Src)
	d := xfont.Drawer{Dst: dst, Src: image.NewUniform(text), Face: letters, Dot: fixed.P(x+pad, y+up)}
	d.DrawString(m.Label)
}
