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

// DrawBoxes draws boxes with their labels into a picture, the first one last, so that it is on top. Labels stand beside
// each other as far as there is room. Lines and letters grow with the picture.
func DrawBoxes(dst *image.RGBA, objects []Marked) error {
	thick, letters, err := pens(dst.Rect)
	if err != nil {
		return err
	}
	defer letters.Close()
	for i := len(objects) - 1; i >= 0; i-- {
		frameBox(dst, objects[i], thick)
	}
	plates := placeLabels(dst.Rect, letters, objects, thick)
	for i := len(plates) - 1; i >= 0; i-- { // no box crosses a label
		plates[i].draw(dst, letters)
	}
	return nil
}

// pens are the thickness of lines in pixels and the letters for a picture of a size.
func pens(all image.Rectangle) (thick int, letters xfont.Face, err error) {
	side := float64(max(all.Dx(), all.Dy()))
	font, err := opentype.Parse(gobold.TTF)
	if err == nil {
		letters, err = opentype.NewFace(font, &opentype.FaceOptions{Size: min(max(side/42, 11), 48), DPI: 72, Hinting: xfont.HintingFull})
	}
	if err != nil {
		return 0, nil, fmt.Errorf("load font: %w", err)
	}
	return max(1, int(math.Round(side/400))), letters, nil
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
