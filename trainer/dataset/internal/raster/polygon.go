package raster

import (
	"math"
	"slices"
)

// Spans calls span for each run of pixels of a w x h picture whose centres lie inside a closed polygon x, y, x, y ...
// (even-odd rule): row y, columns x0 to x1, the latter not included.
func Spans(polygon []float32, w, h int, span func(y, x0, x1 int)) {
	n := len(polygon) / 2
	if n < 3 {
		return
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for i := range n {
		v := float64(polygon[2*i+1])
		lo, hi = min(lo, v), max(hi, v)
	}
	if !(hi > 0 && lo < float64(h)) {
		return
	}
	var crossings []float64
	for y := max(0, int(math.Floor(lo))); y < h && float64(y) < hi; y++ {
		crossings = crossings[:0]
		at := float64(y) + .5
		for i := range n {
			j := (i + 1) % n
			x0, y0, x1, y1 := float64(polygon[2*i]), float64(polygon[2*i+1]), float64(polygon[2*j]), float64(polygon[2*j+1])
			if (y0 <= at) != (y1 <= at) {
				crossings = append(crossings, x0+float64((at-y0)/(y1-y0)*(x1-x0)))
			}
		}
		slices.Sort(crossings)
		for i := 0; i+1 < len(crossings); i += 2 {
			a := int(math.Ceil(min(max(crossings[i]-.5, 0), float64(w))))
			b := int(math.Ceil(min(max(crossings[i+1]-.5, 0), float64(w))))
			if b > a {
				span(y, a, b)
			}
		}
	}
}

// ClipPolygon is the part of a closed polygon inside a rectangle (Sutherland and Hodgman 1974), appended to out; nothing
// where they do not meet.
func ClipPolygon(out, polygon []float32, x0, y0, x1, y1 float32) []float32 {
	a := slices.Clone(polygon)
	for side, limit := range [4]float32{x0, y0, x1, y1} {
		axis := side % 2
		inside := func(i int) bool {
			if side < 2 {
				return a[2*i+axis] >= limit
			}
			return a[2*i+axis] <= limit
		}
		var b []float32
		for i, n := 0, len(a)/2; i < n; i++ {
			j := (i + 1) % n
			if inside(i) {
				b = append(b, a[2*i], a[2*i+1])
			}
			if inside(i) != inside(j) {
				t := (limit - a[2*i+axis]) / (a[2*j+axis] - a[2*i+axis])
				p := [2]float32{a[2*i] + float32(t*(a[2*j]-a[2*i])), a[2*i+1] + float32(t*(a[2*j+1]-a[2*i+1]))}
				p[axis] = limit
				b = append(b, p[0], p[1])
			}
		}
		a = b
	}
	return append(out, a...)
}
