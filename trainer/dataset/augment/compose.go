package augment

import (
	"math"
	"math/rand/v2"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/dataset/internal/raster"
)

// A box that was cut stays if this share of its area and this many pixels a side are left.
const (
	keepArea = .4
	keepSide = 4
)

// Copy-paste takes this many boxes and seeks a free place for each in this many tries.
const (
	pastes     = 3
	pasteTries = 5
)

// mixShape is the shape of the symmetric Beta distribution of the weights of a mixup.
const mixShape = 32

// compose writes image index to canvas n (0: the sample, 1: the partner of a mixup): alone or in a mosaic, with
// pasted boxes, zoomed and moved. shift is added to the operations' numbers.
func (a *Augmenter) compose(n int, k key, shift, index int) {
	a.boxes[n] = a.boxes[n][:0]
	r := a.at(k, shift+opMosaic)
	if !a.closed && r.Float64() < a.settings.Mosaic {
		a.mosaic(n, r, index)
	} else {
		copy(a.canvas[n].Pix, a.images[index].pix.Pix)
		a.boxes[n] = append(a.boxes[n], a.images[index].boxes...)
	}
	if r = a.at(k, shift+opCopyPaste); r.Float64() < a.settings.CopyPaste {
		a.paste(n, r)
	}
	if a.settings.Scale > 0 || a.settings.Translate > 0 {
		a.affine(n, a.at(k, shift+opAffine))
	}
}

// pick is any image.
func (a *Augmenter) pick(r *rand.Rand) *source { return &a.images[r.IntN(len(a.images))] }

// mosaic fills the four quadrants around a random centre, each with a random crop, at native scale, of an image: the
// upper left one of image index, the others of any.
func (a *Augmenter) mosaic(n int, r *rand.Rand, index int) {
	size := a.size
	between := func() int { return size/4 + r.IntN(3*size/4-size/4+1) }
	cx, cy := between(), between()
	for quadrant := range 4 {
		from := &a.images[index]
		if quadrant > 0 {
			from = a.pick(r)
		}
		x0, x1, y0, y1 := 0, cx, 0, cy
		if quadrant%2 == 1 {
			x0, x1 = cx, size
		}
		if quadrant/2 == 1 {
			y0, y1 = cy, size
		}
		sx, sy := r.IntN(size-(x1-x0)+1), r.IntN(size-(y1-y0)+1)
		for y := y0; y < y1; y++ {
			copy(a.canvas[n].Row(y)[x0*3:x1*3], from.pix.Row(sy + y - y0)[sx*3:])
		}
		dx, dy := float32(x0-sx), float32(y0-sy)
		for _, b := range from.boxes {
			b.X0, b.X1, b.Y0, b.Y1 = b.X0+dx, b.X1+dx, b.Y0+dy, b.Y1+dy
			if b, ok := clip(b, float32(x0), float32(y0), float32(x1), float32(y1)); ok {
				a.boxes[n] = append(a.boxes[n], b)
			}
		}
	}
}

// clip cuts a box to a rectangle and says whether enough of it is left.
func clip(b dataset.Box, x0, y0, x1, y1 float32) (dataset.Box, bool) {
	full := (b.X1 - b.X0) * (b.Y1 - b.Y0)
	b.X0, b.X1 = min(max(b.X0, x0), x1), min(max(b.X1, x0), x1)
	b.Y0, b.Y1 = min(max(b.Y0, y0), y1), min(max(b.Y1, y0), y1)
	w, h := b.X1-b.X0, b.Y1-b.Y0
	return b, w >= keepSide && h >= keepSide && float32(w*h) >= float32(keepArea*full)
}

// paste copies boxes of other images to places where they cover no box.
func (a *Augmenter) paste(n int, r *rand.Rand) {
	for range pastes {
		from := a.pick(r)
		if len(from.boxes) == 0 {
			continue
		}
		m := from.boxes[r.IntN(len(from.boxes))]
		x0, y0 := max(0, int(m.X0)), max(0, int(m.Y0))
		w, h := min(int(m.X1), a.size)-x0, min(int(m.Y1), a.size)-y0
		if w < 1 || h < 1 {
			continue
		}
		for range pasteTries {
			x, y := r.IntN(a.size-w+1), r.IntN(a.size-h+1)
			b := dataset.Box{Class: m.Class, X0: float32(x), Y0: float32(y), X1: float32(x + w), Y1: float32(y + h)}
			if covers(a.boxes[n], b) {
				continue
			}
			for i := range h {
				copy(a.canvas[n].Row(y + i)[x*3:(x+w)*3], from.pix.Row(y0 + i)[x0*3:])
			}
			a.boxes[n] = append(a.boxes[n], b)
			break
		}
	}
}

// covers says whether b overlaps any of the boxes.
func covers(boxes []dataset.Box, b dataset.Box) bool {
	for _, o := range boxes {
		if min(o.X1, b.X1) > max(o.X0, b.X0) && min(o.Y1, b.Y1) > max(o.Y0, b.Y0) {
			return true
		}
	}
	return false
}

// affine zooms about the centre and moves; what becomes free is grey.
func (a *Augmenter) affine(n int, r *rand.Rand) {
	size := float64(a.size)
	zoom := uniform(r, 1-a.settings.Scale, 1+a.settings.Scale)
	ox := size/2 - float64(zoom*size/2) + float64(uniform(r, -a.settings.Translate, a.settings.Translate)*size)
	oy := size/2 - float64(zoom*size/2) + float64(uniform(r, -a.settings.Translate, a.settings.Translate)*size)
	raster.AffineBilinear(a.scratch, a.canvas[n], 1/zoom, -ox/zoom, -oy/zoom)
	a.scratch, a.canvas[n] = a.canvas[n], a.scratch
	kept := a.boxes[n][:0]
	z, dx, dy, side := float32(zoom), float32(ox), float32(oy), float32(a.size)
	for _, b := range a.boxes[n] {
		b.X0, b.X1, b.Y0, b.Y1 = float32(b.X0*z)+dx, float32(b.X1*z)+dx, float32(b.Y0*z)+dy, float32(b.Y1*z)+dy
		if b, ok := clip(b, 0, 0, side, side); ok {
			kept = append(kept, b)
		}
	}
	a.boxes[n] = kept
}

// mix blends the sample with a second one, composed like it from its own streams, and joins the boxes of both
// (mixup, Zhang et al. 2018, arXiv:1710.09412, with the weights' distribution usual in detection).
func (a *Augmenter) mix(k key) {
	r := a.at(k, opMixUp)
	if !(r.Float64() < a.settings.MixUp) {
		return
	}
	partner := r.IntN(len(a.images))
	w := beta(r, mixShape)
	a.compose(1, k, opPartner, partner)
	pix, other := a.canvas[0].Pix, a.canvas[1].Pix
	var mine, theirs [256]float64
	for i := range mine {
		mine[i], theirs[i] = float64(i)*w, float64(i)*(1-w)
	}
	for i, v := range other[:len(pix)] {
		pix[i] = uint8(mine[pix[i]] + theirs[v])
	}
	a.boxes[0] = append(a.boxes[0], a.boxes[1]...)
}

// beta draws from the symmetric Beta distribution Beta(shape, shape), shape at least 1.
func beta(r *rand.Rand, shape float64) float64 {
	x, y := gamma(r, shape), gamma(r, shape)
	return x / (x + y)
}

// gamma draws from the Gamma distribution of scale 1 (Marsaglia and Tsang: "A Simple Method for Generating Gamma
// Variables", ACM TOMS 26, 2000); shape at least 1.
func gamma(r *rand.Rand, shape float64) float64 {
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := r.NormFloat64()
		v := 1 + float64(c*x)
		if v <= 0 {
			continue
		}
		v = v * v * v
		if math.Log(1-r.Float64()) < .5*x*x+d*(1-v+math.Log(v)) {
			return d * v
		}
	}
}
