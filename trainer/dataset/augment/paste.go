package augment

import (
	"image"
	"math"
	"math/rand/v2"

	"github.com/mapsweep/mapsweep/trainer/dataset"
)

// Copy-paste takes this many boxes and seeks a free place for each in this many tries.
const (
	pastes     = 3
	pasteTries = 5
)

// paste copies boxes of other images to places of the stage where they cover no box.
func (a *Augmenter) paste(n int, r *rand.Rand) {
	l := &a.recipe.Layers[n]
	for range pastes {
		from := a.pick(r)
		if len(from.objects) == 0 {
			continue
		}
		m := from.objects[r.IntN(len(from.objects))]
		x0, y0 := max(0, int(m.X0)), max(0, int(m.Y0))
		w, h := min(int(m.X1), a.size)-x0, min(int(m.Y1), a.size)-y0
		if w < 1 || h < 1 {
			continue
		}
		for range pasteTries {
			x, y := r.IntN(l.Stage-w+1), r.IntN(l.Stage-h+1)
			b := dataset.Box{Class: m.Class, X0: float32(x), Y0: float32(y), X1: float32(x + w), Y1: float32(y + h)}
			if covers(a.objects[n], b) {
				continue
			}
			l.Pasted = append(l.Pasted, part(from.index, image.Rect(x, y, x+w, y+h), image.Pt(x-x0, y-y0)))
			a.objects[n] = append(a.objects[n], object{Box: b})
			break
		}
	}
}

// covers says whether b overlaps any of the objects.
func covers(objects []object, b dataset.Box) bool {
	for _, o := range objects {
		if min(o.X1, b.X1) > max(o.X0, b.X0) && min(o.Y1, b.Y1) > max(o.Y0, b.Y0) {
			return true
		}
	}
	return false
}

// freeShare is how much of any object a mirrored one may cover.
const freeShare = .3

// mirrorObjects pastes a share of the outlined objects of a mosaic once more, mirrored left and right about its middle, each
// where it covers less than 30 % of every box that is there (copy-paste, Ghiasi et al. 2021, arXiv:2012.07177, within
// one mosaic).
func (a *Augmenter) mirrorObjects(n int, r *rand.Rand, share float64) {
	var outlined []int
	for i, o := range a.objects[n] {
		if len(o.outline) > 0 {
			outlined = append(outlined, i)
		}
	}
	r.Shuffle(len(outlined), func(i, j int) { outlined[i], outlined[j] = outlined[j], outlined[i] })
	outlined = outlined[:int(math.RoundToEven(share*float64(len(outlined))))]
	l := &a.recipe.Layers[n]
	side := float32(l.Stage)
	for _, i := range outlined {
		o := a.objects[n][i]
		o.X0, o.X1 = side-o.X1, side-o.X0
		if a.coversMuch(n, o.Box) {
			continue
		}
		o = o.shaped(func(x, y float32) (float32, float32) { return side - x, y })
		l.Mirrored = append(l.Mirrored, o.outline...)
		a.objects[n] = append(a.objects[n], o)
	}
}

// coversMuch says whether b covers freeShare or more of any object.
func (a *Augmenter) coversMuch(n int, b dataset.Box) bool {
	for _, o := range a.objects[n] {
		w, h := min(o.X1, b.X1)-max(o.X0, b.X0), min(o.Y1, b.Y1)-max(o.Y0, b.Y0)
		if w > 0 && h > 0 && float32(w*h) >= float32(freeShare*(o.X1-o.X0)*(o.Y1-o.Y0)) {
			return true
		}
	}
	return false
}
