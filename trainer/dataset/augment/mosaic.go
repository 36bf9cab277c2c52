package augment

import (
	"image"
	"math/rand/v2"
)

// mosaic composes a mosaic of four or nine, with whole pictures on a stage of twice the side. r is the stream of mosaics of
// four, which goes on; those of nine have their own.
func (a *Augmenter) mosaic(n int, r *rand.Rand, k key, shift, index int) {
	nine := false
	if share := a.settings.Mosaic9; share > 0 {
		if nine = a.at(k, shift+opNine).Float64() < share; !nine {
			a.at(k, shift+opMosaic).Float64() // back to where r was: after the decision for a mosaic
		}
	}
	whole := a.settings.MosaicLayout == Whole
	if whole {
		a.recipe.Layers[n].Stage = 2 * a.size
	}
	switch {
	case whole && nine:
		a.nineWhole(n, r, index)
	case whole:
		a.fourWhole(n, r, index)
	case nine:
		a.cells(n, r, index, a.threeParts(r), a.threeParts(r))
	default:
		a.cells(n, r, index, a.twoParts(r), a.twoParts(r))
	}
}

// parts are the limits of a mosaic's columns or rows, from 0 to the side.
type parts struct {
	count int
	at    [4]int
}

func (a *Augmenter) twoParts(r *rand.Rand) parts {
	return parts{2, [4]int{0, within(r, a.size/4, 3*a.size/4), a.size}}
}

func (a *Augmenter) threeParts(r *rand.Rand) parts {
	return parts{3, [4]int{0, within(r, a.size/6, a.size/2-1), within(r, a.size/2, 5*a.size/6), a.size}}
}

// within is a whole number from lo to hi, both included.
func within(r *rand.Rand, lo, hi int) int { return lo + r.IntN(hi-lo+1) }

// cells fills each part of a grid with a random crop, at native scale, of an image: the upper left one of four, or the
// middle one of nine, of image index, the others of any.
func (a *Augmenter) cells(n int, r *rand.Rand, index int, xs, ys parts) {
	size, own := a.size, xs.count/3*4 // 0 of four, 4 of nine
	for i := range xs.count * ys.count {
		from := &a.images[index]
		if i != own {
			from = a.pick(r)
		}
		column, row := i%xs.count, i/xs.count
		x0, x1, y0, y1 := xs.at[column], xs.at[column+1], ys.at[row], ys.at[row+1]
		sx, sy := r.IntN(size-(x1-x0)+1), r.IntN(size-(y1-y0)+1)
		a.take(n, from, x0-sx, y0-sy, image.Rect(x0, y0, x1, y1))
	}
}

// take adds what is seen in a rectangle of an image that lies shifted by dx, dy: its pixels and its objects.
func (a *Augmenter) take(n int, from *source, dx, dy int, seen image.Rectangle) {
	l := &a.recipe.Layers[n]
	l.Parts = append(l.Parts, part(from.index, seen, image.Pt(dx, dy)))
	for _, o := range from.objects {
		o, ok := a.cut(o.moved(float32(dx), float32(dy)), float32(seen.Min.X), float32(seen.Min.Y), float32(seen.Max.X), float32(seen.Max.Y))
		if ok {
			a.objects[n] = append(a.objects[n], o)
		}
	}
}

// part is what comes to lie in the rectangle to of an image that lies shifted by d.
func part(index int, to image.Rectangle, d image.Point) Part {
	from := to.Min.Sub(d)
	return Part{int32(index), int32(from.X), int32(from.Y), int32(to.Min.X), int32(to.Min.Y), int32(to.Dx()), int32(to.Dy())}
}

// fourWhole lays four whole pictures around a random point of the wide stage, which each of them touches with a corner:
// image index above it to the left, any others elsewhere.
func (a *Augmenter) fourWhole(n int, r *rand.Rand, index int) {
	cx, cy := within(r, a.size/2, 3*a.size/2), within(r, a.size/2, 3*a.size/2)
	for i := range 4 {
		from := &a.images[index]
		if i > 0 {
			from = a.pick(r)
		}
		in := from.inner()
		x, y := cx, cy
		if i%2 == 0 {
			x -= in.Dx()
		}
		if i/2 == 0 {
			y -= in.Dy()
		}
		a.whole(n, from, x, y)
	}
}

// nineWhole lays whole pictures in three rows of three around image index, and moves them all so that the wide stage is
// a random part of them.
func (a *Augmenter) nineWhole(n int, r *rand.Rand, index int) {
	middle := a.images[index].inner()
	left, top := within(r, 0, a.size), within(r, 0, a.size)
	left, top = left+(a.size-middle.Dx())/2, top+(a.size-middle.Dy())/2
	along := func(i, from, length, own int) int {
		switch i {
		case 0:
			return from - own
		case 1:
			return from + (length-own)/2
		}
		return from + length
	}
	for i := range 9 {
		from := &a.images[index]
		if i != 4 {
			from = a.pick(r)
		}
		in := from.inner()
		a.whole(n, from, along(i%3, left, middle.Dx(), in.Dx()), along(i/3, top, middle.Dy(), in.Dy()))
	}
}

// whole lays the picture of an image on the wide stage, its upper left corner at x, y, as far as that lies on it.
func (a *Augmenter) whole(n int, from *source, x, y int) {
	in := from.inner()
	seen := image.Rect(x, y, x+in.Dx(), y+in.Dy()).Intersect(image.Rect(0, 0, 2*a.size, 2*a.size))
	if !seen.Empty() {
		a.take(n, from, x-in.Min.X, y-in.Min.Y, seen)
	}
}
