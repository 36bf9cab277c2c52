package augment

import (
	"math"
	"math/rand/v2"

	"github.com/mapsweep/mapsweep/trainer/dataset/internal/raster"
)

// view makes layer n what is seen of its stage: zoomed, moved, turned, sheared and tilted about its centre. What
// becomes free is grey.
func (a *Augmenter) view(n int, k key, shift int) {
	s, l := &a.settings, &a.recipe.Layers[n]
	turned := s.Degrees > 0 || s.Shear > 0 || s.Perspective > 0
	wide := l.Stage != a.size
	if !turned && !wide {
		if s.Scale > 0 || s.Translate > 0 {
			a.affine(n, a.at(k, shift+opAffine))
		}
		return
	}
	back, ok := a.turned(n, a.projection(l.Stage, k, shift))
	l.View, l.Seen = back, ok || wide // a wide stage is never a layer by itself
}

// projection is the random view of a square stage: its centre goes to the origin, then come perspective, turn, zoom and
// shear, and the origin goes to the sample's centre, moved. Each draws from a stream of its own.
func (a *Augmenter) projection(side int, k key, shift int) raster.Projection {
	s := &a.settings
	half, out := float64(side)/2, float64(a.size)
	p := raster.Projection{1, 0, -half, 0, 1, -half, 0, 0, 1}
	if s.Perspective > 0 {
		r := a.at(k, shift+opPerspective)
		p = p.Then(raster.Projection{1, 0, 0, 0, 1, 0, uniform(r, -s.Perspective, s.Perspective), uniform(r, -s.Perspective, s.Perspective), 1})
	}
	if s.Degrees > 0 {
		p = p.Then(turn(uniform(a.at(k, shift+opTurn), -s.Degrees, s.Degrees)))
	}
	r := a.at(k, shift+opAffine)
	zoom := uniform(r, 1-s.Scale, 1+s.Scale)
	dx, dy := uniform(r, -s.Translate, s.Translate), uniform(r, -s.Translate, s.Translate)
	p = p.Then(raster.Projection{zoom, 0, 0, 0, zoom, 0, 0, 0, 1})
	if s.Shear > 0 {
		r := a.at(k, shift+opShear)
		p = p.Then(raster.Projection{1, tangent(uniform(r, -s.Shear, s.Shear)), 0, tangent(uniform(r, -s.Shear, s.Shear)), 1, 0, 0, 0, 1})
	}
	return p.Then(raster.Projection{1, 0, out/2 + float64(dx*out), 0, 1, out/2 + float64(dy*out), 0, 0, 1})
}

// turn is a rotation about the origin, positive against the clock, as seen.
func turn(degrees float64) raster.Projection {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	return raster.Projection{cos, sin, 0, -sin, cos, 0, 0, 0, 1}
}

func tangent(degrees float64) float64 { return math.Tan(degrees * math.Pi / 180) }

// turned has the objects of layer n follow a projection, and returns its inverse; ok is false where it has none. The box
// of a turned object is that of its turned outline, or where it has none of its turned corners. Objects that reach behind
// the eye are left out.
func (a *Augmenter) turned(n int, p raster.Projection) (back raster.Projection, ok bool) {
	if back, ok = p.Inverse(); !ok {
		return back, false
	}
	kept := a.objects[n][:0]
	side := float32(a.size)
	for _, o := range a.objects[n] {
		if o, ok := o.projected(p); ok {
			if o, ok := a.cut(o, 0, 0, side, side); ok {
				kept = append(kept, o)
			}
		}
	}
	a.objects[n] = kept
	return back, true
}

// projected is the object seen through p; ok is false if a point of it has no place there.
func (o object) projected(p raster.Projection) (object, bool) {
	x0, y0, x1, y1 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	all := true
	see := func(x, y float32) (float32, float32) {
		u, v, front := p.At(float64(x), float64(y))
		all = all && front
		x0, y0, x1, y1 = min(x0, u), min(y0, v), max(x1, u), max(y1, v)
		return float32(u), float32(v)
	}
	if len(o.outline) > 0 {
		o = o.shaped(see)
	} else {
		see(o.X0, o.Y0)
		see(o.X1, o.Y0)
		see(o.X1, o.Y1)
		see(o.X0, o.Y1)
	}
	o.X0, o.Y0, o.X1, o.Y1 = float32(x0), float32(y0), float32(x1), float32(y1)
	return o, all
}

// affine zooms about the centre and moves; what becomes free is grey.
func (a *Augmenter) affine(n int, r *rand.Rand) {
	size := float64(a.size)
	zoom := uniform(r, 1-a.settings.Scale, 1+a.settings.Scale)
	ox := size/2 - float64(zoom*size/2) + float64(uniform(r, -a.settings.Translate, a.settings.Translate)*size)
	oy := size/2 - float64(zoom*size/2) + float64(uniform(r, -a.settings.Translate, a.settings.Translate)*size)
	l := &a.recipe.Layers[n]
	l.View, l.Seen = [9]float64{1 / zoom, 0, -ox / zoom, 0, 1 / zoom, -oy / zoom, 0, 0, 1}, true
	kept := a.objects[n][:0]
	z, dx, dy, side := float32(zoom), float32(ox), float32(oy), float32(a.size)
	for _, o := range a.objects[n] {
		o.X0, o.X1, o.Y0, o.Y1 = float32(o.X0*z)+dx, float32(o.X1*z)+dx, float32(o.Y0*z)+dy, float32(o.Y1*z)+dy
		o = o.shaped(func(x, y float32) (float32, float32) { return float32(x*z) + dx, float32(y*z) + dy })
		if o, ok := a.cut(o, 0, 0, side, side); ok {
			kept = append(kept, o)
		}
	}
	a.objects[n] = kept
}
