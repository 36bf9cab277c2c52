package dataset

import (
	"github.com/mapsweep/mapsweep/trainer/dataset/internal/raster"
)

// Picture is one decoded picture in its own size, upright. Pix is RGB, interleaved, H*W*3 bytes.
type Picture struct {
	W, H int
	Pix  []uint8
}

// ReadPicture reads a file of one of the formats that Load reads, upright as its EXIF orientation has it.
func ReadPicture(file string) (Picture, error) {
	p, _, err := decodeFile(file)
	return Picture{p.W, p.H, p.Pix}, err
}

// IsPicture says whether a file name is one of those that Load takes for pictures.
func IsPicture(name string) bool { return isPicture(name) }

// Place is where a picture lies in its letterbox: pixel x of the picture is at x*Scale+X.
type Place struct{ Scale, X, Y float64 }

// Letterbox fits the picture into a square of size pixels a side, as Load does.
func (p Picture) Letterbox(size int) (Image, Place) {
	q, scale, x, y := raster.Pic{W: p.W, H: p.H, C: 3, Pix: p.Pix}.Letterbox(size)
	return Image{W: size, H: size, Pix: q.Pix}, Place{scale, float64(x), float64(y)}
}

// Back takes the corners of a box in the letterbox to those in the picture of w x h pixels, cut at its edges.
func (l Place) Back(x0, y0, x1, y1 float64, w, h int) (float64, float64, float64, float64) {
	x := func(v float64) float64 { return min(max((v-l.X)/l.Scale, 0), float64(w)) }
	y := func(v float64) float64 { return min(max((v-l.Y)/l.Scale, 0), float64(h)) }
	return x(x0), y(y0), x(x1), y(y1)
}
