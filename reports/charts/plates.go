package charts

import (
	"image"
	"image/color"
	"image/draw"
	"strings"

	xfont "golang.org/x/image/font"
	"golang.org/x/image/math/fixed"
)

// plate is a label in its place, all of it inside the picture.
type plate struct {
	at        image.Rectangle
	words     string
	pen       image.Point // where the first letter begins, on its base line
	box, text color.NRGBA
}

// placeLabels finds a place for each label, the first objects first: the one of places that covers least of the labels
// that have theirs, and of equal ones the first.
func placeLabels(all image.Rectangle, letters xfont.Face, objects []Marked, thick int) (plates []plate) {
	met, pad := letters.Metrics(), thick+1
	up, down := met.Ascent.Ceil(), met.Descent.Ceil()
	for _, m := range objects {
		if m.Label == "" {
			continue
		}
		p := plate{words: shorten(letters, m.Label, all.Dx()-2*pad)}
		p.box, p.text = m.colours()
		size := image.Pt(xfont.MeasureString(letters, p.words).Ceil()+2*pad, up+down)
		least := -1
		for _, at := range places(m.rect(), all, size) {
			if c := covered(at, plates); least < 0 || c < least {
				p.at, least = at, c
			}
			if least == 0 {
				break
			}
		}
		p.pen = p.at.Min.Add(image.Pt(pad, up))
		plates = append(plates, p)
	}
	return plates
}

// places are where the label of a box may stand in a picture, the most usual first: above the box, below it, inside at
// its edges, beside it, and so on line by line. A place that the picture's edge cuts is moved inside, and stands behind those that are not.
func places(box, all image.Rectangle, size image.Point) (list []image.Rectangle) {
	left, right, middle := box.Min.X, box.Max.X-size.X, (box.Min.X+box.Max.X-size.X)/2
	above, below, top, bottom := box.Min.Y-size.Y, box.Max.Y, box.Min.Y, box.Max.Y-size.Y
	usual := []image.Point{
		{left, above}, {left, below}, {right, above}, {right, below}, {middle, above}, {middle, below},
		{left, top}, {left, bottom}, {right, top}, {right, bottom}, {middle, top}, {middle, bottom},
		{box.Max.X, top}, {box.Min.X - size.X, top}, {box.Max.X, bottom}, {box.Min.X - size.X, bottom},
	}
	for line := 1; line <= 3; line++ { // further lines of labels, with a gap
		d := line * (size.Y + 1)
		usual = append(usual, image.Pt(left, top+d), image.Pt(left, bottom-d), image.Pt(left, above-d), image.Pt(left, below+d),
			image.Pt(box.Max.X, top+d), image.Pt(box.Min.X-size.X, top+d))
	}
	var moved []image.Rectangle
	for _, at := range usual {
		r := image.Rectangle{Min: at, Max: at.Add(size)}
		if r.In(all) {
			list = append(list, r)
			continue
		}
		at.X, at.Y = max(min(at.X, all.Max.X-size.X), all.Min.X), max(min(at.Y, all.Max.Y-size.Y), all.Min.Y)
		moved = append(moved, image.Rectangle{Min: at, Max: at.Add(size)})
	}
	return append(list, moved...)
}

// covered is how many pixels of other labels a place covers, with a gap of one pixel around.
func covered(at image.Rectangle, plates []plate) (pixels int) {
	for _, p := range plates {
		if r := at.Inset(-1).Intersect(p.at); !r.Empty() {
			pixels += r.Dx() * r.Dy()
		}
	}
	return pixels
}

// shorten cuts letters from the end of all words but the last, which is the confidence, until the label is so wide.
func shorten(letters xfont.Face, label string, width int) string {
	fits := func(s string) bool { return xfont.MeasureString(letters, s).Ceil() <= width }
	if fits(label) {
		return label
	}
	name, last := label, ""
	if i := strings.LastIndexByte(label, ' '); i >= 0 {
		name, last = label[:i], label[i:]
	}
	runes := []rune(name)
	for n := len(runes) - 1; n > 0; n-- {
		if s := string(runes[:n]) + "…" + last; fits(s) {
			return s
		}
	}
	return strings.TrimSpace(last)
}

func (p plate) draw(dst *image.RGBA, letters xfont.Face) {
	draw.Draw(dst, p.at, image.NewUniform(p.box), image.Point{}, draw.Src)
	d := xfont.Drawer{Dst: dst, Src: image.NewUniform(p.text), Face: letters, Dot: fixed.P(p.pen.X, p.pen.Y)}
	d.DrawString(p.words)
}
