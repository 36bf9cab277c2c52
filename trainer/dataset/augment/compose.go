package augment

import (
	"math"
	"math/rand/v2"

	"github.com/mapsweep/mapsweep/trainer/dataset/internal/raster"
)

// mixShape is the shape of the symmetric Beta distribution of the weights of a mixup.
const mixShape = 32

// compose makes layer n (0: the sample, 1: the partner of a mixup) of image index: alone or in a mosaic, with
// pasted objects, zoomed, turned and moved. shift is added to the operations' numbers.
func (a *Augmenter) compose(n int, k key, shift, index int) {
	a.objects[n] = a.objects[n][:0]
	l := a.recipe.layer(n, a.size)
	r := a.at(k, shift+opMosaic)
	mosaic := !a.closed && r.Float64() < a.settings.Mosaic
	if mosaic {
		a.mosaic(n, r, k, shift, index)
		if p := a.settings.CopyPastePolygons; p > 0 {
			a.mirrorObjects(n, a.at(k, shift+opPolygons), p)
		}
	} else {
		l.Parts = append(l.Parts, Part{Image: int32(index), W: int32(a.size), H: int32(a.size)})
		a.objects[n] = append(a.objects[n], a.images[index].objects...)
	}
	if r = a.at(k, shift+opCopyPaste); r.Float64() < a.settings.CopyPaste {
		a.paste(n, r)
	}
	a.view(n, k, shift)
}

// pick is any image.
func (a *Augmenter) pick(r *rand.Rand) *source { return &a.images[r.IntN(len(a.images))] }

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
	a.recipe.Weight = w
	a.objects[0] = append(a.objects[0], a.objects[1]...)
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

// cut clips an object to a rectangle and says whether enough of its box is left.
func (a *Augmenter) cut(o object, x0, y0, x1, y1 float32) (object, bool) {
	full := (o.X1 - o.X0) * (o.Y1 - o.Y0)
	o.X0, o.X1 = min(max(o.X0, x0), x1), min(max(o.X1, x0), x1)
	o.Y0, o.Y1 = min(max(o.Y0, y0), y1), min(max(o.Y1, y0), y1)
	w, h := o.X1-o.X0, o.Y1-o.Y0
	if least := float32(a.settings.KeepSide); !(w >= least && h >= least && float32(w*h) >= float32(float32(a.settings.KeepArea)*full)) {
		return o, false
	}
	o.outline = clipOutline(o.outline, x0, y0, x1, y1)
	return o, true
}

// moved is the object shifted; its outline is a copy.
func (o object) moved(dx, dy float32) object {
	o.X0, o.X1, o.Y0, o.Y1 = o.X0+dx, o.X1+dx, o.Y0+dy, o.Y1+dy
	return o.shaped(func(x, y float32) (float32, float32) { return x + dx, y + dy })
}

// shaped has the points of its outline mapped, in a copy.
func (o object) shaped(f func(x, y float32) (float32, float32)) object {
	if o.outline == nil {
		return o
	}
	parts := make([][]float32, len(o.outline))
	for i, p := range o.outline {
		parts[i] = make([]float32, len(p))
		for j := 0; j+1 < len(p); j += 2 {
			parts[i][j], parts[i][j+1] = f(p[j], p[j+1])
		}
	}
	o.outline = parts
	return o
}

// clipOutline is the part of an outline in a rectangle; nil if nothing of it is.
func clipOutline(o [][]float32, x0, y0, x1, y1 float32) [][]float32 {
	var left [][]float32
	for _, p := range o {
		if q := raster.ClipPolygon(nil, p, x0, y0, x1, y1); len(q) >= 6 {
			left = append(left, q)
		}
	}
	return left
}
